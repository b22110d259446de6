import { describe, expect, it } from 'vitest';
import type { InitialRules } from '../../node/settings/settings.ts';
import { type Machine, SimCluster } from './cluster.ts';
import { history, rule, textsOf } from './retention.ts';

const DAY_MS = 86_400_000;

/** What each replica of a shard has been told of what may go. */
function retentions(cluster: SimCluster) {
  return cluster.machines.flatMap(({ active }) =>
    active.retentions().map(({ retention }) => retention),
  );
}

describe('a new cluster', () => {
  const forEver = { retention: [rule('', { versions: 3 })] };
  const cases: [nodes: number, its: string, initialRules: InitialRules][] = [
    [1, 'the rules of its file', forEver],
    [3, 'the rules of its file', forEver],
    [1, 'no rules', {}],
    [3, 'no rules', {}],
  ];

  it.each(cases)(
    'of %i decides on %s soon, and nothing goes before',
    async (nodes, _, initialRules) => {
      const cluster = new SimCluster({ nodes, seed: 500 + nodes, shardCount: 2, initialRules });
      await cluster.startAll();
      const isDecided = () => {
        const all = retentions(cluster);
        const undecided = all.filter(({ revision }) => revision === 0);
        for (const { highestCutoff } of undecided) expect(highestCutoff).toBe(0);
        return undecided.length === 0;
      };
      await cluster.world.until('every shard has the rules', isDecided, 5_000);
      const { retention = [] } = initialRules;
      for (const { active } of cluster.machines) {
        expect(active.settings.current).toMatchObject({ revision: 1, retention, ingest: [] });
      }
      await cluster.world.run(70_000);
      for (const { highestCutoff } of retentions(cluster)) {
        if (retention.length > 0) expect(highestCutoff).toBe(0);
        else expect(highestCutoff).toBeGreaterThan(0);
      }
    },
  );

  it('lets nothing go before, also where deciding takes its time', async () => {
    const cluster = new SimCluster({ nodes: 1, seed: 504, shardCount: 2, initialRules: forEver });
    cluster.machine(0).syncMs = 1_500;
    await cluster.startAll();
    await cluster.world.run(20_000);
    for (const { revision, highestCutoff } of retentions(cluster)) {
      expect([revision, highestCutoff]).toEqual([1, 0]);
    }
  });
});

describe('a leader whose clock is a month ahead', () => {
  it('lets no history go and ends no lease, and nothing is lost when its clock is mended', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 609, shardCount: 1 });
    await cluster.startAll();
    const { world } = cluster;
    const [first, , ahead] = cluster.machines as [Machine, Machine, Machine];
    for (const value of ['1', '2', '3']) await world.resolve('put', cluster.put(first, 'k', value));
    await world.resolve('put', cluster.put(first, 'lease', 'held', 0, 20 * DAY_MS));
    const setClock = async (skewMs: number) => {
      cluster.kill(ahead);
      ahead.skewMs = skewMs;
      await cluster.start(ahead);
      await cluster.untilLed();
    };
    const expectAllThere = async () => {
      expect(textsOf(await history(cluster, first, 'k'))).toEqual(['1', '2', '3']);
      expect(await cluster.get(first, 'lease')).toBe('held');
    };
    await setClock(30 * DAY_MS);
    await cluster.makeLead(ahead, 'k');
    await world.run(70_000);
    expect(cluster.leaderOf('k')).toBe(ahead);
    await expectAllThere();
    // The versions of this shard are a month ahead from here on; by them the lease is over.
    await world.resolve('put', cluster.put(first, 'k', '4'));
    await setClock(0);
    await world.run(70_000);
    expect(textsOf(await history(cluster, first, 'k'))).toEqual(['1', '2', '3', '4']);
  });
});
