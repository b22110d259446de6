import { equalBytes } from '../bytes.ts';
import { type CorruptionDetail, corruption } from '../corruption.ts';
import { ByteReader } from '../encoding.ts';
import type { MaybePromise } from '../engine.ts';
import type { Cursor } from '../iterator/cursor.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { BlockCache } from './block-cache.ts';
import { type BlockSource, ReadAheadBlocks, readBlock } from './block-source.ts';
import { decodeFooter, FOOTER_BYTES, type Footer } from './footer.ts';
import { tableFileName } from './format.ts';
import { ReverseTableCursor } from './reverse-table-cursor.ts';
import { TableBlocks } from './table-blocks.ts';
import { TableCursor } from './table-cursor.ts';
import { type Access, TableFiles } from './table-files.ts';
import { type FoundEntry, TableLookup } from './table-lookup.ts';
import { decodeProperties, type TableMeta, type TableProperties } from './table-meta.ts';
import { surveyTable, type TableSurvey } from './table-survey.ts';
import { verifyTable } from './table-verify.ts';

export interface TableCursorOptions {
  readonly reverse?: boolean;
  /** Default `wait`. */
  readonly access?: Access;
}

/**
 * A table. It costs nothing until it is read, and then little: its footer is kept, all else comes through
 * the block cache, and its file is opened when it is needed.
 *
 * Reads answer at once when what they need is in the cache or can be had without waiting. Those with access `block` never
 * give a promise.
 */
export class TableReader {
  readonly meta: TableMeta;
  readonly #files: TableFiles;
  readonly #blocks: TableBlocks;
  readonly #lookup: TableLookup;
  /** Whether `#files` is only for this table. */
  readonly #ownsFiles: boolean;

  /** Reads nothing yet. */
  constructor(files: TableFiles, meta: TableMeta, cache?: BlockCache, ownsFiles = false) {
    this.meta = meta;
    this.#files = files;
    this.#ownsFiles = ownsFiles;
    this.#blocks = new TableBlocks(files, meta, cache?.openTable());
    this.#lookup = new TableLookup(this.#blocks, meta.suffixMin.length);
  }

  /**
   * Opens a table of which nothing is known but its number, as a job does. Fails with CORRUPTION or
   * FORMAT_TOO_NEW when footer, properties or top index cannot be used.
   */
  static async open(
    vfs: Vfs,
    directory: string,
    fileNumber: number,
    cache?: BlockCache,
  ): Promise<TableReader> {
    const files = new TableFiles({ vfs, directory, openFilesMax: 1 });
    try {
      const bytes = await files.size(fileNumber);
      const properties = await readProperties(files, fileNumber, bytes);
      const meta = { ...properties, fileNumber, bytes, damaged: false };
      const reader = new TableReader(files, meta, cache, true);
      await reader.check();
      return reader;
    } catch (error) {
      await files.closeAll();
      throw error;
    }
  }

  /**
   * Sees that the file is the table that `meta` says: reads footer, properties and top index. Fails with CORRUPTION
   * or FORMAT_TOO_NEW when they cannot be used or say something else, and with ENOENT when there is no file.
   */
  async check(): Promise<void> {
    const { meta } = this;
    const footer = await this.#blocks.footer();
    const properties = await propertiesAt(this.#blocks, footer.properties);
    const matches =
      properties.entryCount === meta.entryCount &&
      properties.seqMax === meta.seqMax &&
      equalBytes(properties.smallest, meta.smallest) &&
      equalBytes(properties.largest, meta.largest);
    if (!matches) throw corruption(this.#blocks.name, 0, 'the table the manifest means', 'another');
    await this.#blocks.topIndex();
  }

  /**
   * The entry of a key. `seriesHash` is of its series key, `keyHash` of the whole key: without it the filter over
   * whole keys, if the table has one, is not asked.
   */
  get(
    key: Uint8Array,
    seriesHash: number,
    keyHash: number | undefined,
    access: Access,
  ): MaybePromise<FoundEntry | undefined> {
    return this.#lookup.get(key, seriesHash, keyHash, access);
  }

  /** The first entry of a series; `series` is a whole series key and `hash` is of it. */
  first(
    series: Uint8Array,
    hash: number,
    access: Access = 'wait',
  ): MaybePromise<FoundEntry | undefined> {
    return this.#lookup.first(series, hash, access);
  }

  /** For reads: blocks come from the cache and stay in it. Not positioned yet. */
  cursor(options: TableCursorOptions = {}): Cursor {
    const source = this.#blocks.source(options.access ?? 'wait');
    return options.reverse === true ? new ReverseTableCursor(source) : new TableCursor(source);
  }

  /** For jobs: ascending, reads ahead, leaves the cache alone and always waits. */
  scanCursor(readAheadBytes: number): Cursor {
    return new TableCursor(this.scanBlocks(readAheadBytes));
  }

  scanBlocks(readAheadBytes: number): BlockSource {
    return new ReadAheadBlocks(this.#blocks, readAheadBytes);
  }

  /** Looks for what of a damaged table can still be read, in at most so many pieces with damage between. */
  survey(lostMax: number): Promise<TableSurvey> {
    return surveyTable(this.#blocks, this.meta, lostMax);
  }

  /** The bloom filter over series keys, read anew. */
  async filter(): Promise<Uint8Array> {
    return readBlock(this.#blocks, (await this.#blocks.footer()).filter);
  }

  /** The bloom filter over whole keys, read anew; `undefined` when the table has none. */
  async keyFilter(): Promise<Uint8Array | undefined> {
    const { keyFilter } = await this.#blocks.footer();
    return keyFilter.length === 0 ? undefined : readBlock(this.#blocks, keyFilter);
  }

  /** Reads all of the table and tells every place where it is not as it was written. */
  verify(): Promise<CorruptionDetail[]> {
    return verifyTable(this.#blocks, this.meta);
  }

  /** Forgets what is in the cache and closes the file. */
  async close(): Promise<void> {
    this.#blocks.close();
    await (this.#ownsFiles ? this.#files.closeAll() : this.#files.close(this.meta.fileNumber));
  }
}

async function readProperties(
  files: TableFiles,
  fileNumber: number,
  bytes: number,
): Promise<TableProperties> {
  const name = tableFileName(fileNumber);
  const footerAt = Math.max(0, bytes - FOOTER_BYTES);
  const read = (offset: number, length: number) => files.readLater(fileNumber, offset, length);
  const footer = decodeFooter(await read(footerAt, FOOTER_BYTES), name, footerAt);
  const table = { name, bytes, read, footer: () => footer };
  return propertiesAt(table, footer.properties);
}

async function propertiesAt(
  table: Parameters<typeof readBlock>[0],
  handle: Footer['properties'],
): Promise<TableProperties> {
  const reader = new ByteReader(await readBlock(table, handle), (at, reason) =>
    corruption(table.name, handle.offset + at, reason, 'the end of the properties'),
  );
  return decodeProperties(reader);
}
