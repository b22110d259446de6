import { corruptionDetail, isCorruption } from '../corruption.ts';
import type { EngineEvent } from '../engine.ts';
import type { Offload } from '../offload/offload.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { CompactInput } from './job.ts';
import { type Choice, choose, editFor, type StrategyOptions } from './strategy.ts';

export interface CompactorOptions extends StrategyOptions {
  readonly versions: VersionSet;
  readonly offload: Offload;
  readonly directory: string;
  readonly suffixBytes: number;
  readonly blockSizeBytes: number;
  readonly tableBytes: number;
  readonly onEvent: (event: EngineEvent) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Runs compactions, one at a time, as long as the strategy has something to do. */
export class Compactor {
  readonly #options: CompactorOptions;
  /** Files of compactions that met damage: left alone from then on, so that they are not tried forever. */
  readonly #avoid = new Set<number>();
  /** Cleared in the same breath as the last look for work, so that no kick falls in between. */
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();
  #step: Promise<void> | undefined;
  #closed = false;
  #writtenBytes = 0;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** The compaction under way; resolves when it is done, whatever came of it. */
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

  async #run(): Promise<void> {
    while (!this.#closed) {
      const choice = choose(this.#options.versions.state.version, this.#options, this.#avoid);
      if (choice.kind === 'nothing') break;
      this.#step = this.#carryOut(choice);
      await this.#step;
      this.#step = undefined;
    }
    this.#isRunning = false;
  }

  async #carryOut(choice: Exclude<Choice, { kind: 'nothing' }>): Promise<void> {
    const { versions, onEvent } = this.#options;
    const { level } = choice;
    const inputs =
      choice.kind === 'move' ? choice.tables : [...choice.tables, ...choice.overlapped];
    onEvent({ kind: 'compaction-begin', level, tables: inputs.length });
    try {
      const written = choice.kind === 'move' ? [] : await this.#merge(choice, inputs);
      const bytes = written.reduce((sum, table) => sum + table.bytes, 0);
      await versions.commit(editFor(choice, written));
      this.#writtenBytes += bytes;
      onEvent({ kind: 'compaction-end', level, bytes });
    } catch (error) {
      if (!isCorruption(error)) {
        this.#closed = true;
        this.#options.onFailure(error);
        return;
      }
      for (const { fileNumber } of inputs) this.#avoid.add(fileNumber);
      const { file, offset } = corruptionDetail(error);
      onEvent({ kind: 'corruption', file, offset, reason: error.message });
    }
  }

  async #merge(
    choice: Extract<Choice, { kind: 'merge' }>,
    inputs: readonly TableMeta[],
  ): Promise<TableMeta[]> {
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
      firstFileNumber: versions.allocateFileNumbers(fileNumberCount),
      fileNumberCount,
    };
    return (await offload.run('compact', input)) as TableMeta[];
  }
}

function runsOf(choice: Extract<Choice, { kind: 'merge' }>): TableMeta[][] {
  const upper = choice.level === 0 ? choice.tables.map((table) => [table]) : [[...choice.tables]];
  return [...upper, [...choice.overlapped]].filter((run) => run.length > 0);
}
