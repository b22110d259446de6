import { compareBytes } from '../bytes.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { crossesBorder, LEVEL_COUNT, type Version } from '../version/version.ts';
import type { VersionEdit } from '../version/version-edit.ts';

export interface StrategyOptions {
  readonly level0TablesTrigger: number;
  /** Bytes that level 1 may have; each further level has `levelMultiplier` times as many. */
  readonly levelBaseBytes: number;
  readonly levelMultiplier: number;
  /** Keys that no table below level 0 may cross, ascending. */
  readonly borders: readonly Uint8Array[];
}

export type Choice =
  | { readonly kind: 'nothing' }
  /** The tables go one level down as they are. */
  | { readonly kind: 'move'; readonly level: number; readonly tables: readonly TableMeta[] }
  /** The tables are merged with `overlapped`, those of the next level that share keys with them. */
  | {
      readonly kind: 'merge';
      readonly level: number;
      readonly tables: readonly TableMeta[];
      readonly overlapped: readonly TableMeta[];
    };

/** Something to do. */
export type Descent = Exclude<Choice, { readonly kind: 'nothing' }>;

/**
 * Leveled compaction after LevelDB: the level that is fullest for its size gives to the next. Pure: it sees a
 * version and names what to do; `avoid` has the files that a compaction has found damaged.
 */
export function choose(
  version: Version,
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice {
  const scored = version.levels
    .map((tables, level) => ({ level, score: scoreOf(level, tables, options) }))
    .filter(({ level, score }) => score >= 1 && level < LEVEL_COUNT - 1)
    .sort((a, b) => b.score - a.score || a.level - b.level);
  for (const { level } of scored) {
    const choice =
      level === 0
        ? chooseLevel0(version, options, avoid)
        : cheapestDescent(version, level, tablesOf(version, level, avoid), options, avoid);
    if (choice.kind !== 'nothing') return choice;
  }
  return { kind: 'nothing' };
}

/** The edit that a choice comes to; `written` are the tables that a merge made. */
export function editFor(choice: Choice, written: readonly TableMeta[]): VersionEdit {
  if (choice.kind === 'nothing') return {};
  const added = choice.kind === 'move' ? choice.tables : written;
  const gone = choice.kind === 'move' ? choice.tables : [...choice.tables, ...choice.overlapped];
  return {
    added: added.map((table) => ({ level: choice.level + 1, table })),
    removed: gone.map(({ fileNumber }) => fileNumber),
  };
}

function scoreOf(level: number, tables: readonly TableMeta[], options: StrategyOptions): number {
  if (level === 0) return tables.length / options.level0TablesTrigger;
  return totalBytes(tables) / (options.levelBaseBytes * options.levelMultiplier ** (level - 1));
}

/** Level 0 goes down whole: its tables overlap each other as a rule. */
function chooseLevel0(
  version: Version,
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice {
  const tables = tablesOf(version, 0, avoid);
  if (tables.length < options.level0TablesTrigger) return { kind: 'nothing' };
  return choiceFor(version, 0, tables, options, avoid);
}

/** Of some tables of a level the one whose descent rewrites least for what it brings down. */
export function cheapestDescent(
  version: Version,
  level: number,
  tables: readonly TableMeta[],
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice {
  let best: Choice = { kind: 'nothing' };
  let bestRatio = Number.POSITIVE_INFINITY;
  for (const table of tables) {
    const below = version.overlapping(level + 1, table.smallest, table.largest);
    const ratio = totalBytes(below) / table.bytes;
    if (ratio >= bestRatio) continue;
    const choice = choiceFor(version, level, [table], options, avoid);
    if (choice.kind === 'nothing') continue;
    best = choice;
    bestRatio = ratio;
  }
  return best;
}

/** How some tables of a level go down one level; not at all when a table in their way is damaged. */
export function choiceFor(
  version: Version,
  level: number,
  tables: readonly TableMeta[],
  options: StrategyOptions,
  avoid: ReadonlySet<number>,
): Choice {
  const overlapped = overlappedBy(version, level + 1, tables);
  if (!overlapped.every((table) => isUsable(table, avoid))) return { kind: 'nothing' };
  if (overlapped.length === 0 && canMove(tables, options.borders)) {
    return { kind: 'move', level, tables };
  }
  return { kind: 'merge', level, tables, overlapped };
}

/**
 * Outputs of a merge lie within the span of its inputs and are not split where the span has a gap, so all
 * tables of the next level within the span take part.
 */
function overlappedBy(
  version: Version,
  level: number,
  tables: readonly TableMeta[],
): readonly TableMeta[] {
  const [first, ...others] = tables;
  if (first === undefined) return [];
  let { smallest, largest } = first;
  for (const table of others) {
    if (compareBytes(table.smallest, smallest) < 0) smallest = table.smallest;
    if (compareBytes(table.largest, largest) > 0) largest = table.largest;
  }
  return version.overlapping(level, smallest, largest);
}

function canMove(tables: readonly TableMeta[], borders: readonly Uint8Array[]): boolean {
  const sorted = [...tables].sort((a, b) => compareBytes(a.smallest, b.smallest));
  return sorted.every((table, i) => {
    const before = sorted[i - 1];
    if (before !== undefined && compareBytes(before.largest, table.smallest) >= 0) return false;
    return !crossesBorder(table.smallest, table.largest, borders);
  });
}

function tablesOf(
  version: Version,
  level: number,
  avoid: ReadonlySet<number>,
): readonly TableMeta[] {
  return (version.levels[level] ?? []).filter((table) => isUsable(table, avoid));
}

export function isUsable(table: TableMeta, avoid: ReadonlySet<number>): boolean {
  return !table.damaged && !avoid.has(table.fileNumber);
}

function totalBytes(tables: readonly TableMeta[]): number {
  return tables.reduce((sum, table) => sum + table.bytes, 0);
}
