import { compareRanges, equalRanges } from '../bytes.ts';
import type { MaybePromise } from '../engine.ts';
import { EntryKind } from '../sstable/format.ts';
import { type Cursor, NO_BYTES } from './cursor.ts';

/**
 * One cursor out of many of its direction: a binary heap by key, then newest first. Of entries with equal keys
 * the one with the highest sequence number is shown and the others are skipped, whichever source they are in.
 */
export class MergingCursor implements Cursor {
  readonly #sources: readonly Cursor[];
  /** 1 ascending, -1 descending: what a comparison of keys is multiplied by. */
  readonly #direction: 1 | -1;
  /** The valid sources; the first key in the direction at 0. */
  #heap: Cursor[] = [];
  #positioned = false;

  valid = false;
  keyBytes: Uint8Array = NO_BYTES;
  keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  seq = 0;
  kind: number = EntryKind.put;

  constructor(sources: readonly Cursor[], reverse = false) {
    this.#sources = sources;
    this.#direction = reverse ? -1 : 1;
  }

  seek(key: Uint8Array): MaybePromise<void> {
    const forward = this.#positioned && this.valid && !this.#isPast(this, key);
    return this.#position((source) => {
      // On the way forward, a source that is at its end or already past `key` stands right.
      if (forward && (!source.valid || this.#isPast(source, key))) return undefined;
      return source.seek(key);
    });
  }

  seekEnd(): MaybePromise<void> {
    return this.#position((source) => source.seekEnd());
  }

  /** When some of the sources wait, nobody hears of a failure before all are done: then they may be moved again. */
  #position(move: (source: Cursor) => MaybePromise<void>): MaybePromise<void> {
    this.#positioned = false;
    let waits: Promise<void>[] | undefined;
    for (const source of this.#sources) {
      try {
        const wait = move(source);
        if (wait !== undefined) (waits ??= []).push(wait);
      } catch (error) {
        if (waits === undefined) throw error;
        waits.push(Promise.reject(error));
        break;
      }
    }
    if (waits === undefined) this.#rebuild();
    else return this.#rebuildAfter(waits);
  }

  next(): MaybePromise<void> {
    const top = this.#heap[0] as Cursor;
    // Only a move that ends well leaves the sources where a forward seek may rely on them.
    this.#positioned = false;
    for (;;) {
      // An entry with the same key has one among the children of the root on its way up.
      const twin = this.#sameKeyAt(1) ? 1 : this.#sameKeyAt(2) ? 2 : 0;
      if (twin === 0) break;
      const wait = (this.#heap[twin] as Cursor).next();
      if (wait !== undefined) {
        return wait.then(() => {
          this.#reorder(twin);
          return this.next();
        });
      }
      this.#reorder(twin);
    }
    const wait = top.next();
    if (wait !== undefined) {
      return wait.then(() => this.#afterNext());
    }
    this.#afterNext();
  }

  #afterNext(): void {
    this.#reorder(0);
    this.#positioned = true;
    this.#show();
  }

  #sameKeyAt(at: number): boolean {
    const top = this.#heap[0] as Cursor;
    const other = this.#heap[at];
    return (
      other !== undefined &&
      equalRanges(
        top.keyBytes,
        top.keyStart,
        top.keyEnd,
        other.keyBytes,
        other.keyStart,
        other.keyEnd,
      )
    );
  }

  /** Whether a source that stands here need not move to be where `seek(key)` would bring it. */
  #isPast(cursor: Cursor, key: Uint8Array): boolean {
    const { keyBytes, keyStart, keyEnd } = cursor;
    const order = compareRanges(keyBytes, keyStart, keyEnd, key, 0, key.length);
    return this.#direction === 1 ? order >= 0 : order < 0;
  }

  async #rebuildAfter(waits: readonly Promise<void>[]): Promise<void> {
    for (const outcome of await Promise.allSettled(waits)) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
    this.#rebuild();
  }

  #rebuild(): void {
    this.#heap = this.#sources.filter((source) => source.valid);
    for (let at = (this.#heap.length >>> 1) - 1; at >= 0; at--) this.#siftDown(at);
    this.#positioned = true;
    this.#show();
  }

  /** Puts the source at `at` where it belongs after it moved on, or out when it ended. */
  #reorder(at: number): void {
    const heap = this.#heap;
    if (!(heap[at] as Cursor).valid) {
      const last = heap.pop() as Cursor;
      if (at === heap.length) return;
      // The hole is the root or below it, and the root is least: the last can only go down from there.
      heap[at] = last;
    }
    this.#siftDown(at);
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const moving = heap[from] as Cursor;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && this.#isBefore(heap[right] as Cursor, heap[child] as Cursor)) {
        child = right;
      }
      if (!this.#isBefore(heap[child] as Cursor, moving)) break;
      heap[at] = heap[child] as Cursor;
      at = child;
    }
    heap[at] = moving;
  }

  #show(): void {
    const top = this.#heap[0];
    this.valid = top !== undefined;
    if (top === undefined) return;
    this.keyBytes = top.keyBytes;
    this.keyStart = top.keyStart;
    this.keyEnd = top.keyEnd;
    this.valueBytes = top.valueBytes;
    this.valueStart = top.valueStart;
    this.valueEnd = top.valueEnd;
    this.seq = top.seq;
    this.kind = top.kind;
  }

  #isBefore(a: Cursor, b: Cursor): boolean {
    const order = compareRanges(a.keyBytes, a.keyStart, a.keyEnd, b.keyBytes, b.keyStart, b.keyEnd);
    return order !== 0 ? order * this.#direction < 0 : a.seq > b.seq;
  }
}
