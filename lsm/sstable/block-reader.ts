import assert from 'node:assert/strict';
import { compareRanges, copyRange, readU32 } from '../bytes.ts';
import { corruption } from '../corruption.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { EntryKind } from './format.ts';

/** A block as read, its frame checked. Never changes, so views of its values stay good. */
export class Block {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly offset: number;
  readonly restartsAt: number;
  readonly restartCount: number;

  constructor(bytes: Uint8Array, file: string, offset: number) {
    this.bytes = bytes;
    this.file = file;
    this.offset = offset;
    this.restartCount = bytes.length < 4 ? 0 : readU32(bytes, bytes.length - 4);
    this.restartsAt = bytes.length - 4 - 4 * this.restartCount;
    if (this.restartCount === 0 || this.restartsAt <= 0) {
      throw corruption(file, offset, 'a block with restarts', `${bytes.length} bytes`);
    }
  }

  /** Offset of an entry whose key stands whole. */
  restart(index: number): number {
    const at = readU32(this.bytes, this.restartsAt + 4 * index);
    if (at >= this.restartsAt) throw this.malformed('a restart before the end', at);
    return at;
  }

  malformed(expected: string, got: string | number): Error {
    return corruption(this.file, this.offset, expected, got);
  }
}

/**
 * Moves over the entries of a block. Everything it reads is bounds-checked, and every step goes forward, so
 * no bytes can hang it or lead it out of the block.
 */
export class BlockCursor implements Cursor {
  #block: Block | undefined;
  #nextAt = 0;
  /** Where varints are read from; moved by `#varint`. */
  #at = 0;

  valid = false;
  keyBytes: Uint8Array = new Uint8Array(64);
  readonly keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  seq = 0;

  get block(): Block | undefined {
    return this.#block;
  }

  /** Takes up another block, not positioned in it yet. */
  reset(block: Block): void {
    this.#block = block;
    this.valueBytes = block.bytes;
    this.valid = false;
  }

  seekFirst(): void {
    this.#goTo(this.#opened().restart(0));
  }

  seek(key: Uint8Array): void {
    this.#goTo(this.#lastRestartBefore(key));
    while (this.valid && compareRanges(this.keyBytes, 0, this.keyEnd, key, 0, key.length) < 0) {
      this.next();
    }
  }

  next(): void {
    const block = this.#opened();
    if (this.#nextAt >= block.restartsAt) {
      this.valid = false;
      return;
    }
    this.#at = this.#nextAt;
    const shared = this.#varint();
    const unshared = this.#varint();
    const valueLength = this.#varint();
    const kind = this.#varint();
    this.seq = this.#varint();
    const keyAt = this.#at;
    if (shared > this.keyEnd) throw block.malformed('a shared prefix', `${shared} bytes`);
    if (unshared + valueLength > block.restartsAt - keyAt) {
      throw block.malformed('an entry inside its block', `${unshared} + ${valueLength} bytes`);
    }
    if (kind !== EntryKind.put) throw block.malformed('a known kind', kind);
    this.#setKey(block.bytes, shared, keyAt, unshared);
    this.valueStart = keyAt + unshared;
    this.valueEnd = this.valueStart + valueLength;
    this.#nextAt = this.valueEnd;
    this.valid = true;
  }

  #opened(): Block {
    assert(this.#block !== undefined, 'a cursor is given a block before it moves');
    return this.#block;
  }

  #goTo(offset: number): void {
    this.#nextAt = offset;
    this.keyEnd = 0;
    this.next();
  }

  /** Offset of the last restart whose key is before `key`, else of the first. */
  #lastRestartBefore(key: Uint8Array): number {
    const block = this.#opened();
    let low = 0;
    let high = block.restartCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      this.#goTo(block.restart(middle));
      if (compareRanges(this.keyBytes, 0, this.keyEnd, key, 0, key.length) < 0) low = middle;
      else high = middle - 1;
    }
    return block.restart(low);
  }

  #setKey(source: Uint8Array, shared: number, at: number, unshared: number): void {
    const length = shared + unshared;
    if (length > this.keyBytes.length) {
      const grown = new Uint8Array(length * 2);
      copyRange(grown, 0, this.keyBytes, 0, shared);
      this.keyBytes = grown;
    }
    copyRange(this.keyBytes, shared, source, at, at + unshared);
    this.keyEnd = length;
  }

  #varint(): number {
    const block = this.#block as Block;
    const first = block.bytes[this.#at] as number;
    if (first < 0x80 && this.#at < block.restartsAt) {
      this.#at++;
      return first;
    }
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      if (this.#at >= block.restartsAt) throw block.malformed('a whole varint', 'the end');
      const byte = block.bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw block.malformed('a varint of at most 53 bits', value);
  }
}
