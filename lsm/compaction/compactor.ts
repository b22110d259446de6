import { corruptionDetail, isCorruption } from '../corruption.ts';
import type { CompactedTables, EngineEvent, EngineTable } from '../engine.ts';
import type { Offload } from '../offload/offload.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { PlacedTable } from '../version/version.ts';
import type { VersionEdit } from '../version/version-edit.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { CompactionFilterSpec } from './filter.ts';
import type { CompactInput, CompactOutput, RewriteInput } from './job.ts';
import { tablesElsewhere } from './series-elsewhere.ts';
import type { SieveInput } from './sieve.ts';
import { type Choice, choose, editFor, type StrategyOptions } from './strategy.ts';

export interface CompactorOptions extends StrategyOptions {
  readonly versions: VersionSet;
  readonly offload: Offload;
  readonly directory: string;
  readonly suffixBytes: number;
  readonly blockSizeBytes: number;
  readonly tableBytes: number;
  /** The filter for a job made in this breath. */
  readonly filterSpec: () => CompactionFilterSpec | undefined;
  readonly onEvent: (event: EngineEvent) => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Runs compactions as long as the strategy has something to do, and when it has not, the rewrites that were
 * asked for: one job at a time, so that no two ever have a table in common.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  /** Files of compactions that met damage: left alone from then on, so that they are not tried forever. */
  readonly #avoid = new Set<number>();
  readonly #rewrites: WantedRewrite[] = [];
  /** Cleared in the same breath as the last look for work, so that no kick falls in between. */
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();
  #step: Promise<void> | undefined;
  #closed = false;
  #writtenBytes = 0;
  #droppedEntries = 0;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** What the filter has dropped. */
  get droppedEntries(): number {
    return this.#droppedEntries;
  }

  /** The job under way; resolves when it is done, whatever came of it. */
  get currentStep(): Promise<void> | undefined {
    return this.#step;
  }

  /** To be called after each change of the version. */
  kick(): void {
    if (this.#isRunning || this.#closed) return;
    this.#isRunning = true;
    this.#running = this.#run();
  }

  /** Resolves when there is nothing more to compact now. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Waits for the compaction under way; no other begins. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  /** Rewrites, each in its place, the tables there are now that are wanted and can be read. */
  async rewriteWhere(wants: (table: EngineTable) => boolean): Promise<CompactedTables> {
    const wanted = this.#options.versions.state.version
      .placedTables()
      .filter(({ table }) => !table.damaged && !this.#avoid.has(table.fileNumber))
      .filter((placed) => wants(describe(placed)));
    let [tablesRewritten, droppedEntries] = [0, 0];
    const judgedFileNumbers: number[] = [];
    for (const { table } of wanted) {
      const output = await this.#requestRewrite(table.fileNumber);
      if (output === undefined) continue;
      if (output.droppedEntries > 0) tablesRewritten++;
      droppedEntries += output.droppedEntries;
      const judged = output.droppedEntries > 0 ? output.tables : [table];
      judgedFileNumbers.push(...judged.map(({ fileNumber }) => fileNumber));
    }
    return { tablesRewritten, droppedEntries, judgedFileNumbers };
  }

  /** `undefined` when nothing came of it: the table is gone or damaged, or the compactor is closed. */
  #requestRewrite(fileNumber: number): Promise<CompactOutput | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((settle) => {
      this.#rewrites.push({ fileNumber, settle });
      this.kick();
    });
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#step = this.#nextStep();
      if (this.#step === undefined) break;
      await this.#step;
      this.#step = undefined;
    }
    if (this.#closed) for (const { settle } of this.#rewrites.splice(0)) settle(undefined);
    this.#isRunning = false;
  }

  #nextStep(): Promise<void> | undefined {
    const { version } = this.#options.versions.state;
    const choice = choose(version, this.#options, this.#avoid);
    if (choice.kind !== 'nothing') return this.#carryOut(choice);
    const wanted = this.#rewrites.shift();
    return wanted && this.#rewrite(wanted);
  }

