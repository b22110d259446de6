import { type CodecName, defaultCodec } from './codec/codecs.ts';
import type { CompactionFilterSource } from './compaction/filter-states.ts';
import type { TableFormat } from './compaction/outputs.ts';
import type { EngineEvent } from './engine.ts';
import type { Offload } from './offload/offload.ts';
import { checkOptions } from './option-rules.ts';
import type { Vfs } from './vfs/vfs.ts';

/** How to open a `Db`. Sizes are in bytes. */
export interface DbOptions {
  readonly vfs: Vfs;
  /** Nobody else may use it. Created when missing. */
  readonly directory: string;
  /** Closed by whoever made it, after the engine. */
  readonly offload: Offload;
  /**
   * Called when the memtable is frozen, which happens in `waitForRoom`, `flush` and a range replacement only: between
   * two such calls all writes go into one table, so what it returns is true of all of them or of none.
   */
  readonly notePositions: () => Uint8Array;
  /**
   * Sees in `open` what is flushed, before anything is done with the tables. Throws when it cannot be used with these
   * options: a compaction that went by a wrong one would spoil what is there.
   */
  readonly acceptPositions?: ((flushed: Uint8Array | undefined) => void) | undefined;
  /**
   * What `flushedPositions` says of a directory that was empty; in the manifest from the beginning. Default: nothing.
   */
  readonly initialPositions?: Uint8Array | undefined;
  /** Must not throw; what it throws is dropped. */
  readonly onEvent?: ((event: EngineEvent) => void) | undefined;
  /**
   * Resolves after so many milliseconds: the engine has no timers of its own. With it writers are slowed before they
   * are stopped, and what a full disk refused is tried again every second. Without it both wait for the next writer.
   */
  readonly pause?: ((milliseconds: number) => Promise<void>) | undefined;
  /**
   * Whether those who wait for room hear of a full disk (DISK_FULL) instead of waiting on. Without `pause` they always
   * do. Default false.
   */
  readonly failsOnFullDisk?: boolean | undefined;

  /** Decides what compactions drop. Default: they drop nothing but what newer writes of a key replace. */
  readonly compactionFilter?: CompactionFilterSource | undefined;

  /**
   * Length of the end of a key that tells values of one series apart. Default 0: each key is a series. With more,
   * no series key may be a proper prefix of another.
   */
  readonly seriesSuffixBytes?: number | undefined;
  /**
   * Whether a prefix is certainly a whole series key, so that no other series key begins with it. Saves a
   * lookup of an absent series a scan. Default: nothing is known.
   */
  readonly isWholeSeriesKey?: ((prefix: Uint8Array) => boolean) | undefined;
  /** A bloom filter of whole keys beside that of series keys: for those who look up single keys. Default false. */
  readonly keyFilter?: boolean | undefined;

  /** The memtable is frozen when it has grown to this. Default 16 MiB. */
  readonly memtableBytes?: number | undefined;
  /** How many frozen memtables may wait before writers have to. Default 2. */
  readonly frozenMemtablesMax?: number | undefined;
  /** Target for a block before compression. Default 4 KiB. */
  readonly blockSizeBytes?: number | undefined;
  /** Of the blocks of tables. Default: LZ4 where its library is installed, else deflate. */
  readonly codec?: CodecName | undefined;
  /** For all tables together. Default 16 MiB. */
  readonly blockCacheBytes?: number | undefined;
  /** So many files stay open for reading. Default 256. */
  readonly openFilesMax?: number | undefined;
  /** Whether `open` looks into every table; else damage is found when it is read, or by `verify`. Default true. */
  readonly checkTablesAtOpen?: boolean | undefined;

  /** Target for a table that a compaction writes. Default 8 MiB. */
  readonly tableBytes?: number | undefined;
  /** Keys at which tables below level 0 are cut, ascending; a table holds keys on one side only. */
  readonly borders?: readonly Uint8Array[] | undefined;
  /** So many tables in level 0 start a compaction. Default 4. */
  readonly level0TablesTrigger?: number | undefined;
  /** With so many, writers are slowed. Default 16. */
  readonly level0TablesSlow?: number | undefined;
  /** With so many, a flush waits for the compaction under way. Default 24. */
  readonly level0TablesMax?: number | undefined;
  /** What one compaction may take of memory. Default 32 MiB. */
  readonly compactionMemoryBytes?: number | undefined;

  /** All tables are read at this rate, over and over, to find damage early; needs `pause`. Default 0: they are not. */
  readonly scrubBytesPerSecond?: number | undefined;
}

export type ResolvedDbOptions = Resolved<
  DbOptions,
  'initialPositions' | 'pause' | 'compactionFilter'
>;

/** Options that all have a value, but for those named. */
export type Resolved<Options, MayLack extends keyof Options> = {
  readonly [Key in keyof Options]-?: Key extends MayLack
    ? Options[Key]
    : Exclude<Options[Key], undefined>;
};

const MIB = 1024 * 1024;

/** @throws {LsmError} INVALID_OPTION */
export function resolveDbOptions(options: DbOptions): ResolvedDbOptions {
  checkOptions(options, ['vfs', 'directory', 'offload', 'notePositions']);
  const resolved = withDefaults<DbOptions, ResolvedDbOptions>(options, {
    initialPositions: undefined,
    acceptPositions: () => {},
    onEvent: () => {},
    pause: undefined,
    failsOnFullDisk: false,
    compactionFilter: undefined,
    seriesSuffixBytes: 0,
    isWholeSeriesKey: () => false,
    keyFilter: false,
    memtableBytes: 16 * MIB,
    frozenMemtablesMax: 2,
    blockSizeBytes: 4096,
    codec: defaultCodec(),
    blockCacheBytes: 16 * MIB,
    openFilesMax: 256,
    checkTablesAtOpen: true,
    tableBytes: 8 * MIB,
    borders: [],
    level0TablesTrigger: 4,
    level0TablesSlow: 16,
    level0TablesMax: 24,
    compactionMemoryBytes: 32 * MIB,
    scrubBytesPerSecond: 0,
  });
  return { ...resolved, onEvent: harmless(resolved.onEvent) };
}

/** What jobs must know; it goes to another thread, and functions cannot. */
export function tableFormatOf(options: ResolvedDbOptions): TableFormat {
  const { directory, seriesSuffixBytes: suffixBytes, blockSizeBytes, codec, keyFilter } = options;
  return { directory, suffixBytes, blockSizeBytes, codec, keyFilter };
}

/** An observer that fails, at once or later, must not stop what it observes. */
export function harmless(onEvent: DbOptions['onEvent']): (event: EngineEvent) => void {
  return (event) => {
    try {
      const seen: unknown = onEvent?.(event);
      if (seen instanceof Promise) seen.catch(() => {});
    } catch {
      // Whoever observes has the means to say what went wrong there; the engine has none.
    }
  };
}

/** An option that is there but undefined is one that was not given. */
export function withDefaults<Given extends object, All extends object>(
  options: Given,
  defaults: Omit<All, RequiredKeys<Given>>,
): All {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) } as All;
}

type RequiredKeys<Options> = {
  [Key in keyof Options]-?: object extends Pick<Options, Key> ? never : Key;
}[keyof Options];
