import type { TableMeta } from '../sstable/table-meta.ts';
import { LEVEL_COUNT, type Version } from '../version/version.ts';
import {
  atMostRuns,
  type Choice,
  deepestFree,
  descentOf,
  NOTHING,
  overlappedBy,
  totalBytes,
  usableTables,
  usedLevels,
} from './choice.ts';
import { nextSlice, type Sweep, type SweepOptions, sweepsByWorth } from './sweep.ts';

export interface StrategyOptions extends SweepOptions {
  /** So many tables in level 0 are merged. */
  readonly level0TablesTrigger: number;
}

/**
 * Tiered compaction: each level below 0 is one run. A full level 0 becomes a new run above the others; when there
 * are too many, some neighbouring runs become one, slice by slice (`Sweep`). The deepest run has
 * at least half of all, so that at most so much is taken by values that newer ones hide. Pure: it sees a
 * version and names what to do.
 *
 * After "lazy leveling" (Dayan and Idreos, *Dostoevsky*, SIGMOD 2018); which runs are merged is much like in
 * Mathieu et al., *Bigtable merge compaction* (2014). `lsm/README.md` has what it writes and the alternatives.
 *
 * `avoid` has the files that a compaction has found damaged, `sweep` comes from the choice before.
 */
export function choose(
  version: Version,
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
  sweep?: Sweep,
): Choice {
  const fromLevel0 = chooseLevel0(version, options, avoid);
  if (fromLevel0.kind !== 'nothing') return fromLevel0;
  const sweeps = () => dueSweeps(version, avoid);
  for (const next of sweep === undefined ? sweeps() : [sweep, ...sweeps()]) {
    const slice = nextSlice(version, next, options, avoid);
    if (slice.kind !== 'nothing') return slice;
  }
  return NOTHING;
}

/** The best first: in the way of others there may be damaged tables. */
function dueSweeps(version: Version, avoid: ReadonlySet<number>): readonly Sweep[] {
  const levels = usedLevels(version, avoid);
  if (levels.length > RUNS_MAX) return sweepsByWorth(version, avoid, 'any');
  const sizes = levels.map((level) => totalBytes(usableTables(version, level, avoid)));
  const deepest = sizes.at(-1) ?? 0;
  const above = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0);
  return above > deepest ? sweepsByWorth(version, avoid, 'into the last') : [];
}

/** Level 0 goes down whole: its tables overlap each other as a rule. */
function chooseLevel0(
  version: Version,
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice {
  const all = usableTables(version, 0, avoid);
  if (all.length < options.level0TablesTrigger) return NOTHING;
  const tables = atMostRuns(all, LEVEL_0_RUNS_MAX);
  const isUrgent = all.length >= 2 * options.level0TablesTrigger;
  return (
    besideOthers(version, tables, options, avoid) ??
    intoFreeLevel(version, tables, options, avoid) ??
    makeFreeLevel(version, options, avoid) ??
    (isUrgent ? intoCheapestLevel(version, tables, options, avoid) : NOTHING)
  );
}

/** Keys that come in order end up side by side in one level, and nothing is written twice. */
function besideOthers(
  version: Version,
  tables: readonly TableMeta[],
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice | undefined {
  const target = deepestFree(version, tables);
  if (target === undefined || version.levels[target]?.length === 0) return undefined;
  return descentOf(version, 0, target, tables, { ...options, avoid });
}

/** As deep as may be, above all other runs. */
function intoFreeLevel(
  version: Version,
  tables: readonly TableMeta[],
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice | undefined {
  const first = usedLevels(version, avoid)[0] ?? LEVEL_COUNT;
  for (let target = first - 1; target > 0; target--) {
    const choice = descentOf(version, 0, target, tables, { ...options, avoid });
    if (choice.kind !== 'nothing') return choice;
  }
  return undefined;
}

/** Moves a run down into a free level below it. */
function makeFreeLevel(
  version: Version,
  { borders }: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice | undefined {
  const used = usedLevels(version, avoid);
  for (let target = 2; target < LEVEL_COUNT; target++) {
    if (used.includes(target) || !used.includes(target - 1)) continue;
    const tables = usableTables(version, target - 1, avoid);
    const choice = descentOf(version, target - 1, target, tables, { avoid, borders });
    if (choice.kind === 'move') return choice;
  }
  return undefined;
}

function intoCheapestLevel(
  version: Version,
  tables: readonly TableMeta[],
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice {
  const targets = Array.from({ length: LEVEL_COUNT - 1 }, (_, i) => i + 1)
    .map((target) => ({ target, bytes: totalBytes(overlappedBy(version, target, tables)) }))
    .sort((a, b) => a.bytes - b.bytes);
  for (const { target } of targets) {
    const choice = descentOf(version, 0, target, tables, { ...options, avoid });
    if (choice.kind !== 'nothing') return choice;
  }
  return NOTHING;
}

/** More are merged: fewer would be written again more often, more looked through by every read (`lsm/README.md`). */
const RUNS_MAX = 4;
/** So many sources a merge has at most from there, so that their windows fit into memory. */
export const LEVEL_0_RUNS_MAX = 24;
