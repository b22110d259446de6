import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../../node/metrics/latency-histogram.ts';
import { RecentLoad } from '../../../node/metrics/recent-load.ts';
import { FakeEnv } from '../fake-env.ts';

function fixture() {
  const world = new FakeEnv();
  const counts = { publishes: 100, puts: 50 };
  const histogram = new LatencyHistogram();
  histogram.add(5_000, 1_000);
  const load = new RecentLoad(world.env, () => ({ ...counts, commitCounts: histogram.counts() }));
  return { world, counts, histogram, load };
}

const QUIET = { publishesPerSecond: 0, putsPerSecond: 0, commitP99Ms: 0 };

describe('RecentLoad', () => {
  it('knows nothing of what was before it', () => {
    const { load, world } = fixture();
    expect(load.report()).toEqual(QUIET);
    world.pass(1_000);
    expect(load.report()).toEqual(QUIET);
  });

  it('tells the rates of the last three seconds', () => {
    const { load, world, counts } = fixture();
    counts.publishes += 60;
    counts.puts += 30;
    world.pass(1_000);
    expect(load.report()).toEqual({ ...QUIET, publishesPerSecond: 60, putsPerSecond: 30 });
    world.pass(2_000);
    expect(load.report()).toEqual({ ...QUIET, publishesPerSecond: 20, putsPerSecond: 10 });
    world.pass(1_000);
    expect(load.report()).toEqual(QUIET);
  });

  it('tells the commit latency of the last ten seconds', () => {
    const { load, world, histogram } = fixture();
    histogram.add(4.9, 99);
    histogram.add(200);
    world.pass(10_000);
    expect(load.report().commitP99Ms).toBe(5);
    world.pass(1_000);
    expect(load.report().commitP99Ms).toBe(0);
  });

  it('stops', () => {
    const { load, world } = fixture();
    load.stop();
    expect(world.timersPending).toBe(0);
  });
});
