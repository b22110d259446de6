import { corruption } from '../corruption.ts';
import type { MaybePromise } from '../engine.ts';
import { Block } from './block.ts';
import type { Footer } from './footer.ts';
import { BLOCK_TRAILER_BYTES, type BlockHandle } from './format.ts';
import { openSealed } from './sealed-block.ts';

/** Where a cursor gets the blocks of a table: from the cache in a read, from a window in a compaction. */
export interface BlockSource {
  topIndex(): MaybePromise<Block>;
  index(handle: BlockHandle): MaybePromise<Block>;
  data(handle: BlockHandle): MaybePromise<Block>;
}

/** A table's file, for those who wait. */
export interface ReadableTable {
  readonly name: string;
  readonly bytes: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  footer(): MaybePromise<Footer>;
}

/** Length with trailer, refused when it leads out of the file: nothing larger is ever allocated. */
export function sealedLength(file: string, fileBytes: number, handle: BlockHandle): number {
  const length = handle.length + BLOCK_TRAILER_BYTES;
  if (handle.offset + length > fileBytes) {
    throw corruption(file, handle.offset, 'a block inside the file', `${length} bytes`);
  }
  return length;
}

/** Checks that a read gave all, and the trailer. */
export function openRead(
  sealed: Uint8Array,
  file: string,
  offset: number,
  length: number,
): Uint8Array {
  if (sealed.length !== length) throw corruption(file, offset, `${length} bytes`, sealed.length);
  return openSealed(sealed, file, offset);
}

/** Reads a block past the cache. */
export async function readBlock(table: ReadableTable, handle: BlockHandle): Promise<Uint8Array> {
  const length = sealedLength(table.name, table.bytes, handle);
  return openRead(await table.read(handle.offset, length), table.name, handle.offset, length);
}

/** Reads forward through a file in large pieces, so that a compaction makes few and long reads. */
export class ReadAheadBlocks implements BlockSource {
  readonly #table: ReadableTable;
  readonly #windowBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(table: ReadableTable, windowBytes: number) {
    this.#table = table;
    this.#windowBytes = windowBytes;
  }

  async topIndex(): Promise<Block> {
    const { topIndex } = await this.#table.footer();
    return this.index(topIndex);
  }

  async index(handle: BlockHandle): Promise<Block> {
    return new Block(await readBlock(this.#table, handle), this.#table.name, handle.offset);
  }

  data(handle: BlockHandle): MaybePromise<Block> {
    const { name, bytes } = this.#table;
    const length = sealedLength(name, bytes, handle);
    const from = handle.offset - this.#windowStart;
    if (from < 0 || from + length > this.#window.length) return this.#slide(handle, length);
    const sealed = this.#window.subarray(from, from + length);
    return new Block(openSealed(sealed, name, handle.offset), name, handle.offset);
  }

  async #slide(handle: BlockHandle, length: number): Promise<Block> {
    const { name } = this.#table;
    this.#window = await this.#table.read(handle.offset, Math.max(length, this.#windowBytes));
    this.#windowStart = handle.offset;
    const sealed = this.#window.subarray(0, length);
    return new Block(openRead(sealed, name, handle.offset, length), name, handle.offset);
  }
}
