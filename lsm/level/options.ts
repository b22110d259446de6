import type {
  AbstractBatchOptions,
  AbstractChainedBatchWriteOptions,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractOpenOptions,
  AbstractPutOptions,
} from 'abstract-level';
import type { StoreOptions } from '../store/options.ts';

/** What an engine can be told that is not the business of the level itself. */
type EngineOptions = Omit<
  StoreOptions,
  'vfs' | 'directory' | 'offload' | 'createIfMissing' | 'errorIfExists' | 'giveWay' | 'pause'
>;

export interface DssLevelOpenOptions extends AbstractOpenOptions, EngineOptions {
  /** With `false` blocks are stored as they are. Default true: with `codec`, or the best that is installed. */
  readonly compression?: boolean | undefined;
}

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
