import { compareBytes } from '../bytes.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { Version } from '../version/version.ts';
import {
  type Choice,
  descentOf,
  NOTHING,
  overlappedBy,
  totalBytes,
  usableTables,
  usedLevels,
} from './choice.ts';

/**
 * Levels that are merged into the last of them, slice by slice in key order, so that a job stays small however
 * large the levels are.
 */
export interface Sweep {
  /** Ascending; at least two. Those between that are not named are empty. */
  readonly levels: readonly number[];
  /** Tables that begin here or before are done. `undefined`: none. */
  readonly from: Uint8Array | undefined;
}

export interface SweepOptions {
  /** Target for a table below level 0. */
  readonly tableBytes: number;
  readonly borders: readonly Uint8Array[];
}

/**
 * Which levels can be merged, the best first: those where the largest has the least share of what is written. A
 * byte is written again every time its run grows, and the bytes of the largest run hardly gain by it.
 */
export function sweepsByWorth(
  version: Version,
  avoid: ReadonlySet<number>,
  which: 'any' | 'into the last',
): readonly Sweep[] {
  const levels = usedLevels(version, avoid);
  const windows: Window[] = [];
  for (let start = 0; start < levels.length; start++) {
    for (let end = start + 1; end < levels.length; end++) {
      if (which !== 'any' && end < levels.length - 1) continue;
      windows.push(windowOf(version, levels.slice(start, end + 1), avoid));
    }
  }
  // Tables of a small run are wide: a slice with one takes much of a large run along.
  const isUneven = ({ spread }: Window) => (spread > SPREAD_MAX ? 1 : 0);
  return windows
    .sort((a, b) => isUneven(a) - isUneven(b) || a.share - b.share || a.totalBytes - b.totalBytes)
    .map((window) => ({ levels: window.levels, from: undefined }));
}

interface Window {
  readonly levels: readonly number[];
  readonly totalBytes: number;
  /** Of the largest of its runs; 0 when nothing need be written. */
  readonly share: number;
  /** How many times as much as in its topmost run is in all. */
  readonly spread: number;
}

function windowOf(version: Version, levels: readonly number[], avoid: ReadonlySet<number>): Window {
  const target = levels.at(-1) as number;
  const upper = levels.slice(0, -1).map((level) => usableTables(version, level, avoid));
  const overlapped = totalBytes(overlappedBy(version, target, upper.flat()));
  const sizes = [...upper.map(totalBytes), overlapped];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const isFree = levels.length === 2 && overlapped === 0;
  return {
    levels,
    totalBytes: total,
    share: isFree ? 0 : Math.max(...sizes) / total,
    spread: isFree ? 1 : total / (sizes[0] as number),
  };
}

/** The next slice of a sweep; nothing when it has come to its end, or only damaged tables are left. */
export function nextSlice(
  version: Version,
  { levels, from }: Sweep,
  options: SweepOptions,
  avoid: ReadonlySet<number>,
): Choice {
  const target = levels.at(-1) as number;
  const waiting = levels
    .slice(0, -1)
    .flatMap((level) => usableTables(version, level, avoid))
    .filter(({ smallest }) => from === undefined || compareBytes(smallest, from) > 0)
    .sort((a, b) => compareBytes(a.smallest, b.smallest));
  for (let start = 0; start < waiting.length; start++) {
    // When a damaged table is in the way of a slice there may be none in the way of its first table.
    for (const bytesMax of [SLICE_TABLES * options.tableBytes, 0]) {
      const { tables, count } = sliceFrom(version, waiting, start, target, bytesMax);
      const scope = { avoid, borders: options.borders };
      const choice = descentOf(version, levels[0] as number, target, tables, scope);
      if (choice.kind === 'nothing') continue;
      const last = waiting[start + count - 1] as TableMeta;
      const isEnd = tables.length === waiting.length - start;
      return { ...choice, sweep: isEnd ? undefined : { levels, from: last.smallest } };
    }
  }
  return NOTHING;
}

/** Tables in order from `start`, `count` of them, and what else lies wholly within their span. */
function sliceFrom(
  version: Version,
  waiting: readonly TableMeta[],
  start: number,
  target: number,
  bytesMax: number,
): { tables: readonly TableMeta[]; count: number } {
  const tables = [waiting[start] as TableMeta];
  const bytes = () => totalBytes(tables) + totalBytes(overlappedBy(version, target, tables));
  let at = start + 1;
  for (; at < waiting.length && bytes() < bytesMax; at++) tables.push(waiting[at] as TableMeta);
  const count = at - start;
  const end = tables
    .map(({ largest }) => largest)
    .sort(compareBytes)
    .at(-1) as Uint8Array;
  for (; at < waiting.length; at++) {
    const table = waiting[at] as TableMeta;
    if (compareBytes(table.smallest, end) > 0) break;
    if (compareBytes(table.largest, end) <= 0) tables.push(table);
  }
  return { tables, count };
}

const SPREAD_MAX = 16;
/** A slice has at least so many full tables; what is at its edges is written twice. */
const SLICE_TABLES = 16;
