/** The engine as a library. The shared log of a node is used through `lsm/log/log.ts`. */
export type { CompactionFilter, CompactionFilterModule, Verdict } from './compaction/filter.ts';
export type { CompactionFilterSource } from './compaction/filter-states.ts';
export { Db } from './db.ts';
export type {
  CompactedTables,
  EngineCursor,
  EngineEntry,
  EngineEvent,
  EngineSnapshot,
  EngineStatistics,
  EngineTable,
  MaybePromise,
  StorageEngine,
} from './engine.ts';
export { LsmError, type LsmErrorCode } from './errors.ts';
export { InlineOffload } from './offload/inline.ts';
export type { JobName, Offload } from './offload/offload.ts';
export { WorkerOffload } from './offload/worker-host.ts';
export type { DbOptions } from './options.ts';
export { OsVfs } from './vfs/os.ts';
export type { Vfs, VfsFile } from './vfs/vfs.ts';
