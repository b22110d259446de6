import assert from 'node:assert/strict';
import { compareBytes, compareRanges } from '../bytes.ts';
import { corruptionDetail, corruptionEvent, isCorruption } from '../corruption.ts';
import { isDiskFull, typedFailure } from '../disk-full.ts';
import type { EngineEvent, KeyRange, RangeReplacement } from '../engine.ts';
import { BlockCursor } from '../sstable/block-cursor.ts';
import { EntryKind } from '../sstable/format.ts';
import { keysOf, type TableMeta } from '../sstable/table-meta.ts';
import { LEVEL_COUNT, type PlacedTable, type Version } from '../version/version.ts';
import type { Compactor } from './compactor.ts';
import { decodeExportedBlock } from './exported-block.ts';
import { JobRunner, type JobRunnerOptions } from './job-runner.ts';
import { lostTables, outside, overlaps } from './lost-keys.ts';

export interface PendingReplacementOptions extends JobRunnerOptions {
  readonly compactor: Compactor;
  readonly onEvent: (event: EngineEvent) => void;
  /** For every entry: above those in the range now, below those that are written into it afterwards. */
  readonly seq: number;
  /**
   * Carries out work when all that was written before is in tables, while nothing is flushed: the positions of a
   * flush that comes between would be older than those of the replacement and come after them.
   */
  readonly apply: (work: () => Promise<void>) => Promise<void>;
  /** Called once, after `commit` or `abandon`. */
  readonly onEnd: () => void;
}

/**
 * Other content for a range: written to tables as it comes, which one edit then puts into the place of all that is
 * there. Tables wholly within the range go unread, those that reach out of it are written again without it.
 */
export class PendingReplacement implements RangeReplacement {
  readonly #range: KeyRange;
  readonly #options: PendingReplacementOptions;
  readonly #jobs: JobRunner;
  readonly #entries = new BlockCursor();
  /** Sound, in order and not yet in a table. */
  #blocks: Uint8Array[] = [];
  #blockBytes = 0;
  /** Their raw bytes. */
  #rawBytes = 0;
  #lastKey: Uint8Array | undefined;
  readonly #tables: TableMeta[] = [];
  /** Whether the edit that names the tables was not refused: it may be there at the next open. */
  #mayBeCommitted = false;
  #isBusy = false;
  #isOver = false;

  constructor(range: KeyRange, options: PendingReplacementOptions) {
    this.#range = range;
    this.#options = options;
    this.#jobs = new JobRunner(options);
  }

