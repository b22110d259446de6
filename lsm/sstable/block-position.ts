import assert from 'node:assert/strict';
import { compareRanges, copyRange } from '../bytes.ts';
import { NO_BYTES } from '../iterator/cursor.ts';
import type { Block } from './block.ts';
import { EntryReader } from './entry-reader.ts';

/**
 * A place in a block that moves forward. Everything it reads is bounds-checked, and every step goes forward,
 * so no bytes can hang it or lead it out of the block.
 */
export class BlockPosition extends EntryReader {
  #block: Block | undefined;
  #nextAt = 0;

  valid = false;
  keyBytes: Uint8Array = new Uint8Array(64);
  readonly keyStart: number = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;
  /** Whether `locate` found the very key. */
  isExact = false;

  get block(): Block | undefined {
    return this.#block;
  }

  /** Takes up another block, not positioned in it yet. */
  reset(block: Block): void {
    this.#block = block;
    this.valueBytes = block.bytes;
    this.valid = false;
  }

  /** Goes to the first entry. */
  toFirst(): void {
    this.#nextAt = this.#opened().restart(0);
    this.keyEnd = 0;
    this.step();
  }

  /** Goes to the next entry, or to none after the last. */
  step(): void {
    const block = this.#opened();
    if (this.#nextAt >= block.restartsAt) {
      this.valid = false;
      return;
    }
    this.readEntry(block, this.#nextAt);
    this.#nextAt = this.valueEnd;
    const shared = this.shared;
    if (shared > this.keyEnd) throw block.malformed('a shared prefix', `${shared} bytes`);
    const keyEnd = shared + this.unshared;
    if (keyEnd > this.keyBytes.length) this.#growKey(keyEnd, shared);
    copyRange(this.keyBytes, shared, block.bytes, this.keyAt, this.valueStart);
    this.keyEnd = keyEnd;
    this.valid = true;
  }

  /** Goes to the first entry at or after `key`, or to none. */
  toKey(key: Uint8Array): void {
    this.valid = this.locate(key);
    if (!this.valid) return;
    // The entry shares with the one before no more than that has in common with `key`.
    this.#nextAt = this.valueEnd;
    const shared = this.shared;
    const keyEnd = shared + this.unshared;
    if (keyEnd > this.keyBytes.length) this.#growKey(keyEnd, 0);
    copyRange(this.keyBytes, 0, key, 0, shared);
    copyRange(this.keyBytes, shared, this.valueBytes, this.keyAt, this.valueStart);
    this.keyEnd = keyEnd;
  }

  /**
   * Finds the first entry at or after `key` without copying keys: its value, seq and kind are right then, its
   * key is not there and there is no stepping from it. Keys are compared where they stand, and an entry that
   * shares more with the one before than that has in common with `key` is on the same side of it.
   */
  locate(key: Uint8Array): boolean {
    const block = this.#opened();
    const { bytes, restartsAt } = block;
    const length = key.length;
    let at = block.restart(this.lastRestartUpTo(key));
    /** How much the entry before, which is less than `key`, has in common with it. */
    let matched = 0;
    let lengthBefore = 0;
    while (at < restartsAt) {
      const keyAt = this.skimEntry(block, at);
      const shared = this.shared;
      if (shared > lengthBefore) throw block.malformed('a shared prefix', `${shared} bytes`);
      lengthBefore = shared + this.unshared;
      if (shared < matched) return this.#found(block, at, false);
      if (shared === matched) {
        const most = Math.min(lengthBefore, length);
        const before = keyAt - shared;
        while (matched < most && bytes[before + matched] === key[matched]) matched++;
        if (matched === length) return this.#found(block, at, lengthBefore === length);
        if (
          matched < lengthBefore &&
          (bytes[before + matched] as number) > (key[matched] as number)
        ) {
          return this.#found(block, at, false);
        }
      }
      at = this.valueEnd;
    }
    return false;
  }

  #found(block: Block, at: number, isExact: boolean): true {
    this.readEntry(block, at);
    this.isExact = isExact;
    return true;
  }

  /** Index of the last restart whose key is at or before `key`, else of the first. */
  lastRestartUpTo(key: Uint8Array): number {
    const block = this.#opened();
    let low = 0;
    let high = block.restartCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const keyAt = this.skimEntry(block, block.restart(middle));
      if (this.shared !== 0) throw block.malformed('a whole key at a restart', this.shared);
      const keyEnd = keyAt + this.unshared;
      if (compareRanges(block.bytes, keyAt, keyEnd, key, 0, key.length) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #opened(): Block {
    const block = this.#block;
    if (block === undefined) assert.fail('a position is given a block before it moves');
    return block;
  }

  #growKey(length: number, kept: number): void {
    const grown = new Uint8Array(length * 2);
    copyRange(grown, 0, this.keyBytes, 0, kept);
    this.keyBytes = grown;
  }
}