  async #carryOut(choice: Exclude<Choice, { kind: 'nothing' }>): Promise<void> {
    const inputs =
      choice.kind === 'move' ? choice.tables : [...choice.tables, ...choice.overlapped];
    await this.#attempt(choice.level, inputs, async () => {
      const output = choice.kind === 'move' ? NOTHING_WRITTEN : await this.#merge(choice, inputs);
      return { output, edit: editFor(choice, output.tables) };
    });
  }

  async #rewrite({ fileNumber, settle }: WantedRewrite): Promise<void> {
    const placed = this.#options.versions.state.version
      .placedTables()
      .find(({ table }) => table.fileNumber === fileNumber);
    const sieve = placed && this.#sieveFor([placed.table]);
    if (placed === undefined || sieve === undefined || this.#avoid.has(fileNumber)) {
      settle(undefined);
      return;
    }
    const { level, table } = placed;
    const output = await this.#attempt(level, [table], async () => {
      const written = await this.#writeAgain(table, sieve);
      if (written.droppedEntries === 0) return { output: written };
      const added = written.tables.map((smaller) => ({ level, table: smaller }));
      return { output: written, edit: { added, removed: [fileNumber] } };
    });
    settle(output);
  }

  /** Does one job and makes its edit current. Damage met is reported, any other failure is final. */
  async #attempt(
    level: number,
    inputs: readonly TableMeta[],
    job: () => Promise<{ readonly output: CompactOutput; readonly edit?: VersionEdit }>,
  ): Promise<CompactOutput | undefined> {
    const { versions, onEvent } = this.#options;
    onEvent({ kind: 'compaction-begin', level, tables: inputs.length });
    try {
      const { output, edit } = await job();
      const { tables, droppedEntries } = output;
      const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
      if (edit !== undefined) await versions.commit(edit);
      this.#writtenBytes += bytes;
      this.#droppedEntries += droppedEntries;
      onEvent({ kind: 'compaction-end', level, bytes, droppedEntries });
      return output;
    } catch (error) {
      this.#failed(error, inputs);
      return undefined;
    }
  }

  #failed(error: unknown, inputs: readonly TableMeta[]): void {
    if (!isCorruption(error)) {
      this.#closed = true;
      this.#options.onFailure(error);
      return;
    }
    for (const { fileNumber } of inputs) this.#avoid.add(fileNumber);
    const { file, offset } = corruptionDetail(error);
    this.#options.onEvent({ kind: 'corruption', file, offset, reason: error.message });
  }

  #merge(
    choice: Extract<Choice, { kind: 'merge' }>,
    inputs: readonly TableMeta[],
  ): Promise<CompactOutput> {
    const { versions, offload, directory, suffixBytes, blockSizeBytes, tableBytes, borders } =
      this.#options;
    // Twice what the bytes come to, as compression may differ, and one more table for every cut.
    const inputBytes = inputs.reduce((sum, table) => sum + table.bytes, 0);
    const fileNumberCount = 2 * Math.ceil(inputBytes / tableBytes) + borders.length + 2;
    const input: CompactInput = {
      directory,
      suffixBytes,
      blockSizeBytes,
      tableBytes,
      borders,
      runs: runsOf(choice),
      sieve: this.#sieveFor(inputs),
      firstFileNumber: versions.allocateFileNumbers(fileNumberCount),
      fileNumberCount,
    };
    return offload.run('compact', input) as Promise<CompactOutput>;
  }

  #writeAgain(table: TableMeta, sieve: SieveInput): Promise<CompactOutput> {
    const { versions, offload, directory, suffixBytes, blockSizeBytes } = this.#options;
    const fileNumber = versions.allocateFileNumbers(1);
    const input: RewriteInput = {
      directory,
      suffixBytes,
      blockSizeBytes,
      table,
      fileNumber,
      sieve,
    };
    return offload.run('rewrite', input) as Promise<CompactOutput>;
  }

  /** Version and filter of one moment: what is in neither tables nor memtables now is written later. */
  #sieveFor(inputs: readonly TableMeta[]): SieveInput | undefined {
    const { versions, suffixBytes, filterSpec } = this.#options;
    const spec = filterSpec();
    if (spec === undefined) return undefined;
    return { spec, elsewhere: tablesElsewhere(versions.state.version, inputs, suffixBytes) };
  }
}

interface WantedRewrite {
  readonly fileNumber: number;
  readonly settle: (output: CompactOutput | undefined) => void;
}

const NOTHING_WRITTEN: CompactOutput = { tables: [], droppedEntries: 0 };

function runsOf(choice: Extract<Choice, { kind: 'merge' }>): TableMeta[][] {
  const upper = choice.level === 0 ? choice.tables.map((table) => [table]) : [[...choice.tables]];
  return [...upper, [...choice.overlapped]].filter((run) => run.length > 0);
}

function describe({ level, table }: PlacedTable): EngineTable {
  return {
    fileNumber: table.fileNumber,
    level,
    sizeBytes: table.bytes,
    entryCount: table.entryCount,
    smallestKey: table.smallest,
    largestKey: table.largest,
    largestSuffix: table.suffixMax,
  };
}
