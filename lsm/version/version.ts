import { compareBytes } from '../bytes.ts';
import type { TableMeta } from '../sstable/table-meta.ts';

export const LEVEL_COUNT = 7;

/** A table and the level it is in. */
export interface PlacedTable {
  readonly level: number;
  readonly table: TableMeta;
}

/**
 * Which tables there are; never changes. In level 0 tables may overlap, newest first. In every level below
 * keys ascend from table to table and no key is in two of them. A newer value of a key may be in any level:
 * sequence numbers decide, not levels.
 */
export class Version {
  readonly levels: readonly (readonly TableMeta[])[];
  /** Added up when first asked for. */
  #bytes: number | undefined;

  constructor(levels: readonly (readonly TableMeta[])[]) {
    this.levels = levels;
  }

  static readonly empty = new Version(Array.from({ length: LEVEL_COUNT }, () => []));

  /** The version after a change. Removing what is not there changes nothing. */
  apply(added: readonly PlacedTable[], removed: ReadonlySet<number>): Version {
    return new Version(
      this.levels.map((tables, level) => {
        const kept = tables.filter((table) => !removed.has(table.fileNumber));
        const arrived = added.filter((entry) => entry.level === level).map(({ table }) => table);
        if (arrived.length === 0) return kept.length === tables.length ? tables : kept;
        return [...kept, ...arrived].sort(level === 0 ? newestFirst : byKey);
      }),
    );
  }

  tables(): TableMeta[] {
    return this.levels.flat();
  }

  placedTables(): PlacedTable[] {
    return this.levels.flatMap((tables, level) => tables.map((table) => ({ level, table })));
  }

  /** Of all tables. */
  get bytes(): number {
    this.#bytes ??= this.bytesPerLevel.reduce((sum, bytes) => sum + bytes, 0);
    return this.#bytes;
  }

  get bytesPerLevel(): number[] {
    return this.levels.map((tables) => tables.reduce((sum, table) => sum + table.bytes, 0));
  }

  /** The tables of a level that may hold keys in `[from, to]`. */
  overlapping(level: number, from: Uint8Array, to: Uint8Array): readonly TableMeta[] {
    return this.#select(level, from, (table) => compareBytes(table.smallest, to) <= 0);
  }

  /** The tables of a level that may hold keys in `[lower, upper)`; no `upper` means no end. */
  within(level: number, lower: Uint8Array, upper: Uint8Array | undefined): readonly TableMeta[] {
    return this.#select(
      level,
      lower,
      (table) => upper === undefined || compareBytes(table.smallest, upper) < 0,
    );
  }

  /** The table of a sorted level that holds the first key at or after `key`, if any does. */
  tableReaching(level: number, key: Uint8Array): TableMeta | undefined {
    const tables = this.levels[level] ?? [];
    return tables[firstReaching(tables, key)];
  }

  /** Tables that end at or after `from` and begin where `beginsInside` says yes. */
  #select(
    level: number,
    from: Uint8Array,
    beginsInside: (table: TableMeta) => boolean,
  ): readonly TableMeta[] {
    const tables = this.levels[level] ?? [];
    if (level === 0) {
      return tables.filter(
        (table) => compareBytes(table.largest, from) >= 0 && beginsInside(table),
      );
    }
    const start = firstReaching(tables, from);
    let end = start;
    while (end < tables.length && beginsInside(tables[end] as TableMeta)) end++;
    return tables.slice(start, end);
  }

  /** What is wrong with this version, in words; `undefined` when all its invariants hold. */
  checkInvariants(borders: readonly Uint8Array[] = []): string | undefined {
    const seen = new Set<number>();
    for (const { level, table } of this.placedTables()) {
      if (seen.has(table.fileNumber)) return `table ${table.fileNumber} is there twice`;
      seen.add(table.fileNumber);
      if (compareBytes(table.smallest, table.largest) > 0) {
        return `table ${table.fileNumber} ends before it begins`;
      }
      if (level > 0 && crossesBorder(table.smallest, table.largest, borders)) {
        return `table ${table.fileNumber} in level ${level} crosses a border`;
      }
    }
    for (let level = 1; level < this.levels.length; level++) {
      const tables = this.levels[level] ?? [];
      for (let i = 1; i < tables.length; i++) {
        const [before, after] = [tables[i - 1] as TableMeta, tables[i] as TableMeta];
        if (compareBytes(before.largest, after.smallest) >= 0) {
          return `tables ${before.fileNumber} and ${after.fileNumber} overlap in level ${level}`;
        }
      }
    }
    return undefined;
  }
}

/** Place of the first of some ascending tables that ends at or after `key`. */
export function firstReaching(tables: readonly TableMeta[], key: Uint8Array): number {
  let low = 0;
  let high = tables.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes((tables[middle] as TableMeta).largest, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Place of the first of some ascending tables that begins at or after `key`. */
export function firstStartingAt(tables: readonly TableMeta[], key: Uint8Array): number {
  let low = 0;
  let high = tables.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes((tables[middle] as TableMeta).smallest, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a border lies after `smallest` and up to `largest`: a border is the first key behind it. */
export function crossesBorder(
  smallest: Uint8Array,
  largest: Uint8Array,
  borders: readonly Uint8Array[],
): boolean {
  return borders.some(
    (border) => compareBytes(smallest, border) < 0 && compareBytes(border, largest) <= 0,
  );
}

function newestFirst(a: TableMeta, b: TableMeta): number {
  return b.seqMax - a.seqMax || b.fileNumber - a.fileNumber;
}

function byKey(a: TableMeta, b: TableMeta): number {
  return compareBytes(a.smallest, b.smallest);
}
