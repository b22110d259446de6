import assert from 'node:assert/strict';
import { commonPrefixLength, copyRange } from '../bytes.ts';
import { ByteWriter } from '../encoding.ts';
import { RESTART_INTERVAL } from './format.ts';

/**
 * Builds one block out of entries that come in ascending order:
 *
 *     entry*: shared varint · unshared varint · valueLength varint · kind u8 · seq varint · key end · value
 *     restart offsets u32* · restart count u32
 *
 * `shared` says how much of the key is that of the entry before; at a restart it is 0.
 */
export class BlockBuilder {
  readonly #writer = new ByteWriter(8192);
  readonly #restarts: number[] = [];
  #sinceRestart = 0;
  #lastKey = new Uint8Array(64);
  /** -1 until there was a key. */
  #lastKeyLength = -1;

  /** Returns how much of the key was that of the key before, which may be in an earlier block. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    seq: number,
    kind: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): number {
    const writer = this.#writer;
    const common = commonPrefixLength(this.#lastKey, this.#lastKeyLength, key, keyStart, keyEnd);
    assert(this.#isAscending(key, keyStart, keyEnd, common), 'keys ascend');
    let shared = common;
    if (this.#restarts.length === 0 || this.#sinceRestart === RESTART_INTERVAL) {
      this.#restarts.push(writer.length);
      this.#sinceRestart = 0;
      shared = 0;
    }
    this.#sinceRestart++;
    writer.varint(shared);
    writer.varint(keyEnd - keyStart - shared);
    writer.varint(valueEnd - valueStart);
    writer.u8(kind);
    writer.varint(seq);
    writer.range(key, keyStart + shared, keyEnd);
    writer.range(value, valueStart, valueEnd);
    this.#rememberKey(key, keyStart, keyEnd, common);
    return common;
  }

  get isEmpty(): boolean {
    return this.#restarts.length === 0;
  }

  /** Length of the block if it were finished now. */
  get sizeBytes(): number {
    return this.#writer.length + 4 * this.#restarts.length + 4;
  }

  /** The key added last; a view, good until the next `add`. */
  get lastKey(): Uint8Array {
    return this.#lastKey.subarray(0, Math.max(0, this.#lastKeyLength));
  }

  /** The block; a view, good until the next `add`. The builder is empty afterwards but for `lastKey`. */
  finish(): Uint8Array {
    assert(!this.isEmpty, 'a block has an entry');
    for (const restart of this.#restarts) this.#writer.u32(restart);
    this.#writer.u32(this.#restarts.length);
    const block = this.#writer.written;
    this.#writer.clear();
    this.#restarts.length = 0;
    return block;
  }

  #isAscending(key: Uint8Array, keyStart: number, keyEnd: number, common: number): boolean {
    if (common >= this.#lastKeyLength) return keyEnd - keyStart > this.#lastKeyLength;
    return (
      keyStart + common < keyEnd && byteAt(key, keyStart + common) > byteAt(this.#lastKey, common)
    );
  }

  #rememberKey(key: Uint8Array, keyStart: number, keyEnd: number, shared: number): void {
    const length = keyEnd - keyStart;
    if (length > this.#lastKey.length) {
      const grown = new Uint8Array(length * 2);
      grown.set(this.#lastKey);
      this.#lastKey = grown;
    }
    copyRange(this.#lastKey, shared, key, keyStart + shared, keyEnd);
    this.#lastKeyLength = length;
  }
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
