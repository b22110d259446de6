import { requireBytes, requireKey, requireRange, ShortKeyError } from '../arguments.ts';
import type { Db } from '../db.ts';
import type {
  CompactedTables,
  EngineEntry,
  EngineStatistics,
  KeyRange,
  MaybePromise,
} from '../engine.ts';
import { closedError } from '../errors.ts';
import { EVERYTHING, type Snapshot } from '../snapshot.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { clearRange } from './clear.ts';
import { CommitQueue } from './commit-queue.ts';
import { applyOperations } from './operations.ts';
import type { ClearOptions, StoreOptions, WriteOptions } from './options.ts';
import { destroyStore } from './place.ts';
import { encodePosition } from './position.ts';
import { endCleanly, openStore, type StoreParts } from './recovery.ts';
import { WriteBatch } from './write-batch.ts';

/**
 * The engine as something to embed: an ordered map of byte strings on disk that keeps what was acknowledged. It is
 * a `Db` and a write-ahead log; a write is in the log before it is in the engine, and is acknowledged when it
 * is in both.
 *
 * What was acknowledged survives the end of the process, however it ends; what was acknowledged with `sync`
 * survives a loss of power, and so does all that was acknowledged before it.
 */
export class Store {
  readonly #parts: StoreParts;
  readonly #db: Db;
  readonly #queue: CommitQueue;
  readonly #suffixBytes: number;
  #closing: Promise<void> | undefined;

