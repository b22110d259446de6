import type { Offload } from '../offload/offload.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { VersionSet } from '../version/version-set.ts';
import { disjointRuns, type Merge } from './choice.ts';
import { tablesElsewhere } from './elsewhere.ts';
import type { CompactionFilterSpec } from './filter.ts';
import type { Haste } from './haste.ts';
import type { CompactInput, CompactOutput, CutInput, LoadInput, RewriteInput } from './job.ts';
import { type OutputsInput, oneTable, type TableFormat } from './outputs.ts';
import type { SalvageInput, SalvageOutput } from './salvage.ts';
import type { SieveInput } from './sieve.ts';

export interface JobRunnerOptions {
  readonly versions: VersionSet;
  readonly offload: Offload;
  readonly tableFormat: TableFormat;
  readonly tableBytes: number;
  readonly borders: readonly Uint8Array[];
}

/** Makes the plain data that jobs take, reserves numbers for the files they write, and has them done. */
export class JobRunner {
  readonly #options: JobRunnerOptions;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  merge(
    { level, tables, overlapped }: Merge,
    sieve: SieveInput | undefined,
    memoryBytes: number,
    haste: Haste | undefined,
  ): Promise<CompactOutput> {
    const upper = level === 0 ? disjointRuns(tables) : runsOfLevels(this.#options.versions, tables);
    const runs = [...upper, [...overlapped]].filter((run) => run.length > 0);
    const outputs = this.#outputsFor([...tables, ...overlapped], this.#options.tableBytes);
    const input: CompactInput = { ...outputs, runs, sieve, memoryBytes, haste };
    return this.#options.offload.run('compact', input) as Promise<CompactOutput>;
  }

  /** Writes neighbours again, in as few tables as they are now, or fewer. */
  rewrite(tables: readonly TableMeta[], sieve: SieveInput): Promise<CompactOutput> {
    const { offload, tableBytes } = this.#options;
    const outputs =
      tables.length === 1
        ? this.#asOne()
        : this.#outputsFor(tables, Math.max(tableBytes, ...tables.map(({ bytes }) => bytes)));
    const input: RewriteInput = { ...outputs, tables, sieve };
    return offload.run('rewrite', input) as Promise<CompactOutput>;
  }

  /** What of a table lies outside a range; `undefined` when that is all of it. In level 0 it stays one table. */
  cut(
    level: number,
    table: TableMeta,
    range: CutInput['range'],
  ): Promise<readonly TableMeta[] | undefined> {
    const outputs =
      level === 0
        ? this.#asOne()
        : { ...this.#outputsFor([table], Number.POSITIVE_INFINITY), borders: sidesOf(range) };
    const input: CutInput = { ...outputs, table, range };
    return this.#options.offload.run('cut', input) as Promise<readonly TableMeta[] | undefined>;
  }

  /** What can be saved of a damaged table outside a range. In level 0 it stays one table. */
  salvage(level: number, table: TableMeta, range: CutInput['range']): Promise<SalvageOutput> {
    const isSorted = level > 0;
    const outputs = isSorted
      ? { ...this.#outputs(LOST_MAX + 8), tableBytes: Number.POSITIVE_INFINITY }
      : this.#asOne();
    const borders = isSorted ? sidesOf(range) : [];
    const lostMax = LOST_MAX;
    const input: SalvageInput = { ...outputs, borders, table, range, isSorted, lostMax };
    return this.#options.offload.run('salvage', input) as Promise<SalvageOutput>;
  }

  load(
    blocks: readonly Uint8Array[],
    blockBytes: number,
    seq: number,
  ): Promise<readonly TableMeta[]> {
    const outputs = this.#outputs(this.#fileCountFor(blockBytes, this.#options.tableBytes));
    const input: LoadInput = { ...outputs, blocks, seq };
    return this.#options.offload.run('load', input) as Promise<readonly TableMeta[]>;
  }

  /**
   * What a job over these tables needs to know to drop something; `undefined` when there is nothing to drop. Version
   * and filter are of one moment: what is in neither tables nor memtables now is written later.
   */
  sieveFor(
    inputs: readonly TableMeta[],
    spec: CompactionFilterSpec | undefined,
  ): SieveInput | undefined {
    const { versions, tableFormat } = this.#options;
    const hasDeletions = inputs.some(({ deletionCount }) => deletionCount > 0);
    if (spec === undefined && !hasDeletions) return undefined;
    const { version } = versions.state;
    return { spec, elsewhere: tablesElsewhere(version, inputs, tableFormat.suffixBytes) };
  }

  #asOne(): OutputsInput {
    return oneTable(this.#options.tableFormat, this.#options.versions.allocateFileNumbers(1));
  }

  #outputsFor(inputs: readonly TableMeta[], tableBytes: number): OutputsInput {
    // What was compressed need not be when it is written again.
    const bytes = inputs.reduce((sum, table) => sum + Math.max(table.bytes, table.rawBytes), 0);
    return { ...this.#outputs(this.#fileCountFor(bytes, tableBytes)), tableBytes };
  }

  /** Twice what the bytes come to, as entries have more than key and value, and one for every cut. */
  #fileCountFor(bytes: number, tableBytes: number): number {
    return 2 * Math.ceil(bytes / tableBytes) + this.#options.borders.length + 4;
  }

  #outputs(fileNumberCount: number): OutputsInput {
    const { tableFormat, versions, tableBytes, borders } = this.#options;
    const firstFileNumber = versions.allocateFileNumbers(fileNumberCount);
    return { ...tableFormat, tableBytes, borders, firstFileNumber, fileNumberCount };
  }
}

/** More damage than that in one table is taken for one. */
const LOST_MAX = 32;

function sidesOf({ lower, upper }: CutInput['range']): Uint8Array[] {
  return upper === undefined ? [lower] : [lower, upper];
}

/** Tables of levels below 0, in a run for each level. */
function runsOfLevels({ state }: VersionSet, tables: readonly TableMeta[]): TableMeta[][] {
  const wanted = new Set(tables);
  return state.version.levels.map((level) => level.filter((table) => wanted.has(table)));
}
