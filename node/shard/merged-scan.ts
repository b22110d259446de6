import { compareBytes } from '../../lsm/bytes.ts';
import type { EngineCursor, EngineSnapshot } from '../../lsm/engine.ts';
import {
  boundsOf,
  type CurrentValue,
  currentValue,
  isWithin,
  type KeyRange,
  type Pause,
  readCurrent,
  toNextSeries,
} from './current-values.ts';
import { afterSeries, userKey } from './engine-key.ts';

interface Head {
  readonly cursor: EngineCursor;
  /** Where the cursor stands; the slots are merged by it. */
  key: Uint8Array;
}

export interface SlotRun {
  readonly firstSlot: number;
  readonly slotCount: number;
}

/**
 * Visits the newest values of a run of slots as one, tombstones included, in byte order of the keys, until
 * `visit` returns false. It reads no further than it visits.
 */
export async function scanMerged(
  snapshot: EngineSnapshot,
  slots: SlotRun,
  range: KeyRange,
  pause: Pause,
  visit: (item: CurrentValue) => boolean,
): Promise<void> {
  if (!(await visitPrefix(snapshot, slots, range, visit))) return;
  const heads: Head[] = [];
  const cursors: EngineCursor[] = [];
  try {
    for (const slot of slotsOf(slots)) {
      const bounds = boundsOf(slot, range);
      if (bounds === undefined) continue;
      const cursor = snapshot.cursor(bounds);
      cursors.push(cursor);
      const positioned = cursor.seek(bounds.lower);
      if (positioned !== undefined) await positioned;
      if (cursor.valid) heads.push({ cursor, key: userKey(cursor.key).slice() });
    }
    while (heads.length > 0) {
      const head = leastOf(heads);
      const { cursor } = head;
      const onward = afterSeries(cursor.key);
      if (!visit(currentValue(cursor.key, cursor.value))) return;
      const rest = pause();
      if (rest !== undefined) await rest;
      const moved = toNextSeries(cursor, onward);
      if (moved !== undefined) await moved;
      if (cursor.valid) head.key = userKey(cursor.key).slice();
      else heads.splice(heads.indexOf(head), 1);
    }
  } finally {
    for (const cursor of cursors) cursor.close();
  }
}

/** The prefix is itself a key, of one of the slots at most; it comes before everything below it. */
async function visitPrefix(
  snapshot: EngineSnapshot,
  slots: SlotRun,
  range: KeyRange,
  visit: (item: CurrentValue) => boolean,
): Promise<boolean> {
  const { prefix } = range;
  if (prefix.length === 0 || !isWithin(prefix, range)) return true;
  for (const slot of slotsOf(slots)) {
    const own = await readCurrent(snapshot, slot, prefix);
    if (own !== undefined) return visit(own);
  }
  return true;
}

function slotsOf({ firstSlot, slotCount }: SlotRun): number[] {
  return Array.from({ length: slotCount }, (_, i) => firstSlot + i);
}

function leastOf(heads: readonly Head[]): Head {
  return heads.reduce((least, head) => (compareBytes(head.key, least.key) < 0 ? head : least));
}
