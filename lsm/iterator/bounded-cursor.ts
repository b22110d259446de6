import assert from 'node:assert/strict';
import { compareBytes, compareRanges } from '../bytes.ts';
import type { EngineCursor, MaybePromise } from '../engine.ts';
import type { Cursor } from './cursor.ts';

/** The cursor that users of the engine see: inside bounds, with key and value as views. */
export class BoundedCursor implements EngineCursor {
  readonly #cursor: Cursor;
  readonly #lower: Uint8Array;
  readonly #upper: Uint8Array;
  /** Throws when the snapshot or the engine behind it is closed. */
  readonly #check: () => void;
  readonly #failed: (error: unknown) => never;
  #valid = false;
  #closed = false;

  constructor(
    cursor: Cursor,
    bounds: { readonly lower: Uint8Array; readonly upper: Uint8Array },
    hooks: { readonly check: () => void; readonly failed: (error: unknown) => never },
  ) {
    this.#cursor = cursor;
    this.#lower = bounds.lower;
    this.#upper = bounds.upper;
    this.#check = hooks.check;
    this.#failed = hooks.failed;
  }

  seek(key: Uint8Array): MaybePromise<void> {
    const target = compareBytes(key, this.#lower) < 0 ? this.#lower : key;
    return this.#move(() => this.#cursor.seek(target));
  }

  next(): MaybePromise<void> {
    assert(this.#valid, 'next needs a valid position');
    return this.#move(() => this.#cursor.next());
  }

  get valid(): boolean {
    return this.#valid;
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

  #move(move: () => MaybePromise<void>): MaybePromise<void> {
    assert(!this.#closed, 'a closed cursor does not move');
    this.#check();
    this.#valid = false;
    try {
      const wait = move();
      if (wait !== undefined) return wait.then(() => this.#settle(), this.#failed);
    } catch (error) {
      this.#failed(error);
    }
    this.#settle();
  }

  #settle(): void {
    const { valid, keyBytes, keyStart, keyEnd } = this.#cursor;
    const upper = this.#upper;
    this.#valid =
      !this.#closed &&
      valid &&
      compareRanges(keyBytes, keyStart, keyEnd, upper, 0, upper.length) < 0;
  }
}
