import { readU32 } from '../bytes.ts';
import { corruption } from '../corruption.ts';
import type { MaybePromise } from '../engine.ts';
import { LsmError } from '../errors.ts';
import { crc32c } from '../hash/crc32c.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { Block } from './block-reader.ts';
import { BLOCK_TRAILER_BYTES, type BlockHandle, Codec } from './format.ts';

/** Where a table cursor gets its blocks: from the cache in a read, from a window in a compaction. */
export interface BlockSource {
  data(handle: BlockHandle): MaybePromise<Block>;
  index(handle: BlockHandle): MaybePromise<Block>;
}

/** A table's file, open for reading. */
export interface TableFile {
  readonly file: VfsFile;
  readonly name: string;
  readonly bytes: number;
}

/** Reads a block and checks its trailer; what it returns has no trailer. */
export async function readBlock(table: TableFile, handle: BlockHandle): Promise<Uint8Array> {
  const length = boundedLength(table, handle);
  const raw = await table.file.read(handle.offset, length);
  return checkBlock(raw, table.name, handle);
}

/** Reads forward through a file in large pieces, so that a compaction makes few and long reads. */
export class ReadAheadBlocks implements BlockSource {
  readonly #table: TableFile;
  readonly #windowBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(table: TableFile, windowBytes: number) {
    this.#table = table;
    this.#windowBytes = windowBytes;
  }

  data(handle: BlockHandle): MaybePromise<Block> {
    const length = boundedLength(this.#table, handle);
    const from = handle.offset - this.#windowStart;
    if (from < 0 || from + length > this.#window.length) return this.#slide(handle, length);
    const raw = this.#window.subarray(from, from + length);
    return new Block(checkBlock(raw, this.#table.name, handle), this.#table.name, handle.offset);
  }

  async index(handle: BlockHandle): Promise<Block> {
    return new Block(await readBlock(this.#table, handle), this.#table.name, handle.offset);
  }

  async #slide(handle: BlockHandle, length: number): Promise<Block> {
    const { file, name } = this.#table;
    this.#window = await file.read(handle.offset, Math.max(length, this.#windowBytes));
    this.#windowStart = handle.offset;
    const raw = this.#window.subarray(0, length);
    return new Block(checkBlock(raw, name, handle), name, handle.offset);
  }
}

/** Length with trailer, refused when it leads out of the file: nothing larger is ever allocated. */
function boundedLength(table: TableFile, handle: BlockHandle): number {
  const length = handle.length + BLOCK_TRAILER_BYTES;
  if (handle.offset + length > table.bytes) {
    throw corruption(table.name, handle.offset, 'a block inside the file', `${length} bytes`);
  }
  return length;
}

function checkBlock(raw: Uint8Array, file: string, handle: BlockHandle): Uint8Array {
  const { offset, length } = handle;
  if (raw.length !== length + BLOCK_TRAILER_BYTES) {
    throw corruption(file, offset, `${length + BLOCK_TRAILER_BYTES} bytes`, raw.length);
  }
  const expected = readU32(raw, length + 1);
  const got = crc32c(raw, 0, length + 1);
  if (expected !== got) throw corruption(file, offset, expected, got);
  if (raw[length] !== Codec.none) {
    throw new LsmError('FORMAT_TOO_NEW', `${file} has a block with codec ${raw[length]}`);
  }
  return raw.subarray(0, length);
}
