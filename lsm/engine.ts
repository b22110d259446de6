/**
 * The storage engine port: an ordered map of byte strings, newest write wins, with consistent snapshots.
 * It keeps no log of its own here: inside a node the Raft log is the WAL, and `notePositions` ties what is
 * flushed to log positions (DESIGN §5, Segments).
 */
export interface StorageEngine {
  /**
   * Adds or replaces one entry, in memory, at once. The bytes are copied.
   * Key and value are given as ranges so that a hot path allocates nothing per entry.
   */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void;

  /** Resolves when there is room for more writes; `undefined` when there is room now. */
  waitForRoom(): Promise<void> | undefined;

  /** A view that later writes, flushes and compactions do not change. Close it: it pins files. */
  snapshot(): EngineSnapshot;

  /** The positions noted with the newest flushed memtable, as `notePositions` gave them. */
  flushedPositions(): Uint8Array | undefined;

  /** Freezes the memtable and resolves when everything written before is in tables. */
  flush(): Promise<void>;

  /**
   * Makes the next `waitForRoom` freeze the memtable even if it is not full, unless too many are frozen
   * already: then a later one does. Nothing happens when the memtable is empty.
   */
  requestFreeze(): void;

  /**
   * Lets the compaction filter see the tables that are wanted, one after the other when nothing else is to
   * be compacted, and rewrites those of which it drops something; no table is merged with another. Reaches
   * what no new writes bring a compaction to.
   */
  compactWhere(wants: (table: EngineTable) => boolean): Promise<CompactedTables>;

  /**
   * Brings every series together: merges tables downwards, like compactions that are due and after them, until
   * level 0 is empty and no table shares a series with one of another level; then the compaction filter, if
   * there is one, sees every table it has not seen meanwhile, together with neighbours that share a series. Here a
   * tombstone and what it hides can go for which no new writes come. Sees what is in tables when it is called;
   * a flush before it is up to the caller. Rejects with ENGINE_CLOSED when the engine closes meanwhile.
   *
   * Takes additional disk space for one job's outputs at a time: the job's inputs are removed before the next
   * begins, except what snapshots hold.
   */
  compactFully(): Promise<CompactedTables>;

  /** Of all tables there are now. What snapshots still hold beside them is not counted. */
  readonly diskBytes: number;

  statistics(): EngineStatistics;
  close(): Promise<void>;
}

export interface EngineSnapshot {
  /**
   * The first entry whose key starts with `prefix`, which for a series key is its newest value.
   * Answers synchronously when everything needed is in memory. Uses the bloom filters when `prefix` is a
   * whole series key (a key less its last `seriesSuffixBytes`).
   */
  first(prefix: Uint8Array): MaybePromise<EngineEntry | undefined>;
  /** A cursor over `[lower, upper)` in ascending order; not positioned until `seek`. */
  cursor(bounds: { readonly lower: Uint8Array; readonly upper: Uint8Array }): EngineCursor;
  close(): void;
}

/** Moves are synchronous while blocks are in memory and return a promise only when one must be read. */
export interface EngineCursor {
  /** Goes to the first entry at or after `key` (clamped to the bounds). */
  seek(key: Uint8Array): MaybePromise<void>;
  next(): MaybePromise<void>;
  readonly valid: boolean;
  /** Views: good until the cursor moves. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  close(): void;
}

export interface EngineEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A table, for the choice whether to rewrite it. */
export interface EngineTable {
  /** Never changes and is never used again. A rewritten table has another. */
  readonly fileNumber: number;
  readonly level: number;
  readonly sizeBytes: number;
  readonly entryCount: number;
  readonly smallestKey: Uint8Array;
  readonly largestKey: Uint8Array;
  /** The greatest ending of a key. With an inverted time as the ending, that of the oldest entry. */
  readonly largestSuffix: Uint8Array;
}

/**
 * What came of `compactWhere` or `compactFully`. Tables that are damaged are passed over, and by `compactWhere`
 * those that were merged meanwhile.
 */
export interface CompactedTables {
  /** Those that gave way to others or to nothing. */
  readonly tablesRewritten: number;
  readonly droppedEntries: number;
  /**
   * Tables that have nothing more to drop by the state of the filter just used: those left as they were and
   * those written. To look at them again before that state has moved on is for nothing.
   */
  readonly judgedFileNumbers: readonly number[];
}

export type MaybePromise<T> = T | Promise<T>;

export interface EngineStatistics {
  readonly memtableBytes: number;
  readonly frozenMemtables: number;
  readonly tableCount: number;
  readonly tableBytes: number;
  readonly flushedBytes: number;
  readonly compactedBytes: number;
  /** By the compaction filter. */
  readonly droppedEntries: number;
  readonly filesPerLevel: readonly number[];
}

/** What happens inside, for metrics and logs at the edge. Called synchronously; must not throw. */
export type EngineEvent =
  | { readonly kind: 'flush-begin'; readonly bytes: number }
  | { readonly kind: 'flush-end'; readonly bytes: number; readonly table: number }
  | { readonly kind: 'positions-flushed'; readonly positions: Uint8Array }
  | { readonly kind: 'compaction-begin'; readonly level: number; readonly tables: number }
  | {
      readonly kind: 'compaction-end';
      readonly level: number;
      readonly bytes: number;
      readonly droppedEntries: number;
    }
  | { readonly kind: 'stall'; readonly frozenMemtables: number }
  | {
      readonly kind: 'corruption';
      readonly file: string;
      readonly offset: number;
      readonly reason: string;
    }
  | { readonly kind: 'background-error'; readonly error: Error };
