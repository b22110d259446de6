import assert from 'node:assert/strict';
import { compareRanges, prefixSuccessor, successor } from '../bytes.ts';
import { EXPORTED_BLOCK_BYTES, ExportedBlockBuilder } from '../compaction/exported-block.ts';
import type {
  CursorOptions,
  EngineCursor,
  EngineEntry,
  EngineSnapshot,
  ExportedBlock,
  KeyRange,
  MaybePromise,
} from '../engine.ts';
import { BoundedCursor, type CursorHooks } from '../iterator/bounded-cursor.ts';
import type { Cursor } from '../iterator/cursor.ts';
import { MergingCursor } from '../iterator/merging-cursor.ts';
import type { Memtable } from '../memtable/memtable.ts';
import { entryKey } from './keys.ts';
import { type Level, type LevelSnapshot, plain } from './level.ts';
import { LevelCursor } from './level-cursor.ts';

export interface MergedSnapshotSources extends Pick<CursorHooks, 'check'> {
  /** Reports what a read of a range met and throws it as a typed error. */
  readonly failed: (error: unknown, range: KeyRange) => never;
  readonly level: Level;
  /** The active one and the frozen ones as of now, newest first. */
  readonly memtables: readonly Memtable[];
  /** Of the active memtable nothing newer is seen; all else is older anyway. */
  readonly seqMax: number;
}

/** What is in memory and what LevelDB holds, both as of now. What is in both is the same, or newer in memory. */
export class MergedSnapshot implements EngineSnapshot {
  readonly #sources: MergedSnapshotSources;
  readonly #stored: LevelSnapshot;
  readonly #cursors = new Set<LevelCursor>();
  #closed = false;

  constructor(sources: MergedSnapshotSources) {
    this.#sources = sources;
    this.#stored = sources.level.snapshot();
  }

  get(key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    this.#check();
    const { level, memtables, seqMax, failed } = this.#sources;
    for (const memtable of memtables) {
      const address = memtable.find(key, seqMax);
      if (address < 0) continue;
      return memtable.bytesOf(address).slice(memtable.keyEnd(address), memtable.valueEnd(address));
    }
    const found = level.get(entryKey(key), { snapshot: this.#stored });
    const range = { lower: key, upper: successor(key) };
    return found.then(
      (value) => value && plain(value),
      (error) => failed(error, range),
    );
  }

  first(prefix: Uint8Array): MaybePromise<EngineEntry | undefined> {
    const cursor = this.cursor({ lower: prefix, upper: prefixSuccessor(prefix) });
    const entry = () => {
      const found = cursor.valid
        ? { key: cursor.key.slice(), value: cursor.value.slice() }
        : undefined;
      cursor.close();
      return found;
    };
    const moved = cursor.seekFirst();
    return moved === undefined ? entry() : moved.then(entry);
  }

  cursor(range: KeyRange, { reverse = false }: CursorOptions = {}): EngineCursor {
    this.#check();
    const { merged, release } = this.#merge(range, reverse);
    const hooks: CursorHooks = {
      check: () => this.#check(),
      failed: (error) => this.#sources.failed(error, range),
    };
    return new ReleasingCursor(merged, range, reverse, hooks, release);
  }

  /** Not compressed: whoever takes it may have other codecs. */
  async *exportRange(range: KeyRange, after?: Uint8Array): AsyncGenerator<ExportedBlock> {
    this.#check();
    const builder = new ExportedBlockBuilder('none');
    const { merged, release } = this.#merge(range, false);
    try {
      await merged.seek(after === undefined ? range.lower : successor(after));
      while (merged.valid && isBelow(merged, range.upper)) {
        builder.add(merged);
        const moved = merged.next();
        if (moved !== undefined) await moved;
        if (builder.sizeBytes < EXPORTED_BLOCK_BYTES) continue;
        yield builder.finish();
        this.#check();
      }
      if (!builder.isEmpty) yield builder.finish();
    } catch (error) {
      this.#sources.failed(error, range);
    } finally {
      release();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cursor of this.#cursors) cursor.close();
    this.#cursors.clear();
    this.#stored.close().catch(() => {});
  }

  #merge(range: KeyRange, reverse: boolean): { merged: MergingCursor; release: () => void } {
    const { level, memtables, seqMax } = this.#sources;
    const stored = new LevelCursor(level, this.#stored, range, reverse);
    this.#cursors.add(stored);
    const inMemory = memtables.flatMap((memtable) => memtable.cursors(seqMax, reverse));
    const release = () => {
      this.#cursors.delete(stored);
      stored.close();
    };
    return { merged: new MergingCursor([...inMemory, stored], reverse), release };
  }

  #check(): void {
    assert(!this.#closed, 'a closed snapshot is not read');
    this.#sources.check();
  }
}

class ReleasingCursor extends BoundedCursor {
  readonly #release: () => void;

  constructor(
    cursor: MergingCursor,
    range: KeyRange,
    reverse: boolean,
    hooks: CursorHooks,
    release: () => void,
  ) {
    super(cursor, range, reverse, hooks);
    this.#release = release;
  }

  override close(): void {
    super.close();
    this.#release();
  }
}

function isBelow({ keyBytes, keyStart, keyEnd }: Cursor, upper: Uint8Array | undefined): boolean {
  if (upper === undefined) return true;
  return compareRanges(keyBytes, keyStart, keyEnd, upper, 0, upper.length) < 0;
}
