import type { MaybePromise } from '../engine.ts';
import { Block } from './block.ts';
import type { Cacheable, CachedTable } from './block-cache.ts';
import { type BlockSource, openRead, type ReadableTable, sealedLength } from './block-source.ts';
import { mayContain } from './filter.ts';
import { decodeFooter, FOOTER_BYTES, type Footer } from './footer.ts';
import { type BlockHandle, tableFileName } from './format.ts';
import type { Access, TableFiles } from './table-files.ts';

/** The parts of a table, out of the cache or out of its file. */
export class TableBlocks implements ReadableTable {
  readonly bytes: number;
  readonly #fileNumber: number;
  readonly #files: TableFiles;
  readonly #cache: CachedTable | undefined;
  #footer: Footer | undefined;
  #footerLoading: Promise<Footer> | undefined;
  /** What is being read, by its place: many who want it at once read it once. */
  #loading: Map<number, Promise<Cacheable>> | undefined;
  #name: string | undefined;

  constructor(
    files: TableFiles,
    table: { readonly fileNumber: number; readonly bytes: number },
    cache: CachedTable | undefined,
  ) {
    this.#files = files;
    this.#fileNumber = table.fileNumber;
    this.bytes = table.bytes;
    this.#cache = cache;
  }

  get name(): string {
    this.#name ??= tableFileName(this.#fileNumber);
    return this.#name;
  }

  footer(access: Access = 'wait'): MaybePromise<Footer> {
    if (this.#footer !== undefined) return this.#footer;
    if (access === 'wait' && this.#footerLoading !== undefined) return this.#footerLoading;
    return this.#readFooter(access);
  }

  topIndex(access: Access = 'wait'): MaybePromise<Block> {
    const footer = this.footer(access);
    if (footer instanceof Promise) return footer.then((read) => this.block(read.topIndex, access));
    return this.block(footer.topIndex, access);
  }

  /** An index block or a data block. */
  block(handle: BlockHandle, access: Access): MaybePromise<Block> {
    const cached = this.#cache?.get(handle.offset);
    if (cached !== undefined) return cached as Block;
    return this.#load(handle, handle.offset, access) as MaybePromise<Block>;
  }

  /** In the cache under a number that no block has. */
  filter(handle: BlockHandle, access: Access): MaybePromise<Cacheable> {
    const place = -1 - handle.offset;
    return this.#cache?.get(place) ?? this.#load(handle, place, access);
  }

  /** Whether to look into the table for a key: asks one of its filters, and counts the answer. */
  passes({ bytes }: Cacheable, hash: number): boolean {
    const mayBeThere = mayContain(bytes, hash);
    this.#cache?.filtered(mayBeThere);
    return mayBeThere;
  }

  /** For cursors. */
  source(access: Access): BlockSource {
    return new CachedBlocks(this, access);
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#files.readLater(this.#fileNumber, offset, length);
  }

  close(): void {
    this.#cache?.close();
  }

  #readFooter(access: Access): MaybePromise<Footer> {
    const offset = Math.max(0, this.bytes - FOOTER_BYTES);
    const bytes = this.#files.read(this.#fileNumber, offset, FOOTER_BYTES, access);
    const decode = (read: Uint8Array) => {
      this.#footer = decodeFooter(read, this.name, offset);
      return this.#footer;
    };
    if (!(bytes instanceof Promise)) return decode(bytes);
    this.#footerLoading = bytes.then(decode).finally(() => {
      this.#footerLoading = undefined;
    });
    return this.#footerLoading;
  }

  #load(handle: BlockHandle, place: number, access: Access): MaybePromise<Cacheable> {
    const underWay = access === 'wait' ? this.#loading?.get(place) : undefined;
    if (underWay !== undefined) return underWay;
    const length = sealedLength(this.name, this.bytes, handle);
    const sealed = this.#files.read(this.#fileNumber, handle.offset, length, access);
    if (!(sealed instanceof Promise)) return this.#admit(sealed, handle, place);
    const loading = sealed
      .then((read) => this.#admit(read, handle, place))
      .finally(() => this.#loading?.delete(place));
    this.#loading ??= new Map();
    this.#loading.set(place, loading);
    return loading;
  }

  /** `sealed` may be memory that is used again. */
  #admit(sealed: Uint8Array, handle: BlockHandle, place: number): Cacheable {
    const { name } = this;
    const { offset } = handle;
    const length = sealedLength(name, this.bytes, handle);
    const opened = openRead(sealed, name, offset, length);
    const make = (bytes: Uint8Array) =>
      place < 0 ? new FilterBytes(bytes) : new Block(bytes, name, offset);
    const isReused = opened.buffer === sealed.buffer;
    return (
      this.#cache?.add(place, opened, isReused, make) ?? make(isReused ? opened.slice() : opened)
    );
  }
}

class FilterBytes implements Cacheable {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  movedTo(bytes: Uint8Array): FilterBytes {
    return new FilterBytes(bytes);
  }
}

class CachedBlocks implements BlockSource {
  readonly #blocks: TableBlocks;
  readonly #access: Access;

  constructor(blocks: TableBlocks, access: Access) {
    this.#blocks = blocks;
    this.#access = access;
  }

  topIndex(): MaybePromise<Block> {
    return this.#blocks.topIndex(this.#access);
  }

  index(handle: BlockHandle): MaybePromise<Block> {
    return this.#blocks.block(handle, this.#access);
  }

  data(handle: BlockHandle): MaybePromise<Block> {
    return this.#blocks.block(handle, this.#access);
  }
}
