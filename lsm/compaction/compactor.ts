import { corruptionDetail, isCorruption } from '../corruption.ts';
import type { CompactedTables, EngineEvent, EngineTable } from '../engine.ts';
import type { Offload } from '../offload/offload.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { PlacedTable } from '../version/version.ts';
import type { VersionEdit } from '../version/version-edit.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { CompactionFilterSpec } from './filter.ts';
import { FullCompaction } from './full-compaction.ts';
import type { Stretch } from './full-strategy.ts';
import { type CompactInput, type CompactOutput, oneTable, type RewriteInput } from './job.ts';
import type { OutputsInput } from './outputs.ts';
import { tablesElsewhere } from './series-elsewhere.ts';
import type { SieveInput } from './sieve.ts';
import { type Choice, choose, type Descent, editFor, type StrategyOptions } from './strategy.ts';

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
 * Runs compactions as long as the strategy has something to do, and when it has not, the rewrites and then the
 * full compactions that were asked for: one job at a time, so that no two ever have a table in common.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  /** Files of compactions that met damage: left alone from then on, so that they are not tried forever. */
  readonly #avoid = new Set<number>();
  readonly #rewrites: WantedRewrite[] = [];
  /** The first is under way. */
  readonly #fulls: WantedFull[] = [];
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

  /** Brings together, job by job, what is in tables now. Resolves early when the compactor is closed. */
  compactFully(): Promise<CompactedTables> {
    const { versions } = this.#options;
    const full = new FullCompaction(this.#options, versions.state.lastSeq);
    if (this.#closed) return Promise.resolve(full.result(versions.state.version));
    return new Promise((settle) => {
      this.#fulls.push({ full, settle });
      this.kick();
    });
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
    if (this.#closed) {
      for (const { settle } of this.#rewrites.splice(0)) settle(undefined);
      while (this.#fulls.length > 0) this.#endFull();
    }
    this.#isRunning = false;
  }

  #nextStep(): Promise<void> | undefined {
    const { version } = this.#options.versions.state;
    const choice = choose(version, this.#options, this.#avoid);
    if (choice.kind !== 'nothing') return this.#carryOut(choice);
    const wanted = this.#rewrites.shift();
    return wanted === undefined ? this.#nextFullStep() : this.#rewrite(wanted);
  }

  #nextFullStep(): Promise<void> | undefined {
    const { versions, filterSpec } = this.#options;
    for (;;) {
      const full = this.#fulls[0]?.full;
      if (full === undefined) return undefined;
      const hasFilter = () => filterSpec() !== undefined;
      const choice = full.next(versions.state.version, this.#avoid, hasFilter);
      if (choice.kind === 'judge') return this.#judge(full, choice);
      if (choice.kind !== 'nothing') return this.#carryOut(choice, full);
      this.#endFull();
    }
  }

  #endFull(): void {
    const wanted = this.#fulls.shift();
    wanted?.settle(wanted.full.result(this.#options.versions.state.version));
  }

  async #carryOut(choice: Descent, full?: FullCompaction): Promise<void> {
    const inputs =
      choice.kind === 'move' ? choice.tables : [...choice.tables, ...choice.overlapped];
    const output = await this.#attempt(choice.level, inputs, async () => {
      if (choice.kind === 'move') return { output: NOTHING_WRITTEN, edit: editFor(choice, []) };
      const sieve = this.#sieveFor(inputs);
      const written = await this.#merge(choice, inputs, sieve);
      // What is held may be alone when the next jobs are done.
      const isJudged = sieve !== undefined && written.heldEntries === 0;
      const judged = isJudged ? written.tables : [];
      return { output: written, edit: editFor(choice, written.tables), judged };
    });
    if (choice.kind === 'merge') full?.merged(inputs, output);
  }

  async #judge(full: FullCompaction, stretch: Stretch): Promise<void> {
    const sieve = this.#sieveFor(stretch.tables);
    full.stretchDone(stretch, sieve && (await this.#filter(stretch, sieve)));
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
    settle(await this.#filter({ level: placed.level, tables: [placed.table] }, sieve));
  }

  /** Takes out of some tables what the filter drops, in their place. */
  #filter({ level, tables }: Stretch, sieve: SieveInput): Promise<CompactOutput | undefined> {
    return this.#attempt(level, tables, async () => {
      const output = await this.#writeAgain(tables, sieve);
      if (output.droppedEntries === 0) return { output, judged: tables };
      const added = output.tables.map((table) => ({ level, table }));
      const removed = tables.map(({ fileNumber }) => fileNumber);
      return { output, edit: { added, removed }, judged: output.tables };
    });
  }

  /**
   * Does one job, makes its edit current and waits until the inputs are removed, so that only one job at a
   * time takes additional room. Damage met is reported, any other failure is final.
   */
  async #attempt(
    level: number,
    inputs: readonly TableMeta[],
    job: () => Promise<JobResult>,
  ): Promise<CompactOutput | undefined> {
    const { versions, onEvent } = this.#options;
    onEvent({ kind: 'compaction-begin', level, tables: inputs.length });
    try {
      // Those asked for later may have a newer state of the filter in mind.
      const fulls = [...this.#fulls];
      const { output, edit, judged } = await job();
      const { tables, droppedEntries } = output;
      const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
      if (edit !== undefined) await versions.commit(edit);
      await versions.removalsDone();
      for (const { full } of fulls) full.judged(judged ?? []);
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
    sieve: SieveInput | undefined,
  ): Promise<CompactOutput> {
    const outputs = this.#outputsFor(inputs, this.#options.tableBytes);
    const input: CompactInput = { ...outputs, runs: runsOf(choice), sieve };
    return this.#options.offload.run('compact', input) as Promise<CompactOutput>;
  }

  #writeAgain(tables: readonly TableMeta[], sieve: SieveInput): Promise<CompactOutput> {
    const { versions, offload, tableBytes } = this.#options;
    const outputs =
      tables.length === 1
        ? oneTable(this.#options, versions.allocateFileNumbers(1))
        : this.#outputsFor(tables, Math.max(tableBytes, ...tables.map(({ bytes }) => bytes)));
    const input: RewriteInput = { ...outputs, tables, sieve };
    return offload.run('rewrite', input) as Promise<CompactOutput>;
  }

  #outputsFor(inputs: readonly TableMeta[], tableBytes: number): OutputsInput {
    const { versions, directory, suffixBytes, blockSizeBytes, borders } = this.#options;
    // Twice what the bytes come to, as compression may differ, and one more table for every cut.
    const inputBytes = inputs.reduce((sum, table) => sum + table.bytes, 0);
    const fileNumberCount = 2 * Math.ceil(inputBytes / tableBytes) + borders.length + 2;
    return {
      directory,
      suffixBytes,
      blockSizeBytes,
      tableBytes,
      borders,
      firstFileNumber: versions.allocateFileNumbers(fileNumberCount),
      fileNumberCount,
    };
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

interface WantedFull {
  readonly full: FullCompaction;
  readonly settle: (result: CompactedTables) => void;
}

interface JobResult {
  readonly output: CompactOutput;
  /** Nothing changes without one. */
  readonly edit?: VersionEdit;
  /** Tables that have nothing more to drop by the filter just used. */
  readonly judged?: readonly TableMeta[];
}

const NOTHING_WRITTEN: CompactOutput = { tables: [], droppedEntries: 0, heldEntries: 0 };

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
