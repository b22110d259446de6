import assert from 'node:assert/strict';
import { compareRanges } from '../bytes.ts';
import type { MaybePromise } from '../engine.ts';
import type { Cursor } from '../iterator/cursor.ts';
import type { Block } from './block.ts';
import { decodeHandle } from './block-handle.ts';
import { BlockPosition } from './block-position.ts';
import type { BlockSource } from './block-source.ts';

/**
 * Ascending over a table: the top index leads to an index block, that to a data block. Each index entry has the
 * last key of the block it leads to, so the first index entry at or after a key is the way to it. The cursor is
 * itself the position in the data block.
 */
export class TableCursor extends BlockPosition implements Cursor {
  readonly #blocks: BlockSource;
  readonly #top = new BlockPosition();
  readonly #index = new BlockPosition();

  constructor(blocks: BlockSource) {
    super();
    this.#blocks = blocks;
  }

  seek(key: Uint8Array): MaybePromise<void> {
    if (this.#isInDataBlock(key)) {
      this.toKey(key);
      return;
    }
    this.valid = false;
    const top = this.#blocks.topIndex();
    if (top instanceof Promise) return top.then((block) => this.#seekInTop(block, key));
    return this.#seekInTop(top, key);
  }

  seekEnd(): void {
    assert.fail('an ascending cursor does not seek the end');
  }

  next(): MaybePromise<void> {
    this.step();
    if (!this.valid) return this.#toNextBlock();
  }

  /** Whether `key` lies ahead in the data block at hand: a short skip then needs no index. */
  #isInDataBlock(key: Uint8Array): boolean {
    return this.valid && compareToKey(this, key) <= 0 && compareToKey(this.#index, key) >= 0;
  }

  #seekInTop(block: Block, key: Uint8Array): MaybePromise<void> {
    this.#top.reset(block);
    this.#top.toKey(key);
    if (!this.#top.valid) return;
    const index = this.#blocks.index(decodeHandle(this.#top));
    if (index instanceof Promise) return index.then((loaded) => this.#seekInIndex(loaded, key));
    return this.#seekInIndex(index, key);
  }

  #seekInIndex(block: Block, key: Uint8Array): MaybePromise<void> {
    this.#index.reset(block);
    this.#index.toKey(key);
    mustBeValid(this.#index, block);
    const data = this.#blocks.data(decodeHandle(this.#index));
    if (data instanceof Promise) return data.then((loaded) => this.#seekInData(loaded, key));
    this.#seekInData(data, key);
  }

  #seekInData(block: Block, key: Uint8Array): void {
    this.reset(block);
    this.toKey(key);
    mustBeValid(this, block);
  }

  #toNextBlock(): MaybePromise<void> {
    this.#index.step();
    if (this.#index.valid) return this.#enterData();
    this.#top.step();
    if (!this.#top.valid) return;
    const block = this.#blocks.index(decodeHandle(this.#top));
    if (block instanceof Promise) return block.then((loaded) => this.#enterIndex(loaded));
    return this.#enterIndex(block);
  }

  #enterIndex(block: Block): MaybePromise<void> {
    this.#index.reset(block);
    this.#index.toFirst();
    mustBeValid(this.#index, block);
    return this.#enterData();
  }

  #enterData(): MaybePromise<void> {
    const block = this.#blocks.data(decodeHandle(this.#index));
    if (block instanceof Promise) return block.then((loaded) => this.#showFirst(loaded));
    this.#showFirst(block);
  }

  #showFirst(block: Block): void {
    this.reset(block);
    this.toFirst();
    mustBeValid(this, block);
  }
}

/** The index promised a key here; a block that has none is not the one that was written. */
export function mustBeValid(position: { readonly valid: boolean }, block: Block): void {
  if (!position.valid) throw block.malformed('a key that the index promises', 'none');
}

function compareToKey(position: BlockPosition, key: Uint8Array): number {
  return compareRanges(position.keyBytes, 0, position.keyEnd, key, 0, key.length);
}
