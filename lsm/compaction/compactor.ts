import { corruptionDetail, corruptionEvent, isCorruption } from '../corruption.ts';
import { type DiskRoom, diskFullError, isDiskFull } from '../disk-full.ts';
import type { CompactedTables, EngineEvent, EngineTable } from '../engine.ts';
import { closedError, type LsmError } from '../errors.ts';
import { tableFileName } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { PlacedTable } from '../version/version.ts';
import type { VersionEdit } from '../version/version-edit.ts';
import { type Descent, editFor, inputsOf, totalBytes } from './choice.ts';
import type { CompactionFilterSpec } from './filter.ts';
import { FullCompaction } from './full-compaction.ts';
import type { Stretch } from './full-strategy.ts';
import { newHaste, setHaste } from './haste.ts';
import type { CompactOutput } from './job.ts';
import { JobRunner, type JobRunnerOptions } from './job-runner.ts';
import type { SieveInput } from './sieve.ts';
import { choose, type StrategyOptions } from './strategy.ts';
import type { Sweep } from './sweep.ts';

export interface CompactorOptions extends StrategyOptions, JobRunnerOptions {
  /** What one job may take. */
  readonly compactionMemoryBytes: number;
  readonly diskRoom: DiskRoom;
  /** The filter for a job made in this breath. */
  readonly filterSpec: () => CompactionFilterSpec | undefined;
  readonly onEvent: (event: EngineEvent) => void;
  /** Returns what everybody is told from now on. */
  readonly onFailure: (error: unknown) => LsmError;
}

