import { compareBytes, compareRanges, equalBytes } from '../bytes.ts';
import {
  type CorruptionDetail,
  corruption,
  corruptionDetail,
  isCorruption,
} from '../corruption.ts';
import { ByteReader } from '../encoding.ts';
import type { Block } from './block.ts';
import { BlockCursor } from './block-cursor.ts';
import { decodeHandle } from './block-handle.ts';
import { ReadAheadBlocks, type ReadableTable, readBlock } from './block-source.ts';
import { hashKey, mayContain } from './filter.ts';
import type { Footer } from './footer.ts';
import { BLOCK_TRAILER_BYTES, type BlockHandle, EntryKind } from './format.ts';
import { decodeProperties, type TableMeta, type TableProperties } from './table-meta.ts';

/**
 * Reads all of a table, data blocks in the order of the file, and gives every place where it is not as it
 * was written. A damaged index block hides the data blocks that only it knows of.
 */
export function verifyTable(table: ReadableTable, meta: TableMeta): Promise<CorruptionDetail[]> {
  return new Verification(table, meta).run();
}

class Verification {
  readonly #table: ReadableTable;
  readonly #meta: TableMeta;
  readonly #blocks: ReadAheadBlocks;
  readonly #damages: CorruptionDetail[] = [];
  /** `undefined` when it could not be read, and for the second one when there is none. */
  #filter: Uint8Array | undefined;
  #keyFilter: Uint8Array | undefined;
  /** Where the data block before ended: blocks stand one behind the other. */
  #dataEnd = 0;
  #lastKey: Uint8Array | undefined;
  #firstKey: Uint8Array | undefined;
  readonly #found = { entryCount: 0, deletionCount: 0, rawBytes: 0, seqMin: 0, seqMax: 0 };
  #suffixMin: Uint8Array | undefined;
  #suffixMax: Uint8Array | undefined;

  constructor(table: ReadableTable, meta: TableMeta) {
    this.#table = table;
    this.#meta = meta;
    this.#found.seqMin = Number.MAX_SAFE_INTEGER;
    this.#blocks = new ReadAheadBlocks(table, READ_AHEAD_BYTES);
  }

  async run(): Promise<CorruptionDetail[]> {
    const footer = await this.#attempt(async () => this.#table.footer());
    if (footer === undefined) return this.#damages;
    this.#filter = await this.#attempt(() => readBlock(this.#table, footer.filter));
    if (footer.keyFilter.length > 0) {
      this.#keyFilter = await this.#attempt(() => readBlock(this.#table, footer.keyFilter));
    }
    await this.#attempt(() => this.#walkTop(footer));
    const properties = await this.#attempt(() => this.#readProperties(footer));
    if (properties !== undefined) this.#compare(properties, 'the manifest', this.#meta, footer);
    // Of a table that could not be read as a whole, sums say nothing.
    if (properties !== undefined && this.#damages.length === 0) {
      this.#compare(properties, 'its entries', this.#sums(), footer);
    }
    return this.#damages;
  }

