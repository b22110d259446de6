import type { CompactedTables } from '../engine.ts';
import { NO_BYTES } from '../iterator/cursor.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { Version } from '../version/version.ts';
import type { Choice } from './choice.ts';
import {
  chooseDescent,
  chooseStretch,
  type FullStrategyOptions,
  type PassPosition,
  type Stretch,
} from './full-strategy.ts';
import type { CompactOutput } from './job.ts';

export type FullChoice = Choice | ({ readonly kind: 'judge' } & Stretch);

/**
 * One full compaction: first tables go down until all that may share a series are neighbours in one level,
 * then the filter sees what it has not seen, and neighbours together. Knows how far that has come.
 */
export class FullCompaction {
  readonly #options: FullStrategyOptions;
  readonly #seqMax: number;
  /** Files that have nothing more to drop by themselves: the filter has seen them since this began. */
  readonly #judged = new Set<number>();
  /** Files that have nothing more to drop together with the one behind them, after `seam`. */
  readonly #judgedSeams = new Set<string>();
  #position = PASS_BEGIN;
  #tablesRewritten = 0;
  #droppedEntries = 0;

  /** `seqMax`: newer entries need not take part. */
  constructor(options: FullStrategyOptions, seqMax: number) {
    this.#options = options;
    this.#seqMax = seqMax;
  }

  next(version: Version, avoid: ReadonlySet<number>, hasFilter: () => boolean): FullChoice {
    const scope = { seqMax: this.#seqMax, avoid };
    const descent = chooseDescent(version, this.#options, scope);
    if (descent.kind !== 'nothing') return descent;
    const stretchFrom = (position: PassPosition) =>
      chooseStretch(version, position, (tables) => this.#isJudged(tables), this.#options, scope);
    // Compactions that were due meanwhile leave new neighbours behind it. Without writes that ends.
    const again = () => (this.#isQuiet(version) ? stretchFrom(PASS_BEGIN) : undefined);
    const stretch = stretchFrom(this.#position) ?? again();
    if (stretch === undefined || !hasFilter()) return { kind: 'nothing' };
    return { kind: 'judge', ...stretch };
  }

  /** To be called with what the filter has left of the tables of a job, or let be, in key order. */
  judged(tables: readonly TableMeta[]): void {
    for (const [i, table] of tables.entries()) {
      this.#judged.add(table.fileNumber);
      const before = tables[i - 1];
      if (before !== undefined) this.#judgedSeams.add(seam(before, table));
    }
  }

  /** `output` is `undefined` when nothing came of the job: then its inputs are to be avoided. */
  merged(inputs: readonly TableMeta[], output: CompactOutput | undefined): void {
    if (output === undefined) return;
    this.#tablesRewritten += inputs.length;
    this.#droppedEntries += output.droppedEntries;
  }

  /** The same for tables that stayed in their level, and as they were if nothing was dropped. */
  stretchDone({ level, tables }: Stretch, output: CompactOutput | undefined): void {
    const isWritten = output !== undefined && output.droppedEntries > 0;
    if (isWritten) this.merged(tables, output);
    const last = (isWritten ? output.tables.at(-1) : undefined) ?? tables.at(-1);
    this.#position = { level, key: last?.largest ?? this.#position.key };
  }

  result(version: Version): CompactedTables {
    const judged = version.tables().filter(({ fileNumber }) => this.#judged.has(fileNumber));
    return {
      tablesRewritten: this.#tablesRewritten,
      droppedEntries: this.#droppedEntries,
      judgedFileNumbers: judged.map(({ fileNumber }) => fileNumber),
    };
  }

  #isJudged(tables: readonly TableMeta[]): boolean {
    return tables.every((table, i) => {
      const before = tables[i - 1];
      if (before !== undefined && !this.#judgedSeams.has(seam(before, table))) return false;
      return this.#judged.has(table.fileNumber);
    });
  }

  #isQuiet(version: Version): boolean {
    return version.tables().every(({ seqMax }) => seqMax <= this.#seqMax);
  }
}

const PASS_BEGIN: PassPosition = { level: 1, key: NO_BYTES };

function seam(before: TableMeta, after: TableMeta): string {
  return `${before.fileNumber} ${after.fileNumber}`;
}
