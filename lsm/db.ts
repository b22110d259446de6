import { equalBytes } from './bytes.ts';
import { Compactor } from './compaction/compactor.ts';
import { loadCompactionFilter } from './compaction/filter.ts';
import { FilterStates } from './compaction/filter-states.ts';
import type { FlushInput } from './compaction/job.ts';
import { corruptionDetail, isCorruption } from './corruption.ts';
import type {
  CompactedTables,
  EngineSnapshot,
  EngineStatistics,
  EngineTable,
  StorageEngine,
} from './engine.ts';
import { LsmError } from './errors.ts';
import { Memtable } from './memtable/memtable.ts';
import { type DbOptions, type ResolvedDbOptions, resolveDbOptions } from './options.ts';
import { Snapshot } from './snapshot.ts';
import { BlockCache } from './sstable/block-cache.ts';
import type { TableMeta } from './sstable/table-meta.ts';
import { VersionSet } from './version/version-set.ts';

/**
 * The storage engine: writes go to the memtable; a full memtable is frozen and flushed to a table of level 0;
 * compactions merge tables downwards. It has no log of its own: what was put after the last flush is gone
 * after a crash, and whoever opens it replays that from `flushedPositions`.
 *
 * A failure in the background is final: writing fails with ENGINE_FAILED from then on, reading goes on.
 */
export class Db implements StorageEngine {
  readonly #options: ResolvedDbOptions;
  readonly #versions: VersionSet;
  readonly #compactor: Compactor;
  readonly #filterStates: FilterStates;
  #memtable: Memtable;
  #freezeRequested = false;
  /** Oldest first. They are flushed in this order, so that positions never run ahead of the tables. */
  readonly #frozen: FrozenMemtable[] = [];
  /** Sequence number of the last put. */
  #seq: number;
  /** Cleared in the same breath as the last look at `#frozen`, so that no freeze falls in between. */
  #isFlushing = false;
  #flushing: Promise<void> = Promise.resolve();
  #flushedBytes = 0;
  #roomWaiters: Deferred[] = [];
  #failure: LsmError | undefined;
  #closed = false;

