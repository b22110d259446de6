import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import { type Descent, editFor } from '../../lsm/compaction/choice.ts';
import {
  chooseDescent,
  chooseStretch,
  type FullStrategyOptions,
  type Scope,
} from '../../lsm/compaction/full-strategy.ts';
import { NO_BYTES } from '../../lsm/iterator/cursor.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { LEVEL_COUNT, type PlacedTable, Version } from '../../lsm/version/version.ts';
import { applyEdit, EMPTY_STATE } from '../../lsm/version/version-edit.ts';

const TABLE_KEYS = 4;
const OPTIONS: FullStrategyOptions = {
  suffixBytes: 1,
  tableBytes: TABLE_KEYS,
  level0TablesTrigger: 4,
  borders: [Uint8Array.of(3), Uint8Array.of(6)],
};
const EVERYTHING: Scope = { seqMax: 100, avoid: new Set() };

/** A series and a time, newest first, as two digits. */
const keyOf = (digits: number) => Uint8Array.of(Math.floor(digits / 10), digits % 10);
const digitsOf = ([series = 0, time = 0]: Uint8Array) => series * 10 + time;

/** Tables with keys instead of bytes: each key is worth one. */
class Tables {
  readonly keys = new Map<number, readonly number[]>();

  of(level: number, digits: readonly number[], more: Partial<TableMeta> = {}): PlacedTable {
    const keys = [...new Set(digits)].sort((a, b) => a - b);
    const fileNumber = this.keys.size + 1;
    this.keys.set(fileNumber, keys);
    const [smallest, largest] = [keyOf(keys[0] as number), keyOf(keys.at(-1) as number)];
    const counts = { entryCount: keys.length, rawBytes: keys.length, bytes: keys.length };
    const [suffixMin, suffixMax] = [Uint8Array.of(0), Uint8Array.of(9)];
    const rest = {
      deletionCount: 0,
      seqMin: 1,
      seqMax: fileNumber,
      suffixMin,
      suffixMax,
      damaged: false,
    };
    return { level, table: { fileNumber, smallest, largest, ...counts, ...rest, ...more } };
  }

  keysOf(tables: readonly TableMeta[]): number[] {
    return tables.flatMap(({ fileNumber }) => this.keys.get(fileNumber) ?? []);
  }

  /** What a merge would write. */
  merge(level: number, inputs: readonly TableMeta[]): TableMeta[] {
    const keys = [...new Set(this.keysOf(inputs))].sort((a, b) => a - b);
    const outputs: number[][] = [];
    for (const key of keys) {
      const last = outputs.at(-1);
      const before = last?.at(-1) ?? key;
      const isCut = [30, 60].some((border) => before < border && border <= key);
      if (last === undefined || last.length === TABLE_KEYS || isCut) outputs.push([key]);
      else last.push(key);
    }
    return outputs.map((digits) => this.of(level, digits).table);
  }
}

const versionOf = (...placed: PlacedTable[]) => Version.empty.apply(placed, new Set());

/** Does one job after the other as long as there is one. */
function descend(tables: Tables, start: Version, scope = EVERYTHING) {
  let version = start;
  const jobs: Descent[] = [];
  for (;;) {
    const choice = chooseDescent(version, OPTIONS, scope);
    if (choice.kind === 'nothing') return { version, jobs };
    jobs.push(choice);
    expect(jobs.length).toBeLessThan(500);
    const written =
      choice.kind === 'merge'
        ? tables.merge(choice.target, [...choice.tables, ...choice.overlapped])
        : [];
    version = applyEdit({ ...EMPTY_STATE, version }, editFor(choice, written)).version;
    expect(version.checkInvariants(OPTIONS.borders)).toBeUndefined();
  }
}

const seriesIn = (tables: readonly TableMeta[]) =>
  tables.map(({ smallest, largest }) => [smallest[0] as number, largest[0] as number] as const);

function sharedSeries(version: Version): string[] {
  const levels = version.levels.map(seriesIn);
  return levels.flatMap((upper, level) =>
    levels
      .slice(level + 1)
      .flatMap((lower) =>
        upper.flatMap(([from, to]) =>
          lower
            .filter(([otherFrom, otherTo]) => from <= otherTo && otherFrom <= to)
            .map((other) => `${from}-${to} in level ${level}, ${other} below`),
        ),
      ),
  );
}

/** A version as compactions could have left it: sorted levels from chunks of keys. */
const someVersion = fc
  .record({
    flushed: fc.array(fc.uniqueArray(fc.nat(89), { minLength: 1, maxLength: 8 }), { maxLength: 5 }),
    below: fc.array(fc.uniqueArray(fc.nat(89), { maxLength: 25 }), {
      minLength: LEVEL_COUNT - 1,
      maxLength: LEVEL_COUNT - 1,
    }),
  })
  .map(({ flushed, below }) => {
    const tables = new Tables();
    const placed = flushed.map((digits) => tables.of(0, digits));
    for (const [i, digits] of below.entries()) {
      const source = digits.length > 0 ? [tables.of(0, digits).table] : [];
      placed.push(...tables.merge(i + 1, source).map((table) => ({ level: i + 1, table })));
    }
    return { tables, version: versionOf(...placed) };
  });

