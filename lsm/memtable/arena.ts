import assert from 'node:assert/strict';
import { copyRange } from '../bytes.ts';
import { EntryKind } from '../sstable/format.ts';

/**
 * Where a memtable's records live: chunks of shared memory, filled in write order, so that a frozen memtable
 * goes to the flush worker without a copy. In memory only, hence in the machine's byte order.
 *
 * A record is named by its *address*, in words of four bytes over all chunks:
 *
 *     keyLength u31, deletion u1 · valueLength u32 · ordinal u32 · key · value · padding to 4
 */
export class Arena {
  readonly #chunks: Chunk[] = [];
  /** The chunk of every page of addresses; a large chunk holds several pages. */
  readonly #pages: Chunk[] = [];
  #usedBytes = 0;

  static fromChunks(chunks: readonly ArenaChunk[]): Arena {
    const arena = new Arena();
    for (const { buffer, usedWords } of chunks) {
      assert(usedWords * WORD <= buffer.byteLength, 'a chunk is used within its size');
      arena.#addChunk(buffer).usedWords = usedWords;
      arena.#usedBytes += usedWords * WORD;
    }
    return arena;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  chunks(): ArenaChunk[] {
    return this.#chunks.map(({ buffer, usedWords }) => ({ buffer, usedWords }));
  }

  /** Copies a record in and returns its address. */
  append(
    kind: number,
    ordinal: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): number {
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    const words = HEADER_WORDS + ((keyLength + valueLength + WORD - 1) >>> 2);
    const chunk = this.#chunkWithRoomFor(words);
    const at = chunk.usedWords;
    chunk.words[at] = kind === EntryKind.deletion ? keyLength | DELETION_BIT : keyLength;
    chunk.words[at + 1] = valueLength;
    chunk.words[at + 2] = ordinal;
    const bytesAt = (at + HEADER_WORDS) * WORD;
    copyRange(chunk.bytes, bytesAt, key, keyStart, keyEnd);
    copyRange(chunk.bytes, bytesAt + keyLength, value, valueStart, valueEnd);
    chunk.usedWords = at + words;
    this.#usedBytes += words * WORD;
    return chunk.firstAddress + at;
  }

  /** Calls `visit` with the address of every record in write order. */
  forEach(visit: (address: number) => void): void {
    for (const chunk of this.#chunks) {
      let at = 0;
      while (at < chunk.usedWords) {
        visit(chunk.firstAddress + at);
        const keyLength = (chunk.words[at] as number) & KEY_LENGTH_MASK;
        const length = keyLength + (chunk.words[at + 1] as number);
        at += HEADER_WORDS + ((length + WORD - 1) >>> 2);
      }
    }
  }

  chunkOf(address: number): Chunk {
    return this.#pages[address >>> PAGE_SHIFT] as Chunk;
  }

  #chunkWithRoomFor(words: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.usedWords + words <= last.words.length) return last;
    const pages = Math.ceil(words / PAGE_WORDS);
    return this.#addChunk(new SharedArrayBuffer(pages * PAGE_WORDS * WORD));
  }

  #addChunk(buffer: SharedArrayBuffer): Chunk {
    const firstAddress = this.#pages.length * PAGE_WORDS;
    const chunk = {
      buffer,
      bytes: new Uint8Array(buffer),
      words: new Uint32Array(buffer),
      firstAddress,
      usedWords: 0,
    };
    this.#chunks.push(chunk);
    for (let page = 0; page < buffer.byteLength / (PAGE_WORDS * WORD); page++) {
      this.#pages.push(chunk);
    }
    return chunk;
  }
}

/** What a frozen memtable is made of, as it passes between threads. */
export interface ArenaChunk {
  readonly buffer: SharedArrayBuffer;
  readonly usedWords: number;
}

interface Chunk {
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly firstAddress: number;
  usedWords: number;
}

export const WORD = 4;
export const HEADER_WORDS = 3;
export const DELETION_BIT = 0x8000_0000;
export const KEY_LENGTH_MASK = 0x7fff_ffff;
const PAGE_SHIFT = 18;
const PAGE_WORDS = 1 << PAGE_SHIFT;
