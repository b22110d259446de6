import { compareRanges } from '../bytes.ts';
import { corruption } from '../corruption.ts';
import { ByteReader } from '../encoding.ts';
import type { MaybePromise } from '../engine.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { type Block, BlockCursor } from './block-reader.ts';
import type { BlockSource } from './block-source.ts';
import type { BlockHandle } from './format.ts';

/**
 * Moves over a table: the top index leads to an index block, that to a data block. Each index entry has the
 * last key of the block it leads to, so the first index entry at or after a key is the way to it.
 */
export class TableCursor implements Cursor {
  readonly #blocks: BlockSource;
  readonly #top = new BlockCursor();
  readonly #index = new BlockCursor();
  readonly #data = new BlockCursor();

  valid = false;
  keyBytes: Uint8Array = NO_BYTES;
  readonly keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  seq = 0;

  constructor(topIndex: Block, blocks: BlockSource) {
    this.#top.reset(topIndex);
    this.#blocks = blocks;
  }

  seek(key: Uint8Array): MaybePromise<void> {
    if (this.#isInDataBlock(key)) {
      this.#data.seek(key);
      this.#show();
      return;
    }
    this.valid = false;
    this.#top.seek(key);
    if (!this.#top.valid) return;
    const block = this.#blocks.index(handleAt(this.#top));
    if (block instanceof Promise) return block.then((loaded) => this.#seekInIndex(loaded, key));
    return this.#seekInIndex(block, key);
  }

  next(): MaybePromise<void> {
    this.#data.next();
    if (this.#data.valid) {
      this.#show();
      return;
    }
    this.valid = false;
    this.#index.next();
    if (this.#index.valid) return this.#enterData();
    this.#top.next();
    if (!this.#top.valid) return;
    const block = this.#blocks.index(handleAt(this.#top));
    if (block instanceof Promise) return block.then((loaded) => this.#enterIndex(loaded));
    return this.#enterIndex(block);
  }

  /** Whether `key` lies ahead in the data block at hand: a short skip then needs no index. */
  #isInDataBlock(key: Uint8Array): boolean {
    return this.valid && compareToKey(this.#data, key) <= 0 && compareToKey(this.#index, key) >= 0;
  }

  #seekInIndex(block: Block, key: Uint8Array): MaybePromise<void> {
    this.#index.reset(block);
    this.#index.seek(key);
    this.#mustBeValid(this.#index, block);
    const data = this.#blocks.data(handleAt(this.#index));
    if (data instanceof Promise) return data.then((loaded) => this.#seekInData(loaded, key));
    this.#seekInData(data, key);
  }

  #seekInData(block: Block, key: Uint8Array): void {
    this.#data.reset(block);
    this.#data.seek(key);
    this.#mustBeValid(this.#data, block);
    this.#show();
  }

  #enterIndex(block: Block): MaybePromise<void> {
    this.#index.reset(block);
    this.#index.seekFirst();
    this.#mustBeValid(this.#index, block);
    return this.#enterData();
  }

  #enterData(): MaybePromise<void> {
    const block = this.#blocks.data(handleAt(this.#index));
    if (block instanceof Promise) return block.then((loaded) => this.#showFirst(loaded));
    this.#showFirst(block);
  }

  #showFirst(block: Block): void {
    this.#data.reset(block);
    this.#data.seekFirst();
    this.#mustBeValid(this.#data, block);
    this.#show();
  }

  #show(): void {
    const data = this.#data;
    this.valid = data.valid;
    this.keyBytes = data.keyBytes;
    this.keyEnd = data.keyEnd;
    this.valueBytes = data.valueBytes;
    this.valueStart = data.valueStart;
    this.valueEnd = data.valueEnd;
    this.seq = data.seq;
  }

  /** The index promised a key here; a block that has none is not the one that was written. */
  #mustBeValid(cursor: BlockCursor, block: Block): void {
    if (!cursor.valid) throw block.malformed('a key that the index promises', 'none');
  }
}

function compareToKey(cursor: BlockCursor, key: Uint8Array): number {
  return compareRanges(cursor.keyBytes, 0, cursor.keyEnd, key, 0, key.length);
}

/** The value of an index entry: offset varint · length varint. */
function handleAt(cursor: BlockCursor): BlockHandle {
  const block = cursor.block as Block;
  const value = cursor.valueBytes.subarray(cursor.valueStart, cursor.valueEnd);
  const reader = new ByteReader(value, (_, reason) =>
    corruption(block.file, block.offset, reason, 'an index entry too short'),
  );
  return { offset: reader.varint(), length: reader.varint() };
}