  private constructor(options: ResolvedDbOptions, versions: VersionSet, failures: FailureSink) {
    this.#options = options;
    this.#versions = versions;
    this.#seq = versions.state.lastSeq;
    this.#memtable = this.#newMemtable();
    failures.report = (error) => this.#fail(error);
    this.#filterStates = new FilterStates(options.compactionFilter);
    this.#compactor = new Compactor({
      ...options,
      suffixBytes: options.seriesSuffixBytes,
      versions,
      filterSpec: () => this.#filterStates.spec(),
      onFailure: failures.report,
    });
    this.#compactor.kick();
  }

  /**
   * Opens or creates. Damage never makes it fail: a table that cannot be read is set aside and reported, and
   * reads that would need it fail. I/O errors (ENGINE_FAILED) and newer formats (FORMAT_TOO_NEW) do.
   */
  static async open(options: DbOptions): Promise<Db> {
    const resolved = resolveDbOptions(options);
    const { vfs, directory, onEvent, compactionFilter } = resolved;
    const cache = new BlockCache(resolved.blockCacheBytes);
    const failures: FailureSink = { report: () => {} };
    const onRemoveFailed = (error: unknown) => failures.report(error);
    if (compactionFilter !== undefined) await loadCompactionFilter(compactionFilter.module);
    try {
      const context = { vfs, directory, cache, onEvent, onRemoveFailed };
      return new Db(resolved, await VersionSet.open(context), failures);
    } catch (error) {
      if (error instanceof LsmError) throw error;
      throw new LsmError('ENGINE_FAILED', `cannot open ${directory}`, { cause: error });
    }
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.#failure !== undefined || this.#closed) this.#checkWritable();
    if (this.#memtable.entryCount === 0) this.#filterStates.beforeFirstPut(this.#memtable);
    this.#memtable.put(key, keyStart, keyEnd, value, valueStart, valueEnd, ++this.#seq);
  }

  /** Also where a full memtable is frozen: between two calls, writes stay together in one table. */
  waitForRoom(): Promise<void> | undefined {
    this.#checkWritable();
    const isFull = this.#memtable.sizeBytes >= this.#options.memtableBytes;
    if (!isFull && !this.#freezeRequested) return undefined;
    if (this.#frozen.length < this.#options.frozenMemtablesMax) {
      this.#freeze(this.#options.notePositions());
      return undefined;
    }
    if (!isFull) return undefined;
    this.#options.onEvent({ kind: 'stall', frozenMemtables: this.#frozen.length });
    const waiter = deferred();
    this.#roomWaiters.push(waiter);
    return waiter.promise;
  }

  snapshot(): EngineSnapshot {
    this.#checkOpen();
    const version = this.#versions.acquire();
    const frozen = this.#frozen.map(({ memtable }) => memtable).reverse();
    return new Snapshot({
      memtables: [this.#memtable, ...frozen],
      version,
      seqMax: this.#seq,
      suffixBytes: this.#options.seriesSuffixBytes,
      isWholeSeriesKey: this.#options.isWholeSeriesKey,
      readerOf: (table) => this.#versions.readerOf(table),
      check: () => this.#checkOpen(),
      failed: (error) => this.#readFailed(error),
      release: () => this.#versions.release(version),
    });
  }

  flushedPositions(): Uint8Array | undefined {
    return this.#versions.state.positions;
  }

  /** Positions that changed are made durable even if nothing was written. */
  async flush(): Promise<void> {
    this.#checkWritable();
    const positions = this.#options.notePositions();
    const noted = this.#frozen.at(-1)?.positions ?? this.flushedPositions();
    const isNew = noted === undefined || !equalBytes(positions, noted);
    if (this.#memtable.entryCount > 0 || isNew) this.#freeze(positions);
    await this.#frozen.at(-1)?.flushed.promise;
  }

  requestFreeze(): void {
    this.#checkWritable();
    this.#freezeRequested = this.#memtable.entryCount > 0;
  }

  async compactWhere(wants: (table: EngineTable) => boolean): Promise<CompactedTables> {
    this.#checkWritable();
    const result = await this.#compactor.rewriteWhere(wants);
    this.#checkWritable();
    return result;
  }

  async compactFully(): Promise<CompactedTables> {
    this.#checkWritable();
    const result = await this.#compactor.compactFully();
    this.#checkWritable();
    return result;
  }

  get diskBytes(): number {
    return this.#versions.state.version.bytes;
  }

  /** Resolves when no compaction is under way or due. */
  async compactionsIdle(): Promise<void> {
    await this.#compactor.idle();
  }

  statistics(): EngineStatistics {
    const { version } = this.#versions.state;
    return {
      memtableBytes: this.#memtable.sizeBytes,
      frozenMemtables: this.#frozen.length,
      tableCount: version.tables().length,
      tableBytes: version.bytes,
      flushedBytes: this.#flushedBytes,
      compactedBytes: this.#compactor.writtenBytes,
      droppedEntries: this.#compactor.droppedEntries,
      filesPerLevel: version.levels.map((level) => level.length),
    };
  }

  /** Waits for the flush and the compaction under way; does not flush. Snapshots cannot be read any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rejectWaiters(closedError());
    await this.#compactor.close();
    await this.#flushing;
    await this.#versions.close();
  }

  #newMemtable(): Memtable {
    return new Memtable(this.#seq + 1, this.#options.seriesSuffixBytes);
  }

  #freeze(positions: Uint8Array): void {
    const flushed = deferred();
    const memtable = this.#memtable;
    this.#frozen.push({ memtable, positions: positions.slice(), lastSeq: this.#seq, flushed });
    this.#memtable = this.#newMemtable();
    this.#freezeRequested = false;
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#flushing = this.#flushAll();
  }

  async #flushAll(): Promise<void> {
    try {
      for (;;) {
        const oldest = this.#frozen[0];
        if (oldest === undefined || this.#closed || this.#failure !== undefined) break;
        await this.#waitForCompaction();
        await this.#flushOne(oldest);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#isFlushing = false;
  }

  /** Too many tables in level 0 make every read slow; the frozen memtables then hold the writers back. */
  async #waitForCompaction(): Promise<void> {
    const { levels } = this.#versions.state.version;
    if ((levels[0]?.length ?? 0) >= this.#options.level0TablesMax) {
      await this.#compactor.currentStep;
    }
  }

  /** In this order: the table is durable, the manifest names it and the positions, then they are announced. */
  async #flushOne(oldest: FrozenMemtable): Promise<void> {
    const { onEvent } = this.#options;
    const { memtable, positions, lastSeq } = oldest;
    if (memtable.entryCount > 0) {
      const bytes = memtable.sizeBytes;
      onEvent({ kind: 'flush-begin', bytes });
      const table = await this.#writeTable(memtable);
      await this.#versions.commit({ added: [{ level: 0, table }], lastSeq, positions });
      this.#flushedBytes += table.bytes;
      onEvent({ kind: 'flush-end', bytes: table.bytes, table: table.fileNumber });
    } else {
      await this.#versions.commit({ positions });
    }
    this.#frozen.shift();
    this.#filterStates.flushed(memtable);
    onEvent({ kind: 'positions-flushed', positions });
    oldest.flushed.resolve();
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const waiter of waiters) waiter.resolve();
    this.#compactor.kick();
  }

  async #writeTable(memtable: Memtable): Promise<TableMeta> {
    const { directory, blockSizeBytes, seriesSuffixBytes } = this.#options;
    const input: FlushInput = {
      directory,
      blockSizeBytes,
      suffixBytes: seriesSuffixBytes,
      memtable: memtable.transfer(),
      fileNumber: this.#versions.allocateFileNumbers(1),
    };
    return (await this.#options.offload.run('flush', input)) as TableMeta;
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new LsmError('ENGINE_FAILED', `the engine failed: ${reason}`, { cause });
    this.#options.onEvent({ kind: 'background-error', error: this.#failure });
    this.#rejectWaiters(this.#failure);
  }

  #rejectWaiters(error: LsmError): void {
    for (const { flushed } of this.#frozen) flushed.reject(error);
    for (const waiter of this.#roomWaiters) waiter.reject(error);
    this.#roomWaiters = [];
  }

  #readFailed(error: unknown): never {
    if (isCorruption(error)) {
      const { file, offset } = corruptionDetail(error);
      this.#options.onEvent({ kind: 'corruption', file, offset, reason: error.message });
    }
    if (error instanceof LsmError) throw error;
    if (this.#closed) throw closedError();
    throw new LsmError('ENGINE_FAILED', 'a read failed', { cause: error });
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#failure !== undefined) throw this.#failure;
  }
}

interface FrozenMemtable {
  readonly memtable: Memtable;
  readonly positions: Uint8Array;
  readonly lastSeq: number;
  readonly flushed: Deferred;
}

/** Lets files that cannot be removed be reported to a `Db` that is made after its versions. */
interface FailureSink {
  report: (error: unknown) => void;
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function deferred(): Deferred {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Nobody need wait for it; whoever does still sees the failure.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function closedError(): LsmError {
  return new LsmError('ENGINE_CLOSED', 'the engine is closed');
}
