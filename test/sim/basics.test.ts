import { describe, expect, it } from 'vitest';
import { type Machine, SimCluster, watch } from './cluster.ts';

describe('three simulated nodes', () => {
  it('store a put on a quorum and read it from any node', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 1 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    const version = await cluster.world.resolve('put', cluster.put(first, 'plant1/temp', '21.5'));
    expect(version).toBeGreaterThan(0);
    for (const machine of [first, second, third]) {
      expect(await cluster.get(machine, 'plant1/temp')).toBe('21.5');
    }
  });

  it('give a watcher current values, then changes, then deletions', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 2 });
    await cluster.startAll();
    const [first, second] = cluster.machines as [Machine, Machine];
    await cluster.world.resolve('put', cluster.put(first, 'plant1/a', '1'));
    await cluster.world.resolve('put', cluster.put(first, 'plant1/b', '2'));
    const watching = watch(cluster.dataPlane(second), 'plant1/+');
    await cluster.world.until('snapshot', () => watching.snapshotDone);
    expect(
      watching.seen.map(({ keyText, text, snapshot }) => [keyText, text, snapshot]).sort(),
    ).toEqual([
      ['plant1/a', '1', true],
      ['plant1/b', '2', true],
    ]);
    await cluster.world.resolve('put', cluster.put(first, 'plant1/a', '3'));
    await cluster.world.resolve('delete', cluster.put(first, 'plant1/b', ''));
    await cluster.world.until('changes', () => watching.seen.length === 4);
    expect(
      watching.seen.slice(2).map(({ keyText, text, deleted }) => [keyText, text, deleted]),
    ).toEqual([
      ['plant1/a', '3', false],
      ['plant1/b', '', true],
    ]);
  });
});