/**
 * Runs compactions as long as the strategy has something to do, and when it has not, the rewrites and then the
 * full compactions that were asked for: one job at a time, so that no two ever have a table in common.
 *
 * When the disk is full it stops, and the next kick begins again. Damage is reported and what has it left alone;
 * any other failure is final.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  readonly #jobs: JobRunner;
  /** Files that a compaction has found damaged: left alone from then on, so that they are not tried forever. */
  readonly #avoid = new Set<number>();
  readonly #exclusives: Wanted<void, { readonly work: () => Promise<void> }>[] = [];
  readonly #rewrites: WantedRewrite[] = [];
  /** The first is under way. */
  readonly #fulls: Wanted<CompactedTables, { readonly full: FullCompaction }>[] = [];
  /** What the strategy has begun. */
  #sweep: Sweep | undefined;
  /** Cleared in the same breath as the last look for work, so that no kick falls in between. */
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();
  #step: Promise<void> | undefined;
  readonly #haste = newHaste();
  /** Until the next kick, as there was no room: what is told to who wanted something. */
  #stopped: LsmError | undefined;
  #kicksToPass = 0;
  #kicksToPassNext = 0;
  #closed = false;
  /** Why it has closed, if nobody has asked for that. */
  #failure: LsmError | undefined;
  #writtenBytes = 0;
  #droppedEntries = 0;

  constructor(options: CompactorOptions) {
    this.#options = options;
    this.#jobs = new JobRunner(options);
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

  /**
   * To be called after each change of the version, and while the disk is full as often as somebody comes who would
   * write: what failed for lack of room is tried again, but ever more rarely, as it writes until it fails.
   */
  kick(): void {
    if (this.#options.diskRoom.isFull && this.#kicksToPass > 0) this.#kicksToPass--;
    else this.#start();
  }

  #start(): void {
    this.#updateHaste();
    if (this.#isRunning || this.#closed) return;
    this.#isRunning = true;
    this.#stopped = undefined;
    this.#running = this.#run();
  }

  /** Resolves when there is nothing more to compact now, or no room to do it. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Waits for the compaction under way; no other begins. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#updateHaste();
    await this.#running;
  }

  /**
   * Carries out work while no compaction runs. Rejects with what it rejects with, with what a compaction has failed of
   * meanwhile, or with ENGINE_CLOSED.
   */
  exclusively(work: () => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.reject(this.#failure ?? closedError());
    return new Promise((resolve, reject) => {
      this.#exclusives.push({ work, resolve, reject });
      this.#start();
    });
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

  /**
   * Brings together, job by job, what is in tables now. Resolves early when the compactor is closed, rejects with
   * DISK_FULL when there is no room for a job.
   */
  compactFully(): Promise<CompactedTables> {
    const { versions, tableFormat } = this.#options;
    const options = { ...this.#options, suffixBytes: tableFormat.suffixBytes };
    const full = new FullCompaction(options, versions.state.lastSeq);
    if (this.#closed) return Promise.resolve(full.result(versions.state.version));
    return new Promise((resolve, reject) => {
      this.#fulls.push({ full, resolve, reject });
      this.#start();
    });
  }

  /** `undefined` when nothing came of it: the table is gone or damaged, or the compactor is closed. */
  #requestRewrite(fileNumber: number): Promise<CompactOutput | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#rewrites.push({ fileNumber, resolve, reject });
      this.#start();
    });
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closed) {
        this.#step = this.#nextStep();
        if (this.#step === undefined) break;
        await this.#step;
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#step = undefined;
    if (this.#closed) {
      const reason = this.#failure ?? closedError();
      for (const { reject } of this.#exclusives.splice(0)) reject(reason);
      for (const { resolve } of this.#rewrites.splice(0)) resolve(undefined);
      while (this.#fulls.length > 0) this.#endFull();
    }
    this.#isRunning = false;
  }

  /** Other work waits for a merge, or soon writers do, who are slowed when level 0 is too full. */
  #updateHaste(): void {
    const { versions, level0TablesTrigger } = this.#options;
    const wanted = this.#exclusives.length + this.#rewrites.length + this.#fulls.length;
    const level0Tables = versions.state.version.levels[0]?.length ?? 0;
    const isFull = level0Tables >= 2 * level0TablesTrigger;
    setHaste(this.#haste, this.#closed || wanted > 0 || isFull);
  }

  #nextStep(): Promise<void> | undefined {
    this.#updateHaste();
    const exclusive = this.#exclusives.shift();
    if (exclusive !== undefined) return exclusive.work().then(exclusive.resolve, exclusive.reject);
    if (this.#stopped !== undefined) return undefined;
    const { version } = this.#options.versions.state;
    const choice = choose(version, this.#options, this.#avoid, this.#sweep);
    this.#sweep = undefined;
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
    wanted?.resolve(wanted.full.result(this.#options.versions.state.version));
  }

  async #carryOut(choice: Descent, full?: FullCompaction): Promise<void> {
    const inputs = inputsOf(choice);
    const output = await this.#attempt(choice.level, inputs, async () => {
      if (choice.kind === 'move') return { output: NOTHING_WRITTEN, edit: editFor(choice, []) };
      const { filterSpec, compactionMemoryBytes } = this.#options;
      const sieve = this.#jobs.sieveFor(inputs, filterSpec());
      const haste = full === undefined ? this.#haste : undefined;
      const written = await this.#jobs.merge(choice, sieve, compactionMemoryBytes, haste);
      // What is held may be alone when the next jobs are done.
      const isJudged = sieve?.spec !== undefined && written.heldEntries === 0;
      const judged = isJudged ? written.tables : [];
      return { output: written, edit: editFor(choice, written.tables), judged };
    });
    if (full === undefined && output !== undefined) this.#sweep = choice.sweep;
    if (choice.kind === 'merge') full?.merged(inputs, output);
  }

  async #judge(full: FullCompaction, stretch: Stretch): Promise<void> {
    const sieve = this.#jobs.sieveFor(stretch.tables, this.#options.filterSpec());
    const hasFilter = sieve?.spec !== undefined;
    full.stretchDone(stretch, hasFilter ? await this.#filter(stretch, sieve) : undefined);
  }

  async #rewrite(wanted: WantedRewrite): Promise<void> {
    const { versions, filterSpec } = this.#options;
    const placed = versions.state.version
      .placedTables()
      .find(({ table }) => table.fileNumber === wanted.fileNumber);
    const sieve = placed && this.#jobs.sieveFor([placed.table], filterSpec());
    if (sieve?.spec === undefined || this.#avoid.has(wanted.fileNumber)) {
      wanted.resolve(undefined);
      return;
    }
    const { level, table } = placed as PlacedTable;
    const output = await this.#filter({ level, tables: [table] }, sieve);
    if (this.#stopped !== undefined) wanted.reject(this.#stopped);
    else wanted.resolve(output);
  }

  /** Takes out of some tables what the filter drops, in their place. */
  #filter({ level, tables }: Stretch, sieve: SieveInput): Promise<CompactOutput | undefined> {
    return this.#attempt(level, tables, async () => {
      const output = await this.#jobs.rewrite(tables, sieve);
      if (output.droppedEntries === 0) return { output, judged: tables };
      const added = output.tables.map((table) => ({ level, table }));
      const removed = tables.map(({ fileNumber }) => fileNumber);
      return { output, edit: { added, removed }, judged: output.tables };
    });
  }

  /**
   * Does one job, makes its edit current and waits until the inputs are removed, so that only one job at a
   * time takes additional room. `undefined` when it failed.
   */
  async #attempt(
    level: number,
    inputs: readonly TableMeta[],
    job: () => Promise<JobResult>,
  ): Promise<CompactOutput | undefined> {
    const { versions, onEvent, diskRoom } = this.#options;
    onEvent({ kind: 'compaction-begin', level, tables: inputs.length });
    try {
      // Those asked for later may have a newer state of the filter in mind.
      const fulls = [...this.#fulls];
      const { output, edit, judged } = await job();
      if (edit !== undefined) {
        await versions.commit(edit, output.tables);
        await versions.removalsDone();
      }
      for (const { full } of fulls) full.judged(judged ?? []);
      const { droppedEntries } = output;
      const bytes = totalBytes(output.tables);
      this.#count(output);
      if (bytes > 0) {
        diskRoom.worked();
        this.#kicksToPassNext = 0;
      }
      onEvent({ kind: 'compaction-end', level, bytes, droppedEntries });
      return output;
    } catch (error) {
      this.#failed(error, inputs);
      return undefined;
    }
  }

  #count({ tables, droppedEntries }: CompactOutput): void {
    this.#writtenBytes += totalBytes(tables);
    this.#droppedEntries += droppedEntries;
  }

  #fail(error: unknown): void {
    this.#closed = true;
    this.#failure = this.#options.onFailure(error);
  }

  #failed(error: unknown, inputs: readonly TableMeta[]): void {
    if (isDiskFull(error)) {
      const stopped = diskFullError('nothing can be compacted', error);
      this.#stopped = stopped;
      this.#kicksToPass = this.#kicksToPassNext;
      this.#kicksToPassNext = Math.min(2 * this.#kicksToPassNext + 1, KICKS_TO_PASS_MAX);
      this.#options.diskRoom.full(error);
      for (const { reject } of this.#fulls.splice(0)) reject(stopped);
      for (const { reject } of this.#rewrites.splice(0)) reject(stopped);
      return;
    }
    if (!isCorruption(error)) return this.#fail(error);
    const detail = corruptionDetail(error);
    const { versions, onEvent } = this.#options;
    const files = inputs.map(({ fileNumber }) => fileNumber);
    const damaged = files.filter((file) => tableFileName(file) === detail.file);
    for (const file of damaged.length > 0 ? damaged : files) this.#avoid.add(file);
    onEvent(corruptionEvent(detail, versions.rangeOf(detail.file)));
  }
}

type Wanted<Result, What> = What & {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
};

type WantedRewrite = Wanted<CompactOutput | undefined, { readonly fileNumber: number }>;

interface JobResult {
  readonly output: CompactOutput;
  /** Nothing changes without one. */
  readonly edit?: VersionEdit;
  /** Tables that have nothing more to drop by the filter just used. */
  readonly judged?: readonly TableMeta[];
}

const KICKS_TO_PASS_MAX = 10_000;

const NOTHING_WRITTEN: CompactOutput = { tables: [], droppedEntries: 0, heldEntries: 0 };

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
