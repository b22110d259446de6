import { compareBytes } from '../bytes.ts';
import type {
  EngineCursor,
  EngineEntry,
  EngineSnapshot,
  KeyRange,
  MaybePromise,
} from '../engine.ts';

/**
 * Reads a range in chunks. The cursor is made and positioned when it first reads: so `seek` need not wait, and a
 * snapshot that was closed before is an error of the read.
 */
export class RangeReader {
  readonly #snapshot: EngineSnapshot;
  readonly #range: KeyRange;
  readonly #reverse: boolean;
  #cursor: EngineCursor | undefined;
  #target: Uint8Array | undefined;
  #isPositioned = false;
  #isEmpty: boolean;

  constructor(snapshot: EngineSnapshot, range: KeyRange, reverse: boolean) {
    this.#snapshot = snapshot;
    this.#range = range;
    this.#reverse = reverse;
    this.#isEmpty = range.upper !== undefined && compareBytes(range.lower, range.upper) >= 0;
  }

  /** The next read begins at `target`, or behind it in the direction of reading; outside of the range is nothing. */
  seek(target: Uint8Array): void {
    const { lower, upper } = this.#range;
    const isBelow = compareBytes(target, lower) < 0;
    const isAbove = upper !== undefined && compareBytes(target, upper) >= 0;
    this.#isEmpty = isBelow || isAbove;
    this.#isPositioned = false;
    this.#target = target;
  }

  /** At least one entry unless it is at the end, and no more than were asked for, or than some bytes. */
  read(countMax: number): MaybePromise<EngineEntry[]> {
    if (this.#isEmpty) return [];
    const cursor = (this.#cursor ??= this.#snapshot.cursor(this.#range, {
      reverse: this.#reverse,
    }));
    if (this.#isPositioned) return cursor.take(countMax, CHUNK_BYTES_MAX);
    this.#isPositioned = true;
    const moved = this.#target === undefined ? cursor.seekFirst() : cursor.seek(this.#target);
    if (moved === undefined) return cursor.take(countMax, CHUNK_BYTES_MAX);
    return moved.then(() => cursor.take(countMax, CHUNK_BYTES_MAX));
  }

  close(): void {
    this.#cursor?.close();
  }
}

const CHUNK_BYTES_MAX = 1024 * 1024;
