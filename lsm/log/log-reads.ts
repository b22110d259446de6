import { LsmError } from '../errors.ts';
import { crc32c } from '../hash/crc32c.ts';
import type { EntryIndex } from './entry-index.ts';
import { getU53, recordField, recordHeaderBytes, segmentFileName } from './format.ts';
import type { LogGroup } from './log-group.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { LogEntry } from './types.ts';

/** `Log.read`: from memory while a round is in flight, else from the files, one read for each run of neighbours. */
export async function readEntries(
  group: LogGroup,
  files: SegmentFiles,
  firstIndex: number,
  lastIndex: number,
  bytesMax: number,
): Promise<LogEntry[]> {
  const { index } = group;
  const entries: LogEntry[] = [];
  let budget = bytesMax;
  for (
    let next = firstIndex;
    next <= lastIndex && index.has(next);
    next = firstIndex + entries.length
  ) {
    const isFirst = entries.length === 0;
    const inMemory = group.entryInFlight(next);
    if (inMemory !== undefined) {
      if (!isFirst && inMemory.data.length > budget) break;
      entries.push(inMemory);
      budget -= inMemory.data.length;
      continue;
    }
    const run = neighbours(group, next, lastIndex, budget, isFirst);
    if (run.lengths.length === 0) break;
    const read = await readRun(index, files, run);
    entries.push(...read);
    const missing = run.terms[read.length];
    // The same entry elsewhere was moved while the disk worked; another one, or none, was not asked for.
    if (missing !== undefined && index.term(next + read.length) !== missing) break;
    for (const { data } of read) budget -= data.length;
  }
  return entries;
}

/** Entries whose records lie side by side in a file. */
interface Run {
  readonly firstIndex: number;
  readonly segment: number;
  readonly offset: number;
  readonly lengths: readonly number[];
  readonly terms: readonly number[];
}

function neighbours(
  group: LogGroup,
  firstIndex: number,
  lastIndex: number,
  bytesMax: number,
  atLeastOne: boolean,
): Run {
  const { index } = group;
  const segment = index.segment(firstIndex);
  const offset = index.offset(firstIndex);
  const lengths: number[] = [];
  const terms: number[] = [];
  let end = offset;
  let budget = bytesMax;
  for (let at = firstIndex; at <= lastIndex && index.has(at); at++) {
    if (index.offset(at) !== end || index.segment(at) !== segment) break;
    if (group.entryInFlight(at) !== undefined) break;
    const length = index.length(at);
    budget -= length - recordHeaderBytes;
    if (budget < 0 && !(atLeastOne && at === firstIndex)) break;
    lengths.push(length);
    terms.push(index.term(at) as number);
    end += length;
  }
  return { firstIndex, segment, offset, lengths, terms };
}

/**
 * Stops at the first entry that was released or replaced while the disk worked. Each record must be the one that was
 * written, by the checksum that stays in memory: what has changed on the disk since, or was never written there, would go
 * to followers and into tables. A batch has a checksum from its origin, but it leaves out the entry's header and its
 * term, other kinds of entries have none, and nobody looks at it once it is proposed.
 */
async function readRun(index: EntryIndex, files: SegmentFiles, run: Run): Promise<LogEntry[]> {
  const total = run.lengths.reduce((sum, length) => sum + length, 0);
  const isStillThere = (at: number, offset: number) =>
    index.has(at) && index.offset(at) === offset && index.segment(at) === run.segment;
  let bytes: Uint8Array;
  try {
    bytes = await files.read(run.segment, run.offset, total);
  } catch (error) {
    // Its file may have been removed meanwhile.
    if (!isStillThere(run.firstIndex, run.offset)) return [];
    throw error;
  }
  const entries: LogEntry[] = [];
  let at = 0;
  for (const [ordinal, length] of run.lengths.entries()) {
    const entryIndex = run.firstIndex + ordinal;
    if (!isStillThere(entryIndex, run.offset + at)) break;
    const record = bytes.subarray(at, at + length);
    if (record.length !== length || crc32c(record) !== index.checksum(entryIndex)) {
      const place = `${segmentFileName(run.segment)} at ${run.offset + at}`;
      throw new LsmError('CORRUPTION', `${place}: the record of entry ${entryIndex} has changed`);
    }
    entries.push(parseRecord(record, entryIndex));
    at += length;
  }
  return entries;
}

function parseRecord(record: Uint8Array, index: number): LogEntry {
  const view = new DataView(record.buffer, record.byteOffset, recordHeaderBytes);
  return {
    index,
    term: getU53(view, recordField.term),
    kind: view.getUint8(recordField.kind),
    data: record.subarray(recordHeaderBytes),
  };
}
