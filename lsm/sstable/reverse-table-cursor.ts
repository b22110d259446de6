import type { MaybePromise } from '../engine.ts';
import type { Cursor } from '../iterator/cursor.ts';
import type { Block } from './block.ts';
import { decodeHandle } from './block-handle.ts';
import type { BlockSource } from './block-source.ts';
import { ReverseBlockPosition } from './reverse-block-position.ts';
import { mustBeValid } from './table-cursor.ts';

/** Descending over a table: like `TableCursor`, in a mirror. */
export class ReverseTableCursor extends ReverseBlockPosition implements Cursor {
  readonly #blocks: BlockSource;
  readonly #top = new ReverseBlockPosition();
  readonly #index = new ReverseBlockPosition();

  constructor(blocks: BlockSource) {
    super();
    this.#blocks = blocks;
  }

  /**
   * The first index entry at or after `key` leads to the block where `key` would stand, so what is before it is
   * there or ends the block before.
   */
  seek(key: Uint8Array): MaybePromise<void> {
    this.valid = false;
    const top = this.#blocks.topIndex();
    if (top instanceof Promise) return top.then((block) => this.#seekInTop(block, key));
    return this.#seekInTop(top, key);
  }

  seekEnd(): MaybePromise<void> {
    this.valid = false;
    const top = this.#blocks.topIndex();
    if (top instanceof Promise) return top.then((block) => this.#enterTop(block));
    return this.#enterTop(top);
  }

  next(): MaybePromise<void> {
    this.step();
    if (!this.valid) return this.#toBlockBefore();
  }

  #seekInTop(block: Block, key: Uint8Array): MaybePromise<void> {
    this.#top.reset(block);
    this.#top.toCovering(key);
    const index = this.#blocks.index(decodeHandle(this.#top));
    if (index instanceof Promise) return index.then((loaded) => this.#seekInIndex(loaded, key));
    return this.#seekInIndex(index, key);
  }

  #seekInIndex(block: Block, key: Uint8Array): MaybePromise<void> {
    this.#index.reset(block);
    this.#index.toCovering(key);
    const data = this.#blocks.data(decodeHandle(this.#index));
    if (data instanceof Promise) return data.then((loaded) => this.#seekInData(loaded, key));
    return this.#seekInData(data, key);
  }

  #seekInData(block: Block, key: Uint8Array): MaybePromise<void> {
    this.reset(block);
    this.toBefore(key);
    if (!this.valid) return this.#toBlockBefore();
  }

  #toBlockBefore(): MaybePromise<void> {
    this.#index.step();
    if (this.#index.valid) return this.#enterData();
    this.#top.step();
    if (this.#top.valid) return this.#toIndex();
  }

  #enterTop(block: Block): MaybePromise<void> {
    this.#top.reset(block);
    this.#top.toLast();
    mustBeValid(this.#top, block);
    return this.#toIndex();
  }

  #toIndex(): MaybePromise<void> {
    const block = this.#blocks.index(decodeHandle(this.#top));
    if (block instanceof Promise) return block.then((loaded) => this.#enterIndex(loaded));
    return this.#enterIndex(block);
  }

  #enterIndex(block: Block): MaybePromise<void> {
    this.#index.reset(block);
    this.#index.toLast();
    mustBeValid(this.#index, block);
    return this.#enterData();
  }

  #enterData(): MaybePromise<void> {
    const block = this.#blocks.data(decodeHandle(this.#index));
    if (block instanceof Promise) return block.then((loaded) => this.#showLast(loaded));
    this.#showLast(block);
  }

  #showLast(block: Block): void {
    this.reset(block);
    this.toLast();
    mustBeValid(this, block);
  }
}
