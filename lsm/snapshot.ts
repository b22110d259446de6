import assert from 'node:assert/strict';
import { requireBytes, requireRange } from './arguments.ts';
import { prefixSuccessor, successor } from './bytes.ts';
import type { CodecName } from './codec/codecs.ts';
import { EXPORTED_BLOCK_BYTES, ExportedBlockBuilder } from './compaction/exported-block.ts';
import type {
  CursorOptions,
  EngineEntry,
  EngineSnapshot,
  ExportedBlock,
  KeyRange,
  MaybePromise,
} from './engine.ts';
import { BoundedCursor, type CursorHooks } from './iterator/bounded-cursor.ts';
import { type Cursor, NO_BYTES } from './iterator/cursor.ts';
import { LevelCursor } from './iterator/level-cursor.ts';
import { MergingCursor } from './iterator/merging-cursor.ts';
import {
  firstOfSeries,
  type LookupSources,
  newestOfKey,
  shownValue,
} from './iterator/point-lookup.ts';
import { EntryKind } from './sstable/format.ts';
import type { Access } from './sstable/table-files.ts';
import type { FoundEntry } from './sstable/table-lookup.ts';
import type { TableMeta } from './sstable/table-meta.ts';

export interface SnapshotSources extends LookupSources, CursorHooks {
  readonly isWholeSeriesKey: (prefix: Uint8Array) => boolean;
  /** For exported blocks. */
  readonly codec: CodecName;
  readonly release: () => void;
}

/** So much of each run is read at a time. */
const EXPORT_WINDOW_BYTES = 256 * 1024;

export const EVERYTHING: KeyRange = { lower: NO_BYTES };

/**
 * A view of the engine: it holds its memtables and its version, so nothing that happens later can change what
 * it sees, and compactions need not know of it.
 */
export class Snapshot implements EngineSnapshot {
  readonly #sources: SnapshotSources;
  readonly #hooks: CursorHooks;
  #closed = false;

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
    this.#hooks = { check: () => this.#check(), failed: sources.failed };
  }

  get(key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    requireBytes(key, 'key');
    return this.#guarded(() => {
      const found = newestOfKey(key, this.#sources, 'wait');
      return found instanceof Promise ? found.then(shownValue) : shownValue(found);
    });
  }

  /** Blocks on what must be read from the disk. */
  getSync(key: Uint8Array): Uint8Array | undefined {
    requireBytes(key, 'key');
    this.#check();
    try {
      return shownValue(newestOfKey(key, this.#sources, 'block') as FoundEntry | undefined);
    } catch (error) {
      return this.#sources.failed(error);
    }
  }

  first(prefix: Uint8Array): MaybePromise<EngineEntry | undefined> {
    requireBytes(prefix, 'prefix');
    return this.#guarded(() => this.#first(prefix, 'wait'));
  }

  /** Without a range over everything. */
  cursor(range: KeyRange = EVERYTHING, { reverse = false }: CursorOptions = {}): BoundedCursor {
    return this.#cursor(range, reverse, 'wait');
  }

  /** Its moves never return a promise: they block on what must be read from the disk. */
  cursorSync(range: KeyRange = EVERYTHING, { reverse = false }: CursorOptions = {}): BoundedCursor {
    return this.#cursor(range, reverse, 'block');
  }

  async *exportRange(range: KeyRange, after?: Uint8Array): AsyncGenerator<ExportedBlock> {
    const cursor = this.#cursor(range, false, 'scan');
    const block = new ExportedBlockBuilder(this.#sources.codec);
    await (after === undefined ? cursor.seekFirst() : cursor.seek(successor(after)));
    while (cursor.valid) {
      block.add(cursor.entry);
      if (block.sizeBytes >= EXPORTED_BLOCK_BYTES) yield block.finish();
      const wait = cursor.next();
      if (wait !== undefined) await wait;
    }
    if (!block.isEmpty) yield block.finish();
    cursor.close();
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

  #guarded<T>(read: () => MaybePromise<T>): MaybePromise<T> {
    this.#check();
    try {
      const found = read();
      return found instanceof Promise ? found.catch(this.#sources.failed) : found;
    } catch (error) {
      return this.#sources.failed(error);
    }
  }

  /**
   * As a series first: what is found is the answer, because no other series key begins with this one. Only when
   * nothing is found may `prefix` be a mere beginning of keys; and behind a deletion there may be older entries.
   */
  #first(prefix: Uint8Array, access: Access): MaybePromise<EngineEntry | undefined> {
    const { isWholeSeriesKey, suffixBytes } = this.#sources;
    if (suffixBytes === 0) return this.#scanFirst(prefix, access);
    const orScan = (found: FoundEntry | undefined, prefix: Uint8Array) => {
      if (found === undefined && isWholeSeriesKey(prefix)) return undefined;
      if (found?.kind !== EntryKind.put) return this.#scanFirst(prefix, access);
      return { key: found.key, value: found.value.slice() };
    };
    const found = firstOfSeries(prefix, this.#sources, access);
    if (!(found instanceof Promise)) return orScan(found, prefix);
    const own = new Uint8Array(prefix);
    return found.then((entry) => orScan(entry, own));
  }

  #scanFirst(prefix: Uint8Array, access: Access): MaybePromise<EngineEntry | undefined> {
    const range = { lower: prefix, upper: prefixSuccessor(prefix) };
    const cursor = this.#cursor(range, false, access);
    const entry = () =>
      cursor.valid ? { key: cursor.key.slice(), value: cursor.value.slice() } : undefined;
    const moved = cursor.seekFirst();
    return moved instanceof Promise ? moved.then(entry) : entry();
  }

  #cursor(range: KeyRange, reverse: boolean, access: Access | 'scan'): BoundedCursor {
    this.#check();
    requireRange(range);
    return new BoundedCursor(this.#merged(range, reverse, access), range, reverse, this.#hooks);
  }

  /** `scan` reads on in large pieces and leaves the cache to others. */
  #merged({ lower, upper }: KeyRange, reverse: boolean, access: Access | 'scan'): Cursor {
    const { memtables, version, seqMax, readerOf } = this.#sources;
    const open = (table: TableMeta) =>
      access === 'scan'
        ? readerOf(table).scanCursor(EXPORT_WINDOW_BYTES)
        : readerOf(table).cursor({ reverse, access });
    const cursors: Cursor[] = memtables.flatMap((memtable) => memtable.cursors(seqMax, reverse));
    for (let level = 0; level < version.levels.length; level++) {
      const inside = version.within(level, lower, upper);
      if (level === 0) {
        for (const table of inside) cursors.push(new LevelCursor([table], open, reverse));
      } else if (inside.length > 0) {
        cursors.push(new LevelCursor(inside, open, reverse));
      }
    }
    return new MergingCursor(cursors, reverse);
  }
}
