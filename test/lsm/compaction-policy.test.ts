import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import type { Choice } from '../../lsm/compaction/choice.ts';
import { choose, type StrategyOptions } from '../../lsm/compaction/strategy.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { LEVEL_COUNT, type PlacedTable, Version } from '../../lsm/version/version.ts';
import { seeded } from '../support/random.ts';
import { KEY_SPACE, keyOfNumber, numberOf, PolicySimulation } from './policy-simulation.ts';

const MB = 1_000_000;
const BORDERS = Array.from({ length: 15 }, (_, i) => keyOfNumber((i + 1) * 2 ** 28));
/** What 16 MiB of readings come to in a table. */
const FLUSH_BYTES = 6.6 * MB;
const NOBODY: ReadonlySet<number> = new Set();

const optionsWith = (borders: readonly Uint8Array[] = []): StrategyOptions => ({
  level0TablesTrigger: 4,
  tableBytes: 8 * MB,
  borders,
});

function simulation(
  borders: readonly Uint8Array[] = [],
  live?: (bytes: number, from: number, to: number) => number,
): PolicySimulation {
  const options = optionsWith(borders);
  const policy = (version: Version, last: Choice | undefined) =>
    choose(version, options, NOBODY, last?.kind === 'nothing' ? undefined : last?.sweep);
  const table = { tableBytes: 8 * MB, borders };
  return new PolicySimulation(policy, live === undefined ? table : { ...table, live });
}

describe('many series, each flush over all of them', () => {
  const random = seeded(5);
  const flushAll = (run: PolicySimulation, flushes: number) => {
    for (let i = 0; i < flushes; i++) {
      const [from, to] = [Math.floor(random() * 2 ** 20), Math.floor(random() * 2 ** 20)];
      run.flush(from, KEY_SPACE - 1 - to, FLUSH_BYTES);
      run.settle();
      expect(run.version.levels[0]?.length).toBeLessThan(4);
    }
    expect(run.version.bytes / run.flushedBytes).toBeGreaterThan(0.99);
  };

  // Plain leveled compaction, simulated the same way: 5.1, 7.8 and 11.5 (lsm/README.md).
  it.each([
    [10, 64, 3.6],
    [25, 160, 4.6],
    [100, 640, 6.5],
  ])('%i million readings: rewritten few times, few runs, small jobs', (_, flushes, most) => {
    for (const borders of [[], BORDERS]) {
      const run = simulation(borders);
      flushAll(run, flushes);
      expect(run.writeAmplification).toBeLessThan(most);
      expect(run.runsMax).toBeLessThanOrEqual(7);
      expect(run.jobBytesMax).toBeLessThan(300 * MB);
    }
  });

  it('at most half of the bytes are versions that newer ones hide', () => {
    const liveBytes = 400 * MB;
    // Of so many draws of keys so many are different.
    const run = simulation([], (bytes, from, to) => {
      const most = (liveBytes * (to - from)) / KEY_SPACE;
      return most * (1 - Math.exp(-bytes / most));
    });
    for (let i = 0; i < 600; i++) {
      run.flush(0, KEY_SPACE - 1, FLUSH_BYTES);
      run.settle();
      expect(run.version.bytes).toBeLessThan(2 * liveBytes + 6 * FLUSH_BYTES);
    }
    expect(run.writeAmplification).toBeLessThan(3.5);
  });
});

describe('other orders of keys', () => {
  it('in ascending order nothing is written twice, and all is one run', () => {
    const run = simulation();
    const width = Math.floor(KEY_SPACE / 300);
    for (let i = 0; i < 300; i++) {
      run.flush(i * width, (i + 1) * width - 1, FLUSH_BYTES);
      run.settle();
    }
    expect(run.rewrittenBytes).toBe(0);
    expect(run.version.levels.map((tables) => tables.length)).toEqual([0, 0, 0, 0, 0, 0, 300]);
  });

  it.each([0.5, 0.05])('flushes over a part of the keys (%f): bounded as well', (part) => {
    const random = seeded(7);
    for (const borders of [[], BORDERS]) {
      const run = simulation(borders);
      for (let i = 0; i < 300; i++) {
        const from = Math.floor(random() * KEY_SPACE * (1 - part));
        run.flush(from, from + Math.floor(KEY_SPACE * part) - 1, FLUSH_BYTES);
        run.settle();
      }
      expect(run.writeAmplification).toBeLessThan(6);
      expect(run.runsMax).toBeLessThanOrEqual(7);
    }
  });

  it('flushes of very different sizes', () => {
    const random = seeded(9);
    const run = simulation();
    for (let i = 0; i < 400; i++) {
      run.flush(0, KEY_SPACE - 1, Math.ceil(FLUSH_BYTES * random() ** 6));
      run.settle();
    }
    expect(run.writeAmplification).toBeLessThan(6);
    expect(run.runsMax).toBeLessThanOrEqual(7);
  });
});

