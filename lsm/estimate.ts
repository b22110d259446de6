import { commonPrefixLength } from './bytes.ts';
import type { KeyRange } from './engine.ts';
import type { TableMeta } from './sstable/table-meta.ts';
import type { Version } from './version/version.ts';

/** About what a range has in tables; what is only in memory is not counted. */
export interface RangeEstimate {
  readonly bytes: number;
  /** Older values and deletions that are still there count too. */
  readonly entries: number;
}

/**
 * Estimates without reading anything: of a table that lies in the range in part, as if its keys were evenly spread
 * between its smallest and its largest.
 */
export function estimateRange(version: Version, { lower, upper }: KeyRange): RangeEstimate {
  let [bytes, entries] = [0, 0];
  for (let level = 0; level < version.levels.length; level++) {
    for (const table of version.within(level, lower, upper)) {
      const end = upper === undefined ? 1 : shareBelow(table, upper);
      const share = Math.max(0, end - shareBelow(table, lower));
      bytes += share * table.bytes;
      entries += share * table.entryCount;
    }
  }
  return { bytes: Math.round(bytes), entries: Math.round(entries) };
}

/** The part of a table, from 0 to 1, that has keys below `key`. */
function shareBelow({ smallest, largest }: TableMeta, key: Uint8Array): number {
  const skip = commonPrefixLength(smallest, smallest.length, largest, 0, largest.length);
  const least = numberAt(smallest, skip);
  const span = numberAt(largest, skip) - least;
  const common = commonPrefixLength(smallest, skip, key, 0, key.length);
  if (common < skip) return (key[common] ?? -1) < (smallest[common] as number) ? 0 : 1;
  if (span === 0) return numberAt(key, skip) > least ? 1 : 0;
  return Math.min(1, Math.max(0, (numberAt(key, skip) - least) / span));
}

/** Six bytes as a number: as many as it holds exactly. Behind the end come zeros. */
function numberAt(bytes: Uint8Array, start: number): number {
  let number = 0;
  for (let at = start; at < start + 6; at++) number = number * 256 + (bytes[at] ?? 0);
  return number;
}