  async #walkTop(footer: Footer): Promise<void> {
    const top = await this.#blocks.index(footer.topIndex);
    for (const handle of this.#handlesIn(top)) {
      const index = await this.#attempt(() => this.#blocks.index(handle));
      if (index === undefined) {
        this.#skipOrder();
        continue;
      }
      for (const data of this.#handlesIn(index)) {
        await this.#attempt(() => this.#readData(data));
      }
    }
  }

  /** After what cannot be read the next may begin with any key, at any place. */
  #skipOrder(): void {
    this.#dataEnd = -1;
  }

  #handlesIn(index: Block): BlockHandle[] {
    const handles: BlockHandle[] = [];
    const cursor = new BlockCursor();
    cursor.reset(index);
    try {
      let last: Uint8Array | undefined;
      for (cursor.seekFirst(); cursor.valid; cursor.next()) {
        const key = cursor.keyBytes.slice(0, cursor.keyEnd);
        if (last !== undefined && compareBytes(last, key) >= 0) {
          throw index.malformed('keys in ascending order', 'others');
        }
        last = key;
        handles.push(decodeHandle(cursor));
      }
    } catch (error) {
      this.#note(error);
    }
    return handles;
  }

  async #readData(handle: BlockHandle): Promise<void> {
    const { name } = this.#table;
    if (this.#dataEnd >= 0 && handle.offset !== this.#dataEnd) {
      const expected = `a data block at ${this.#dataEnd}`;
      this.#damages.push({ file: name, offset: handle.offset, expected, got: 'one here' });
    }
    // What is read twice is not read again, so that no file takes more time than its length.
    if (handle.offset < this.#dataEnd) return;
    this.#dataEnd = handle.offset + handle.length + BLOCK_TRAILER_BYTES;
    const block = await this.#blocks.data(handle);
    const cursor = new BlockCursor();
    cursor.reset(block);
    for (cursor.seekFirst(); cursor.valid; cursor.next()) this.#seeEntry(block, cursor);
  }

  #seeEntry(block: Block, cursor: BlockCursor): void {
    const { keyBytes, keyEnd, seq, kind } = cursor;
    const last = this.#lastKey;
    if (last !== undefined && compareRanges(keyBytes, 0, keyEnd, last, 0, last.length) <= 0) {
      throw block.malformed('keys in ascending order', 'others');
    }
    const key = keyBytes.slice(0, keyEnd);
    this.#lastKey = key;
    this.#firstKey ??= key;
    const found = this.#found;
    found.entryCount++;
    if (kind === EntryKind.deletion) found.deletionCount++;
    found.rawBytes += keyEnd + cursor.valueEnd - cursor.valueStart;
    found.seqMin = Math.min(found.seqMin, seq);
    found.seqMax = Math.max(found.seqMax, seq);
    this.#seeParts(block, key);
  }

  /** The ends of keys, and that the filters do not deny them. */
  #seeParts(block: Block, key: Uint8Array): void {
    const seriesEnd = key.length - this.#meta.suffixMin.length;
    if (seriesEnd < 0) throw block.malformed('a key with its suffix', `${key.length} bytes`);
    const suffix = key.subarray(seriesEnd);
    if (this.#suffixMin === undefined || compareBytes(suffix, this.#suffixMin) < 0) {
      this.#suffixMin = suffix;
    }
    if (this.#suffixMax === undefined || compareBytes(suffix, this.#suffixMax) > 0) {
      this.#suffixMax = suffix;
    }
    const denied =
      (this.#filter !== undefined && !mayContain(this.#filter, hashKey(key, 0, seriesEnd))) ||
      (this.#keyFilter !== undefined && !mayContain(this.#keyFilter, hashKey(key, 0, key.length)));
    if (denied) throw block.malformed('keys that the filter knows', 'another');
  }

  #sums(): TableProperties {
    return {
      ...this.#found,
      smallest: this.#firstKey ?? NOTHING,
      largest: this.#lastKey ?? NOTHING,
      suffixMin: this.#suffixMin ?? NOTHING,
      suffixMax: this.#suffixMax ?? NOTHING,
    };
  }

  async #readProperties({ properties: handle }: Footer): Promise<TableProperties> {
    const { name } = this.#table;
    const bytes = await readBlock(this.#table, handle);
    return decodeProperties(
      new ByteReader(bytes, (at, reason) =>
        corruption(name, handle.offset + at, reason, 'the end of the properties'),
      ),
    );
  }

  #compare(
    properties: TableProperties,
    whose: string,
    other: TableProperties,
    { properties: { offset } }: Footer,
  ): void {
    const file = this.#table.name;
    for (const name of COUNTS) {
      if (properties[name] === other[name]) continue;
      const expected = `${name} ${other[name]} as in ${whose}`;
      this.#damages.push({ file, offset, expected, got: `${properties[name]}` });
    }
    for (const name of KEYS) {
      if (equalBytes(properties[name], other[name])) continue;
      this.#damages.push({ file, offset, expected: `${name} as in ${whose}`, got: 'another' });
    }
  }

  /** Goes on after damage; other failures end it. */
  async #attempt<T>(read: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  #note(error: unknown): void {
    if (!isCorruption(error)) throw error;
    this.#damages.push(corruptionDetail(error));
  }
}

const NOTHING = new Uint8Array(0);
const READ_AHEAD_BYTES = 256 * 1024;
const COUNTS = ['entryCount', 'deletionCount', 'rawBytes', 'seqMin', 'seqMax'] as const;
const KEYS = ['smallest', 'largest', 'suffixMin', 'suffixMax'] as const;
