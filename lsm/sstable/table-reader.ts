import { rangeStartsWith } from '../bytes.ts';
import { corruption } from '../corruption.ts';
import { ByteReader } from '../encoding.ts';
import type { MaybePromise } from '../engine.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { BlockCache, Cacheable, CachedTable } from './block-cache.ts';
import { Block } from './block-reader.ts';
import { type BlockSource, ReadAheadBlocks, readBlock, type TableFile } from './block-source.ts';
import { mayContain, type SeriesHash } from './filter.ts';
import { decodeFooter, FOOTER_BYTES } from './footer.ts';
import { type BlockHandle, tableFileName } from './format.ts';
import { TableCursor } from './table-cursor.ts';
import { decodeProperties, type TableProperties } from './table-meta.ts';

/** An entry that outlives the cursor which found it. */
export interface FoundEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly seq: number;
}

/** An open table. In memory are its top index and properties; all else comes through the block cache. */
export class TableReader implements BlockSource {
  readonly properties: TableProperties;
  readonly #table: TableFile;
  readonly #topIndex: Block;
  readonly #filter: BlockHandle;
  readonly #cache: CachedTable | undefined;

  private constructor(
    table: TableFile,
    properties: TableProperties,
    topIndex: Block,
    filter: BlockHandle,
    cache: BlockCache | undefined,
  ) {
    this.#table = table;
    this.properties = properties;
    this.#topIndex = topIndex;
    this.#filter = filter;
    this.#cache = cache?.openTable();
  }

  /** Fails with CORRUPTION or FORMAT_TOO_NEW when footer, properties or top index cannot be used. */
  static async open(
    vfs: Vfs,
    directory: string,
    fileNumber: number,
    cache?: BlockCache,
  ): Promise<TableReader> {
    const name = tableFileName(fileNumber);
    const file = await vfs.open(`${directory}/${name}`, 'read');
    try {
      const table = { file, name, bytes: await file.size() };
      const footerAt = Math.max(0, table.bytes - FOOTER_BYTES);
      const footer = decodeFooter(await file.read(footerAt, FOOTER_BYTES), name, footerAt);
      const properties = await readProperties(table, footer.properties);
      const topIndex = new Block(
        await readBlock(table, footer.topIndex),
        name,
        footer.topIndex.offset,
      );
      return new TableReader(table, properties, topIndex, footer.filter, cache);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#table.bytes;
  }

  /** For reads: blocks come from the cache and stay in it. */
  cursor(): TableCursor {
    return new TableCursor(this.#topIndex, this);
  }

  /** For compactions: reads ahead and leaves the cache alone. */
  scanCursor(readAheadBytes: number): TableCursor {
    return new TableCursor(this.#topIndex, new ReadAheadBlocks(this.#table, readAheadBytes));
  }

  /** The first entry of a series; `series` is a whole series key and `hash` is of it. */
  first(series: Uint8Array, hash: SeriesHash): MaybePromise<FoundEntry | undefined> {
    const filter = this.#cache?.get(this.#filter.offset);
    if (filter === undefined) return this.#loadFilterThenFirst(series, hash);
    return this.#firstIfIn(filter.bytes, series, hash);
  }

  /** The bloom filter of the series in the table, read anew. */
  filter(): Promise<Uint8Array> {
    return readBlock(this.#table, this.#filter);
  }

  data(handle: BlockHandle): MaybePromise<Block> {
    return (this.#cache?.get(handle.offset) as Block | undefined) ?? this.#load(handle);
  }

  index(handle: BlockHandle): MaybePromise<Block> {
    return this.data(handle);
  }

  async close(): Promise<void> {
    this.#cache?.close();
    await this.#table.file.close();
  }

  async #load(handle: BlockHandle): Promise<Block> {
    const bytes = await readBlock(this.#table, handle);
    const block = new Block(bytes, this.#table.name, handle.offset);
    this.#cache?.add(handle.offset, block);
    return block;
  }

  async #loadFilterThenFirst(
    series: Uint8Array,
    hash: SeriesHash,
  ): Promise<FoundEntry | undefined> {
    const filter: Cacheable = { bytes: await this.filter() };
    this.#cache?.add(this.#filter.offset, filter);
    return this.#firstIfIn(filter.bytes, series, hash);
  }

  #firstIfIn(
    filter: Uint8Array,
    series: Uint8Array,
    hash: SeriesHash,
  ): MaybePromise<FoundEntry | undefined> {
    if (!mayContain(filter, hash)) return undefined;
    const cursor = this.cursor();
    const moved = cursor.seek(series);
    if (moved instanceof Promise) return moved.then(() => this.#entryOfSeries(cursor, series));
    return this.#entryOfSeries(cursor, series);
  }

  /**
   * The length is looked at too: the filter may wrongly affirm a mere beginning of series keys, and what stands
   * first behind it here says nothing about other tables.
   */
  #entryOfSeries(cursor: TableCursor, series: Uint8Array): FoundEntry | undefined {
    const keyLength = series.length + this.properties.suffixMin.length;
    if (!cursor.valid || cursor.keyEnd - cursor.keyStart !== keyLength) return undefined;
    if (!rangeStartsWith(cursor.keyBytes, cursor.keyStart, cursor.keyEnd, series)) return undefined;
    return {
      key: cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd),
      value: cursor.valueBytes.subarray(cursor.valueStart, cursor.valueEnd),
      seq: cursor.seq,
    };
  }
}

async function readProperties(table: TableFile, handle: BlockHandle): Promise<TableProperties> {
  const bytes = await readBlock(table, handle);
  const reader = new ByteReader(bytes, (at, reason) =>
    corruption(table.name, handle.offset + at, reason, 'the end of the properties'),
  );
  return decodeProperties(reader);
}
