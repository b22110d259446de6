import assert from 'node:assert/strict';
import { prefixSuccessor, rangeStartsWith } from './bytes.ts';
import type { EngineCursor, EngineEntry, EngineSnapshot, MaybePromise } from './engine.ts';
import { BoundedCursor } from './iterator/bounded-cursor.ts';
import type { Cursor } from './iterator/cursor.ts';
import { LevelCursor } from './iterator/level-cursor.ts';
import { MergingCursor } from './iterator/merging-cursor.ts';
import { firstOfSeries } from './iterator/point-lookup.ts';
import type { Memtable } from './memtable/memtable.ts';
import { MemtableCursor } from './memtable/memtable-cursor.ts';
import { mayHoldPrefix, type TableMeta } from './sstable/table-meta.ts';
import type { TableReader } from './sstable/table-reader.ts';
import type { Version } from './version/version.ts';

export interface SnapshotSources {
  /** The active one and the frozen ones as of now. */
  readonly memtables: readonly Memtable[];
  readonly version: Version;
  /** Of the active memtable nothing newer is seen; all else is older anyway. */
  readonly seqMax: number;
  readonly suffixBytes: number;
  readonly isWholeSeriesKey: (prefix: Uint8Array) => boolean;
  readonly readerOf: (table: TableMeta) => TableReader;
  /** Throws when the engine is closed. */
  readonly check: () => void;
  /** Reports what a read met and throws it as a typed error. */
  readonly failed: (error: unknown) => never;
  readonly release: () => void;
}

/**
 * A view of the engine: it holds its memtables and its version, so nothing that happens later can change what
 * it sees, and compactions need not know of it.
 */
export class Snapshot implements EngineSnapshot {
  readonly #sources: SnapshotSources;
  #closed = false;

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
  }

  first(prefix: Uint8Array): MaybePromise<EngineEntry | undefined> {
    this.#check();
    try {
      const found = this.#lookUp(prefix);
      return found instanceof Promise ? found.catch(this.#sources.failed) : found;
    } catch (error) {
      return this.#sources.failed(error);
    }
  }

  cursor(bounds: { readonly lower: Uint8Array; readonly upper: Uint8Array }): EngineCursor {
    this.#check();
    const cursor = this.#merged(bounds.lower, bounds.upper);
    const { failed } = this.#sources;
    return new BoundedCursor(cursor, bounds, { check: () => this.#check(), failed });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sources.release();
  }

  #check(): void {
    assert(!this.#closed, 'a closed snapshot is not read');
    this.#sources.check();
  }

  /**
   * As a series first: what is found is the answer, because no other series key begins with this one. Only
   * when nothing is found may `prefix` be a mere beginning of keys.
   */
  #lookUp(prefix: Uint8Array): MaybePromise<EngineEntry | undefined> {
    const { memtables, seqMax, suffixBytes, readerOf, isWholeSeriesKey } = this.#sources;
    const tables = this.#tablesOfSeries(prefix);
    const sources = { memtables, tables, seqMax, suffixBytes, readerOf };
    const found = firstOfSeries(prefix, sources);
    const orScan = (entry: EngineEntry | undefined) =>
      entry !== undefined || isWholeSeriesKey(prefix) ? entry : this.#scanFirst(prefix);
    return found instanceof Promise ? found.then(orScan) : orScan(found);
  }

  /** Of a sorted level only the table that holds the first key at or after the series can have its first. */
  #tablesOfSeries(series: Uint8Array): TableMeta[] {
    const tables: TableMeta[] = [];
    const { version } = this.#sources;
    for (const table of version.levels[0] ?? []) {
      if (mayHoldPrefix(table, series)) tables.push(table);
    }
    for (let level = 1; level < version.levels.length; level++) {
      const table = version.tableReaching(level, series);
      if (table !== undefined && mayHoldPrefix(table, series)) tables.push(table);
    }
    return tables;
  }

  #scanFirst(prefix: Uint8Array): MaybePromise<EngineEntry | undefined> {
    const cursor = this.#merged(prefix, prefixSuccessor(prefix));
    const entry = () => {
      const { valid, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
      if (!valid || !rangeStartsWith(keyBytes, keyStart, keyEnd, prefix)) return undefined;
      const key = keyBytes.slice(keyStart, keyEnd);
      return { key, value: valueBytes.subarray(valueStart, valueEnd) };
    };
    const moved = cursor.seek(prefix);
    return moved instanceof Promise ? moved.then(entry) : entry();
  }

  #merged(lower: Uint8Array, upper: Uint8Array | undefined): Cursor {
    const { memtables, version, seqMax, readerOf } = this.#sources;
    const open = (table: TableMeta) => readerOf(table).cursor();
    const cursors: Cursor[] = memtables
      .filter((memtable) => memtable.entryCount > 0)
      .map((memtable) => new MemtableCursor(memtable, seqMax));
    for (let level = 0; level < version.levels.length; level++) {
      const inside = version.within(level, lower, upper);
      if (level === 0) {
        for (const table of inside) cursors.push(new LevelCursor([table], open));
      } else if (inside.length > 0) {
        cursors.push(new LevelCursor(inside, open));
      }
    }
    return new MergingCursor(cursors);
  }
}
