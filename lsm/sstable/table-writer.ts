import assert from 'node:assert/strict';
import { compareRanges, copyRange } from '../bytes.ts';
import type { CodecName } from '../codec/codec.ts';
import { defaultCodec } from '../codec/codecs.ts';
import { ByteWriter } from '../encoding.ts';
import type { Cursor } from '../iterator/cursor.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { BlockBuilder } from './block-builder.ts';
import { FilterBuilder } from './filter.ts';
import { encodeFooter } from './footer.ts';
import { type BlockHandle, EntryKind, tableFileName } from './format.ts';
import { IndexBuilder } from './index-builder.ts';
import { appendSealed } from './sealed-block.ts';
import { encodeProperties, type TableMeta, type TableProperties } from './table-meta.ts';

export interface TableWriterOptions {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly fileNumber: number;
  readonly blockSizeBytes: number;
  /** Length of the end of a key that tells entries of one series apart. */
  readonly suffixBytes: number;
  /** For data blocks. Default: `defaultCodec()`. */
  readonly codec?: CodecName;
  /**
   * Whether there is a filter over whole keys beside that over series keys, if these are not the same. Default
   * false.
   */
  readonly keyFilter?: boolean;
}

/**
 * Writes one table out of entries in ascending order, each key once. `add` only fills memory; the caller
 * awaits `drain` now and then, so that no more than a little is waiting.
 */
export class TableWriter {
  readonly #options: TableWriterOptions;
  readonly #file: VfsFile;
  readonly #data = new BlockBuilder();
  readonly #index: IndexBuilder;
  readonly #codec: CodecName;
  readonly #filter = new FilterBuilder();
  readonly #keyFilter: FilterBuilder | undefined;
  /** Finished blocks that are not in the file yet; they go to `#writtenBytes`. */
  readonly #waiting = new ByteWriter(DRAIN_BYTES + 8192);
  #writtenBytes = 0;
  #lastKeyLength = -1;
  #smallest: Uint8Array | undefined;
  #suffixMin: Uint8Array | undefined;
  /** Zeros are the least of all. */
  readonly #suffixMax: Uint8Array;
  #entryCount = 0;
  #deletionCount = 0;
  #rawBytes = 0;
  #seqMin = Number.MAX_SAFE_INTEGER;
  #seqMax = 0;

  private constructor(options: TableWriterOptions, file: VfsFile) {
    this.#options = options;
    this.#file = file;
    this.#codec = options.codec ?? defaultCodec();
    const hasKeyFilter = options.keyFilter === true && options.suffixBytes > 0;
    this.#keyFilter = hasKeyFilter ? new FilterBuilder() : undefined;
    this.#index = new IndexBuilder(options.blockSizeBytes);
    this.#suffixMax = new Uint8Array(options.suffixBytes);
  }

  static async create(options: TableWriterOptions): Promise<TableWriter> {
    const path = `${options.directory}/${tableFileName(options.fileNumber)}`;
    return new TableWriter(options, await options.vfs.open(path, 'create'));
  }

  /** Adds the entry that a cursor stands on. */
  add(entry: Cursor): void {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, seq, kind } = entry;
    this.#entryCount++;
    if (kind === EntryKind.deletion) this.#deletionCount++;
    this.#rawBytes += keyEnd - keyStart + valueEnd - valueStart;
    if (seq < this.#seqMin) this.#seqMin = seq;
    if (seq > this.#seqMax) this.#seqMax = seq;
    const common = this.#data.add(
      keyBytes,
      keyStart,
      keyEnd,
      seq,
      kind,
      valueBytes,
      valueStart,
      valueEnd,
    );
    this.#keyFilter?.add(keyBytes, keyStart, keyEnd);
    this.#noteSeries(keyBytes, keyStart, keyEnd, common);
    if (this.#data.sizeBytes >= this.#options.blockSizeBytes) this.#finishDataBlock();
  }

  get sizeBytes(): number {
    return this.#writtenBytes + this.#waiting.length + this.#data.sizeBytes;
  }

  get wantsDrain(): boolean {
    return this.#waiting.length >= DRAIN_BYTES;
  }

  async drain(): Promise<void> {
    await this.#file.write(this.#writtenBytes, this.#waiting.written);
    this.#writtenBytes += this.#waiting.length;
    this.#waiting.clear();
  }

  /** Writes the rest and syncs the file; the caller syncs the folder. */
  async finish(): Promise<TableMeta> {
    assert(this.#entryCount > 0, 'a table has an entry');
    if (!this.#data.isEmpty) this.#finishDataBlock();
    const { blocks, top } = this.#index.finish((block) => this.#append(block));
    assert(blocks > 0, 'a table has an index block');
    const filter = this.#append(this.#filter.finish());
    const keyFilter =
      this.#keyFilter === undefined ? NO_BLOCK : this.#append(this.#keyFilter.finish());
    const topIndex = this.#append(top);
    const properties = this.#properties();
    const encoded = new ByteWriter();
    encodeProperties(encoded, properties);
    const footer = encodeFooter({
      filter,
      keyFilter,
      topIndex,
      properties: this.#append(encoded.written),
    });
    this.#waiting.range(footer, 0, footer.length);
    await this.drain();
    await this.#file.sync();
    await this.#file.close();
    const { fileNumber } = this.#options;
    return { ...properties, fileNumber, bytes: this.#writtenBytes, damaged: false };
  }

  /** Gives up: closes the file; what is in it means nothing. */
  async abandon(): Promise<void> {
    await this.#file.close();
  }

  #properties(): TableProperties {
    return {
      entryCount: this.#entryCount,
      deletionCount: this.#deletionCount,
      rawBytes: this.#rawBytes,
      seqMin: this.#seqMin,
      seqMax: this.#seqMax,
      smallest: this.#smallest as Uint8Array,
      largest: this.#data.lastKey.slice(),
      suffixMin: this.#suffixMin as Uint8Array,
      suffixMax: this.#suffixMax,
    };
  }

  /** `common` is what the key has in common with the one before. */
  #noteSeries(key: Uint8Array, start: number, end: number, common: number): void {
    const seriesEnd = end - this.#options.suffixBytes;
    assert(seriesEnd >= start, 'a key holds its suffix');
    this.#noteSuffix(key, seriesEnd, end);
    const isSameSeries = end - start === this.#lastKeyLength && start + common >= seriesEnd;
    this.#lastKeyLength = end - start;
    if (isSameSeries) return;
    this.#filter.add(key, start, seriesEnd);
    this.#smallest ??= key.slice(start, end);
    // Within a series suffixes ascend, so that its first is its least.
    const least = this.#suffixMin;
    if (least === undefined || compareRanges(key, seriesEnd, end, least, 0, least.length) < 0) {
      this.#suffixMin = key.slice(seriesEnd, end);
    }
  }

  #noteSuffix(key: Uint8Array, start: number, end: number): void {
    const greatest = this.#suffixMax;
    if (compareRanges(key, start, end, greatest, 0, greatest.length) > 0) {
      copyRange(greatest, 0, key, start, end);
    }
  }

  #finishDataBlock(): void {
    const handle = this.#append(this.#data.finish(), this.#codec);
    this.#index.add(this.#data.lastKey, handle);
  }

  /** Adds a block with its trailer to what waits to be written. Only data is compressed. */
  #append(block: Uint8Array, codec: CodecName = 'none'): BlockHandle {
    const offset = this.#writtenBytes + this.#waiting.length;
    return { offset, length: appendSealed(this.#waiting, block, codec) };
  }
}

const NO_BLOCK: BlockHandle = { offset: 0, length: 0 };
const DRAIN_BYTES = 256 * 1024;
