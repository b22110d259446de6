import { compareBytes } from '../../lsm/bytes.ts';
import type { EngineCursor, EngineSnapshot } from '../../lsm/engine.ts';
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
  /** Whole levels: the key itself and what lies below it. Empty: every key. */
  readonly prefix: Uint8Array;
  /** Exclusive; empty: from the start. */
  readonly after: Uint8Array;
  /** First key, inclusive. */
  readonly from?: Uint8Array;
  /** Last key, exclusive. */
  readonly to?: Uint8Array;
}

/** Gives other work a turn. */
export type Pause = () => Promise<void>;

/** So many entries are looked at in one breath: whatever a scan passes over, the node serves others meanwhile. */
const ENTRIES_PER_TURN = 256;

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
  for (let visited = 1; cursor.valid; visited++) {
    const onward = next?.(cursor.key);
    const goOn = visit(currentValue(cursor.key, cursor.value));
    if (!(typeof goOn === 'boolean' ? goOn : await goOn)) return;
    if (visited % ENTRIES_PER_TURN === 0) await pause();
    const moved = onward === undefined ? cursor.next() : cursor.seek(onward);
    if (moved !== undefined) await moved;
  }
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
  const bounds = narrow(boundsBelow(slot, prefix), slot, range);
  if (compareBytes(bounds.lower, bounds.upper) >= 0) return;
  const cursor = snapshot.cursor(bounds);
  try {
    await visitEntries(cursor, bounds.lower, { pause, visit, next: afterSeries });
  } finally {
    cursor.close();
  }
}

function isWithin(key: Uint8Array, { after, from, to }: KeyRange): boolean {
  if (compareBytes(key, after) <= 0) return false;
  if (from !== undefined && compareBytes(key, from) < 0) return false;
  return to === undefined || compareBytes(key, to) < 0;
}

/** Everything below a prefix: `prefix/` up to, and without, `prefix0`, the byte after the slash. */
function boundsBelow(slot: number, prefix: Uint8Array): Bounds {
  if (prefix.length === 0) {
    return {
      lower: Uint8Array.of(slot, Space.userValues),
      upper: Uint8Array.of(slot, Space.userValues + 1),
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
