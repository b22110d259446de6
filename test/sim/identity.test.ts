import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { type Machine, SimCluster } from './cluster.ts';

async function putMany(cluster: SimCluster, machine: Machine, prefix: string, count: number) {
  for (let i = 0; i < count; i++) {
    await cluster.world.resolve('put', cluster.put(machine, `${prefix}${i}`, `${prefix} ${i}`));
  }
}

function outcomeOfPut(cluster: SimCluster, machine: Machine, key: string): Promise<string> {
  const outcome = cluster.put(machine, key, 'x').then(
    () => 'acknowledged',
    (error: Error) => error.message,
  );
  return cluster.world.resolve('put', outcome);
}

describe('a directory that was rolled back', () => {
  async function rolledBack(seed: number) {
    const cluster = new SimCluster({ nodes: 3, seed });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'early', 10);
    const image = third.vfs.processCrashClone();
    await putMany(cluster, first, 'late', 10);
    cluster.kill(third);
    third.vfs = image;
    await cluster.start(third);
    await cluster.world.until('it is back', () => third.joined);
    return { cluster, first, second, third };
  }

  it('is found out: its replicas are suspect, the cluster goes on with the others', async () => {
    const { cluster, first, third } = await rolledBack(201);
    const { suspects, genesis, host } = third.active;
    expect(suspects.map(({ group }) => group)).toEqual(genesis.groups.map(({ group }) => group));
    expect([...host.replicas()]).toEqual([]);
    const alarms = cluster.world.log.filter(
      ({ name, node }) => name === 'replica-suspect' && node === 'n3',
    );
    expect(alarms[0]?.message).toContain('it was restored or copied');
    await putMany(cluster, first, 'later', 5);
    for (const key of ['early3', 'late3', 'later3']) {
      expect(await cluster.get(third, key)).toBe(key.replace(/(\d)/, ' $1'));
    }
    await putMany(cluster, third, 'through', 3);
    expect(await cluster.get(first, 'through2')).toBe('through 2');
  });

  it('does not vote: with it and one other node there is no majority', async () => {
    const { cluster, first, second, third } = await rolledBack(202);
    cluster.kill(first);
    expect(await outcomeOfPut(cluster, second, 'k')).toBe('no-quorum');
    expect(await outcomeOfPut(cluster, third, 'k')).toBe('no-quorum');
  });

  it('stays found out, however often the node starts again', async () => {
    const { cluster, third } = await rolledBack(203);
    for (let start = 0; start < 5; start++) {
      await cluster.world.run(2_000);
      cluster.kill(third);
      await cluster.start(third);
      await cluster.world.until('it is back', () => third.joined);
      expect([...third.active.host.replicas()], `start ${start}`).toEqual([]);
    }
  });

  it('stays found out though those who remembered have forgotten', async () => {
    const { cluster, third } = await rolledBack(209);
    for (const machine of cluster.machines) {
      cluster.kill(machine);
      if (machine === third) continue;
      for (const name of ['peers', 'peers.copy']) await machine.vfs.remove(`/data/${name}`);
    }
    for (const machine of cluster.machines) await cluster.start(machine);
    await cluster.untilLed();
    expect([...third.active.host.replicas()]).toEqual([]);
  });

  it('is believed again when it is said that all of it was replaced', async () => {
    const { cluster, third } = await rolledBack(211);
    expect(third.node?.identity.distrust).toContain('restored or copied');
    await cluster.world.resolve('trust', third.node?.trustAgain() ?? Promise.reject());
    await cluster.world.resolve('again', third.node?.trustAgain() ?? Promise.reject());
    expect(third.node?.identity.distrust).toBeUndefined();
    cluster.cutPower(third);
    await cluster.start(third);
    expect(third.node?.identity.distrust).toBeUndefined();
  });

  it('is found out though the node that remembers answers once only', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 204 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'early', 5);
    const image = third.vfs.processCrashClone();
    await putMany(cluster, first, 'late', 5);
    // The next heartbeat tells the first node how far the third has got.
    await cluster.world.run(1_500);
    for (const machine of cluster.machines) if (machine !== first) cluster.kill(machine);
    third.vfs = image;
    await cluster.start(third);
    await cluster.world.run(3_000);
    expect(third.joined).toBe(false);
    await cluster.start(second);
    await cluster.start(cluster.machine(3));
    await cluster.world.until('it is back', () => third.joined);
    expect([...third.active.host.replicas()]).toEqual([]);
  });

  it('is not taken for the run that used its start counter: what is acknowledged through it is stored', async () => {
    for (const startsAfterwards of [1, 3]) {
      const cluster = new SimCluster({ nodes: 3, seed: 210 });
      await cluster.startAll();
      const [first, , third] = cluster.machines as [Machine, Machine, Machine];
      await cluster.world.run(1_000);
      const image = third.vfs.processCrashClone();
      for (let start = 0; start < startsAfterwards; start++) {
        cluster.kill(third);
        await cluster.start(third);
        await cluster.untilLed();
      }
      await putMany(cluster, third, 'before', 20);
      cluster.kill(third);
      third.vfs = image;
      await cluster.start(third);
      await cluster.world.until('it is back', () => third.joined);
      await putMany(cluster, third, 'after', 20);
      for (let i = 0; i < 20; i++) expect(await cluster.get(first, `after${i}`)).toBe(`after ${i}`);
      const startCounter = third.node?.identity.startCounter ?? 0;
      cluster.kill(third);
      await cluster.start(third);
      await cluster.untilLed();
      expect(third.node?.identity.startCounter).toBeGreaterThan(startCounter);
    }
  });

  it('is not declared whole by a node that has lost everything', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 205 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    const image = third.vfs.processCrashClone();
    await putMany(cluster, first, 'late', 5);
    for (const machine of cluster.machines) cluster.kill(machine);
    third.vfs = image;
    second.vfs = new CrashableMemVfs();
    await cluster.start(third);
    await cluster.start(second);
    await cluster.world.run(20_000);
    expect(third.joined).toBe(false);
  });
});

describe('a starting node', () => {
  it('neither votes nor serves before a majority of the nodes has answered', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 206 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'k', 5);
    for (const machine of cluster.machines) cluster.kill(machine);
    cluster.network.partition([first.address], [second.address, third.address]);
    for (const machine of cluster.machines) await cluster.start(machine);
    await cluster.untilLed([second, third]);
    await cluster.world.run(15_000);
    expect(first.joined).toBe(false);
    expect(() => cluster.dataPlane(first)).toThrow('has not joined');
    cluster.network.heal();
    await cluster.untilLed();
    expect(await cluster.get(first, 'k4')).toBe('k 4');
  });

  it('finds the others where the cluster knows them, also when --peers names nobody', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 207 });
    await cluster.startAll();
    const third = cluster.machine(2);
    cluster.kill(third);
    third.peers = [];
    await cluster.start(third);
    await cluster.untilLed();
  });

  it('counts its starts', async () => {
    const cluster = new SimCluster({ nodes: 1, seed: 208 });
    const only = cluster.machine(0);
    for (let start = 1; start <= 3; start++) {
      await cluster.startAll();
      expect(only.node?.identity.startCounter).toBe(start);
      cluster.cutPower(only);
    }
  });
});
