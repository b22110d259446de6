import assert from 'node:assert/strict';
import { compareBytes, compareRanges, successor } from '../bytes.ts';
import type { EngineCursor, EngineEntry, KeyRange, MaybePromise } from '../engine.ts';
import { EntryKind } from '../sstable/format.ts';
import { Copies } from './copies.ts';
import type { Cursor } from './cursor.ts';

export interface CursorHooks {
  /** Throws when the snapshot or the engine behind the cursor is closed. */
  readonly check: () => void;
  /** Reports what a read met and throws it as a typed error. */
  readonly failed: (error: unknown) => never;
}

/** The cursor that users of the engine see: inside a range, past deletions, with key and value as views. */
export class BoundedCursor implements EngineCursor {
  readonly #cursor: Cursor;
  readonly #lower: Uint8Array;
  readonly #upper: Uint8Array | undefined;
  readonly #reverse: boolean;
  readonly #hooks: CursorHooks;
  readonly #copies = new Copies();
  #valid = false;
  /** What the last move failed with. Until it is positioned anew nobody must take this for the end of the range. */
  #failure: unknown;
  #closed = false;

  constructor(cursor: Cursor, range: KeyRange, reverse: boolean, hooks: CursorHooks) {
    this.#cursor = cursor;
    this.#lower = range.lower;
    this.#upper = range.upper;
    this.#reverse = reverse;
    this.#hooks = hooks;
  }

  seek(key: Uint8Array): MaybePromise<void> {
    if (!this.#reverse) {
      const target = compareBytes(key, this.#lower) < 0 ? this.#lower : key;
      return this.#move(() => this.#cursor.seek(target));
    }
    const upper = this.#upper;
    if (upper !== undefined && compareBytes(key, upper) >= 0) return this.seekFirst();
    return this.#move(() => this.#cursor.seek(successor(key)));
  }

  seekFirst(): MaybePromise<void> {
    if (!this.#reverse) return this.#move(() => this.#cursor.seek(this.#lower));
    const upper = this.#upper;
    return this.#move(() =>
      upper === undefined ? this.#cursor.seekEnd() : this.#cursor.seek(upper),
    );
  }

  next(): MaybePromise<void> {
    assert(this.#valid, 'next needs a valid position');
    return this.#move(() => this.#cursor.next());
  }

  take(countMax: number, bytesMax: number): MaybePromise<EngineEntry[]> {
    this.#assertOpen();
    if (this.#failure !== undefined) throw this.#failure;
    const entries: EngineEntry[] = [];
    try {
      const wait = this.#takeInto(entries, countMax, bytesMax);
      if (wait === undefined) return entries;
      return wait.then(
        () => entries,
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      return this.#fail(error);
    }
  }

  get valid(): boolean {
    return this.#valid;
  }

  /** What it stands on as ranges, for which nothing is allocated. Not to be moved. */
  get entry(): Cursor {
    assert(this.#valid, 'an entry needs a valid position');
    return this.#cursor;
  }

  get key(): Uint8Array {
    assert(this.#valid, 'a key needs a valid position');
    return this.#cursor.keyBytes.subarray(this.#cursor.keyStart, this.#cursor.keyEnd);
  }

  get value(): Uint8Array {
    assert(this.#valid, 'a value needs a valid position');
    return this.#cursor.valueBytes.subarray(this.#cursor.valueStart, this.#cursor.valueEnd);
  }

  close(): void {
    this.#closed = true;
    this.#valid = false;
  }

  #assertOpen(): void {
    assert(!this.#closed, 'a closed cursor does not move');
    this.#hooks.check();
  }

  #move(move: () => MaybePromise<void>): MaybePromise<void> {
    this.#assertOpen();
    this.#valid = false;
    this.#failure = undefined;
    try {
      const wait = move();
      const settled = wait === undefined ? this.#settle() : wait.then(() => this.#settle());
      return settled?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    this.#valid = false;
    try {
      return this.#hooks.failed(error);
    } catch (typed) {
      this.#failure = typed;
      throw typed;
    }
  }

  /** Goes on to the first entry from here that is not a deletion, and sees whether it is in the range. */
  #settle(): MaybePromise<void> {
    const cursor = this.#cursor;
    while (cursor.valid && cursor.kind === EntryKind.deletion && this.#isInRange()) {
      const wait = cursor.next();
      if (wait !== undefined) return wait.then(() => this.#settle());
    }
    this.#valid = !this.#closed && cursor.valid && this.#isInRange();
  }

  #isInRange(): boolean {
    const { keyBytes, keyStart, keyEnd } = this.#cursor;
    const bound = this.#reverse ? this.#lower : this.#upper;
    if (bound === undefined) return true;
    const order = compareRanges(keyBytes, keyStart, keyEnd, bound, 0, bound.length);
    return this.#reverse ? order >= 0 : order < 0;
  }

  #takeInto(entries: EngineEntry[], countMax: number, bytesMax: number): Promise<void> | undefined {
    const cursor = this.#cursor;
    const copies = this.#copies;
    let bytes = 0;
    while (this.#valid && entries.length < countMax && bytes < bytesMax) {
      const key = copies.of(cursor.keyBytes, cursor.keyStart, cursor.keyEnd);
      const value = copies.of(cursor.valueBytes, cursor.valueStart, cursor.valueEnd);
      entries.push({ key, value });
      bytes += key.length + value.length;
      const wait = cursor.next();
      const settled = wait === undefined ? this.#settle() : wait.then(() => this.#settle());
      if (settled !== undefined) {
        this.#valid = false;
        return settled.then(() => this.#takeInto(entries, countMax, bytesMax - bytes));
      }
    }
    return undefined;
  }
}
