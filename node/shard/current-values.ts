import { RESERVED_BYTE } from '../../broker/reserved-keys.ts';
import { compareBytes } from '../../lsm/bytes.ts';
import type { EngineCursor, EngineSnapshot, MaybePromise } from '../../lsm/engine.ts';
import {
  afterSeries,
  decodeValue,
  keyPrefix,
  Space,
  seriesKey,
  timeOf,
  userKey,
} from './engine-key.ts';

/** A value of a key as a reader sees it, mostly its newest; the bytes are the caller's own. */
export interface CurrentValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: number;
  readonly time: number;
  readonly deleted: boolean;
  /** In version units; absent: never. */
  readonly expiresAt?: number;
}

export interface KeyRange {
  /** Whole levels: the key itself and what lies below it. Empty: every key that is not reserved. */
  readonly prefix: Uint8Array;
  /** Exclusive; empty: from the start. */
  readonly after: Uint8Array;
  /** First key, inclusive. */
  readonly from?: Uint8Array;
  /** Last key, exclusive. */
  readonly to?: Uint8Array;
}

/** Asked for every entry that is looked at; a promise while others have a turn. */
export type Pause = () => Promise<void> | undefined;

const ENTRIES_PER_TURN = 256;

/** Lets others have a turn after so many entries, whatever is looked for and in however many scans. */
export function pauseNowAndThen(giveWay: () => Promise<void>): Pause {
  let entries = 0;
  return () => (++entries % ENTRIES_PER_TURN === 0 ? giveWay() : undefined);
}

/** Calls `visit` for each entry from the first on, and `pause` now and then, until `visit` returns false. */
export async function visitEntries(
  cursor: EngineCursor,
  start: Uint8Array,
  options: {
    readonly pause: Pause;
    readonly visit: (item: CurrentValue) => boolean | Promise<boolean>;
    /** Where to go on after an entry; undefined: at the next one. */
    readonly next: ((engineKey: Uint8Array) => Uint8Array) | undefined;
  },
): Promise<void> {
  const { pause, visit, next } = options;
  const positioned = cursor.seek(start);
  if (positioned !== undefined) await positioned;
  while (cursor.valid) {
    const onward = next?.(cursor.key);
    const goOn = visit(currentValue(cursor.key, cursor.value));
    if (!(typeof goOn === 'boolean' ? goOn : await goOn)) return;
    const rest = pause();
    if (rest !== undefined) await rest;
    const moved = onward === undefined ? cursor.next() : toNextSeries(cursor, onward);
    if (moved !== undefined) await moved;
  }
}

/** Most series have few values: the next entry is mostly that of another key, and a step costs less than a search. */
export function toNextSeries(cursor: EngineCursor, onward: Uint8Array): MaybePromise<void> {
  const orSeek = (): MaybePromise<void> => {
    if (cursor.valid && compareBytes(cursor.key, onward) < 0) return cursor.seek(onward);
  };
  const moved = cursor.next();
  return moved === undefined ? orSeek() : moved.then(orSeek);
}

export async function readCurrent(
  snapshot: EngineSnapshot,
  slot: number,
  key: Uint8Array,
): Promise<CurrentValue | undefined> {
  const entry = await snapshot.first(seriesKey(slot, Space.userValues, key));
  return entry === undefined ? undefined : currentValue(entry.key, entry.value);
}

/**
 * Visits the newest value of every key of a slot that lies in the range, tombstones included, in byte order
 * of the keys, until `visit` returns false. Histories are skipped, not read.
 */
export async function scanCurrent(
  snapshot: EngineSnapshot,
  slot: number,
  range: KeyRange,
  pause: Pause,
  visit: (item: CurrentValue) => boolean | Promise<boolean>,
): Promise<void> {
  const { prefix } = range;
  if (prefix.length > 0 && isWithin(prefix, range)) {
    const own = await readCurrent(snapshot, slot, prefix);
    if (own !== undefined && !(await visit(own))) return;
  }
  const bounds = boundsOf(slot, range);
  if (bounds === undefined) return;
  const cursor = snapshot.cursor(bounds);
  try {
    await visitEntries(cursor, bounds.lower, { pause, visit, next: afterSeries });
  } finally {
    cursor.close();
  }
}

export function isWithin(key: Uint8Array, { after, from, to }: KeyRange): boolean {
  if (compareBytes(key, after) <= 0) return false;
  if (from !== undefined && compareBytes(key, from) < 0) return false;
  return to === undefined || compareBytes(key, to) < 0;
}

/**
 * Where the keys of a slot stand that lie in the range, but for the prefix itself; undefined: nowhere. Reserved keys
 * come last in a slot, and lie only in ranges whose prefix is reserved: no list, page or watch of a user goes there.
 */
export function boundsOf(slot: number, range: KeyRange): Bounds | undefined {
  const bounds = narrow(boundsBelow(slot, range.prefix), slot, range);
  return compareBytes(bounds.lower, bounds.upper) < 0 ? bounds : undefined;
}

/** Everything below a prefix: `prefix/` up to, and without, `prefix0`, the byte after the slash. */
function boundsBelow(slot: number, prefix: Uint8Array): Bounds {
  if (prefix.length === 0) {
    return {
      lower: Uint8Array.of(slot, Space.userValues),
      upper: Uint8Array.of(slot, Space.userValues, RESERVED_BYTE),
    };
  }
  const lower = keyPrefix(slot, Space.userValues, Uint8Array.of(...prefix, 0x2f));
  const upper = lower.slice();
  upper[upper.length - 1] = 0x30;
  return { lower, upper };
}

interface Bounds {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
}

function narrow({ lower, upper }: Bounds, slot: number, { after, from, to }: KeyRange): Bounds {
  const starts = [lower];
  if (after.length > 0) starts.push(firstAfter(slot, after));
  if (from !== undefined) starts.push(keyPrefix(slot, Space.userValues, from));
  const ends = [upper];
  if (to !== undefined) ends.push(keyPrefix(slot, Space.userValues, to));
  return {
    lower: starts.reduce((a, b) => (compareBytes(a, b) >= 0 ? a : b)),
    upper: ends.reduce((a, b) => (compareBytes(a, b) <= 0 ? a : b)),
  };
}

function firstAfter(slot: number, key: Uint8Array): Uint8Array {
  const series = seriesKey(slot, Space.userValues, key);
  series[series.length - 1] = 1;
  return series;
}

export function currentValue(engineKey: Uint8Array, stored: Uint8Array): CurrentValue {
  const decoded = decodeValue(stored, timeOf(engineKey));
  return {
    key: userKey(engineKey).slice(),
    value: decoded.value.slice(),
    version: decoded.version,
    time: decoded.time,
    deleted: decoded.tombstone,
    ...(decoded.expiresAt === 0 ? {} : { expiresAt: decoded.expiresAt }),
  };
}
