import type { EngineSnapshot } from '../engine.ts';
import type { DbOptions } from '../options.ts';

/** How to open a `Store`. Besides these, what its engine can be told; `seriesSuffixBytes` is 0 by default. */
export interface StoreOptions
  extends Omit<
    DbOptions,
    | 'notePositions'
    | 'acceptPositions'
    | 'initialPositions'
    | 'failsOnFullDisk'
    | 'checkTablesAtOpen'
    | 'isWholeSeriesKey'
  > {
  /** Whether to make a store where there is none. Default true. */
  readonly createIfMissing?: boolean | undefined;
  /** Whether to refuse one that is there. Default false. */
  readonly errorIfExists?: boolean | undefined;
  /** Size at which a log file is ended and another begun. Default: `memtableBytes`, within 1 and 16 MiB. */
  readonly logFileBytes?: number | undefined;
  /**
   * Asked before each group of writes; what it returns is waited for. Small writes without `sync` need no thread, so
   * that a program that awaits one after the other would otherwise never come to its timers and sockets.
   */
  readonly giveWay?: (() => Promise<void> | undefined) | undefined;
}

export interface WriteOptions {
  /** Whether it must survive a loss of power, and not only the end of the process. Default false. */
  readonly sync?: boolean | undefined;
}

export interface ClearOptions {
  /** At most so many entries. */
  readonly limit?: number | undefined;
  /** Beginning with the last. */
  readonly reverse?: boolean | undefined;
  /** Only keys that are in it. */
  readonly snapshot?: EngineSnapshot | undefined;
}
