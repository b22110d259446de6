/**
 * The storage engine port: an ordered map of byte strings, newest write wins, with consistent snapshots.
 * It keeps no log of its own here: inside a node the Raft log is the WAL, and `notePositions` ties what is
 * flushed to log positions (DESIGN §5, Segments). Alone, `lsm/store` adds one.
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

  /**
   * Whether its tables were found without what says how they belong together, after damage: some of it may be missing, or
   * be what was removed or replaced before, or go beyond `flushedPositions`. Stays so until `acceptRebuilt`.
   */
  readonly isRebuilt: boolean;

  /** Whoever needs to has seen to it that nothing is believed of what was rebuilt that should not be. */
  acceptRebuilt(): Promise<void>;

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

  /**
   * Begins to put other content in the place of all there is in a range (DESIGN §5, Snapshots and removal).
   * Nothing is seen of it before `commit`, and nothing is left of it after a crash before that. The caller sees
   * to it that nobody else writes into the range from here to the end, and that ranges being replaced do not overlap.
   */
  replaceRange(range: KeyRange): RangeReplacement;

  /** So many ranges may be replaced at a time. */
  readonly replacementsMax: number;

  /**
   * Ranges that hold nothing, because a crash cut their replacement off and this engine cannot do it in one durable
   * change: it has to begin again.
   */
  interruptedReplacements(): readonly KeyRange[];

  /**
   * By the word of a person: what is lost of a range in damaged tables stands for nothing any more. Reads go past it,
   * older values and what was deleted may show through, and the range can be exported again. Reads all tables of it.
   * Resolves with whether anything was lost.
   */
  acceptLosses(range: KeyRange): Promise<boolean>;

  /** Removes the files of damaged tables that were set aside: nobody wants anything out of them. */
  removeSetAside(): Promise<void>;

  /** About how much a range takes in tables, without reading any of them. */
  estimateBytes(range: KeyRange): MaybePromise<number>;

  /** Of all tables there are now. What snapshots still hold beside them is not counted. */
  readonly diskBytes: number;

  statistics(): EngineStatistics;
  close(): Promise<void>;
}

/** `[lower, upper)`; without `upper` to the end of all keys. */
export interface KeyRange {
  readonly lower: Uint8Array;
  readonly upper?: Uint8Array | undefined;
}

export interface RangeReplacement {
  /**
   * Takes a sorted block as `exportRange` gave it: every key in the range and after all that were added before.
   * Rejects with CORRUPTION when the block is not what was exported.
   */
  add(block: Uint8Array): Promise<void>;
  /**
   * Makes what was added the content of the range, in one durable change with the positions that hold from then
   * on, which `positionsAfter` makes of those that are flushed. Of what was written before the commit, all that is in
   * the range is in tables by then, and nothing else need be; what `positionsAfter` returns, `notePositions` must take
   * into account from then on. Committing without a block empties the range. When the disk is too full for what lies beside the range it rejects with DISK_FULL,
   * without effect and without asking for positions.
   */
  commit(positionsAfter: (flushed: Uint8Array | undefined) => Uint8Array): Promise<void>;
  /** Gives up; nothing has changed. */
  abandon(): Promise<void>;
}

export interface EngineSnapshot {
  /** The value of a key. Answers at once when everything needed is in memory. The bytes are the caller's to keep. */
  get(key: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /**
   * The first entry whose key starts with `prefix`, which for a series key is its newest value.
   * Answers synchronously when everything needed is in memory. Uses the bloom filters when `prefix` is a
   * whole series key (a key less its last `seriesSuffixBytes`).
   */
  first(prefix: Uint8Array): MaybePromise<EngineEntry | undefined>;
  /** A cursor over a range, ascending, or descending with `reverse`; not positioned until `seek`. */
  cursor(range: KeyRange, options?: CursorOptions): EngineCursor;
  /**
   * The content of a range as sorted blocks of about 64 KiB, each with a checksum of its own, for `replaceRange`
   * elsewhere. With `after` only what follows that key: an interrupted export goes on there.
   */
  exportRange(range: KeyRange, after?: Uint8Array): AsyncIterable<ExportedBlock>;
  close(): void;
}

export interface CursorOptions {
  readonly reverse?: boolean;
}

export interface ExportedBlock {
  readonly bytes: Uint8Array;
  /** The greatest key in it: where to go on after it. */
  readonly lastKey: Uint8Array;
}

/** Moves are synchronous while blocks are in memory and return a promise only when one must be read. */
export interface EngineCursor {
  /**
   * Ascending: goes to the first entry at or after `key`; descending: to the last one at or before it. Both
   * clamped to the range, so that any key outside of it on the near side means its beginning.
   */
  seek(key: Uint8Array): MaybePromise<void>;
  /** Goes to the first entry of the range, in the direction of the cursor. */
  seekFirst(): MaybePromise<void>;
  next(): MaybePromise<void>;
  /**
   * The entries from here on, up to `countMax` of them or about `bytesMax` bytes, and moves past them: a chunk for
   * one promise instead of one for each entry. Empty at the end. Key and value are the caller's to keep.
   */
  take(countMax: number, bytesMax: number): MaybePromise<EngineEntry[]>;
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

/** Counts are since the engine was opened, sizes are of now. */
export interface EngineStatistics {
  readonly memtableBytes: number;
  readonly frozenMemtables: number;
  readonly tableCount: number;
  readonly tableBytes: number;
  /** Written by flushes and by compactions: with what the log wrote, this is what flash wears out by. */
  readonly flushedBytes: number;
  readonly compactedBytes: number;
  /** By the compaction filter. */
  readonly droppedEntries: number;
  readonly filesPerLevel: readonly number[];
  readonly bytesPerLevel: readonly number[];
  readonly blockCacheBytes: number;
  readonly blockCacheHits: number;
  readonly blockCacheMisses: number;
  /** How often a table's filter was asked for a key, and said that it is not there. */
  readonly filterChecks: number;
  readonly filterSkips: number;
  /** How often writers were made to wait until there was room. */
  readonly stalls: number;
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
      /** Says neither file nor offset again. */
      readonly reason: string;
      /** Where entries may be lost of those there are now; undefined: nowhere in tables that are in use. */
      readonly range: KeyRange | undefined;
    }
  /** The disk is full: what could not be written is tried again. */
  | { readonly kind: 'disk-full'; readonly error: Error }
  | { readonly kind: 'disk-has-room' }
  | { readonly kind: 'background-error'; readonly error: Error };
