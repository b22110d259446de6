import assert from 'node:assert/strict';
import { compareRanges } from '../bytes.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { LevelCursor } from '../iterator/level-cursor.ts';
import { MergingCursor } from '../iterator/merging-cursor.ts';
import { Memtable, type MemtableTransfer } from '../memtable/memtable.ts';
import { MemtableCursor } from '../memtable/memtable-cursor.ts';
import { tableFileName } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import { TableWriter } from '../sstable/table-writer.ts';
import type { Vfs } from '../vfs/vfs.ts';

/** What flush and compaction have in common. Inputs and outputs are plain data: they pass between threads. */
interface JobInput {
  readonly directory: string;
  readonly suffixBytes: number;
  readonly blockSizeBytes: number;
}

export interface FlushInput extends JobInput {
  readonly memtable: MemtableTransfer;
  readonly fileNumber: number;
}

export interface CompactInput extends JobInput {
  /** Each a list of tables that follow one another without overlap. */
  readonly runs: readonly (readonly TableMeta[])[];
  readonly firstFileNumber: number;
  readonly fileNumberCount: number;
  readonly tableBytes: number;
  /** Keys at which an output must be cut, ascending. */
  readonly borders: readonly Uint8Array[];
}

/** Writes a frozen memtable as one table, durable when this resolves. Only the newest value of a key goes. */
export async function runFlush(vfs: Vfs, input: FlushInput): Promise<TableMeta> {
  const memtable = Memtable.fromTransfer(input.memtable);
  const cursor = new MemtableCursor(memtable, Number.MAX_SAFE_INTEGER);
  const { fileNumber } = input;
  const outputs = new Outputs(vfs, {
    ...input,
    firstFileNumber: fileNumber,
    fileNumberCount: 1,
    tableBytes: Number.POSITIVE_INFINITY,
    borders: [],
  });
  const [table, ...others] = await outputs.writeAll(cursor);
  assert(table !== undefined && others.length === 0, 'a flush writes one table');
  return table;
}

/**
 * Merges tables into new ones, durable when this resolves. Of equal keys only the highest sequence number
 * stays: snapshots hold on to the tables they see, so none needs the others. Memory is bounded by a
 * read-ahead window for each run and one table's index and filter.
 */
export async function runCompact(vfs: Vfs, input: CompactInput): Promise<TableMeta[]> {
  const readers = new Map<TableMeta, TableReader>();
  try {
    for (const table of input.runs.flat()) {
      readers.set(table, await TableReader.open(vfs, input.directory, table.fileNumber));
    }
    const open = (table: TableMeta) =>
      (readers.get(table) as TableReader).scanCursor(READ_AHEAD_BYTES);
    const cursors = input.runs.map((tables) => new LevelCursor(tables, open));
    return await new Outputs(vfs, input).writeAll(new MergingCursor(cursors));
  } finally {
    for (const reader of readers.values()) await reader.close();
  }
}

type OutputsInput = Omit<CompactInput, 'runs'>;

/** The tables that a job writes, one after the other. */
class Outputs {
  readonly #vfs: Vfs;
  readonly #input: OutputsInput;
  readonly #finished: TableMeta[] = [];
  #created = 0;
  #writer: TableWriter | undefined;
  /** Index of the first border above the current key. */
  #nextBorder = 0;

  constructor(vfs: Vfs, input: OutputsInput) {
    this.#vfs = vfs;
    this.#input = input;
  }

  async writeAll(cursor: Cursor): Promise<TableMeta[]> {
    try {
      await cursor.seek(NO_BYTES);
      while (cursor.valid) {
        if (this.#passesBorder(cursor) || this.#isFull()) await this.#finishTable();
        this.#writer ??= await this.#createWriter();
        this.#writer.add(cursor);
        if (this.#writer.wantsDrain) await this.#writer.drain();
        const wait = cursor.next();
        if (wait !== undefined) await wait;
      }
      await this.#finishTable();
      await this.#vfs.syncDirectory(this.#input.directory);
      return this.#finished;
    } catch (error) {
      await this.#removeAll();
      throw error;
    }
  }

  #passesBorder(cursor: Cursor): boolean {
    const { borders } = this.#input;
    const before = this.#nextBorder;
    for (; this.#nextBorder < borders.length; this.#nextBorder++) {
      const border = borders[this.#nextBorder] as Uint8Array;
      const { keyBytes, keyStart, keyEnd } = cursor;
      if (compareRanges(keyBytes, keyStart, keyEnd, border, 0, border.length) < 0) break;
    }
    return this.#nextBorder > before;
  }

  #isFull(): boolean {
    return this.#writer !== undefined && this.#writer.sizeBytes >= this.#input.tableBytes;
  }

  async #createWriter(): Promise<TableWriter> {
    const { directory, blockSizeBytes, suffixBytes, firstFileNumber } = this.#input;
    assert(this.#created < this.#input.fileNumberCount, 'enough file numbers were reserved');
    const fileNumber = firstFileNumber + this.#created++;
    const options = { vfs: this.#vfs, directory, fileNumber, blockSizeBytes, suffixBytes };
    return TableWriter.create(options);
  }

  async #finishTable(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#finished.push(await writer.finish());
    this.#writer = undefined;
  }

  /** What a failed job leaves is of no use. What cannot be removed now goes at the next open. */
  async #removeAll(): Promise<void> {
    await this.#writer?.abandon().catch(() => {});
    for (let i = 0; i < this.#created; i++) {
      const name = tableFileName(this.#input.firstFileNumber + i);
      await this.#vfs.remove(`${this.#input.directory}/${name}`).catch(() => {});
    }
  }
}

const READ_AHEAD_BYTES = 256 * 1024;
