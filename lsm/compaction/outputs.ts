import assert from 'node:assert/strict';
import { compareRanges } from '../bytes.ts';
import type { CodecName } from '../codec/codec.ts';
import type { MaybePromise } from '../engine.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { tableFileName } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { TableWriter } from '../sstable/table-writer.ts';
import type { Vfs } from '../vfs/vfs.ts';

/** How the tables of an engine are written, and where. Plain data, as it goes with every job. */
export interface TableFormat {
  readonly directory: string;
  readonly suffixBytes: number;
  readonly blockSizeBytes: number;
  readonly codec: CodecName;
  /** Whether there is a filter over whole keys beside that over series keys. */
  readonly keyFilter: boolean;
}

export interface OutputsInput extends TableFormat {
  readonly firstFileNumber: number;
  readonly fileNumberCount: number;
  readonly tableBytes: number;
  /** Keys at which an output must be cut, ascending. */
  readonly borders: readonly Uint8Array[];
}

/** Decides for each entry, in key order, whether it is left out. */
export interface Dropper {
  drops(entry: Cursor): MaybePromise<boolean>;
}

/** Waited for now and then, whenever something was written, so that others get their share. */
export type Pace = () => Promise<void>;

/** The tables that a job writes, one after the other. */
export class Outputs {
  readonly #vfs: Vfs;
  readonly #input: OutputsInput;
  readonly #pace: Pace | undefined;
  readonly #finished: TableMeta[] = [];
  #created = 0;
  #writer: TableWriter | undefined;
  /** Index of the first border above the current key. */
  #nextBorder = 0;

  constructor(vfs: Vfs, input: OutputsInput, pace?: Pace) {
    this.#vfs = vfs;
    this.#input = input;
    this.#pace = pace;
  }

  /** Writes what is not dropped: durable when this resolves, and no table at all when nothing is left. */
  async writeAll(cursor: Cursor, dropper?: Dropper): Promise<TableMeta[]> {
    try {
      await cursor.seek(NO_BYTES);
      while (cursor.valid) {
        const drops = dropper?.drops(cursor) ?? false;
        if (!(drops instanceof Promise ? await drops : drops)) {
          if (this.#passesBorder(cursor) || this.#isFull()) await this.#finishTable();
          this.#writer ??= await this.#createWriter();
          this.#writer.add(cursor);
          if (this.#writer.wantsDrain) await this.#drain(this.#writer);
        }
        const wait = cursor.next();
        if (wait !== undefined) await wait;
      }
      await this.#finishTable();
      if (this.#created > 0) await this.#vfs.syncDirectory(this.#input.directory);
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

  async #drain(writer: TableWriter): Promise<void> {
    await writer.drain();
    await this.#pace?.();
  }

  async #createWriter(): Promise<TableWriter> {
    const { firstFileNumber, fileNumberCount } = this.#input;
    const { directory, blockSizeBytes, suffixBytes, codec, keyFilter } = this.#input;
    assert(this.#created < fileNumberCount, 'enough file numbers were reserved');
    const fileNumber = firstFileNumber + this.#created++;
    const format = { directory, blockSizeBytes, suffixBytes, codec, keyFilter };
    return TableWriter.create({ vfs: this.#vfs, fileNumber, ...format });
  }

  async #finishTable(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    const table = await writer.finish();
    this.#finished.push(table);
    this.#writer = undefined;
    await this.#pace?.();
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

/** For a table that came from one memtable or one table: level 0 would get many out of one by cutting. */
export function oneTable(format: TableFormat, fileNumber: number): OutputsInput {
  const { directory, suffixBytes, blockSizeBytes, codec, keyFilter } = format;
  return {
    directory,
    suffixBytes,
    blockSizeBytes,
    codec,
    keyFilter,
    firstFileNumber: fileNumber,
    fileNumberCount: 1,
    tableBytes: Number.POSITIVE_INFINITY,
    borders: [],
  };
}
