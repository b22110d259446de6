import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { NodeError } from '../../node/errors.ts';
import { type Machine, SimCluster } from './cluster.ts';

function clusterIds(machines: readonly Machine[]): (string | undefined)[] {
  return machines.map(({ node }) => (node?.hasJoined ? node.active.genesis.clusterId : undefined));
}

async function startEach(cluster: SimCluster, machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) await cluster.start(machine);
}

function errorOf(machine: Machine): NodeError {
  expect(machine.fatal).toBeInstanceOf(NodeError);
  return machine.fatal as NodeError;
}

describe('the creation of a cluster', () => {
  it('waits until every listed node has answered that it is empty', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 101 });
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    await startEach(cluster, [first, second]);
    await cluster.world.run(15_000);
    expect(clusterIds(cluster.machines)).toEqual([undefined, undefined, undefined]);
    expect(await first.vfs.exists('/data/genesis')).toBe(false);
    expect(cluster.world.log.map(({ name }) => name)).toContain('waiting-for-peers');
    await cluster.start(third);
    await cluster.untilLed();
    const [id] = clusterIds([first]);
    expect(clusterIds(cluster.machines)).toEqual([id, id, id]);
  });

  it('happens exactly once, whenever the creator loses power on the way', async () => {
    let moments = 0;
    for (let crashAt = 1; ; crashAt++) {
      const cluster = new SimCluster({ nodes: 3, seed: 102, shardCount: 2 });
      const creator = cluster.machine(0);
      let operations = 0;
      creator.beforeOperation = () => {
        operations += 1;
        if (operations === crashAt) cluster.cutPower(creator);
      };
      await startEach(cluster, cluster.machines);
      const others = cluster.machines.slice(1);
      await cluster.world.until(
        'it forms or crashes',
        () => !creator.life?.alive || creator.joined,
      );
      if (creator.joined) break;
      moments += 1;
      await cluster.world.run(cluster.random.below(700));
      const early = clusterIds(others).find((id) => id !== undefined);
      creator.beforeOperation = undefined;
      await cluster.start(creator);
      await cluster.untilLed();
      const ids = new Set(clusterIds(cluster.machines));
      expect(ids.size, `crash at operation ${crashAt}`).toBe(1);
      if (early !== undefined) expect([...ids]).toEqual([early]);
      expect(
        cluster.machines.map(({ node }) => node?.active.suspects),
        `${crashAt}`,
      ).toEqual([[], [], []]);
    }
    expect(moments).toBeGreaterThan(20);
  });

  it('reaches a node later that was away when the others got the genesis', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 103 });
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    first.beforeOperation = ({ path }) => {
      if (path.includes('genesis.tmp') && third.life?.alive) cluster.kill(third);
    };
    await startEach(cluster, cluster.machines);
    await cluster.untilLed([first, second]);
    expect(third.life?.alive).toBe(false);
    await cluster.world.resolve('put', cluster.put(first, 'k', 'before'));
    await cluster.start(third);
    await cluster.untilLed();
    expect(clusterIds([third])).toEqual(clusterIds([first]));
    expect(await cluster.get(third, 'k')).toBe('before');
  });

  it('is not repeated by a creator whose directory is older than its cluster', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 104 });
    const creator = cluster.machine(0);
    let before: CrashableMemVfs | undefined;
    creator.beforeOperation = ({ kind, path }) => {
      if (kind === 'open' && path.includes('genesis.tmp')) {
        before ??= creator.vfs.processCrashClone();
      }
    };
    await cluster.startAll();
    const [id] = clusterIds([creator]);
    await cluster.world.resolve('put', cluster.put(creator, 'k', 'kept'));
    cluster.kill(creator);
    creator.vfs = before as CrashableMemVfs;
    await cluster.start(creator);
    await cluster.world.until('it is back', () => creator.joined);
    expect(clusterIds(cluster.machines)).toEqual([id, id, id]);
    expect(creator.node?.active.host.replica(1)).toBeUndefined();
    expect(await cluster.get(creator, 'k')).toBe('kept');
  });

  it.each([0, 1])(
    'is not repeated, nor forgotten, by node %i whose notes of it are damaged',
    async (index) => {
      const cluster = new SimCluster({ nodes: 3, seed: 110 });
      await cluster.startAll();
      const victim = cluster.machine(index);
      const [id] = clusterIds([victim]);
      await cluster.world.resolve('put', cluster.put(victim, 'k', 'kept'));
      cluster.kill(victim);
      victim.vfs.onOperation = undefined;
      for (const file of ['genesis', 'genesis.copy', 'peers', 'peers.copy']) {
        victim.vfs.damage(`/data/${file}`, 9, 0xff);
      }
      await cluster.start(victim);
      await cluster.untilLed();
      expect(clusterIds(cluster.machines)).toEqual([id, id, id]);
      expect(victim.active.suspects).toEqual([]);
      expect(await cluster.get(victim, 'k')).toBe('kept');
      const said = cluster.world.log.filter(({ name }) => name === 'state-damaged');
      expect(said.map(({ message }) => message.split(':')[0])).toEqual([
        'both copies of /data/peers are damaged',
        '/data/genesis is damaged',
      ]);
    },
  );

  it('cannot be repeated by a node that is alone and whose notes of it are damaged', async () => {
    const cluster = new SimCluster({ nodes: 1, seed: 111 });
    await cluster.startAll();
    const only = cluster.machine(0);
    cluster.kill(only);
    for (const file of ['genesis', 'genesis.copy']) only.vfs.damage(`/data/${file}`, 9, 0xff);
    await cluster.start(only);
    await cluster.world.until('it has given up', () => only.fatal !== undefined);
    expect(only.fatal).toMatchObject({ code: 'STATE_DAMAGED' });
  });
});

