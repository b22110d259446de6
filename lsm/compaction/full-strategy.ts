import { compareBytes, equalBytes, prefixSuccessor } from '../bytes.ts';
import { seriesOf, type TableMeta } from '../sstable/table-meta.ts';
import { firstReaching, LEVEL_COUNT, type Version } from '../version/version.ts';
import {
  atMostRuns,
  type Choice,
  deepestFree,
  descentOf,
  isUsable,
  NOTHING,
  totalBytes,
} from './choice.ts';
import { LEVEL_0_RUNS_MAX, type StrategyOptions } from './strategy.ts';

export interface FullStrategyOptions extends StrategyOptions {
  readonly suffixBytes: number;
}

/** What a full compaction is about. */
export interface Scope {
  /** Tables with newer entries only are left alone: otherwise steady writes would keep it from ending. */
  readonly seqMax: number;
  /** Files that a compaction has found damaged. */
  readonly avoid: ReadonlySet<number>;
}

/** How far the filter has come on its way through the levels. */
export interface PassPosition {
  readonly level: number;
  /** Tables that end before it are done. The one that holds it may yet be judged with the next. */
  readonly key: Uint8Array;
}

/** Tables that follow one another in a level, for the filter to see together. */
export interface Stretch {
  readonly level: number;
  readonly tables: readonly TableMeta[];
}

/**
 * The next job on the way to a version in which level 0 is empty and all tables that may share a series are
 * in one level, where they are neighbours. A table goes down to the next level that has any, merged with those that
 * share keys with it there, while any level below may hold one of its series. An entry only ever goes down, so
 * this ends.
 *
 * By series and not by key, as the table of a tombstone and that of the older value it hides need not overlap.
 * But only tables that do are merged, so that a job stays small however long a series is.
 */
export function chooseDescent(
  version: Version,
  options: FullStrategyOptions,
  scope: Scope,
): Choice {
  const settings = { avoid: scope.avoid, borders: options.borders };
  for (const group of overlappingGroups(subjects(version, 0, scope))) {
    const tables = atMostRuns(group, LEVEL_0_RUNS_MAX);
    const choice = descentOf(version, 0, deepestFree(version, tables) ?? 1, tables, settings);
    if (choice.kind !== 'nothing') return choice;
  }
  for (let level = 1; level < LEVEL_COUNT - 1; level++) {
    const target = nextUsed(version, level);
    if (target === undefined) break;
    const tables = subjects(version, level, scope).filter((table) =>
      sharesSeriesBelow(version, level, table, options.suffixBytes, scope),
    );
    const choice = cheapestDescent(version, level, target, tables, settings);
    if (choice.kind !== 'nothing') return choice;
  }
  return chooseIdleDeletions(version, scope);
}

/** Of a table's level, one level down or further: what rewrites least for what it brings down. */
function cheapestDescent(
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

/** A table that only moved here has deletions that hide nothing any more. Written again it has none. */
function chooseIdleDeletions(version: Version, scope: Scope): Choice {
  for (let level = 1; level < LEVEL_COUNT; level++) {
    const table = subjects(version, level, scope).find(
      ({ deletionCount, smallest, largest }) =>
        deletionCount > 0 &&
        version.levels.every(
          (_, other) =>
            other === level || version.overlapping(other, smallest, largest).length === 0,
        ),
    );
    if (table !== undefined) {
      return { kind: 'merge', level, target: level, tables: [table], overlapped: [] };
    }
  }
  return NOTHING;
}

function nextUsed({ levels }: Version, level: number): number | undefined {
  const place = levels.findIndex((tables, below) => below > level && tables.length > 0);
  return place < 0 ? undefined : place;
}

/**
 * The next tables below level 0 for the filter to see: two neighbours that share a series, more if all fit
 * into one table, or one that shares none. In key order and with the last of one stretch as the first of the
 * next, as what a newer entry hides stands behind it. `isJudged`: whether the filter has seen them together.
 */
export function chooseStretch(
  version: Version,
  position: PassPosition,
  isJudged: (stretch: readonly TableMeta[]) => boolean,
  options: FullStrategyOptions,
  scope: Scope,
): Stretch | undefined {
  for (let level = position.level; level < LEVEL_COUNT; level++) {
    const tables = version.levels[level] ?? [];
    const start = level === position.level ? firstReaching(tables, position.key) : 0;
    for (let at = start; at < tables.length; at++) {
      const stretch = stretchFrom(tables, at, options, scope);
      if (stretch.length > 0 && !isJudged(stretch)) return { level, tables: stretch };
    }
  }
  return undefined;
}

function stretchFrom(
  tables: readonly TableMeta[],
  start: number,
  { suffixBytes, tableBytes }: FullStrategyOptions,
  scope: Scope,
): readonly TableMeta[] {
  const stretch: TableMeta[] = [];
  let bytes = 0;
  for (let at = start; at < tables.length; at++) {
    const table = tables[at] as TableMeta;
    const before = stretch.at(-1);
    bytes += table.bytes;
    if (!isSubject(table, scope)) break;
    if (before !== undefined && !meetInSeries(before, table, suffixBytes)) break;
    if (stretch.length >= 2 && bytes > tableBytes) break;
    stretch.push(table);
  }
  return stretch;
}

function meetInSeries(before: TableMeta, after: TableMeta, suffixBytes: number): boolean {
  return equalBytes(seriesOf(before.largest, suffixBytes), seriesOf(after.smallest, suffixBytes));
}

function sharesSeriesBelow(
  version: Version,
  level: number,
  { smallest, largest }: TableMeta,
  suffixBytes: number,
  scope: Scope,
): boolean {
  const lower = seriesOf(smallest, suffixBytes);
  const upper = prefixSuccessor(seriesOf(largest, suffixBytes));
  for (let below = level + 1; below < LEVEL_COUNT; below++) {
    if (version.within(below, lower, upper).some((table) => isSubject(table, scope))) return true;
  }
  return false;
}

/** Tables in groups of which no two have a key in common. */
function overlappingGroups(tables: readonly TableMeta[]): TableMeta[][] {
  const groups: TableMeta[][] = [];
  let largest: Uint8Array | undefined;
  for (const table of [...tables].sort((a, b) => compareBytes(a.smallest, b.smallest))) {
    const goesOn = largest !== undefined && compareBytes(table.smallest, largest) <= 0;
    if (goesOn) groups.at(-1)?.push(table);
    else groups.push([table]);
    if (!goesOn || compareBytes(table.largest, largest as Uint8Array) > 0) largest = table.largest;
  }
  return groups;
}

function subjects(version: Version, level: number, scope: Scope): readonly TableMeta[] {
  return (version.levels[level] ?? []).filter((table) => isSubject(table, scope));
}

function isSubject(table: TableMeta, { avoid, seqMax }: Scope): boolean {
  return isUsable(table, avoid) && table.seqMin <= seqMax;
}
