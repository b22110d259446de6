import { describe, expect, it } from 'vitest';
import { type Machine, SimCluster } from './cluster.ts';

describe('two nodes', () => {
  it('have one voter per shard and a warm copy on the other node, which counts for nothing', async () => {
    const cluster = new SimCluster({ nodes: 2, seed: 41, memtableBytes: 64 * 1024 });
    await cluster.startAll();
    const [first, second] = cluster.machines as [Machine, Machine];
    for (const { configuration, replicas, group } of first.active.map.shards()) {
      const voters = configuration.places.filter(({ role }) => role === 'voter');
      expect([voters.length, replicas.length], `group ${group}`).toEqual([1, 2]);
    }
    const own = Array.from({ length: 20 }, (_, i) => `k${i}`).filter(
      (key) => cluster.leaderOf(key) === first,
    );
    expect(own.length).toBeGreaterThan(0);
    cluster.kill(second);
    for (const key of own) await cluster.world.resolve('put', cluster.put(first, key, 'alone'));

    await cluster.start(second);
    await cluster.untilLed();
    await cluster.world.until('the copy has caught up', () =>
      [...first.active.host.replicas()].every(({ identity, state }) => {
        const copy = second.active.host.replica(identity.group);
        return copy === undefined || copy.state.appliedIndex === state.appliedIndex;
      }),
    );
    for (const key of own) expect(await cluster.get(second, key)).toBe('alone');
  });
});