  private constructor(parts: StoreParts, options: StoreOptions) {
    this.#parts = parts;
    this.#db = parts.db;
    this.#suffixBytes = options.seriesSuffixBytes ?? 0;
    this.#queue = new CommitQueue({
      commit: (operations, sync) => this.#commit(operations, sync),
      groupBytesMax: GROUP_BYTES_MAX,
      giveWay: options.giveWay ?? (() => undefined),
    });
  }

  /**
   * Opens a store, or makes one. Fails with INVALID_OPTION before it looks at the directory, with OTHER_DATABASE when
   * there is a LevelDB database in it, with STORE_NOT_FOUND or STORE_EXISTS as the options say, with STORE_DIFFERS when
   * `seriesSuffixBytes` is not what it was, with DIRECTORY_IN_USE when somebody has it open, and otherwise as `Db.open` does.
   */
  static async open(options: StoreOptions): Promise<Store> {
    return new Store(await openStore(options), options);
  }

  /** Removes the files of a store that nobody has open. The directory stays. */
  static destroy(vfs: Vfs, directory: string): Promise<void> {
    return destroyStore(vfs, directory);
  }

  /** Key and value are copied before it returns. Writes are carried out in the order of the calls. */
  put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<void> {
    requireKey(key, this.#suffixBytes);
    requireBytes(value, 'value');
    const group = this.#queue.group(options?.sync);
    if (group === undefined) return isClosed();
    group.operations.put(key, value);
    return group.promise;
  }

  delete(key: Uint8Array, options?: WriteOptions): Promise<void> {
    requireKey(key, this.#suffixBytes);
    const group = this.#queue.group(options?.sync);
    if (group === undefined) return isClosed();
    group.operations.delete(key);
    return group.promise;
  }

  /** All or nothing, whatever happens meanwhile. The batch may be changed as soon as this has returned. */
  write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    if (!(batch instanceof WriteBatch)) throw new TypeError('batch must be a WriteBatch');
    const { keyBytesMin } = batch;
    if (keyBytesMin < this.#suffixBytes) throw new ShortKeyError(keyBytesMin, this.#suffixBytes);
    const group = this.#queue.group(options?.sync);
    if (group === undefined) return isClosed();
    group.operations.append(batch);
    return group.promise;
  }

  /** The newest value. Answers at once when no disk is needed. */
  get(key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    return this.#db.get(key);
  }

  /** The same, blocking when the disk is needed. */
  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#db.getSync(key);
  }

  /** The first entry whose key starts with `prefix`: of a series the newest, where the suffix is an inverted time. */
  first(prefix: Uint8Array): MaybePromise<EngineEntry | undefined> {
    return this.#db.first(prefix);
  }

  /** A view that nothing changes, and from which cursors are made. Close it: it pins files. */
  snapshot(): Snapshot {
    return this.#db.snapshot();
  }

  /**
   * Removes what is in a range, by default everything: what was written before the call, and nothing that is written after it. Without
   * a limit and a snapshot it happens as a whole or not at all.
   */
  clear(range: KeyRange = EVERYTHING, options: ClearOptions = {}): Promise<void> {
    requireRange(range);
    const { lower, upper } = range;
    const own = { lower: new Uint8Array(lower), upper: upper && new Uint8Array(upper) };
    return this.#queue.exclusive(async () => {
      await this.#roomForWrites();
      await clearRange(own, options, {
        snapshot: () => this.#db.snapshot(),
        commit: (deletions) => this.#commit(deletions, false),
        drop: (dropped) => this.#drop(dropped),
      });
    });
  }

  /** Resolves when everything written before the call is in tables. */
  async flush(): Promise<void> {
    const flushed = await this.#queue.exclusive(async () => ({ done: this.#db.flush() }));
    await flushed.done;
  }

  /** Merges tables until every key is in one level only, without what was overwritten and deleted. */
  async compact(): Promise<CompactedTables> {
    await this.flush();
    return this.#db.compactFully();
  }

  /**
   * Makes a store in another directory of the same file system that has what was written before the call. Tables
   * are not copied but linked, so that it takes little time and space.
   */
  async checkpoint(directory: string): Promise<void> {
    await this.flush();
    await this.#db.checkpoint(directory);
  }

  /** Reads all tables and looks at every byte; damage is reported to `onEvent`. */
  verify(): ReturnType<Db['verify']> {
    return this.#db.verify();
  }

  /** Bytes that the range takes on disk, about. What is in memory only is not counted. */
  approximateSize(range: KeyRange = EVERYTHING): number {
    requireRange(range);
    return this.#db.estimate(range).bytes;
  }

  statistics(): StoreStatistics {
    const { bytesWritten, bytesOnDisk, fileCount, syncs } = this.#parts.wal.statistics();
    return {
      ...this.#db.statistics(),
      logWrittenBytes: bytesWritten,
      logBytes: bytesOnDisk,
      logFiles: fileCount,
      logSyncs: syncs,
    };
  }

  /**
   * Waits for the writes under way, takes no more, and gives the directory free. It does so on a full disk too: what is
   * not in tables stays in the log.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Room first, so that what was logged is also applied; then the log, then the engine. The memtable is frozen
   * while there is no write half done, so that the position noted with it is true of all that it holds.
   */
  async #commit(operations: WriteBatch, sync: boolean): Promise<void> {
    const { wal, position } = this.#parts;
    const room = this.#roomForWrites();
    if (room !== undefined) await room;
    if (operations.operationCount === 0) return sync ? wal.sync() : undefined;
    const encoded = operations.encoded;
    const written = wal.append([encoded], { sync });
    if (written !== undefined) await written;
    applyOperations(encoded, this.#db);
    position.applied = wal.lastRecord;
  }

  /** After a failure nobody knows whether a write is there that was not acknowledged: none is taken any more. */
  #roomForWrites(): Promise<void> | undefined {
    const { failure } = this.#parts.wal;
    if (failure !== undefined) throw failure;
    return this.#db.waitForRoom();
  }

  /**
   * The replacement of the range by nothing is durable together with the position up to which the log is in the
   * tables, which is all of it: nobody writes meanwhile. A crash before leaves all as it was, and after it no record from before is read again that could
   * bring back a key. What is written next has a higher number.
   */
  async #drop(range: KeyRange): Promise<void> {
    await this.#db.flush();
    const replacement = this.#db.replaceRange(range);
    try {
      await replacement.commit(() => encodePosition(this.#parts.position));
    } catch (error) {
      await replacement.abandon();
      throw error;
    }
  }

  /** What cannot be made tidy is in the log, and the next `open` finds it there. */
  async #close(): Promise<void> {
    const { wal, unlock } = this.#parts;
    await this.#queue.close();
    await endCleanly(this.#parts).catch(() => {});
    try {
      await wal.close();
    } finally {
      await this.#db.close().finally(unlock);
    }
  }
}

/** Of the engine, and of the log since the store was opened. */
export interface StoreStatistics extends EngineStatistics {
  readonly logWrittenBytes: number;
  readonly logSyncs: number;
  /** As of now. */
  readonly logBytes: number;
  readonly logFiles: number;
}

/** A group that is so large takes no more operations. */
const GROUP_BYTES_MAX = 1024 * 1024;

function isClosed(): Promise<never> {
  return Promise.reject(closedError('the store'));
}
