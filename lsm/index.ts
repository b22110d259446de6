/**
 * The engine as a library: `DssLevel` is the database to embed, `Store` the same without abstract-level, `Db` the engine
 * for those who bring a log of their own. The shared log of a node is used through `lsm/log/log.ts`.
 */
export type { CodecName } from './codec/codecs.ts';
export type { CompactionFilter, CompactionFilterModule, Verdict } from './compaction/filter.ts';
export type { CompactionFilterSource } from './compaction/filter-states.ts';
export { Db } from './db.ts';
export type {
  CompactedTables,
  CursorOptions,
  EngineCursor,
  EngineEntry,
  EngineEvent,
  EngineSnapshot,
  EngineStatistics,
  EngineTable,
  ExportedBlock,
  KeyRange,
  MaybePromise,
  RangeReplacement,
  StorageEngine,
} from './engine.ts';
export { LsmError, type LsmErrorCode } from './errors.ts';
export { DssLevel } from './level/level.ts';
export type { DssLevelOpenOptions, DssLevelOptions } from './level/options.ts';
export { InlineOffload } from './offload/inline.ts';
export type { JobName, Offload } from './offload/offload.ts';
export { WorkerOffload } from './offload/worker-host.ts';
export type { DbOptions } from './options.ts';
export { Snapshot } from './snapshot.ts';
export type { ClearOptions, StoreOptions, WriteOptions } from './store/options.ts';
export { Store, type StoreStatistics } from './store/store.ts';
export { WriteBatch } from './store/write-batch.ts';
export { OsVfs } from './vfs/os.ts';
export type { Vfs, VfsFile } from './vfs/vfs.ts';
