import { describe, expect, it } from 'vitest';
import { parseReadings } from '../../../bench/engine/engine.ts';
import { formatEngine, ratioOf, spreadOf } from '../../../bench/engine/report.ts';
import type { EngineResult } from '../../../bench/engine/rounds.ts';
import { type Figures, ROWS } from '../../../bench/engine/rows.ts';

const row = (id: string) => ROWS.find((each) => each.id === id) as (typeof ROWS)[number];
const engine = (name: EngineResult['name'], rounds: Figures[]): EngineResult => ({
  name,
  version: '1.0.0',
  settings: 'none',
  rounds,
});
const report = (engines: EngineResult[], rows = ROWS.map(({ id }) => id)) =>
  formatEngine(
    {
      machine: { processor: 'P', cores: 2, memoryGiB: 4, system: 'Linux', node: 'v20' },
      loadAverageBefore: 0,
      cacheMib: 32,
      directory: '/tmp',
      sizes: [{ readings: 1_000_000, rounds: 3, engines }],
    },
    rows,
  );

describe('the report of the engine bench', () => {
  const ours = engine('dss', [
    { puts: 400, open: 1, disk: 30 },
    { puts: 420, open: 2, disk: 30 },
    { puts: 300, open: 3, disk: 30 },
  ]);
  const theirs = engine('classic-level', [{ puts: 250, open: 8, disk: 20 }]);

  it('gives medians with what they vary between', () => {
    expect(spreadOf(ours, 'puts')).toEqual({ median: 400, least: 300, greatest: 420 });
    const even = engine('dss', [{ puts: 1 }, { puts: 2 }, {}]);
    expect(spreadOf(even, 'puts')).toEqual({ median: 1.5, least: 1, greatest: 2 });
    expect(spreadOf(ours, 'get')).toBeUndefined();
  });

  it('has ratios that are greater where ours is better, more or less being better', () => {
    expect(ratioOf(row('puts'), ours, theirs)).toBe(1.6);
    expect(ratioOf(row('open'), ours, theirs)).toBe(4);
    expect(ratioOf(row('disk'), ours, theirs)).toBeCloseTo(0.667, 3);
    expect(ratioOf(row('get'), ours, theirs)).toBeUndefined();
  });

  it('names the rows below the aim, of time and of space, each engine by its own', () => {
    const text = report([ours, theirs, engine('lmdb', [{ puts: 500, disk: 300 }])]);
    expect(text).toContain(
      'Rows of time below 2 × classic-level: single puts, 1,000 outstanding 1.60 ×. ' +
        'Other rows below 1 × classic-level: on disk after compaction 0.67 ×.',
    );
    expect(text).toContain(
      'Rows of time below 1 × lmdb: single puts, 1,000 outstanding 0.80 ×. Other rows below 1 × lmdb: none.',
    );
  });

  it('is a table with a row for what any engine has, and shows what one has not', () => {
    const text = report([ours, theirs, engine('lmdb', [{ puts: 500 }])], ['puts', 'open', 'get']);
    const table = text.split('\n').filter((line) => line.startsWith('|'));
    const cells = table.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    expect(cells[0]).toEqual(['', 'unit', 'dss', 'classic-level', 'ours', 'lmdb', 'ours']);
    expect(cells.slice(2).map(([title]) => title)).toEqual([
      'single puts, 1,000 outstanding',
      'open, nothing new',
    ]);
    expect(cells.at(-1)).toEqual([
      'open, nothing new',
      'ms',
      '2.00 (1.00 – 3.00)',
      '8.00 (8.00 – 8.00)',
      '4.00 ×',
      '–',
      '–',
    ]);
  });

  it('says why an engine is missing', () => {
    const failure = 'not available: no prebuilt binary';
    const missing = { ...engine('rocksdb', []), version: '', settings: '', failure };
    expect(report([ours, missing])).toContain('rocksdb: not available: no prebuilt binary');
    expect(report([ours, missing])).not.toContain('below 1 × rocksdb');
  });
});

describe('--readings', () => {
  it('takes whole chunks', () => {
    expect(parseReadings('both')).toEqual([1_000_000, 10_000_000]);
    expect(parseReadings('300k,2m')).toEqual([300_000, 2_000_000]);
    for (const wrong of ['150k', '0', 'many', '1g']) expect(() => parseReadings(wrong)).toThrow();
  });
});
