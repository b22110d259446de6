/**
 * What the MQTT front door needs from the storage node. The broker declares it, the node implements it, so
 * that the broker can be tested, and read, without one.
 */
export interface DataPlane {
  /**
   * Stores a value; an empty value deletes. Key and value are ranges of `buffer`, which is copied before
   * this returns: the hot path allocates nothing per reading. The key was checked by the caller
   * (1 to 1,024 bytes, no wildcard, no U+0000) and the value is within `valueBytesMax`.
   *
   * `time` is the write's own event time in version units, 0 for none. One that is later than the version is
   * not believed: the version counts then. `ttlMs` after its version the value expires; 0: it does not.
   *
   * The outcome comes later through `sink` with the same `token`. Returns false when the queue is full: this
   * write is still taken, but the caller should stop reading until `writesDrained`.
   */
  write(
    sink: WriteSink,
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    time?: number,
    ttlMs?: number,
  ): boolean;

  /** Stores a value if the current one is the one expected. */
  compareAndSet(request: CompareAndSet): Promise<CompareAndSetOutcome>;

  /** The connection is gone: its writes that have not been forwarded yet are dropped, none is reported. */
  forget(sink: WriteSink): void;

  /** The current value, or the one that was current at a time. */
  get(key: Uint8Array, options?: GetOptions): Promise<GetOutcome>;

  /** What is kept of a key's values, by time. */
  history(query: HistoryQuery): Promise<HistoryOutcome>;

  /**
   * Keys in byte order. Each shard's part is linearizable, the whole is not one snapshot. Reserved keys are in it only
   * if the prefix is reserved, and then it must name their owner (`reserved-keys.ts`).
   */
  list(query: ListQuery): Promise<ListOutcome>;

  /**
   * The current values of the keys that match an MQTT filter (without the `dss/value/` prefix), with
   * everything in them that was acknowledged before this call, then every change, in order per key. A filter on
   * reserved keys begins with U+0000 (`reserved-keys.ts`); others do not reach them.
   *
   * With the `position` of an earlier watch on the same filter, at most half an hour old, only what has changed since
   * is told at the beginning, deletes too; where that is not known for a shard, everything of it.
   */
  watch(filter: string, watcher: Watcher, after?: WatchPosition): Watch;
}

export interface WriteSink {
  writeCommitted(token: number, version: number): void;
  writeFailed(token: number, failure: WriteFailure): void;
  /** After `write` returned false: there is room again. */
  writesDrained(): void;
}

/**
 * `no-quorum`: not committed within the deadline; it may still be, later. `stopping`: the node goes down.
 * `storage-full`: nothing of it was stored; deletes are still taken.
 */
export type WriteFailure = 'no-quorum' | 'stopping' | 'storage-full';

export interface CompareAndSet {
  readonly key: Uint8Array;
  /** Empty deletes. */
  readonly value: Uint8Array;
  /** Of the value that must be current; null: the key must have none. */
  readonly ifVersion: number | null;
  /** The value expires so long after its version; 0: never. */
  readonly ttlMs: number;
  /** Same for the same request of the same client: its repetition, while its value is current, wins again. */
  readonly token: Uint8Array | undefined;
}

export type CompareAndSetOutcome =
  | {
      readonly kind: 'won';
      readonly version: number;
      /** In version units; undefined: never. */
      readonly expiresAt: number | undefined;
    }
  /** `version` is that of the current value; null: there is none. */
  | { readonly kind: 'lost'; readonly version: number | null }
  /** It may have been carried out, or still be. */
  | { readonly kind: 'failed'; readonly failure: WriteFailure };

export interface GetOptions {
  /** In version units; undefined: now. */
  readonly at?: number;
  /** Whatever the nearest replica has will do: no quorum is asked. Else the answer is linearizable. */
  readonly eventual?: boolean;
  /** All replicas are read and compared; where they differ most of them are right. Not with `at` or `eventual`. */
  readonly repair?: boolean;
}

export interface StoredValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Commit order, DESIGN §3. */
  readonly version: number;
  /** What history is ordered by, in version units (`versionToUnixMs`). */
  readonly time: number;
  /** In version units; undefined: never. */
  readonly expiresAt?: number | undefined;
}

export type GetOutcome =
  | ({ readonly kind: 'found' } & StoredValue)
  | { readonly kind: 'not-found' }
  | { readonly kind: 'unavailable' };

export interface ListQuery {
  /** Whole levels: `plant1` means the key `plant1` and `plant1/…`, never `plant10`. Empty: every key. */
  readonly prefix: Uint8Array;
  /** Exclusive, in the direction of the list; empty: from its start. */
  readonly after: Uint8Array;
  readonly limit: number;
  /** Whether values are wanted; else they come empty. */
  readonly values: boolean;
  /** First key, inclusive. */
  readonly from?: Uint8Array;
  /** Last key, exclusive. */
  readonly to?: Uint8Array;
  /** Highest key first. */
  readonly reverse?: boolean;
}

export type ListOutcome =
  | { readonly kind: 'page'; readonly items: readonly StoredValue[]; readonly more: boolean }
  | { readonly kind: 'unavailable' };

export interface HistoryQuery {
  readonly key: Uint8Array;
  /** Inclusive, in version units. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly limit: number;
  /** Oldest first; else newest first. */
  readonly ascending: boolean;
}

export interface HistoricValue extends StoredValue {
  readonly deleted: boolean;
}

export type HistoryOutcome =
  | { readonly kind: 'page'; readonly items: readonly HistoricValue[]; readonly more: boolean }
  | { readonly kind: 'unavailable' };

export interface WatchedValue extends HistoricValue {
  /** Part of the snapshot that a watch begins with, as opposed to a change. */
  readonly snapshot: boolean;
}

export interface Watcher {
  /**
   * A value. Return a promise to hold the snapshot back until it resolves; changes are never held back, a
   * watcher that cannot keep up conflates by itself.
   */
  value(item: WatchedValue): Promise<void> | undefined;
  /** All current values were delivered; called once. */
  snapshotDone(): void;
}

export interface Watch {
  /** Up to where the watcher has been told everything; never ahead of what `Watcher.value` was given. */
  position(): WatchPosition;
  close(): void;
}

/** Of each shard a version: everything up to it. Shards of which nothing is known are not in it. */
export type WatchPosition = ReadonlyMap<number, number>;

/** What one node's broker hands to the cluster: messages that peers publish under `dss/cluster/…`. */
export interface ClusterDoor {
  /** Whether this CONNECT proves the cluster secret; the peer's node id if so. */
  authenticate(username: string, password: Uint8Array): string | undefined;
  /**
   * A cluster message, whole. `topic` is what follows `dss/cluster/`. The payload may be kept: it is never
   * overwritten.
   */
  receive(peer: string, topic: string, payload: Uint8Array): void;
  /** A peer's connection closed: a hint that the node may be gone. */
  disconnected(peer: string): void;
}

/** Version units, of versions and times alike, in a millisecond (DESIGN §3). */
export const UNITS_PER_MS = 4096;
/** Milliseconds between 1970 and 2020, where version time begins (DESIGN §3). */
const VERSION_EPOCH_MS = Date.UTC(2020, 0, 1);

/** The wall-clock part of a version or time, in milliseconds since 1970. */
export function versionToUnixMs(version: number): number {
  return Math.floor(version / UNITS_PER_MS) + VERSION_EPOCH_MS;
}

/** The first version of a millisecond. */
export function unixMsToVersion(unixMs: number): number {
  return (unixMs - VERSION_EPOCH_MS) * UNITS_PER_MS;
}
