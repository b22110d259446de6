import assert from 'node:assert/strict';
import { copyRange } from '../bytes.ts';
import { NO_BYTES } from '../iterator/cursor.ts';
import type { Block } from './block.ts';
import { BlockPosition } from './block-position.ts';
import { EntryReader } from './entry-reader.ts';
import { RESTART_INTERVAL } from './format.ts';

/**
 * A place in a block that moves backward. A key is known only after those before it, back to the last that stands
 * whole. So the entries from there on, an *interval*, are passed over once, to know their places and the key
 * of the last. A step back changes of the key at hand only what it does not share with the one before.
 */
export class ReverseBlockPosition extends EntryReader {
  #block: Block | undefined;
  readonly #search = new BlockPosition();
  /** The interval at hand is that from this restart on; of its entries: */
  #restart = 0;
  #place = 0;
  readonly #entryAts = new Int32Array(RESTART_INTERVAL);
  readonly #shareds = new Int32Array(RESTART_INTERVAL);
  readonly #keyAts = new Int32Array(RESTART_INTERVAL);

  valid = false;
  keyBytes: Uint8Array = new Uint8Array(64);
  readonly keyStart: number = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;

  get block(): Block | undefined {
    return this.#block;
  }

  /** Takes up another block, not positioned in it yet. */
  reset(block: Block): void {
    this.#block = block;
    this.#search.reset(block);
    this.valueBytes = block.bytes;
    this.valid = false;
  }

  /** Goes to the last entry. */
  toLast(): void {
    this.#toEndOfInterval(this.#opened().restartCount - 1);
  }

  /** Goes to the last entry before `key`, or to none. */
  toBefore(key: Uint8Array): void {
    if (this.#search.locate(key)) {
      this.#toEntryAt(this.#search.entryAt, key);
      this.step();
    } else {
      this.toLast();
    }
  }

  /**
   * Goes to the first entry at or after `key`, else to the last: where in an index to look for what is before
   * `key`.
   */
  toCovering(key: Uint8Array): void {
    if (this.#search.locate(key)) this.#toEntryAt(this.#search.entryAt, key);
    else this.toLast();
  }

  /** Goes to the entry before this one, or to none before the first. */
  step(): void {
    if (this.#place === 0) {
      if (this.#restart > 0) this.#toEndOfInterval(this.#restart - 1);
      else this.valid = false;
      return;
    }
    const block = this.#opened();
    /** So much of the key at hand is also that of the entry before. */
    const kept = this.#shareds[this.#place] as number;
    this.#place--;
    this.readEntry(block, this.#entryAts[this.#place] as number);
    if (kept < this.shared) {
      this.#copyFromBefore(block, kept);
      copyRange(this.keyBytes, this.shared, block.bytes, this.keyAt, this.valueStart);
    } else {
      const from = this.keyAt + kept - this.shared;
      copyRange(this.keyBytes, kept, block.bytes, from, this.valueStart);
    }
    this.keyEnd = this.shared + this.unshared;
  }

  /** What the entry shares with those before it, from `start` on, is taken from where it stands. */
  #copyFromBefore(block: Block, start: number): void {
    let end = this.shared;
    for (let place = this.#place - 1; end > start; place--) {
      const shared = this.#shareds[place] as number;
      if (shared >= end) continue;
      const from = Math.max(shared, start);
      const keyAt = this.#keyAts[place] as number;
      copyRange(this.keyBytes, from, block.bytes, keyAt + from - shared, keyAt + end - shared);
      end = from;
    }
  }

  /** `key` is only to find the interval. */
  #toEntryAt(entryAt: number, key: Uint8Array): void {
    const block = this.#opened();
    const restart = this.#search.lastRestartUpTo(key);
    const next = restart + 1;
    const isNext = next < block.restartCount && entryAt >= block.restart(next);
    this.#toEndOfInterval(isNext ? next : restart);
    while (this.#place > 0 && this.#entryAts[this.#place] !== entryAt) this.step();
    if (this.entryAt !== entryAt) throw block.malformed('a restart at its place', entryAt);
  }

  #toEndOfInterval(restart: number): void {
    const block = this.#opened();
    const isLast = restart + 1 === block.restartCount;
    const end = isLast ? block.restartsAt : block.restart(restart + 1);
    let at = block.restart(restart);
    if (at >= end) throw block.malformed('restarts in ascending order', at);
    this.#restart = restart;
    this.keyEnd = 0;
    let place = 0;
    for (; at < end; place++) {
      if (place === RESTART_INTERVAL) throw block.malformed('a restart', 'none');
      this.readEntry(block, at);
      this.#appendKey(block);
      this.#entryAts[place] = at;
      this.#shareds[place] = this.shared;
      this.#keyAts[place] = this.keyAt;
      at = this.valueEnd;
    }
    this.#place = place - 1;
    this.valid = true;
  }

  #appendKey(block: Block): void {
    const shared = this.shared;
    if (shared > this.keyEnd) throw block.malformed('a shared prefix', `${shared} bytes`);
    const keyEnd = shared + this.unshared;
    if (keyEnd > this.keyBytes.length) {
      const grown = new Uint8Array(keyEnd * 2);
      grown.set(this.keyBytes.subarray(0, shared));
      this.keyBytes = grown;
    }
    copyRange(this.keyBytes, shared, block.bytes, this.keyAt, this.valueStart);
    this.keyEnd = keyEnd;
  }

  #opened(): Block {
    const block = this.#block;
    if (block === undefined) assert.fail('a position is given a block before it moves');
    return block;
  }
}