  add(block: Uint8Array): Promise<void> {
    return this.#alone(async () => {
      const sealed = block.slice();
      this.#rawBytes += this.#check(sealed);
      this.#blocks.push(sealed);
      this.#blockBytes += sealed.length;
      if (this.#blockBytes >= this.#options.tableBytes) await this.#writeTables();
    });
  }

  commit(positionsAfter: PositionsAfter): Promise<void> {
    return this.#alone(async () => {
      if (this.#blocks.length > 0) await this.#writeTables();
      const { apply, compactor, onEnd } = this.#options;
      await apply(() => compactor.exclusively(() => this.#replace(positionsAfter)));
      this.#isOver = true;
      onEnd();
      compactor.kick();
    });
  }

  abandon(): Promise<void> {
    return this.#alone(async () => {
      this.#isOver = true;
      if (!this.#mayBeCommitted) await this.#options.versions.discard(this.#tables);
      this.#options.onEnd();
    });
  }

  /** One thing at a time, and nothing after the end. */
  async #alone(work: () => Promise<void>): Promise<void> {
    assert(!this.#isOver, 'a replacement is over once it is committed or abandoned');
    assert(!this.#isBusy, 'a replacement does one thing at a time');
    this.#isBusy = true;
    try {
      await work();
    } catch (error) {
      throw typedFailure('a range cannot be replaced', error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Sees that a block goes on where the last one ended, within the range. Returns its length when opened. */
  #check(sealed: Uint8Array): number {
    const block = decodeExportedBlock(sealed);
    const { upper } = this.#range;
    const entries = this.#entries;
    entries.reset(block);
    const { suffixBytes } = this.#options.tableFormat;
    let last = this.#lastKey;
    for (entries.seekFirst(); entries.valid; entries.next()) {
      const { keyBytes, keyStart, keyEnd, kind } = entries;
      const order = (key: Uint8Array) =>
        compareRanges(keyBytes, keyStart, keyEnd, key, 0, key.length);
      if (kind !== EntryKind.put) throw block.malformed('a put', kind);
      if (keyEnd - keyStart < suffixBytes) throw block.malformed('a whole key', keyEnd - keyStart);
      const isAfter = last === undefined ? order(this.#range.lower) >= 0 : order(last) > 0;
      const isInside = upper === undefined || order(upper) < 0;
      if (!isAfter || !isInside) throw block.malformed('the next keys of the range', 'others');
      last = keyBytes.slice(keyStart, keyEnd);
    }
    this.#lastKey = last;
    return block.bytes.length;
  }

  async #writeTables(): Promise<void> {
    const [blocks, rawBytes] = [this.#blocks, this.#rawBytes];
    this.#tables.push(...(await this.#jobs.load(blocks, rawBytes, this.#options.seq)));
    this.#blocks = [];
    this.#blockBytes = this.#rawBytes = 0;
  }

  /** Nothing is in memory, and nothing is flushed or compacted meanwhile. */
  async #replace(positionsAfter: PositionsAfter): Promise<void> {
    const { versions, seq } = this.#options;
    const { version } = versions.state;
    const removed: number[] = [];
    const added: PlacedTable[] = [];
    const remains: TableMeta[] = [];
    try {
      for (const { level, table } of version.placedTables()) {
        if (!overlaps(table, this.#range)) continue;
        const rest = isWithin(table, this.#range) ? [] : await this.#without(level, table);
        if (rest === undefined) continue;
        removed.push(table.fileNumber);
        remains.push(...rest);
        added.push(...rest.map((part) => ({ level, table: part })));
      }
      const level = deepestFor(this.#tables, version.apply(added, new Set(removed)));
      added.push(...this.#tables.map((table) => ({ level, table })));
      const lastSeq = this.#tables.length > 0 ? { lastSeq: seq } : {};
      // Last of all: whoever is asked takes it for done.
      const positions = positionsAfter(versions.state.positions).slice();
      this.#mayBeCommitted = true;
      await versions.commit({ added, removed, positions, ...lastSeq });
    } catch (error) {
      // After other failures of a commit it is unknown what is on the disk.
      if (isDiskFull(error)) this.#mayBeCommitted = false;
      if (!this.#mayBeCommitted) await versions.discard(remains);
      throw error;
    }
    await versions.removalsDone();
  }

  /** What of a table is outside the range; `undefined` when it stays as it is. What is damaged there is lost still. */
  async #without(level: number, table: TableMeta): Promise<readonly TableMeta[] | undefined> {
    const range = this.#range;
    const { versions } = this.#options;
    if (table.damaged) return lostTables(versions, table, outside(keysOf(table), range));
    try {
      return await this.#jobs.cut(level, table, range);
    } catch (error) {
      if (!isCorruption(error)) throw error;
      const { tables, lost } = await this.#jobs.salvage(level, table, range);
      for (const keys of lost)
        this.#options.onEvent(corruptionEvent(corruptionDetail(error), keys));
      return [...tables, ...lostTables(versions, table, lost)];
    }
  }
}

type PositionsAfter = Parameters<RangeReplacement['commit']>[0];

function isWithin({ smallest, largest }: TableMeta, { lower, upper }: KeyRange): boolean {
  if (compareBytes(smallest, lower) < 0) return false;
  return upper === undefined || compareBytes(largest, upper) < 0;
}

/** The deepest level in which none of some tables meets another. */
function deepestFor(tables: readonly TableMeta[], version: Version): number {
  for (let level = LEVEL_COUNT - 1; level > 0; level--) {
    const isFree = tables.every(
      ({ smallest, largest }) => version.overlapping(level, smallest, largest).length === 0,
    );
    if (isFree) return level;
  }
  return 0;
}
