import { compareBytes, prefixSuccessor } from '../bytes.ts';
import { isCorruption } from '../corruption.ts';
import { hashSeries, mayContain, type SeriesHash } from '../sstable/filter.ts';
import { mayHoldPrefix, seriesOf, type TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import { firstReaching, type Version } from '../version/version.ts';
import type { Vfs } from '../vfs/vfs.ts';

/**
 * The tables that may share a series with the inputs of a job, in runs without overlap. Looked for by series and not by
 * key: a series whose newest entries end an input may go on in the table next to it.
 */
export function tablesElsewhere(
  version: Version,
  inputs: readonly TableMeta[],
  suffixBytes: number,
): TableMeta[][] {
  const [smallest] = inputs.map((table) => table.smallest).sort(compareBytes);
  const largest = inputs
    .map((table) => table.largest)
    .sort(compareBytes)
    .at(-1);
  if (smallest === undefined || largest === undefined) return [];
  const lower = seriesOf(smallest, suffixBytes);
  const upper = prefixSuccessor(seriesOf(largest, suffixBytes));
  const own = new Set(inputs.map(({ fileNumber }) => fileNumber));
  return version.levels.flatMap((_, level) => {
    const others = version
      .within(level, lower, upper)
      .filter(({ fileNumber }) => !own.has(fileNumber));
    return level === 0 ? others.map((table) => [table]) : others.length > 0 ? [others] : [];
  });
}

/** Tells, for series in ascending order, whether some tables may hold them. Keeps one bloom filter of each run. */
export class SeriesElsewhere {
  readonly #runs: readonly Run[];

  constructor(vfs: Vfs, directory: string, runs: readonly (readonly TableMeta[])[]) {
    this.#runs = runs.map((tables) => new Run(vfs, directory, tables));
  }

  async mayHold(series: Uint8Array): Promise<boolean> {
    const hash = hashSeries(series, 0, series.length);
    for (const run of this.#runs) {
      if (await run.mayHold(series, hash)) return true;
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

  /** If the first table that reaches the series does not hold it, none of the run does. */
  async mayHold(series: Uint8Array, hash: SeriesHash): Promise<boolean> {
    const table = this.#tables[firstReaching(this.#tables, series)];
    if (table === undefined || !mayHoldPrefix(table, series)) return false;
    return mayContain(await this.#load(table), hash);
  }

  async #load(table: TableMeta): Promise<Uint8Array> {
    if (this.#filterOf !== table) {
      this.#filter = table.damaged ? NO_FILTER : await this.#read(table);
      this.#filterOf = table;
    }
    return this.#filter;
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
