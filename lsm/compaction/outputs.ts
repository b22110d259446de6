import assert from 'node:assert/strict';
import { compareRanges } from '../bytes.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { tableFileName } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { TableWriter } from '../sstable/table-writer.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { Sieve } from './sieve.ts';

export interface OutputsInput {
  readonly directory: string;
  readonly suffixBytes: number;
  readonly blockSizeBytes: number;
  readonly firstFileNumber: number;
  readonly fileNumberCount: number;
  readonly tableBytes: number;
  /** Keys at which an output must be cut, ascending. */
  readonly borders: readonly Uint8Array[];
}

/** The tables that a job writes, one after the other. */
export class Outputs {
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

  /** Writes what the sieve leaves: durable when this resolves, and no table at all when nothing is left. */
  async writeAll(cursor: Cursor, sieve?: Sieve): Promise<TableMeta[]> {
    try {
      await cursor.seek(NO_BYTES);
      while (cursor.valid) {
        const drops = sieve?.drops(cursor) ?? false;
        if (!(drops instanceof Promise ? await drops : drops)) {
          if (this.#passesBorder(cursor) || this.#isFull()) await this.#finishTable();
          this.#writer ??= await this.#createWriter();
          this.#writer.add(cursor);
          if (this.#writer.wantsDrain) await this.#writer.drain();
        }
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