describe('a node that does not belong', () => {
  it('is refused with an empty directory under a name that is taken', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 105 });
    await cluster.startAll();
    const [first, , third] = cluster.machines as [Machine, Machine, Machine];
    cluster.kill(third);
    third.vfs = new CrashableMemVfs();
    await cluster.start(third);
    await cluster.world.until('it gives up', () => third.fatal !== undefined);
    const { code, message } = errorOf(third);
    expect(code).toBe('NAME_TAKEN');
    expect(message).toContain('the name n3 is taken');
    await cluster.world.resolve('put', cluster.put(first, 'k', 'goes on'));
  });

  it('is refused with the directory of another cluster', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 106 });
    const stranger = new SimCluster({ nodes: 3, seed: 107 });
    await cluster.startAll();
    await stranger.startAll();
    const second = cluster.machine(1);
    cluster.kill(second);
    second.vfs = stranger.machine(1).vfs.processCrashClone();
    await cluster.start(second);
    await cluster.world.until('it gives up', () => second.fatal !== undefined);
    const { code, message } = errorOf(second);
    expect(code).toBe('WRONG_CLUSTER');
    expect(message).toContain('the data directory of n2 belongs to cluster');
    expect(message).toContain(clusterIds([cluster.machine(0)])[0]);
  });

  it('is refused with the directory of another node of the cluster', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 108 });
    await cluster.startAll();
    const [, second, third] = cluster.machines as [Machine, Machine, Machine];
    cluster.kill(second);
    cluster.kill(third);
    second.vfs = third.vfs;
    await cluster.start(second);
    await cluster.world.until('it gives up', () => second.fatal !== undefined);
    expect(errorOf(second).message).toContain('belongs to n3');
  });

  it('changes nothing without the cluster secret, and learns nothing', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 109 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    cluster.kill(third);
    // Until its groups have other leaders, and as many each.
    await cluster.world.run(30_000);
    third.secret = 'guessed';
    await cluster.start(third);
    const termsBefore = termsOf(first);
    await cluster.world.run(20_000);
    expect(third.joined).toBe(false);
    expect(termsOf(first)).toEqual(termsBefore);
    expect(first.node?.active.members.stateOf(third.node?.identity.node ?? '')).toBe('failed');
    await cluster.world.resolve('put', cluster.put(second, 'k', 'goes on'));

    cluster.kill(third);
    third.secret = 'secret';
    await cluster.start(third);
    await cluster.untilLed();
    expect(await cluster.get(third, 'k')).toBe('goes on');
  });

  it('keeps a cluster from being created while its secret is wrong', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 110 });
    cluster.machine(2).secret = 'guessed';
    await startEach(cluster, cluster.machines);
    await cluster.world.run(15_000);
    expect(clusterIds(cluster.machines)).toEqual([undefined, undefined, undefined]);
  });
});

function termsOf(machine: Machine): number[] {
  return Array.from(machine.node?.active.host.replicas() ?? [], ({ raft }) => raft.term);
}
