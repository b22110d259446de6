import { requireBytes } from './arguments.ts';
import { equalBytes } from './bytes.ts';
import { checkpointVersion } from './checkpoint.ts';
import { Compactor } from './compaction/compactor.ts';
import { DamageSearch } from './compaction/damage-search.ts';
import { loadCompactionFilter } from './compaction/filter.ts';
import { FilterStates } from './compaction/filter-states.ts';
import { RangeReplacements, REPLACEMENTS_MAX } from './compaction/range-replacements.ts';
import {
  type CorruptionDetail,
  corruptionDetail,
  corruptionEvent,
  isCorruption,
} from './corruption.ts';
import { DiskRoom, typedFailure } from './disk-full.ts';
import type {
  CompactedTables,
  EngineEntry,
  EngineStatistics,
  EngineTable,
  KeyRange,
  MaybePromise,
  RangeReplacement,
  StorageEngine,
} from './engine.ts';
import { closedError, LsmError, openError, reasonOfFailure } from './errors.ts';
import { estimateRange, type RangeEstimate } from './estimate.ts';
import { FlushQueue } from './flush-queue.ts';
import { type LookupSources, newestOfKey, shownValue } from './iterator/point-lookup.ts';
import { type FrozenMemtable, Memtables } from './memtables.ts';
import {
  type DbOptions,
  type ResolvedDbOptions,
  resolveDbOptions,
  tableFormatOf,
} from './options.ts';
import { Snapshot } from './snapshot.ts';
import { BlockCache } from './sstable/block-cache.ts';
import { TableFiles } from './sstable/table-files.ts';
import type { FoundEntry } from './sstable/table-lookup.ts';
import type { TableMeta } from './sstable/table-meta.ts';
import { VersionSet } from './version/version-set.ts';

/**
 * The storage engine: writes go to the memtable; a full memtable is frozen and flushed to a table of level 0;
 * compactions merge tables downwards. It has no log of its own: what was put after the last flush is gone
 * after a crash, and whoever opens it replays that from `flushedPositions`.
 *
 * A failure in the background is final: writing fails with ENGINE_FAILED from then on, reading goes on. A full disk
 * is none: what it refused is tried again.
 */
export class Db implements StorageEngine {
  readonly #options: ResolvedDbOptions;
  readonly #cache: BlockCache;
  readonly #versions: VersionSet;
  readonly #compactor: Compactor;
  readonly #flushes: FlushQueue;
  readonly #damageSearch: DamageSearch;
  readonly #replacements: RangeReplacements;
  readonly #diskRoom: DiskRoom;
  readonly #memtables: Memtables;
  #knownSources: LookupSources | undefined;
  #freezeRequested = false;
  /** The next write has been paused for: what cannot be compacted, beside damage, must not hold it back for good. */
  #hasSlowed = false;
  #stalls = 0;
  #failure: LsmError | undefined;
  #closed = false;

