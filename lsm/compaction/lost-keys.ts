import { compareBytes } from '../bytes.ts';
import type { KeyRange } from '../engine.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { VersionSet } from '../version/version-set.ts';

/** What of a range of keys lies outside another. */
export function outside(keys: KeyRange, { lower, upper }: KeyRange): KeyRange[] {
  const below = { lower: keys.lower, upper: least(keys.upper, lower) };
  const above = upper && { lower: greatest(keys.lower, upper), upper: keys.upper };
  return [below, ...(above === undefined ? [] : [above])].filter((part) => !isEmpty(part));
}

/** In the place of a table, as far as its keys are lost. */
export function lostTables(
  versions: VersionSet,
  origin: TableMeta,
  ranges: readonly KeyRange[],
): TableMeta[] {
  if (ranges.length > 0) versions.noteLosses(origin);
  const firstFileNumber = versions.allocateFileNumbers(ranges.length);
  return ranges.map((keys, i) => lostTable(origin, firstFileNumber + i, keys));
}

export function overlaps({ smallest, largest }: TableMeta, { lower, upper }: KeyRange): boolean {
  if (compareBytes(largest, lower) < 0) return false;
  return upper === undefined || compareBytes(smallest, upper) < 0;
}

/** A table without a file: it stands for keys that are lost, so that no read goes past what was there. */
function lostTable(origin: TableMeta, fileNumber: number, keys: KeyRange): TableMeta {
  const { lower: smallest, upper } = keys;
  const largest = upper === undefined ? origin.largest : lastBelow(upper);
  return { ...origin, fileNumber, smallest, largest, bytes: 0, damaged: true };
}

/** No key of ours lies between this and `bytes`: none has so many bytes that are all ones. */
function lastBelow(bytes: Uint8Array): Uint8Array {
  const last = bytes.length - 1;
  if (bytes[last] === 0) return bytes.slice(0, last);
  const below = new Uint8Array(bytes.length + ONES).fill(0xff);
  below.set(bytes);
  below[last] = (bytes[last] as number) - 1;
  return below;
}

const ONES = 32;

function isEmpty({ lower, upper }: KeyRange): boolean {
  return upper !== undefined && compareBytes(lower, upper) >= 0;
}

function least(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  return a !== undefined && compareBytes(a, b) < 0 ? a : b;
}

function greatest(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) > 0 ? a : b;
}
