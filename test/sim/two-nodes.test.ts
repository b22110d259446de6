import { describe, expect, it } from 'vitest';
import { Reads } from '../../node/dataplane/reads.ts';
import type { Env } from '../../node/env.ts';
import type { RpcHub } from '../../node/transport/rpc.ts';
import { decode, encode, type Machine, SimCluster } from './cluster.ts';
import type { Life } from './world.ts';

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

  it('read at the warm copy what was acknowledged just before: it asks its leader how far that is', async () => {
    const cluster = new SimCluster({ nodes: 2, seed: 42, shardCount: 1 });
    await cluster.startAll();
    const leader = cluster.leaderOf('k');
    const copy = cluster.machines.find((machine) => machine !== leader) as Machine;
    const life = copy.life as Life;
    const nobody = { call: () => Promise.reject(new Error('the other node is asked')) };
    const reads = new Reads({
      own: copy.node?.identity.node ?? '',
      env: {
        ...{ clock: life, timers: life },
        yield: (task: () => void) => void life.after(0, task),
      } as unknown as Env,
      host: copy.active.host,
      engine: copy.active.engine,
      map: copy.active.map,
      rpc: nobody as unknown as RpcHub,
    });
    for (let i = 0; i < 20; i++) {
      await cluster.world.resolve('put', cluster.put(leader, 'k', `${i}`));
      const outcome = await cluster.world.resolve('get', reads.get(encode('k')));
      expect(outcome.kind === 'found' && decode(outcome.value)).toBe(`${i}`);
    }
    cluster.kill(leader);
    const eventual = await cluster.world.resolve('get', reads.get(encode('k'), { eventual: true }));
    expect(eventual.kind, 'without a leader').toBe('found');
  });
});