  private constructor(
    options: ResolvedDbOptions,
    cache: BlockCache,
    versions: VersionSet,
    failures: FailureSink,
  ) {
    this.#options = options;
    this.#cache = cache;
    this.#versions = versions;
    failures.report = (error) => this.#fail(error);
    this.#diskRoom = new DiskRoom(options.onEvent);
    const filterStates = new FilterStates(options.compactionFilter);
    const { lastSeq } = versions.state;
    this.#memtables = new Memtables(options.seriesSuffixBytes, lastSeq, filterStates);
    const parts = { versions, tableFormat: tableFormatOf(options), diskRoom: this.#diskRoom };
    const shared = { ...options, ...parts };
    this.#compactor = new Compactor({
      ...shared,
      filterSpec: () => filterStates.spec(),
      onFailure: (error) => this.#fail(error),
    });
    this.#flushes = new FlushQueue({
      ...shared,
      beforeFlush: () => this.#compactionIfLevel0IsFull(),
      onFlushed: (frozen) => this.#flushed(frozen),
      onFailure: failures.report,
    });
    this.#replacements = new RangeReplacements({
      ...{ ...shared, compactor: this.#compactor, flushes: this.#flushes },
      takeSeq: () => this.#memtables.takeSeq(),
      freezeFor: (range) => this.#freezeFor(range),
    });
    this.#damageSearch = new DamageSearch({ ...options, versions });
    this.#compactor.kick();
    this.#damageSearch.scrub(options.scrubBytesPerSecond);
  }

  /**
   * Opens or creates. Damage never makes it fail: a table that cannot be read is set aside and reported, and
   * reads that would need it fail. I/O errors (ENGINE_FAILED) and newer formats (FORMAT_TOO_NEW) do.
   */
  static async open(options: DbOptions): Promise<Db> {
    const resolved = resolveDbOptions(options);
    const { vfs, directory, compactionFilter, openFilesMax } = resolved;
    const cache = new BlockCache(resolved.blockCacheBytes);
    const files = new TableFiles({ vfs, directory, openFilesMax });
    const failures: FailureSink = { report: () => {} };
    const onRemoveFailed = (error: unknown) => failures.report(error);
    if (compactionFilter !== undefined) await loadCompactionFilter(compactionFilter.module);
    try {
      const versions = await VersionSet.open({ ...resolved, cache, files, onRemoveFailed });
      try {
        resolved.acceptPositions(versions.state.positions);
      } catch (error) {
        await versions.close();
        throw error;
      }
      return new Db(resolved, cache, versions, failures);
    } catch (error) {
      throw openError(directory, error);
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
    requireBytes(value, 'value');
    this.#beforeWrite(key);
    this.#memtables.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
  }

  /** Removes one key, in memory, at once; nothing happens to a reader that already looks. */
  delete(key: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#beforeWrite(key);
    this.#memtables.delete(key, keyStart, keyEnd);
  }

  /** Also where a full memtable is frozen: between two calls, writes stay together in one table. */
  waitForRoom(): Promise<void> | undefined {
    this.#checkWritable();
    if (this.#diskRoom.isFull) this.#retry();
    const { memtableBytes, frozenMemtablesMax, pause } = this.#options;
    const isFull = this.#memtables.activeBytes >= memtableBytes;
    const { frozenCount } = this.#memtables;
    const mayFreeze =
      frozenCount < frozenMemtablesMax && this.#replacements.committed === undefined;
    if ((isFull || this.#freezeRequested) && mayFreeze) {
      this.#freeze(this.#options.notePositions());
    } else if (isFull) {
      this.#stalls++;
      this.#options.onEvent({ kind: 'stall', frozenMemtables: frozenCount });
      // Nothing may be left to flush when a replacement is done, and then only the writers freeze what is next.
      return this.#replacements.committed ?? this.#flushes.progress();
    }
    if (pause === undefined || this.#hasSlowed || !this.#isFallingBehind()) return undefined;
    this.#hasSlowed = true;
    return pause(SLOWED_BY_MS);
  }

  /** The value of a key now. At once when everything needed is in memory or quickly read. */
  get(key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    this.#checkOpen();
    requireBytes(key, 'key');
    try {
      const found = newestOfKey(key, this.#lookupSources(), 'wait');
      if (!(found instanceof Promise)) return shownValue(found);
      // Only now is the version held: nothing can have changed since the lookup began.
      const version = this.#versions.acquire();
      return found.then(shownValue, this.#failed).finally(() => this.#versions.release(version));
    } catch (error) {
      return this.#readFailed(error);
    }
  }

  /** Blocks on what must be read from the disk. */
  getSync(key: Uint8Array): Uint8Array | undefined {
    this.#checkOpen();
    requireBytes(key, 'key');
    try {
      const found = newestOfKey(key, this.#lookupSources(), 'block');
      return shownValue(found as FoundEntry | undefined);
    } catch (error) {
      return this.#readFailed(error);
    }
  }

  /** See `EngineSnapshot.first`. */
  first(prefix: Uint8Array): MaybePromise<EngineEntry | undefined> {
    const snapshot = this.snapshot();
    let found: MaybePromise<EngineEntry | undefined>;
    try {
      found = snapshot.first(prefix);
    } catch (error) {
      snapshot.close();
      throw error;
    }
    if (found instanceof Promise) return found.finally(() => snapshot.close());
    snapshot.close();
    return found;
  }

  snapshot(): Snapshot {
    this.#checkOpen();
    const version = this.#versions.acquire();
    const { isWholeSeriesKey, codec, seriesSuffixBytes } = this.#options;
    return new Snapshot({
      memtables: this.#memtables.all,
      version,
      seqMax: this.#memtables.lastSeq,
      suffixBytes: seriesSuffixBytes,
      readerOf: this.#readerOf,
      isWholeSeriesKey,
      codec,
      check: this.#check,
      failed: this.#failed,
      release: () => this.#versions.release(version),
    });
  }

  get isRebuilt(): boolean {
    return this.#versions.state.isRebuilt;
  }

  async acceptRebuilt(): Promise<void> {
    this.#checkWritable();
    try {
      await this.#versions.commit({ isRebuilt: false });
    } catch (error) {
      throw typedFailure('that it was rebuilt cannot be put on record as settled', error);
    }
  }

  flushedPositions(): Uint8Array | undefined {
    return this.#versions.state.positions;
  }

  /** Positions that changed are made durable even if nothing was written. */
  async flush(): Promise<void> {
    this.#checkWritable();
    if (this.#diskRoom.isFull) this.#retry();
    while (this.#replacements.committed !== undefined) await this.#replacements.committed;
    this.#checkWritable();
    const item = this.#freezeWhatIsNew();
    if (item !== undefined) await this.#flushes.flushed(item);
  }

  requestFreeze(): void {
    this.#checkWritable();
    this.#freezeRequested = !this.#memtables.isActiveEmpty;
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

  get replacementsMax(): number {
    return REPLACEMENTS_MAX;
  }

  replaceRange(range: KeyRange): RangeReplacement {
    this.#checkWritable();
    return this.#replacements.begin(range);
  }

  /**
   * A second directory with what the engine holds now, made of hard links where the file system has them: quick, and
   * it takes no room until either side goes on. It opens like any other. Fails when `target` exists.
   */
  async checkpoint(target: string): Promise<void> {
    await this.flush();
    const { vfs, directory } = this.#options;
    const version = this.#versions.acquire();
    try {
      await checkpointVersion(vfs, directory, target, { ...this.#versions.state, version });
    } catch (error) {
      throw typedFailure('the checkpoint cannot be made', error);
    } finally {
      this.#versions.release(version);
    }
  }

  /** Reads every block of every table. Damage is reported as an event as well. */
  async verify(): Promise<{ readonly tables: number; readonly damage: CorruptionDetail[] }> {
    this.#checkOpen();
    return this.#damageSearch.everywhere().catch((error: unknown) => {
      throw typedFailure('not every table can be read', error);
    });
  }

  acceptLosses(range: KeyRange): Promise<boolean> {
    return this.#replacements.acceptLosses(range);
  }

  removeSetAside(): Promise<void> {
    this.#checkWritable();
    return this.#versions.removeSetAside();
  }

  /** Here one edit of the manifest replaces a range. */
  interruptedReplacements(): readonly KeyRange[] {
    return [];
  }

  estimateBytes(range: KeyRange): number {
    return this.estimate(range).bytes;
  }

  /** About what a range takes, without reading anything. */
  estimate(range: KeyRange): RangeEstimate {
    return estimateRange(this.#versions.state.version, range);
  }

  get diskBytes(): number {
    return this.#versions.state.version.bytes;
  }

  /** When no compaction is under way or due. */
  compactionsIdle(): Promise<void> {
    return this.#compactor.idle();
  }

  statistics(): EngineStatistics {
    const { version } = this.#versions.state;
    return {
      memtableBytes: this.#memtables.activeBytes,
      frozenMemtables: this.#memtables.frozenCount,
      tableCount: version.tables().length,
      tableBytes: version.bytes,
      flushedBytes: this.#flushes.flushedBytes,
      compactedBytes: this.#compactor.writtenBytes,
      droppedEntries: this.#compactor.droppedEntries,
      filesPerLevel: version.levels.map((level) => level.length),
      bytesPerLevel: version.bytesPerLevel,
      ...this.#cache.statistics(),
      stalls: this.#stalls,
    };
  }

  /** Waits for the flush and the compaction under way; does not flush. Snapshots cannot be read any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#damageSearch.stop();
    const flushed = this.#flushes.stop(closedError());
    await this.#compactor.close();
    await flushed;
    await this.#versions.close();
  }

  #beforeWrite(key: Uint8Array): void {
    requireBytes(key, 'key');
    if (this.#failure !== undefined || this.#closed) this.#checkWritable();
    this.#hasSlowed = false;
  }

  /** Returns what is frozen last; a full disk may keep it waiting, and who tries again adds nothing. */
  #freezeWhatIsNew(): FrozenMemtable | undefined {
    const positions = this.#options.notePositions();
    const last = this.#flushes.frozen().at(-1);
    const noted = last?.positions ?? this.flushedPositions();
    const isNoted = noted !== undefined && equalBytes(positions, noted);
    if (isNoted && this.#memtables.isActiveEmpty) return last;
    return this.#freeze(positions);
  }

  #freeze(positions: Uint8Array): FrozenMemtable {
    this.#freezeRequested = false;
    return this.#flushes.add(this.#memtables.freeze(positions));
  }

  #flushed({ memtable }: FrozenMemtable): void {
    this.#memtables.flushed(memtable);
    // It would hold on to the memtable until the next read.
    this.#knownSources = undefined;
    this.#compactor.kick();
  }

  /**
   * Also where the memtable has nothing of the range: a full one does not wait for one replacement after the other, and the
   * first positions of all are not of one range alone.
   */
  #freezeFor(range: KeyRange): void {
    this.#checkWritable();
    const isFull = this.#memtables.activeBytes >= this.#options.memtableBytes;
    const isFirst = this.flushedPositions() === undefined;
    if (isFull || isFirst || this.#memtables.hasActiveIn(range)) this.#freezeWhatIsNew();
  }

  /** Too many tables in level 0 make every read slow; the frozen memtables then hold the writers back. */
  #compactionIfLevel0IsFull(): Promise<void> | undefined {
    return this.#level0Tables < this.#options.level0TablesMax
      ? undefined
      : this.#compactor.currentStep;
  }

  /** Flushes or compactions do not keep up with the writers, who had better go slower before they have to stop. */
  #isFallingBehind(): boolean {
    const { level0TablesSlow, frozenMemtablesMax, memtableBytes } = this.#options;
    const isHalfFull =
      this.#memtables.frozenCount >= frozenMemtablesMax &&
      this.#memtables.activeBytes > memtableBytes / 2;
    return isHalfFull || this.#level0Tables >= level0TablesSlow;
  }

  get #level0Tables(): number {
    return this.#versions.state.version.levels[0]?.length ?? 0;
  }

  #retry(): void {
    this.#flushes.retry();
    this.#compactor.kick();
  }

  /** Of all there is now; made anew only when memtables or tables changed, as every read asks for it. */
  #lookupSources(): LookupSources {
    const { version } = this.#versions.state;
    const memtables = this.#memtables.all;
    const known = this.#knownSources;
    if (known?.version === version && known.memtables === memtables) return known;
    const seqMax = Number.MAX_SAFE_INTEGER;
    const suffixBytes = this.#options.seriesSuffixBytes;
    this.#knownSources = { memtables, version, seqMax, suffixBytes, readerOf: this.#readerOf };
    return this.#knownSources;
  }

  readonly #readerOf = (table: TableMeta) => this.#versions.readerOf(table);
  readonly #check = () => this.#checkOpen();
  readonly #failed = (error: unknown) => this.#readFailed(error);

  #fail(cause: unknown): LsmError {
    if (this.#failure !== undefined) return this.#failure;
    const message = `the engine failed: ${reasonOfFailure(cause)}`;
    this.#failure = new LsmError('ENGINE_FAILED', message, { cause });
    this.#options.onEvent({ kind: 'background-error', error: this.#failure });
    void this.#flushes.stop(this.#failure);
    return this.#failure;
  }

  #readFailed(error: unknown): never {
    if (isCorruption(error)) {
      const detail = corruptionDetail(error);
      this.#options.onEvent(corruptionEvent(detail, this.#versions.rangeOf(detail.file)));
    }
    if (error instanceof LsmError) throw error;
    if (this.#closed) throw closedError();
    const message = `a read failed: ${reasonOfFailure(error)}`;
    throw new LsmError('ENGINE_FAILED', message, { cause: error });
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** Lets files that cannot be removed be reported to a `Db` that is made after its versions. */
interface FailureSink {
  report: (error: unknown) => void;
}

/** LevelDB's choice: so short that a writer hardly notices, long enough for the others to catch up. */
const SLOWED_BY_MS = 1;