describe('the descent of a full compaction', () => {
  it('ends with level 0 empty and no series in two levels, and loses no key', () => {
    fc.assert(
      fc.property(someVersion, ({ tables, version }) => {
        const before = new Set(tables.keysOf(version.tables()));
        const after = descend(tables, version).version;
        expect(after.levels[0]).toEqual([]);
        expect(sharedSeries(after)).toEqual([]);
        expect(new Set(tables.keysOf(after.tables()))).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  it('merges below level 0 one table with those of the next level that share keys with it', () => {
    fc.assert(
      fc.property(someVersion, ({ tables, version }) => {
        for (const job of descend(tables, version).jobs) {
          if (job.level === 0) continue;
          const [table] = job.tables as [TableMeta];
          expect(job.tables.length).toBe(1);
          if (job.kind === 'move') continue;
          for (const { smallest, largest } of job.overlapped) {
            expect(compareBytes(smallest, table.largest)).toBeLessThanOrEqual(0);
            expect(compareBytes(table.smallest, largest)).toBeLessThanOrEqual(0);
          }
        }
      }),
    );
  });

  it('takes tables of level 0 together only where they overlap', () => {
    const tables = new Tables();
    const { jobs } = descend(
      tables,
      versionOf(tables.of(0, [11, 15]), tables.of(0, [41, 45]), tables.of(0, [13, 18])),
    );
    expect(jobs.map(({ kind, tables }) => [kind, tables.length])).toEqual([
      ['merge', 2],
      ['move', 1],
    ]);
  });

  it('sends a table past empty levels to the one that holds its series', () => {
    const tables = new Tables();
    const { version, jobs } = descend(
      tables,
      versionOf(tables.of(1, [12]), tables.of(1, [41]), tables.of(3, [15, 20]), tables.of(3, [72])),
    );
    expect(jobs.map(({ kind, level, target }) => [kind, level, target])).toEqual([['move', 1, 3]]);
    const digits = version.levels.map((level) => level.map(({ smallest }) => digitsOf(smallest)));
    expect(digits.slice(0, 4)).toEqual([[], [41], [], [12, 15, 72]]);
  });

  it('leaves newer tables alone and those below that only they share series with', () => {
    const tables = new Tables();
    const version = versionOf(
      tables.of(0, [11], { seqMin: 101 }),
      tables.of(1, [12, 40], { seqMin: 101 }),
      tables.of(2, [15]),
      tables.of(3, [42], { seqMin: 101 }),
    );
    expect(descend(tables, version).jobs).toEqual([]);
  });

  it('passes over damaged tables and what only they stop, and goes on with others', () => {
    const tables = new Tables();
    const [stopped, inTheWay] = [tables.of(1, [11, 14]), tables.of(2, [12, 13])];
    const [damaged, other] = [tables.of(1, [41], { damaged: true }), tables.of(0, [71, 75])];
    const version = versionOf(stopped, inTheWay, damaged, tables.of(2, [42]), other);
    const scope = { ...EVERYTHING, avoid: new Set([inTheWay.table.fileNumber]) };
    const { jobs } = descend(tables, version, scope);
    expect(jobs).toEqual([{ kind: 'move', level: 0, target: 6, tables: [other.table] }]);
  });
});

describe('the sweep of a full compaction', () => {
  const start = { level: 1, key: NO_BYTES };
  const nobody = () => false;
  const filesOf = (stretch: ReturnType<typeof chooseStretch>) =>
    stretch && [stretch.level, ...stretch.tables.map(({ fileNumber }) => fileNumber)];

  it('shows tables alone or with neighbours that share a series, level by level', () => {
    const tables = new Tables();
    const version = versionOf(
      tables.of(1, [11, 13, 14]),
      tables.of(1, [15, 20, 22]),
      tables.of(1, [30, 31, 32]),
      tables.of(2, [50, 51]),
    );
    const next = (level: number, digits: number, judged: number[]) =>
      filesOf(
        chooseStretch(
          version,
          { level, key: keyOf(digits) },
          (stretch) => stretch.every(({ fileNumber }) => judged.includes(fileNumber)),
          OPTIONS,
          EVERYTHING,
        ),
      );
    expect(filesOf(chooseStretch(version, start, nobody, OPTIONS, EVERYTHING))).toEqual([1, 1, 2]);
    expect(next(0, 0, [1, 2])).toEqual([1, 3]);
    expect(next(1, 22, [])).toEqual([1, 2]);
    expect(next(1, 22, [1, 2])).toEqual([1, 3]);
    expect(next(1, 32, [1, 2, 3])).toEqual([2, 4]);
    expect(next(2, 51, [1, 2, 3, 4])).toBeUndefined();
  });

  it('takes more than two only if they fit into one table', () => {
    const tables = new Tables();
    const small = [10, 11, 12, 13, 14].map((digits) => tables.of(4, [digits]));
    const version = versionOf(...small);
    const stretch = chooseStretch(version, start, nobody, OPTIONS, EVERYTHING);
    expect(filesOf(stretch)).toEqual([4, 1, 2, 3, 4]);
  });

  it('shows neither newer tables nor damaged ones', () => {
    const tables = new Tables();
    const version = versionOf(
      tables.of(1, [10, 11], { damaged: true }),
      tables.of(1, [12, 13]),
      tables.of(1, [14, 15], { seqMin: 101 }),
      tables.of(1, [16, 17]),
    );
    const scope = { ...EVERYTHING, avoid: new Set([4]) };
    expect(filesOf(chooseStretch(version, start, nobody, OPTIONS, scope))).toEqual([1, 2]);
  });
});
