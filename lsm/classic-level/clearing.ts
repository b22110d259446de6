import { compareRanges, equalBytes, equalRanges, successor } from '../bytes.ts';
import {
  type CompactionFilter,
  type CompactionFilterSpec,
  createCompactionFilter,
} from '../compaction/filter.ts';
import type { CompactedTables, EngineEvent, EngineTable, KeyRange } from '../engine.ts';
import { ENTRY_KEY_START, entryRange } from './keys.ts';
import type { Level, LevelBatch, LevelEntry } from './level.ts';
import type { Look, StoredRange, StoredRanges } from './stored-ranges.ts';
import { Turns } from './turns.ts';

export interface ClearingOptions {
  readonly level: Level;
  readonly ranges: StoredRanges;
  readonly suffixBytes: number;
  /** Whoever writes into LevelDB has the turn. */
  readonly writes: Turns;
  /** What is to be dropped as of now; `undefined`: nothing. */
  readonly filterSpec: () => CompactionFilterSpec | undefined;
  readonly onEvent: (event: EngineEvent) => void;
  /** Throws when the engine takes no more writes. */
  readonly check: () => void;
  /** What is there of a range that is being replaced is nobody's yet. */
  readonly isBeingReplaced: (range: KeyRange) => boolean;
  /** Reports damage, which is passed over; throws what is anything else. */
  readonly passOver: (error: unknown, range: KeyRange) => void;
}

/** Deletes what the compaction filter drops, and lets LevelDB free it. One at a time, range after range. */
export class Clearing {
  readonly #options: ClearingOptions;
  readonly #turns = new Turns();
  droppedEntries = 0;

  constructor(options: ClearingOptions) {
    this.#options = options;
  }

  where(wants: (table: EngineTable) => boolean): Promise<CompactedTables> {
    return this.#turns.take(async () => {
      const wanted: StoredRange[] = [];
      for (const range of this.#options.ranges.all) {
        const table = await this.#soundly(range, () => range.describe(this.#options.level));
        if (table !== undefined && wants(table)) wanted.push(range);
      }
      return this.#clear(wanted, (range) => range.isWorthCompacting);
    });
  }

  fully(): Promise<CompactedTables> {
    return this.#turns.take(() =>
      this.#clear(this.#options.ranges.all, (range) => range.isUnsettled),
    );
  }

  idle(): Promise<void> {
    return this.#turns.idle();
  }

  async #clear(
    ranges: readonly StoredRange[],
    isWorthCompacting: (range: StoredRange) => boolean,
  ): Promise<CompactedTables> {
    const { filterSpec } = this.#options;
    const judgedFileNumbers: number[] = [];
    let [tablesRewritten, droppedEntries] = [0, 0];
    for (const range of ranges) {
      const spec = filterSpec();
      const look = spec && (await this.#soundly(range, () => this.#look(range, spec)));
      const dropped = look?.dropped.entries ?? 0;
      if (look !== undefined) judgedFileNumbers.push(range.fileNumber);
      if (dropped > 0) tablesRewritten++;
      droppedEntries += dropped;
      if (isWorthCompacting(range)) await this.#compact(range, dropped);
    }
    return { tablesRewritten, droppedEntries, judgedFileNumbers };
  }

  /** Has the filter judge every entry of a range. `undefined`: the range was taken away meanwhile. */
  async #look(range: StoredRange, spec: CompactionFilterSpec): Promise<Look | undefined> {
    const { level, writes, suffixBytes, check, isBeingReplaced } = this.#options;
    const filter = await createCompactionFilter(spec);
    const look = new RangeLook(level, filter, suffixBytes);
    range.beginLook();
    const { gte, lt } = entryRange(range);
    for (let from: Uint8Array | undefined = gte; from !== undefined; ) {
      check();
      const chunkStart: Uint8Array = from;
      const next = await writes.take(async () =>
        isBeingReplaced(range) ? 'taken' : look.clearChunk(chunkStart, lt),
      );
      if (next === 'taken') return undefined;
      from = next;
    }
    range.endLook(look);
    this.droppedEntries += look.dropped.entries;
    return look;
  }

  async #compact(range: StoredRange, droppedEntries: number): Promise<void> {
    const { level, onEvent, check } = this.#options;
    check();
    onEvent({ kind: 'compaction-begin', level: 0, tables: 1 });
    await range.compact(level);
    const { gte, lt } = entryRange(range);
    const bytes = await level.approximateSize(gte, lt);
    onEvent({ kind: 'compaction-end', level: 0, bytes, droppedEntries });
  }

  /** `undefined` as well when what is to be read is damaged. */
  async #soundly<T>(range: KeyRange, read: () => Promise<T>): Promise<T | undefined> {
    this.#options.check();
    try {
      return await read();
    } catch (error) {
      this.#options.passOver(error, range);
      return undefined;
    }
  }
}

