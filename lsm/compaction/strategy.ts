import { compareBytes } from '../bytes.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { LEVEL_COUNT, type Version } from '../version/version.ts';
import {
  type Choice,
  deepestFree,
  descentOf,
  NOTHING,
  overlappedBy,
  totalBytes,
} from './choice.ts';
import {
  nextSlice,
  type Sweep,
  type SweepOptions,
  sweepsByWorth,
  usableTables,
  usedLevels,
} from './sweep.ts';

export interface StrategyOptions extends SweepOptions {
  /** So many tables in level 0 are merged. */
  readonly level0TablesTrigger: number;
}

/**
 * Tiered compaction: each level below 0 is one run. A full level 0 becomes a new run above the others; when no
 * level is free for the next, some neighbouring runs become one, slice by slice (`Sweep`). The deepest run has
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

/** Those that come first in key order and make up at most so many runs. */
export function atMostRuns(tables: readonly TableMeta[], runsMax: number): readonly TableMeta[] {
  const inOrder = [...tables].sort((a, b) => compareBytes(a.smallest, b.smallest));
  const ends: Uint8Array[] = [];
  const count = inOrder.findIndex(({ smallest, largest }) => {
    const run = ends.findIndex((end) => compareBytes(end, smallest) < 0);
    ends[run < 0 ? ends.length : run] = largest;
    return ends.length > runsMax;
  });
  return count < 0 ? inOrder : inOrder.slice(0, count);
}

/** Of a table's level, one level down or further: what rewrites least for what it brings down. */
export function cheapestDescent(
  version: Version,
  level: number,
  target: number,
  tables: readonly TableMeta[],
  scope: { readonly avoid: ReadonlySet<number>; readonly borders: readonly Uint8Array[] },
): Choice {
  let best: Choice = NOTHING;
  let bestRatio = Number.POSITIVE_INFINITY;
  for (const table of tables) {
    const below = version.overlapping(target, table.smallest, table.largest);
    const ratio = totalBytes(below) / table.bytes;
    if (ratio >= bestRatio) continue;
    const choice = descentOf(version, level, target, [table], scope);
    if (choice.kind === 'nothing') continue;
    best = choice;
    bestRatio = ratio;
  }
  return best;
}

/** One level is kept free for level 0. */
const RUNS_MAX = LEVEL_COUNT - 2;
/** So many sources a merge has at most from there, so that their windows fit into memory. */
export const LEVEL_0_RUNS_MAX = 24;
