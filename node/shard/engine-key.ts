import assert from 'node:assert/strict';

/**
 * How a value stands in the engine (DESIGN §3 ▣, lsm/FORMAT.md).
 *
 *     key    slot u8 · space u8 · key · 0x00 · (2^53 - 1 - time) u64 big endian
 *     value  flags u8 · [version u64 big endian, if it is not the time] · [expiresAt u64] · [token 16 B] · [time u64] · value bytes
 *
 * Newer times sort first, so the first entry of a series is its current value. A key holds no 0x00, so no
 * series is a prefix of another. A value may stand elsewhere than its own time says: then that is in the header.
 * `Space.expiries` lists the values that expire, by when:
 *
 *     key    slot u8 · space u8 · expiresAt u64 big endian · key · 0x00 · (2^53 - 1 - version) u64 big endian
 */
export const KEY_BYTES_MAX = 1024;
export const SERIES_SUFFIX_BYTES = 8;
export const ENGINE_KEY_BYTES_MAX = 2 + 8 + KEY_BYTES_MAX + 1 + SERIES_SUFFIX_BYTES;
/** Names the request that a value came from, so that its repetition is known (`WriteCondition`). */
export const TOKEN_BYTES = 16;
/** The longest value header: flags, version, expiry, token, time. */
export const VALUE_HEADER_BYTES_MAX = 25 + TOKEN_BYTES;

export const Space = { userValues: 0, expiries: 3 } as const;

const FLAG_TOMBSTONE = 1;
const FLAG_VERSION = 2;
const FLAG_EXPIRES = 4;
const FLAG_TOKEN = 8;
const FLAG_TIME = 16;
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

/** Writes the key of an entry of `Space.expiries` and returns its length. */
export function writeExpiryKey(
  target: Uint8Array,
  slot: number,
  expiresAt: number,
  source: Uint8Array,
  start: number,
  end: number,
  version: number,
): number {
  target[0] = slot;
  target[1] = Space.expiries;
  let at = writeUint53(target, 2, expiresAt);
  for (let i = start; i < end; i++) target[at++] = source[i] as number;
  target[at++] = 0;
  return writeUint53(target, at, TIME_MAX - version);
}

/** Where the values begin that expire at this time or later. */
export function expiryBound(slot: number, expiresAt: number): Uint8Array {
  const bound = new Uint8Array(10);
  bound[0] = slot;
  bound[1] = Space.expiries;
  writeUint53(bound, 2, expiresAt);
  return bound;
}

/** What an entry of `Space.expiries` says. */
export interface Expiry {
  readonly expiresAt: number;
  readonly key: Uint8Array;
  /** Of the value that expires. */
  readonly version: number;
}

/** The key is a copy. */
export function decodeExpiryKey(engineKey: Uint8Array): Expiry {
  return {
    expiresAt: readUint53(engineKey, 2),
    key: engineKey.slice(10, engineKey.length - SERIES_SUFFIX_BYTES - 1),
    version: timeOf(engineKey),
  };
}

/**
 * Writes the header that stands before the value bytes and returns its length. `position` is the time in the
 * engine key. `expiresAt` 0: never. The token is a range of `source`, of `TOKEN_BYTES` or empty.
 */
export function writeValueHeader(
  target: Uint8Array,
  version: number,
  position: number,
  tombstone: boolean,
  expiresAt = 0,
  source: Uint8Array = NO_BYTES,
  tokenStart = 0,
  tokenEnd = 0,
  time = position,
): number {
  const hasToken = tokenEnd - tokenStart === TOKEN_BYTES;
  target[0] =
    (tombstone ? FLAG_TOMBSTONE : 0) |
    (version === position ? 0 : FLAG_VERSION) |
    (expiresAt === 0 ? 0 : FLAG_EXPIRES) |
    (hasToken ? FLAG_TOKEN : 0) |
    (time === position ? 0 : FLAG_TIME);
  let at = 1;
  if (version !== position) at = writeUint53(target, at, version);
  if (expiresAt !== 0) at = writeUint53(target, at, expiresAt);
  if (hasToken) for (let i = tokenStart; i < tokenEnd; i++) target[at++] = source[i] as number;
  return time === position ? at : writeUint53(target, at, time);
}

/** The version of the value that is stored at `start`, without decoding the rest. */
export function storedVersion(bytes: Uint8Array, start: number, position: number): number {
  return (bytes[start] as number) & FLAG_VERSION ? readUint53(bytes, start + 1) : position;
}

export function isStoredTombstone(bytes: Uint8Array, start: number): boolean {
  return ((bytes[start] as number) & FLAG_TOMBSTONE) !== 0;
}

export interface DecodedValue {
  readonly version: number;
  /** Its own, mostly that of its position. */
  readonly time: number;
  readonly tombstone: boolean;
  /** 0: never. */
  readonly expiresAt: number;
  /** A view; undefined: the value did not come from a request with a token. */
  readonly token: Uint8Array | undefined;
  /** A view of the value bytes. */
  readonly value: Uint8Array;
}

/** `position` is the time in the engine key. */
export function decodeValue(stored: Uint8Array, position: number): DecodedValue {
  const flags = stored[0] as number;
  let at = 1;
  let version = position;
  let time = position;
  let expiresAt = 0;
  let token: Uint8Array | undefined;
  if (flags & FLAG_VERSION) {
    version = readUint53(stored, at);
    at += 8;
  }
  if (flags & FLAG_EXPIRES) {
    expiresAt = readUint53(stored, at);
    at += 8;
  }
  if (flags & FLAG_TOKEN) {
    token = stored.subarray(at, at + TOKEN_BYTES);
    at += TOKEN_BYTES;
  }
  if (flags & FLAG_TIME) {
    time = readUint53(stored, at);
    at += 8;
  }
  const tombstone = (flags & FLAG_TOMBSTONE) !== 0;
  return { version, time, tombstone, expiresAt, token, value: stored.subarray(at) };
}

const NO_BYTES = new Uint8Array(0);

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

/** Reads a version or a time. */
export function readUint53(source: Uint8Array, at: number): number {
  return readUint32(source, at) * TWO_32 + readUint32(source, at + 4);
}

function readUint32(source: Uint8Array, at: number): number {
  return (
    (((source[at] as number) << 24) |
      ((source[at + 1] as number) << 16) |
      ((source[at + 2] as number) << 8) |
      (source[at + 3] as number)) >>>
    0
  );
}