const CHUNK_ENTRIES = 1000;
const CHUNK_BYTES = 256 * 1024;

/**
 * One pass over a range. Reading and deleting a chunk is one turn of writing, so that no entry is deleted for what
 * it was before it was written again. And what an entry hides goes before it or with it, durably: were the entry
 * deleted first, what it hid would show again after a crash.
 */
class RangeLook implements Look {
  readonly kept = { entries: 0, bytes: 0, largestSuffix: undefined as Uint8Array | undefined };
  readonly dropped = { entries: 0, bytes: 0 };
  readonly #level: Level;
  readonly #filter: CompactionFilter;
  readonly #suffixBytes: number;
  /** Entries of one series that go when all behind them is judged. */
  #held: LevelEntry[] = [];

  constructor(level: Level, filter: CompactionFilter, suffixBytes: number) {
    this.#level = level;
    this.#filter = filter;
    this.#suffixBytes = suffixBytes;
  }

  /** Returns where the next chunk begins; `undefined`: this was the last. */
  async clearChunk(gte: Uint8Array, lt: Uint8Array): Promise<Uint8Array | undefined> {
    const entries = await this.#read(gte, lt);
    const batch = this.#level.batch();
    for (const entry of entries) {
      if (this.#held[0] !== undefined && !this.#isSameSeries(this.#held[0], entry)) {
        await this.#dropHeld(batch);
      }
      this.#judge(entry, batch);
    }
    const last = entries.at(-1);
    if (last === undefined) await this.#dropHeld(batch);
    if (batch.length > 0) await batch.write({ sync: true });
    else await batch.close();
    return last && successor(last[0]);
  }

  async #read(gte: Uint8Array, lt: Uint8Array): Promise<LevelEntry[]> {
    const range = { gte, lt, fillCache: false, highWaterMarkBytes: CHUNK_BYTES };
    const iterator = this.#level.iterator(range);
    try {
      return await iterator.nextv(CHUNK_ENTRIES);
    } finally {
      await iterator.close();
    }
  }

  #judge(entry: LevelEntry, batch: LevelBatch): void {
    const [key, value] = entry;
    const end = key.length;
    const verdict = this.#filter.judge(key, ENTRY_KEY_START, end, value, 0, value.length);
    if (verdict === 'drop') this.#drop(entry, batch);
    else if (verdict === 'drop-if-alone') this.#held.push(entry);
    else this.#keep(entry);
  }

  #keep([key, value]: LevelEntry): void {
    const { kept } = this;
    kept.entries++;
    kept.bytes += key.length + value.length;
    const start = key.length - this.#suffixBytes;
    const known = kept.largestSuffix;
    if (known === undefined || compareRanges(known, 0, known.length, key, start, key.length) < 0) {
      kept.largestSuffix = Uint8Array.from(key.subarray(start));
    }
  }

  #drop([key, value]: LevelEntry, batch: LevelBatch): void {
    batch.del(key);
    this.dropped.entries++;
    this.dropped.bytes += key.length + value.length;
  }

  /** Of their series nothing is left behind them. One that was written again meanwhile was not judged. */
  async #dropHeld(batch: LevelBatch): Promise<void> {
    for (const entry of this.#held.splice(0)) {
      const now = await this.#level.get(entry[0]);
      if (now !== undefined && equalBytes(now, entry[1])) this.#drop(entry, batch);
      else this.#keep(entry);
    }
  }

  #isSameSeries([a]: LevelEntry, [b]: LevelEntry): boolean {
    const [aEnd, bEnd] = [a.length - this.#suffixBytes, b.length - this.#suffixBytes];
    return equalRanges(a, ENTRY_KEY_START, aEnd, b, ENTRY_KEY_START, bEnd);
  }
}
