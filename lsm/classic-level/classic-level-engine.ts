import assert from 'node:assert/strict';
import { equalBytes, overlap } from '../bytes.ts';
import { loadCompactionFilter } from '../compaction/filter.ts';
import { FilterStates } from '../compaction/filter-states.ts';
import { corruptionDetail, corruptionEvent, isCorruption } from '../corruption.ts';
import { type Deferred, deferred } from '../deferred.ts';
import type {
  CompactedTables,
  EngineSnapshot,
  EngineStatistics,
  EngineTable,
  KeyRange,
  RangeReplacement,
  StorageEngine,
} from '../engine.ts';
import { closedError, LsmError } from '../errors.ts';
import { Memtable } from '../memtable/memtable.ts';
import { Clearing } from './clearing.ts';
import { ALL_ENTRIES, covers, entryRange, markerOf, POSITIONS_KEY, rangeOfMarker } from './keys.ts';
import {
  endOf,
  type Level,
  levelStatistics,
  type OwnRecords,
  openLevel,
  readOwnRecords,
} from './level.ts';
import { levelError } from './level-error.ts';
import { MergedSnapshot } from './level-snapshot.ts';
import {
  type ClassicLevelOptions,
  type ResolvedClassicLevelOptions,
  resolveClassicLevelOptions,
} from './options.ts';
import { LevelRangeReplacement } from './range-replacement.ts';
import { StoredRanges } from './stored-ranges.ts';
import { Turns } from './turns.ts';
import { fillBatch } from './write-batch.ts';

/**
 * LevelDB as the storage engine of a node: writes go to a memtable, and a memtable that is full to LevelDB as one
 * synced batch, with its positions. So LevelDB holds at any time what the positions in it say, and nothing else.
 *
 * Weaker than `Db` in three things: a range replacement can be seen before it is committed and is marked, not
 * undone, when it is interrupted; what is read from LevelDB is not checked against its checksums; and damage may keep
 * it from being opened.
 */
export class ClassicLevelEngine implements StorageEngine {
  readonly #options: ResolvedClassicLevelOptions;
  readonly #level: Level;
  readonly #ranges: StoredRanges;
  readonly #writes = new Turns();
  readonly #filterStates: FilterStates;
  readonly #clearing: Clearing;
  #memtable: Memtable;
  #freezeRequested = false;
  /** Oldest first; written in this order. */
  readonly #frozen: FrozenMemtable[] = [];
  #isFlushing = false;
  #flushing: Promise<void> = Promise.resolve();
  /** Sequence number of the last put. What LevelDB holds counts as 0. */
  #seq = 0;
  #positions: Uint8Array | undefined;
  #interrupted: KeyRange[];
  #isReplacing = false;
  /** From the first change on. */
  #replacing: KeyRange | undefined;
  #diskBytes: number;
  /** Nothing had ever been flushed when it was opened. */
  readonly #wasVacant: boolean;
  #isMeasuring = false;
  #flushes = 0;
  #flushedBytes = 0;
  #stalls = 0;
  #roomWaiters: Deferred[] = [];
  #failure: LsmError | undefined;
  #closed = false;

