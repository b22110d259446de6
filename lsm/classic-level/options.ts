import { type DbOptions, harmless, type Resolved, withDefaults } from '../options.ts';

/** How to open a `ClassicLevelEngine`. What it shares with `DbOptions` means the same. */
export interface ClassicLevelOptions
  extends Pick<
    DbOptions,
    | 'directory'
    | 'notePositions'
    | 'onEvent'
    | 'compactionFilter'
    | 'seriesSuffixBytes'
    | 'borders'
    | 'blockCacheBytes'
    | 'blockSizeBytes'
    | 'tableBytes'
  > {
  /** What LevelDB gathers before it writes a table. Default 16 MiB. */
  readonly memtableBytes?: number | undefined;
  /** What goes to LevelDB at a time: a batch is put together in this thread. Default 2 MiB, at most `memtableBytes`. */
  readonly batchBytes?: number | undefined;
  /** How many such batches may wait before writers have to. Default 4. */
  readonly frozenMemtablesMax?: number | undefined;
}

export type ResolvedClassicLevelOptions = Resolved<ClassicLevelOptions, 'compactionFilter'>;

const MIB = 1024 * 1024;

export function resolveClassicLevelOptions(
  options: ClassicLevelOptions,
): ResolvedClassicLevelOptions {
  const resolved = withDefaults<ClassicLevelOptions, ResolvedClassicLevelOptions>(options, {
    onEvent: () => {},
    compactionFilter: undefined,
    seriesSuffixBytes: 0,
    borders: [],
    blockCacheBytes: 16 * MIB,
    blockSizeBytes: 4096,
    tableBytes: 8 * MIB,
    memtableBytes: 16 * MIB,
    batchBytes: 2 * MIB,
    frozenMemtablesMax: 4,
  });
  const { memtableBytes, batchBytes, onEvent } = resolved;
  return {
    ...resolved,
    onEvent: harmless(onEvent),
    batchBytes: Math.min(batchBytes, memtableBytes),
  };
}
