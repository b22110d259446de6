import type { CompactionFilterSource } from './compaction/filter-states.ts';
import type { EngineEvent } from './engine.ts';
import type { Offload } from './offload/offload.ts';
import type { Vfs } from './vfs/vfs.ts';

/** How to open a `Db`. Sizes are in bytes. */
export interface DbOptions {
  readonly vfs: Vfs;
  /** Nobody else may use it. Created when missing. */
  readonly directory: string;
  /** Closed by whoever made it, after the engine. */
  readonly offload: Offload;
  /**
   * Called when the memtable is frozen, which happens in `waitForRoom` and `flush` only: between two such
   * calls all writes go into one table, so what it returns is true of all of them or of none.
   */
  readonly notePositions: () => Uint8Array;
  readonly onEvent?: (event: EngineEvent) => void;

  /** Decides what compactions drop. Default: they drop nothing but what newer writes of a key replace. */
  readonly compactionFilter?: CompactionFilterSource | undefined;

  /** Length of the end of a key that tells values of one series apart. Default 8. */
  readonly seriesSuffixBytes?: number;
  /**
   * Whether a prefix is certainly a whole series key, so that no other series key begins with it. Saves a
   * lookup of an absent series a scan. Default: nothing is known.
   */
  readonly isWholeSeriesKey?: (prefix: Uint8Array) => boolean;

  /** The memtable is frozen when it has grown to this. Default 16 MiB. */
  readonly memtableBytes?: number;
  /** How many frozen memtables may wait before writers have to. Default 2. */
  readonly frozenMemtablesMax?: number;
  /** Target for a block before its trailer. Default 4 KiB. */
  readonly blockSizeBytes?: number;
  /** For all tables together. Default 16 MiB. */
  readonly blockCacheBytes?: number;
  /** Target for a table that a compaction writes. Default 8 MiB. */
  readonly tableBytes?: number;
  /** Keys at which tables below level 0 are cut, ascending; a table holds keys on one side only. */
  readonly borders?: readonly Uint8Array[];
  /** So many tables in level 0 start a compaction. Default 4. */
  readonly level0TablesTrigger?: number;
  /** With so many, a flush waits for the compaction under way. Default 24. */
  readonly level0TablesMax?: number;
  /** Bytes that level 1 may have. Default 64 MiB. */
  readonly levelBaseBytes?: number;
  /** How many times more each further level may have. Default 10. */
  readonly levelMultiplier?: number;
}

export type ResolvedDbOptions = Required<DbOptions>;

const MIB = 1024 * 1024;

export function resolveDbOptions(options: DbOptions): ResolvedDbOptions {
  return {
    onEvent: () => {},
    compactionFilter: undefined,
    seriesSuffixBytes: 8,
    isWholeSeriesKey: () => false,
    memtableBytes: 16 * MIB,
    frozenMemtablesMax: 2,
    blockSizeBytes: 4096,
    blockCacheBytes: 16 * MIB,
    tableBytes: 8 * MIB,
    borders: [],
    level0TablesTrigger: 4,
    level0TablesMax: 24,
    levelBaseBytes: 64 * MIB,
    levelMultiplier: 10,
    ...options,
  };
}