  private constructor(parts: {
    readonly options: ResolvedClassicLevelOptions;
    readonly level: Level;
    readonly records: OwnRecords;
    readonly interrupted: readonly KeyRange[];
    readonly diskBytes: number;
    readonly isVacant: boolean;
  }) {
    const { options, level, records } = parts;
    const { seriesSuffixBytes: suffixBytes, onEvent } = options;
    this.#options = options;
    this.#level = level;
    this.#positions = records.positions;
    this.#interrupted = [...parts.interrupted];
    this.#diskBytes = parts.diskBytes;
    this.#wasVacant = parts.isVacant;
    this.#memtable = new Memtable(1, suffixBytes);
    this.#filterStates = new FilterStates(options.compactionFilter);
    this.#ranges = new StoredRanges(options.borders, records.largestSuffix);
    this.#clearing = new Clearing({
      ...{ level, suffixBytes, onEvent, ranges: this.#ranges, writes: this.#writes },
      filterSpec: () => this.#filterStates.spec(),
      check: () => this.#checkWritable(),
      isBeingReplaced: (range) => this.#replacing !== undefined && overlap(this.#replacing, range),
      passOver: (error, range) => this.#reportDamage(error, range),
    });
  }

  /** Opens or creates. Ranges whose replacement was interrupted are emptied. */
  static async open(options: ClassicLevelOptions): Promise<ClassicLevelEngine> {
    const resolved = resolveClassicLevelOptions(options);
    const { directory, compactionFilter, memtableBytes } = resolved;
    if (compactionFilter !== undefined) await loadCompactionFilter(compactionFilter.module);
    let level: Level | undefined;
    try {
      level = await openLevel({ ...resolved, writeBufferBytes: memtableBytes });
      const records = await readOwnRecords(level);
      const interrupted = records.markers.map(([key, value]) => rangeOfMarker(key, value));
      for (const range of interrupted) await level.clear(entryRange(range));
      const diskBytes = await StoredRanges.diskBytes(level);
      const isVacant = records.positions === undefined && (await hasNoEntry(level));
      const found = { records, interrupted, diskBytes, isVacant };
      return new ClassicLevelEngine({ options: resolved, level, ...found });
    } catch (error) {
      await level?.close();
      throw levelError(error, directory, 'LevelDB could not be opened');
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

  /** Also where a full memtable is frozen: between two calls, writes stay together in one batch. */
  waitForRoom(): Promise<void> | undefined {
    this.#checkWritable();
    const isFull = this.#memtable.sizeBytes >= this.#options.batchBytes;
    if (!isFull && !this.#freezeRequested) return undefined;
    if (this.#frozen.length < this.#options.frozenMemtablesMax) {
      this.#freeze(this.#options.notePositions());
      return undefined;
    }
    if (!isFull) return undefined;
    this.#stalls++;
    this.#options.onEvent({ kind: 'stall', frozenMemtables: this.#frozen.length });
    const waiter = deferred();
    this.#roomWaiters.push(waiter);
    return waiter.promise;
  }

  snapshot(): EngineSnapshot {
    this.#checkOpen();
    const frozen = this.#frozen.map(({ memtable }) => memtable).reverse();
    return new MergedSnapshot({
      level: this.#level,
      memtables: [this.#memtable, ...frozen],
      seqMax: this.#seq,
      check: () => this.#checkOpen(),
      failed: (error, range) => this.#readFailed(error, range),
    });
  }

  /** LevelDB finds its tables, or does not open. */
  readonly isRebuilt = false;

  async acceptRebuilt(): Promise<void> {}

  flushedPositions(): Uint8Array | undefined {
    return this.#positions;
  }

  /** Positions that changed are made durable even if nothing was written. */
  async flush(): Promise<void> {
    this.#checkWritable();
    const positions = this.#options.notePositions();
    const noted = this.#frozen.at(-1)?.positions ?? this.#positions;
    const isNew = noted === undefined || !equalBytes(positions, noted);
    if (this.#memtable.entryCount > 0 || isNew) this.#freeze(positions);
    await this.#frozen.at(-1)?.flushed.promise;
  }

  requestFreeze(): void {
    this.#checkWritable();
    this.#freezeRequested = this.#memtable.entryCount > 0;
  }

  /** Looks at what is between two borders as if it were one table. */
  compactWhere(wants: (table: EngineTable) => boolean): Promise<CompactedTables> {
    return this.#compact(() => this.#clearing.where(wants));
  }

  compactFully(): Promise<CompactedTables> {
    return this.#compact(() => this.#clearing.fully());
  }

  /** What is in memory is written under every replacement anew. */
  get replacementsMax(): number {
    return 1;
  }

  /**
   * With the first block, or with `commit`, the range is emptied; from then on what is added can be seen. Abandoned
   * or interrupted after that it stays empty, and is among the interrupted ones until a replacement of it, or
   * of more, is committed.
   */
  replaceRange(range: KeyRange): RangeReplacement {
    this.#checkWritable();
    assert(!this.#isReplacing, 'one range is replaced at a time');
    this.#isReplacing = true;
    return new LevelRangeReplacement(range, {
      level: this.#level,
      writes: this.#writes,
      check: () => this.#checkWritable(),
      failed: (error) => this.#writeFailed(error),
      flush: () => this.flush(),
      began: () => {
        this.#replacing = range;
        this.#interrupted = [...this.#interrupted.filter((each) => !covers(range, each)), range];
      },
      commit: (positionsAfter) => this.#commitReplacement(range, positionsAfter),
      ended: () => {
        this.#replacing = undefined;
        this.#isReplacing = false;
      },
    });
  }

  interruptedReplacements(): readonly KeyRange[] {
    return this.#interrupted;
  }

  /** LevelDB goes past what it cannot read, or does not open at all. */
  async acceptLosses(): Promise<boolean> {
    return false;
  }

  /** LevelDB moves nothing out of its way that is damaged. */
  async removeSetAside(): Promise<void> {}

  async estimateBytes(range: KeyRange): Promise<number> {
    const { gte, lt } = entryRange(range);
    return this.#closed ? 0 : this.#level.approximateSize(gte, lt);
  }

  /** As of a moment ago: LevelDB answers from another thread. Its log is not counted. */
  get diskBytes(): number {
    if (!this.#closed) void this.#measure();
    return this.#diskBytes;
  }

  /**
   * Sizes of levels and what was written to them are in whole MiB. LevelDB counts its flushes as compactions. Before the first
   * flush there is no table of ours: what LevelDB then has holds our records only.
   */
  statistics(): EngineStatistics {
    const levels = this.#closed ? [] : levelStatistics(this.#level);
    const isVacant = this.#wasVacant && this.#positions === undefined;
    return {
      memtableBytes: this.#memtable.sizeBytes,
      frozenMemtables: this.#frozen.length,
      tableCount: isVacant ? 0 : levels.reduce((sum, { files }) => sum + files, 0),
      tableBytes: this.diskBytes,
      flushedBytes: this.#flushedBytes,
      compactedBytes: levels.reduce((sum, { writtenBytes }) => sum + writtenBytes, 0),
      droppedEntries: this.#clearing.droppedEntries,
      filesPerLevel: levels.map(({ files }) => files),
      bytesPerLevel: levels.map(({ bytes }) => bytes),
      blockCacheBytes: 0,
      blockCacheHits: 0,
      blockCacheMisses: 0,
      filterChecks: 0,
      filterSkips: 0,
      stalls: this.#stalls,
    };
  }

  /** Waits for what is being written; does not flush. Snapshots cannot be read any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rejectWaiters(closedError());
    await this.#flushing;
    await this.#clearing.idle();
    await this.#writes.idle();
    await this.#level.close();
  }

  #freeze(positions: Uint8Array): void {
    const memtable = this.#memtable;
    this.#memtable = new Memtable(this.#seq + 1, this.#options.seriesSuffixBytes);
    this.#freezeRequested = false;
    this.#enqueue({ memtable, positions: positions.slice(), flushed: deferred() });
  }

  #enqueue(frozen: FrozenMemtable): void {
    this.#frozen.push(frozen);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#flushing = this.#flushAll();
  }

  async #flushAll(): Promise<void> {
    try {
      for (;;) {
        const oldest = this.#frozen[0];
        if (oldest === undefined || this.#closed || this.#failure !== undefined) break;
        await this.#writes.take(() => this.#flushOne(oldest));
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#isFlushing = false;
  }

  /** Entries and positions in one batch, durable before anybody is told. */
  async #flushOne(oldest: FrozenMemtable): Promise<void> {
    const { onEvent } = this.#options;
    const { memtable, positions, markers = [] } = oldest;
    const batch = this.#level.batch();
    const isEmpty = memtable.entryCount === 0;
    if (!isEmpty) onEvent({ kind: 'flush-begin', bytes: memtable.sizeBytes });
    const bytes = await fillBatch(batch, memtable, this.#ranges);
    for (const marker of markers) batch.del(marker);
    batch.put(POSITIONS_KEY, positions);
    await batch.write({ sync: true });
    this.#flushedBytes += bytes;
    if (!isEmpty) onEvent({ kind: 'flush-end', bytes, table: ++this.#flushes });
    this.#frozen.shift();
    this.#filterStates.flushed(memtable);
    this.#positions = positions;
    onEvent({ kind: 'positions-flushed', positions });
    oldest.flushed.resolve();
    for (const waiter of this.#roomWaiters.splice(0)) waiter.resolve();
  }

  /** In the same breath as the freeze: no other positions come in between, and none from before come after. */
  async #commitReplacement(range: KeyRange, positionsAfter: PositionsAfter): Promise<void> {
    const before = this.#options.notePositions();
    this.#freeze(before);
    const positions = positionsAfter(before).slice();
    const memtable = new Memtable(this.#seq + 1, this.#options.seriesSuffixBytes);
    const replaced = this.#interrupted.filter((each) => covers(range, each));
    const markers = replaced.map((each) => markerOf(each).key);
    const flushed = deferred();
    this.#enqueue({ memtable, positions, markers, flushed });
    await flushed.promise;
    this.#interrupted = this.#interrupted.filter((each) => !replaced.includes(each));
  }

  async #compact(compact: () => Promise<CompactedTables>): Promise<CompactedTables> {
    this.#checkWritable();
    try {
      const result = await compact();
      this.#checkWritable();
      return result;
    } catch (error) {
      return this.#writeFailed(error);
    }
  }

  async #measure(): Promise<void> {
    if (this.#isMeasuring) return;
    this.#isMeasuring = true;
    try {
      this.#diskBytes = await StoredRanges.diskBytes(this.#level);
    } catch {
      // It is being closed; what was known stays.
    }
    this.#isMeasuring = false;
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const { directory, onEvent } = this.#options;
    const reason = levelError(cause, directory, 'the engine failed').message;
    this.#failure = new LsmError('ENGINE_FAILED', reason, { cause });
    onEvent({ kind: 'background-error', error: this.#failure });
    this.#rejectWaiters(this.#failure);
  }

  #rejectWaiters(error: LsmError): void {
    for (const { flushed } of this.#frozen) flushed.reject(error);
    for (const waiter of this.#roomWaiters.splice(0)) waiter.reject(error);
  }

  #readFailed(error: unknown, range: KeyRange): never {
    if (this.#closed && !(error instanceof LsmError)) throw closedError();
    this.#reportDamage(error, range);
    throw levelError(error, this.#options.directory, 'a read failed');
  }

  /** Of what was read when it was met: LevelDB does not say more. Throws what is no damage. */
  #reportDamage(error: unknown, range: KeyRange): void {
    const { directory, onEvent } = this.#options;
    const typed = levelError(error, directory, 'a read failed');
    if (!isCorruption(typed)) throw typed;
    onEvent(corruptionEvent(corruptionDetail(typed), range));
  }

  /** LevelDB writes nothing more after a write that failed, and neither does the engine. */
  #writeFailed(error: unknown): never {
    if (error instanceof LsmError) throw error;
    if (this.#closed) throw closedError();
    this.#fail(error);
    throw this.#failure;
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#failure !== undefined) throw this.#failure;
  }
}

type PositionsAfter = Parameters<RangeReplacement['commit']>[0];

interface FrozenMemtable {
  readonly memtable: Memtable;
  readonly positions: Uint8Array;
  /** Of replacements that are done with it. */
  readonly markers?: readonly Uint8Array[];
  readonly flushed: Deferred;
}

/** What cannot be read may be one. */
async function hasNoEntry(level: Level): Promise<boolean> {
  return endOf(level, ALL_ENTRIES, 'first').then(
    (key) => key === undefined,
    () => false,
  );
}
