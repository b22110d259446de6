import { NO_BYTES } from '../iterator/cursor.ts';
import { MergingCursor } from '../iterator/merging-cursor.ts';
import type { Memtable } from '../memtable/memtable.ts';
import { ENTRY_KEY_START, entryKey, LARGEST_SUFFIX_KEY } from './keys.ts';
import type { LevelBatch } from './level.ts';
import type { StoredRange, StoredRanges } from './stored-ranges.ts';

/** After so many entries others get their turn: each costs a call into native code. */
const ENTRIES_AT_ONCE = 1000;

/** Puts the entries of a frozen memtable into a batch. Returns their bytes. */
export async function fillBatch(
  batch: LevelBatch,
  memtable: Memtable,
  ranges: StoredRanges,
): Promise<number> {
  const suffixBytes = memtable.suffixBytes;
  const touched = new Set<StoredRange>();
  let bytes = 0;
  let count = 0;
  const cursor = new MergingCursor(memtable.cursors(Number.MAX_SAFE_INTEGER));
  for (cursor.seek(NO_BYTES); cursor.valid; cursor.next()) {
    const key = entryKey(cursor.keyBytes, cursor.keyStart, cursor.keyEnd);
    batch.put(key, cursor.valueBytes.subarray(cursor.valueStart, cursor.valueEnd));
    const range = ranges.rangeOf(key, ENTRY_KEY_START, key.length);
    const entryBytes = key.length + cursor.valueEnd - cursor.valueStart;
    range.add(key, key.length - suffixBytes, key.length, entryBytes);
    touched.add(range);
    bytes += entryBytes;
    if (++count % ENTRIES_AT_ONCE === 0) await nextTurn();
  }
  for (const range of touched) range.renumberIfGrown();
  const { largestSuffix } = ranges;
  if (largestSuffix !== undefined) batch.put(LARGEST_SUFFIX_KEY, largestSuffix);
  return bytes;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
