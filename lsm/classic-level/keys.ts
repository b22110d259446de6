import { compareBytes } from '../bytes.ts';
import type { KeyRange } from '../engine.ts';

/**
 * How keys stand in LevelDB:
 *
 *     0x00 · name          what the engine says of itself, below
 *     0x00 · 'r' · lower   a range that is being replaced: its upper bound, or nothing, after a byte that says which
 *     0x01 · key           an entry
 */
const OWN = 0;
const ENTRIES = 1;

export const FORMAT_VERSION = 1;
export const FORMAT_KEY: Uint8Array = ownKey('format');
export const POSITIONS_KEY: Uint8Array = ownKey('positions');
/** The greatest ending of a key that is, or lately was, among the entries. */
export const LARGEST_SUFFIX_KEY: Uint8Array = ownKey('suffix');

export const ALL_ENTRIES: LevelRange = {
  gte: Uint8Array.of(ENTRIES),
  lt: Uint8Array.of(ENTRIES + 1),
};
export const ALL_MARKERS: LevelRange = { gte: ownKey('r'), lt: ownKey('s') };
/** Above everything: a range that LevelDB finds nothing in. */
export const NOWHERE: Uint8Array = Uint8Array.of(0xff);

/** As iterators take it. */
export interface LevelRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

/** Where in the key of an entry its user's key begins. */
export const ENTRY_KEY_START = 1;

export function entryKey(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  const key = new Uint8Array(ENTRY_KEY_START + end - start);
  key[0] = ENTRIES;
  key.set(
    start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end),
    ENTRY_KEY_START,
  );
  return key;
}

export function entryRange({ lower, upper }: KeyRange): LevelRange {
  return { gte: entryKey(lower), lt: upper === undefined ? ALL_ENTRIES.lt : entryKey(upper) };
}

/** The record that says that a range is being replaced. */
export function markerOf({ lower, upper }: KeyRange): { key: Uint8Array; value: Uint8Array } {
  const key = new Uint8Array(ALL_MARKERS.gte.length + lower.length);
  key.set(ALL_MARKERS.gte);
  key.set(lower, ALL_MARKERS.gte.length);
  const value = new Uint8Array(1 + (upper?.length ?? 0));
  if (upper !== undefined) value.set(upper, 1);
  value[0] = upper === undefined ? 0 : 1;
  return { key, value };
}

export function rangeOfMarker(key: Uint8Array, value: Uint8Array): KeyRange {
  return {
    lower: key.slice(ALL_MARKERS.gte.length),
    upper: value[0] === 0 ? undefined : value.slice(1),
  };
}

export function covers(outer: KeyRange, inner: KeyRange): boolean {
  if (compareBytes(outer.lower, inner.lower) > 0) return false;
  if (outer.upper === undefined) return true;
  return inner.upper !== undefined && compareBytes(inner.upper, outer.upper) <= 0;
}

function ownKey(name: string): Uint8Array {
  return Uint8Array.from([OWN, ...Buffer.from(name)]);
}