it('while flushes come between its jobs level 0 stays bounded and large runs are merged all the same', () => {
  const run = simulation(BORDERS);
  let jobs = 0;
  for (let i = 0; i < 600; i++) {
    run.flush(0, KEY_SPACE - 1, FLUSH_BYTES);
    // As fast as three times what is flushed is written.
    const budget = run.rewrittenBytes + 6 * FLUSH_BYTES;
    while (run.rewrittenBytes < budget && run.step()) jobs++;
    expect(run.version.levels[0]?.length).toBeLessThan(24);
  }
  expect(jobs).toBeGreaterThan(100);
  run.settle();
  expect(run.runs).toBeLessThanOrEqual(10);
});

it('tables that recovery found, all in level 0, become levels again without being rewritten', () => {
  const run = simulation();
  const found: PlacedTable[] = [];
  for (let i = 0; i < 500; i++) {
    const table = run.table(i * 1000, i * 1000 + 999, 8 * MB);
    found.push({ level: 0, table });
  }
  run.version = Version.empty.apply(found, new Set());
  run.settle();
  expect(run.rewrittenBytes).toBe(0);
  expect(run.version.levels[LEVEL_COUNT - 1]?.length).toBeGreaterThan(490);
});

describe('the choice', () => {
  const run = simulation();
  const versionOf = (...placed: PlacedTable[]) => Version.empty.apply(placed, new Set());
  const inLevel0 = (count: number, step = 0) =>
    Array.from({ length: count }, (_, i) => ({
      level: 0,
      table: run.table(i * step, i * step + 999, FLUSH_BYTES),
    }));
  const chosen = (version: Version, avoid = NOBODY, borders: Uint8Array[] = []) =>
    choose(version, optionsWith(borders), avoid);

  it('is nothing below the trigger', () => {
    expect(chosen(versionOf(...inLevel0(3))).kind).toBe('nothing');
    expect(chosen(versionOf(...inLevel0(4))).kind).toBe('merge');
  });

  it('moves tables that overlap nothing, unless they would cross a border', () => {
    const version = versionOf(...inLevel0(6, 1000));
    expect(chosen(version)).toMatchObject({ kind: 'move', target: LEVEL_COUNT - 1 });
    expect(chosen(version, NOBODY, [keyOfNumber(1500)]).kind).toBe('merge');
  });

  it('puts level 0 above the runs that are there', () => {
    const below = { level: 4, table: run.table(0, 5000, 80 * MB) };
    expect(chosen(versionOf(...inLevel0(6), below))).toMatchObject({ kind: 'merge', target: 3 });
  });

  it('makes room by moving a run down, then by merging the runs that are most alike', () => {
    const runs = [1, 2, 3, 4, 6].map((level) => ({
      level,
      table: run.table(0, 5000, 10 ** level * 100),
    }));
    expect(chosen(versionOf(...inLevel0(6), ...runs))).toMatchObject({
      kind: 'move',
      level: 4,
      target: 5,
    });
    const sizes = [1, 4, 9, 8, 50, 400];
    const full = sizes.map((size, i) => ({ level: i + 1, table: run.table(0, 5000, size * MB) }));
    expect(chosen(versionOf(...full))).toMatchObject({ kind: 'merge', level: 2, target: 4 });
  });

  it('merges level 0 into a run only when nothing else helps any more', () => {
    const full = [1, 2, 3, 4, 5, 6].map((level) => ({
      level,
      table: run.table(0, 5000, level * 10 * MB, level === 6),
    }));
    const avoid = new Set(full.filter(({ level }) => level > 1).map((it) => it.table.fileNumber));
    expect(chosen(versionOf(...inLevel0(7), ...full), avoid).kind).toBe('nothing');
    expect(chosen(versionOf(...inLevel0(8), ...full), avoid)).toMatchObject({
      kind: 'merge',
      level: 0,
      target: 1,
    });
  });

  it('leaves tables that were found damaged alone and goes on with others', () => {
    const placed = (level: number, from: number, more: Partial<TableMeta> = {}) => ({
      level,
      table: { ...run.table(from, from + 999, 30 * MB), ...more },
    });
    const [stopped, fine] = [placed(5, 0), placed(5, 5000)];
    const avoided = placed(5, 2000);
    const version = versionOf(stopped, avoided, fine, placed(6, 0, { bytes: MB, damaged: true }));
    const lower = placed(6, 5500, { bytes: MB });
    const all = version.apply([lower], new Set());
    const choice = chosen(all, new Set([avoided.table.fileNumber]));
    expect(choice).toMatchObject({
      kind: 'merge',
      tables: [fine.table],
      overlapped: [lower.table],
    });
  });
});

it('keys of the simulation sort as their numbers do', () => {
  expect(compareBytes(keyOfNumber(255), keyOfNumber(256))).toBeLessThan(0);
  expect(numberOf(keyOfNumber(123_456))).toBe(123_456);
});
