import type {
  AbstractBatchOptions,
  AbstractChainedBatchWriteOptions,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractOpenOptions,
  AbstractPutOptions,
} from 'abstract-level';
import { defaultCodec } from '../codec/codecs.ts';
import { checkOption, checkOptions } from '../option-rules.ts';
import type { StoreOptions } from '../store/options.ts';

/** What an engine can be told that is not the business of the level itself. */
type EngineOptions = Omit<
  StoreOptions,
  'vfs' | 'directory' | 'offload' | 'createIfMissing' | 'errorIfExists' | 'giveWay' | 'pause'
>;

export interface DssLevelOpenOptions extends AbstractOpenOptions, EngineOptions {
  /** With `false` blocks are stored as they are. Default true: with `codec`, or the best that is installed. */
  readonly compression?: boolean | undefined;

  /** What `classic-level` calls `blockCacheBytes`. Of all of these our own name goes first where both are given. */
  readonly cacheSize?: number | undefined;
  /** What `classic-level` calls `memtableBytes`. */
  readonly writeBufferSize?: number | undefined;
  /** What `classic-level` calls `blockSizeBytes`. */
  readonly blockSize?: number | undefined;
  /** What `classic-level` calls `openFilesMax`. */
  readonly maxOpenFiles?: number | undefined;
  /** What `classic-level` calls `tableBytes`. */
  readonly maxFileSize?: number | undefined;
}

/** Options as `Store` knows them. Those of `classic-level` that mean nothing here are left out. */
export function engineOptionsOf(options: DssLevelOpenOptions): EngineOptions {
  checkOptions(options, []);
  const { compression, codec, ...others } = options;
  const renamed: Record<string, unknown> = {};
  for (const [theirs, ours] of CLASSIC_LEVEL_NAMES) {
    const value = options[theirs];
    if (value === undefined) continue;
    checkOption(ours, value, theirs);
    renamed[ours] = options[ours] ?? value;
  }
  return {
    ...others,
    ...renamed,
    codec: compression === false ? 'none' : (codec ?? defaultCodec()),
  };
}

const CLASSIC_LEVEL_NAMES = [
  ['cacheSize', 'blockCacheBytes'],
  ['writeBufferSize', 'memtableBytes'],
  ['blockSize', 'blockSizeBytes'],
  ['maxOpenFiles', 'openFilesMax'],
  ['maxFileSize', 'tableBytes'],
] as const;

export interface DssLevelOptions<K, V>
  extends AbstractDatabaseOptions<K, V>,
    Omit<DssLevelOpenOptions, 'passive'> {}

export interface SyncOption {
  /** Whether the write must survive a loss of power before it is acknowledged. Default false, as in LevelDB. */
  readonly sync?: boolean | undefined;
}

export interface PutOptions<K, V> extends AbstractPutOptions<K, V>, SyncOption {}
export interface DelOptions<K> extends AbstractDelOptions<K>, SyncOption {}
export interface BatchOptions<K, V> extends AbstractBatchOptions<K, V>, SyncOption {}
export interface ChainedBatchWriteOptions extends AbstractChainedBatchWriteOptions, SyncOption {}
