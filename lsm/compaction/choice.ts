import { compareBytes } from '../bytes.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { crossesBorder, LEVEL_COUNT, type Version } from '../version/version.ts';
import type { VersionEdit } from '../version/version-edit.ts';
import type { Sweep } from './sweep.ts';

export type Choice = { readonly kind: 'nothing' } | Descent;

/** Something to do: tables go down to a level. */
export type Descent = Move | Merge;

interface Down {
  /** The topmost level that gives. */
  readonly level: number;
  /** Where it goes. */
  readonly target: number;
  /** How to go on afterwards, when this is one of several steps. */
  readonly sweep?: Sweep | undefined;
}

/** The tables go down as they are. */
export interface Move extends Down {
  readonly kind: 'move';
  readonly tables: readonly TableMeta[];
}

/** The tables of some levels are merged with `overlapped`, those of the target that share keys with them. */
export interface Merge extends Down {
  readonly kind: 'merge';
  readonly tables: readonly TableMeta[];
  readonly overlapped: readonly TableMeta[];
}

export const NOTHING: Choice = { kind: 'nothing' };

export function inputsOf(choice: Descent): readonly TableMeta[] {
  return choice.kind === 'move' ? choice.tables : [...choice.tables, ...choice.overlapped];
}

/** The edit that a choice comes to; `written` are the tables that a merge made. */
export function editFor(choice: Choice, written: readonly TableMeta[]): VersionEdit {
  if (choice.kind === 'nothing') return {};
  const added = choice.kind === 'move' ? choice.tables : written;
  return {
    added: added.map((table) => ({ level: choice.target, table })),
    removed: inputsOf(choice).map(({ fileNumber }) => fileNumber),
  };
}

/** How some tables go down to a level; not at all when a table in their way there is damaged. */
export function descentOf(
  version: Version,
  level: number,
  target: number,
  tables: readonly TableMeta[],
  { avoid, borders }: { avoid: ReadonlySet<number>; borders: readonly Uint8Array[] },
): Choice {
  const overlapped = overlappedBy(version, target, tables);
  if (!overlapped.every((table) => isUsable(table, avoid))) return NOTHING;
  if (overlapped.length === 0 && canMove(tables, borders)) {
    return { kind: 'move', level, target, tables };
  }
  return { kind: 'merge', level, target, tables, overlapped };
}

/**
 * Outputs of a merge lie within the span of its inputs and are not split where the span has a gap, so all
 * tables of the target within the span take part. In levels between they need not: sequence numbers decide.
 */
export function overlappedBy(
  version: Version,
  level: number,
  tables: readonly TableMeta[],
): readonly TableMeta[] {
  const span = spanOf(tables);
  return span === undefined ? [] : version.overlapping(level, span.smallest, span.largest);
}

/** The deepest level that has no key in the span of some tables. */
export function deepestFree(version: Version, tables: readonly TableMeta[]): number | undefined {
  for (let level = LEVEL_COUNT - 1; level > 0; level--) {
    if (overlappedBy(version, level, tables).length === 0) return level;
  }
  return undefined;
}

export function spanOf(
  tables: readonly TableMeta[],
): { readonly smallest: Uint8Array; readonly largest: Uint8Array } | undefined {
  const [first, ...others] = tables;
  if (first === undefined) return undefined;
  let { smallest, largest } = first;
  for (const table of others) {
    if (compareBytes(table.smallest, smallest) < 0) smallest = table.smallest;
    if (compareBytes(table.largest, largest) > 0) largest = table.largest;
  }
  return { smallest, largest };
}

/** As few lists as possible of tables that follow one another without overlap. */
export function disjointRuns(tables: readonly TableMeta[]): TableMeta[][] {
  const runs: TableMeta[][] = [];
  for (const table of [...tables].sort((a, b) => compareBytes(a.smallest, b.smallest))) {
    const run = runs.find((before) => {
      const last = before.at(-1) as TableMeta;
      return compareBytes(last.largest, table.smallest) < 0;
    });
    if (run === undefined) runs.push([table]);
    else run.push(table);
  }
  return runs;
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

function canMove(tables: readonly TableMeta[], borders: readonly Uint8Array[]): boolean {
  if (tables.some(({ smallest, largest }) => crossesBorder(smallest, largest, borders))) {
    return false;
  }
  return disjointRuns(tables).length <= 1;
}

export function isUsable(table: TableMeta, avoid: ReadonlySet<number>): boolean {
  return !table.damaged && !avoid.has(table.fileNumber);
}

/** Levels below 0 with something in them that can be merged. */
export function usedLevels(version: Version, avoid: ReadonlySet<number>): number[] {
  const levels = Array.from({ length: LEVEL_COUNT - 1 }, (_, i) => i + 1);
  return levels.filter((level) => usableTables(version, level, avoid).length > 0);
}

export function usableTables(
  version: Version,
  level: number,
  avoid: ReadonlySet<number>,
): readonly TableMeta[] {
  const tables = version.levels[level] ?? [];
  return tables.every((table) => isUsable(table, avoid))
    ? tables
    : tables.filter((table) => isUsable(table, avoid));
}

export function totalBytes(tables: readonly TableMeta[]): number {
  return tables.reduce((sum, table) => sum + table.bytes, 0);
}
