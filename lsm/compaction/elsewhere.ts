import { compareBytes, prefixSuccessor } from '../bytes.ts';
import { isCorruption } from '../corruption.ts';
import { hashKey, mayContain } from '../sstable/filter.ts';
import { mayHoldPrefix, seriesOf, type TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import { firstReaching, type Version } from '../version/version.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { spanOf } from './choice.ts';

/**
 * The tables that may share a series with the inputs of a job, in runs without overlap. Looked for by series and not by
 * key: a series whose newest entries end an input may go on in the table next to it.
 */
export function tablesElsewhere(
  version: Version,
  inputs: readonly TableMeta[],
  suffixBytes: number,
): TableMeta[][] {
  const span = spanOf(inputs);
  if (span === undefined) return [];
  const lower = seriesOf(span.smallest, suffixBytes);
  const upper = prefixSuccessor(seriesOf(span.largest, suffixBytes));
  const own = new Set(inputs.map(({ fileNumber }) => fileNumber));
  return version.levels.flatMap((_, level) => {
    const others = version
      .within(level, lower, upper)
      .filter(({ fileNumber }) => !own.has(fileNumber));
    return level === 0 ? others.map((table) => [table]) : others.length > 0 ? [others] : [];
  });
}

/**
 * Tells, for keys in ascending order, whether tables outside a job may hold them. Keeps one bloom filter of each
 * run.
 */
export class Elsewhere {
  readonly #runs: readonly Run[];

  constructor(vfs: Vfs, directory: string, runs: readonly (readonly TableMeta[])[]) {
    this.#runs = runs.map((tables) => new Run(vfs, directory, tables));
  }

  /** Whether anything of a series may be there. */
  async mayHoldSeries(series: Uint8Array): Promise<boolean> {
    const hash = hashKey(series, 0, series.length);
    for (const run of this.#runs) {
      const table = run.tableReaching(series);
      if (table === undefined || !mayHoldPrefix(table, series)) continue;
      if (await run.mayContain(table, hash)) return true;
    }
    return false;
  }

  /** Whether an entry of a key that is older than `seq` may be there. */
  async mayHoldOlder(key: Uint8Array, suffixBytes: number, seq: number): Promise<boolean> {
    const hash = hashKey(key, 0, key.length - suffixBytes);
    for (const run of this.#runs) {
      const table = run.tableReaching(key);
      if (table === undefined || compareBytes(table.smallest, key) > 0) continue;
      if (table.seqMin < seq && (await run.mayContain(table, hash))) return true;
    }
    return false;
  }
}

class Run {
  readonly #vfs: Vfs;
  readonly #directory: string;
  readonly #tables: readonly TableMeta[];
  #filterOf: TableMeta | undefined;
  #filter: Uint8Array = NO_FILTER;

  constructor(vfs: Vfs, directory: string, tables: readonly TableMeta[]) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#tables = tables;
  }

  /** If it does not hold the key or the series, none of the run does. */
  tableReaching(key: Uint8Array): TableMeta | undefined {
    return this.#tables[firstReaching(this.#tables, key)];
  }

  async mayContain(table: TableMeta, hash: number): Promise<boolean> {
    if (this.#filterOf !== table) {
      this.#filter = table.damaged ? NO_FILTER : await this.#read(table);
      this.#filterOf = table;
    }
    return mayContain(this.#filter, hash);
  }

  /** A table whose filter is damaged may hold everything, and that is no fault of the job's inputs. */
  async #read({ fileNumber }: TableMeta): Promise<Uint8Array> {
    let reader: TableReader | undefined;
    try {
      reader = await TableReader.open(this.#vfs, this.#directory, fileNumber);
      return await reader.filter();
    } catch (error) {
      if (isCorruption(error)) return NO_FILTER;
      throw error;
    } finally {
      await reader?.close();
    }
  }
}

/** Makes no sense as a filter and so says "maybe" of every series. */
const NO_FILTER = new Uint8Array(0);
