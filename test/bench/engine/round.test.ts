import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReadingSource } from '../../../bench/engine/readings.ts';
import { measureRound } from '../../../bench/engine/round.ts';
import { keepOutstanding, Stopwatch } from '../../../bench/engine/stopwatch.ts';
import { loadEngine } from '../../../bench/engine/stores/engines.ts';

describe('a round of the engine bench', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dss-bench-engine-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('fills, reads and weighs a real engine, with the rows that are wanted only', async () => {
    const engine = await loadEngine('classic-level', { cacheBytes: 2 ** 20 });
    const source = new ReadingSource(1_000);
    const rows = ['puts', 'series', 'reverse', 'disk'] as const;
    const figures = await measureRound(engine, source, { directory, readings: 100_000, rows });
    for (const row of rows) expect(figures[row]).toBeGreaterThan(0);
    expect(figures.get).toBeUndefined();
    expect(figures.disk).toBeLessThan(20);
    expect(await readdir(directory)).toEqual([]);
  });

  it('does not count what an engine lost', async () => {
    const engine = await loadEngine('classic-level', { cacheBytes: 2 ** 20 });
    const forgetful = {
      ...engine,
      open: async (path: string) => {
        const store = await engine.open(path);
        const prepare = store.prepareBatch.bind(store);
        store.prepareBatch = (readings, first, end) => prepare(readings, first, end - 1);
        return store;
      },
    };
    const options = { directory, readings: 100_000, rows: ['scan'] as const };
    await expect(measureRound(forgetful, new ReadingSource(1_000), options)).rejects.toThrow();
  });
});

describe('operations under way', () => {
  it('are kept at their number, and all come to an end', async () => {
    let running = 0;
    let most = 0;
    const started: number[] = [];
    await keepOutstanding(100, 7, async (index) => {
      started.push(index);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    });
    expect(most).toBe(7);
    expect(started).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('may answer at once, and fail', async () => {
    let count = 0;
    await keepOutstanding(100_000, 10, () => {
      count += 1;
    });
    expect(count).toBe(100_000);
    await keepOutstanding(0, 10, () => expect.fail('nothing to start'));
    await expect(keepOutstanding(5, 2, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    );
    const refused = keepOutstanding(5, 2, () => {
      throw new Error('at once');
    });
    await expect(refused).rejects.toThrow('at once');
  });

  it('are timed without what is done between', async () => {
    const watch = new Stopwatch();
    const answer = await watch.time(async () => 1);
    const elapsedMs = watch.elapsedMs;
    const until = performance.now() + 2;
    while (performance.now() < until);
    expect(answer).toBe(1);
    expect(watch.elapsedMs).toBe(elapsedMs);
    expect(watch.timeSync(() => 2)).toBe(2);
    expect(watch.elapsedMs).toBeGreaterThan(elapsedMs);
  });
});
