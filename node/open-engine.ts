import type { EngineEvent, StorageEngine } from '../lsm/engine.ts';
import { LSM_ENGINE } from './engine-choice.ts';
import type { Genesis } from './membership/genesis.ts';
import type { Corruption } from './repair/table-damage.ts';
import { compactionFilterModule } from './retention/compaction-filter.ts';
import { isWholeSeriesKey, SERIES_SUFFIX_BYTES } from './shard/engine-key.ts';
import type { StorageNodeOptions } from './storage-node.ts';
import { storageSizes } from './upkeep/storage-budget.ts';

/** Opens the engine of a node, as the shards need it. */
export function openEngine(
  options: StorageNodeOptions,
  hooks: {
    readonly directory: string;
    readonly genesis: Genesis;
    /** What a flush is to note of every group. */
    readonly notePositions: () => Uint8Array;
    /** What may be dropped, for the worker that compacts; undefined: nothing yet. */
    readonly filterState: () => Uint8Array | undefined;
    readonly onCorruption: (corruption: Corruption) => void;
  },
): Promise<StorageEngine> {
  const { env, engine = LSM_ENGINE } = options;
  const { directory, genesis, notePositions, filterState, onCorruption } = hooks;
  return engine.open({
    vfs: env.vfs,
    directory,
    offload: env.offload,
    notePositions,
    borders: genesis.groups
      .filter(({ slotCount }) => slotCount > 0)
      .map(({ firstSlot }) => Uint8Array.of(firstSlot)),
    seriesSuffixBytes: SERIES_SUFFIX_BYTES,
    isWholeSeriesKey,
    compactionFilter: { module: compactionFilterModule, state: filterState },
    onEvent: (event) => {
      if (event.kind === 'corruption') onCorruption(event);
      else reportEngineEvent(options, event);
    },
    pause: (milliseconds) => new Promise((resolve) => void env.timers.after(milliseconds, resolve)),
    memtableBytes: storageSizes(options).memtableBytes,
    scrubBytesPerSecond: options.scrubBytesPerSecond,
  });
}

function reportEngineEvent(options: StorageNodeOptions, event: EngineEvent): void {
  const { events } = options.env;
  switch (event.kind) {
    case 'background-error':
      options.onFatal(event.error);
      return;
    case 'disk-full': {
      const message = `the disk is full, and tables wait until there is room: ${event.error.message}`;
      events.emit({ level: 'error', name: 'disk-full', message });
      return;
    }
    case 'disk-has-room':
      events.emit({ level: 'info', name: 'disk-has-room', message: 'tables are written again' });
  }
}
