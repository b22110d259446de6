import { describe, expect, it } from 'vitest';
import type { Replica } from '../../node/shard/replica.ts';
import { encode, type Machine, SimCluster, watch } from './cluster.ts';

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

  it('list large values in pages that fit a message, through a node that holds none of them', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 3, shardCount: 1 });
    await cluster.startAll();
    const outsider = cluster.machines.find(
      ({ active }) => active.host.replica(1) === undefined,
    ) as Machine;
    for (let i = 10; i < 40; i++) {
      await cluster.world.resolve('put', cluster.put(outsider, `k${i}`, 'x'.repeat(100_000)));
    }
    const keys: string[] = [];
    let after = new Uint8Array(0);
    for (let more = true; more; ) {
      const query = { prefix: new Uint8Array(0), after, limit: 1_000, values: true };
      const page = await cluster.world.resolve('list', cluster.dataPlane(outsider).list(query));
      if (page.kind !== 'page') throw new Error('unavailable');
      const bytes = page.items.reduce((sum, { value }) => sum + value.length, 0);
      expect(bytes).toBeLessThanOrEqual(700_000);
      keys.push(...page.items.map(({ key }) => new TextDecoder().decode(key)));
      after = encode(keys.at(-1) ?? '') as Uint8Array<ArrayBuffer>;
      more = page.more;
    }
    expect(keys).toEqual(Array.from({ length: 30 }, (_, i) => `k${i + 10}`));
  });
});

describe('a group that meets an entry of a newer version', () => {
  it('stops there, says so, and keeps nobody waiting; other groups go on', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 4 });
    await cluster.startAll();
    const [first] = cluster.machines as [Machine];
    await cluster.world.resolve('put', cluster.put(first, 'k', 'v'));
    const leader = cluster.leaderOf('k');
    const { host, map } = leader.active;
    const group = map.groupOf(encode('k'), 0, 1);
    const replica = host.replica(group) as Replica;
    replica.raft.propose([{ kind: 77, data: new Uint8Array(0) }]);
    const putting = cluster.put(first, 'k', 'later').then(
      () => 'acknowledged',
      (error: Error) => error.message,
    );
    host.touch(replica);
    await cluster.world.until('all replicas halt', () =>
      cluster.machines.every(({ active }) => active.host.replica(group) === undefined),
    );
    expect(cluster.world.log.find(({ name }) => name === 'group-halted')?.message).toContain(
      'kind 77',
    );
    expect(await cluster.get(first, 'k')).toBe('<unavailable>');
    expect(await cluster.world.resolve('put', putting)).toBe('no-quorum');
    const other = Array.from({ length: 50 }, (_, i) => `other${i}`).find(
      (key) => map.groupOf(encode(key), 0, encode(key).length) !== group,
    ) as string;
    await cluster.world.resolve('put', cluster.put(first, other, 'fine'));
    expect(await cluster.get(leader, other)).toBe('fine');
  });
});

describe('a watch that a replica serves which halts', () => {
  it.each([
    { what: 'goes on at another node', nodes: 3, seed: 5 },
    { what: 'of another node goes on too', nodes: 5, seed: 6 },
  ])('$what', async ({ nodes, seed }) => {
    const cluster = new SimCluster({ nodes, seed });
    await cluster.startAll();
    const [first] = cluster.machines as [Machine];
    await cluster.world.resolve('put', cluster.put(first, 'k', 'old'));
    const group = first.active.map.groupOf(encode('k'), 0, 1);
    const replicaAt = ({ active }: Machine) => active.host.replica(group);
    const isRemote = nodes === 5;
    const watcher = cluster.machines.find(
      (machine) =>
        (replicaAt(machine) === undefined) === isRemote &&
        replicaAt(machine)?.raft.role !== 'leader',
    ) as Machine;
    const watched = watch(cluster.dataPlane(watcher), 'k');
    await cluster.world.until('its snapshot is there', () => watched.snapshotDone);
    const server = cluster.machines.find(
      (machine) => replicaAt(machine)?.feed.wantsWrites,
    ) as Machine;
    expect(server === watcher).toBe(!isRemote);
    const replica = replicaAt(server) as Replica;
    replica.halted = 'an entry of a newer version';
    replica.close();
    await cluster.world.resolve('put', cluster.put(watcher, 'k', 'new'), 30_000);
    await cluster.world.until('the change arrives', () => watched.seen.length === 2);
    expect(watched.seen.map(({ text }) => text)).toEqual(['old', 'new']);
  });
});
