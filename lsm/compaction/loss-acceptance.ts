import type { CorruptionDetail } from '../corruption.ts';
import { typedFailure } from '../disk-full.ts';
import type { KeyRange } from '../engine.ts';
import { keysOf, type TableMeta } from '../sstable/table-meta.ts';
import type { PlacedTable } from '../version/version.ts';
import { JobRunner, type JobRunnerOptions } from './job-runner.ts';
import { lostTables, outside, overlaps } from './lost-keys.ts';
import type { PendingReplacementOptions } from './range-replacement.ts';

export type LossAcceptanceOptions = JobRunnerOptions &
  Pick<PendingReplacementOptions, 'compactor' | 'apply'>;

/**
 * What is lost of a range stands for nothing any more: reads go past it, and what is older shows through. Reads all
 * tables of the range, and writes those again that are damaged. What of their keys lies outside is lost as before.
 * Resolves with whether anything was lost.
 */
export async function acceptLosses(
  range: KeyRange,
  options: LossAcceptanceOptions,
): Promise<boolean> {
  const { apply, compactor } = options;
  let hasLosses = false;
  const work = async () => {
    hasLosses = await giveUp(range, options);
  };
  try {
    await apply(() => compactor.exclusively(work));
  } catch (error) {
    throw typedFailure('losses cannot be accepted', error);
  }
  compactor.kick();
  return hasLosses;
}

/** Nothing is in memory, and nothing is flushed or compacted meanwhile. */
async function giveUp(range: KeyRange, options: JobRunnerOptions): Promise<boolean> {
  const { versions } = options;
  const jobs = new JobRunner(options);
  const removed: number[] = [];
  const added: PlacedTable[] = [];
  const written: TableMeta[] = [];
  for (const { level, table } of versions.state.version.placedTables()) {
    if (!overlaps(table, range)) continue;
    const found = await soundPartsOf(level, table, jobs, options);
    if (found === undefined) continue;
    const elsewhere = found.lost.flatMap((keys) => outside(keys, range));
    const parts = [...found.tables, ...lostTables(versions, table, elsewhere)];
    removed.push(table.fileNumber);
    written.push(...found.tables);
    added.push(...parts.map((part) => ({ level, table: part })));
  }
  if (removed.length > 0) await versions.commit({ added, removed }, written);
  await versions.removalsDone();
  return removed.length > 0;
}

/** Undefined: all of it is sound. */
async function soundPartsOf(
  level: number,
  table: TableMeta,
  jobs: JobRunner,
  { offload, tableFormat: { directory } }: JobRunnerOptions,
): Promise<{ tables: readonly TableMeta[]; lost: readonly KeyRange[] } | undefined> {
  if (table.damaged) return { tables: [], lost: [keysOf(table)] };
  const damage = (await offload.run('verify', { directory, table })) as CorruptionDetail[];
  return damage.length === 0 ? undefined : jobs.salvage(level, table, NO_KEYS);
}

/** Nothing is to be left out of what can be saved. */
const NO_KEYS = { lower: new Uint8Array(0), upper: new Uint8Array(0) } as const;
