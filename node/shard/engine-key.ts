import assert from 'node:assert/strict';

/**
 * How a value stands in the engine (DESIGN §3 ▣, lsm/FORMAT.md).
 *
 *     key    slot u8 · space u8 · key · 0x00 · (2^53 - 1 - time) u64 big endian
 *     value  flags u8 · [version u64 big endian, if it is not the time] · [expiresAt u64] · value bytes
 *
 * Newer times sort first, so the first entry of a series is its current value. A key holds no 0x00, so no
 * series is a prefix of another.
 */
export const KEY_BYTES_MAX = 1024;
export const SERIES_SUFFIX_BYTES = 8;
export const ENGINE_KEY_BYTES_MAX = 2 + KEY_BYTES_MAX + 1 + SERIES_SUFFIX_BYTES;
/** The longest value header: flags, version, expiry. */
export const VALUE_HEADER_BYTES_MAX = 17;

export const Space = { userValues: 0 } as const;

const FLAG_TOMBSTONE = 1;
const FLAG_VERSION = 2;
const FLAG_EXPIRES = 4;
const TWO_32 = 0x1_0000_0000;
const TIME_MAX = Number.MAX_SAFE_INTEGER;

/** Writes the engine key of `source[start, end)` into `target` and returns its length. */
export function writeEngineKey(
  target: Uint8Array,
  slot: number,
  space: number,
  source: Uint8Array,
  start: number,
  end: number,
  time: number,
): number {
  assert(end - start <= KEY_BYTES_MAX, 'keys are at most 1,024 bytes');
  target[0] = slot;
  target[1] = space;
  let at = 2;
  for (let i = start; i < end; i++) target[at++] = source[i] as number;
  target[at++] = 0;
  return writeUint53(target, at, TIME_MAX - time);
}

/** The engine key of a value of `key` at this time. */
export function engineKeyAt(
  slot: number,
  space: number,
  key: Uint8Array,
  time: number,
): Uint8Array {
  const target = new Uint8Array(key.length + 3 + SERIES_SUFFIX_BYTES);
  writeEngineKey(target, slot, space, key, 0, key.length, time);
  return target;
}

/** The part of the engine key that all values of one key share. */
export function seriesKey(slot: number, space: number, key: Uint8Array): Uint8Array {
  const series = new Uint8Array(key.length + 3);
  series[0] = slot;
  series[1] = space;
  series.set(key, 2);
  return series;
}

/** Tells a series key, which bloom filters know, from the mere beginning of one: a key holds no 0x00. */
export function isWholeSeriesKey(prefix: Uint8Array): boolean {
  return prefix.length > 3 && prefix.at(-1) === 0;
}

/** `slot · space · text`, the start of every engine key whose key begins with `text`. */
export function keyPrefix(slot: number, space: number, text: Uint8Array): Uint8Array {
  return seriesKey(slot, space, text).subarray(0, text.length + 2);
}

/** The first position after every value of the series of this engine key. */
export function afterSeries(engineKey: Uint8Array): Uint8Array {
  const next = engineKey.slice(0, engineKey.length - SERIES_SUFFIX_BYTES);
  next[next.length - 1] = 1;
  return next;
}

/** The user's key inside an engine key; a view. */
export function userKey(engineKey: Uint8Array): Uint8Array {
  return engineKey.subarray(2, engineKey.length - SERIES_SUFFIX_BYTES - 1);
}

export function timeOf(engineKey: Uint8Array): number {
  return TIME_MAX - readUint53(engineKey, engineKey.length - SERIES_SUFFIX_BYTES);
}

/** Writes the header that stands before the value bytes and returns its length. */
export function writeValueHeader(
  target: Uint8Array,
  version: number,
  time: number,
  tombstone: boolean,
): number {
  const explicitVersion = version !== time;
  target[0] = (tombstone ? FLAG_TOMBSTONE : 0) | (explicitVersion ? FLAG_VERSION : 0);
  return explicitVersion ? writeUint53(target, 1, version) : 1;
}

export interface DecodedValue {
  readonly version: number;
  readonly tombstone: boolean;
  /** A view of the value bytes. */
  readonly value: Uint8Array;
}

export function decodeValue(stored: Uint8Array, time: number): DecodedValue {
  const flags = stored[0] as number;
  let at = 1;
  let version = time;
  if (flags & FLAG_VERSION) {
    version = readUint53(stored, at);
    at += 8;
  }
  if (flags & FLAG_EXPIRES) at += 8;
  return { version, tombstone: (flags & FLAG_TOMBSTONE) !== 0, value: stored.subarray(at) };
}

function writeUint53(target: Uint8Array, at: number, value: number): number {
  const high = Math.floor(value / TWO_32);
  const low = value % TWO_32;
  target[at] = high >>> 24;
  target[at + 1] = high >>> 16;
  target[at + 2] = high >>> 8;
  target[at + 3] = high;
  target[at + 4] = low >>> 24;
  target[at + 5] = low >>> 16;
  target[at + 6] = low >>> 8;
  target[at + 7] = low;
  return at + 8;
}

function readUint53(source: Uint8Array, at: number): number {
  const view = new DataView(source.buffer, source.byteOffset + at, 8);
  return view.getUint32(0) * TWO_32 + view.getUint32(4);
}
