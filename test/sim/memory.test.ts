import { describe, expect, it } from 'vitest';
import { type Machine, SimCluster } from './cluster.ts';

describe('while a node is away', () => {
  it('the others keep few bytes of its entries in memory, and it gets them from their logs', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 401, shardCount: 1 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    cluster.kill(third);
    await cluster.untilLed([first, second]);
    const values = Array.from({ length: 60 }, (_, i) => `${i} `.repeat(10_000));
    for (const [i, value] of values.entries()) {
      await cluster.world.resolve('put', cluster.put(first, `k${i}`, value));
    }
    for (const { active } of [first, second]) {
      for (const { raft } of active.host.replicas()) {
        expect(raft.memoryBytes).toBeLessThan(512 * 1024);
      }
    }
    await cluster.start(third);
    await cluster.untilLed();
    for (const [i, value] of values.entries()) {
      expect(await cluster.get(third, `k${i}`)).toBe(value);
    }
  });
});
