import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { editNodeTable, isRemoved, setNodeState } from '../../node/settings/nodes.ts';
import { Machine, SimCluster } from './cluster.ts';
import { held, putAll, readAll, untilSettled } from './settling.ts';

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

/** A machine gets back the disk that it had some writes ago. */
async function rollBack(cluster: SimCluster, machine: Machine, writes = 10): Promise<void> {
  const writer = cluster.machines.find((each) => each !== machine && each.joined) as Machine;
  const image = machine.vfs.processCrashClone();
  await putMany(cluster, writer, 'late', writes);
  cluster.kill(machine);
  machine.vfs = image;
}

async function untilJoined(cluster: SimCluster, machine: Machine): Promise<void> {
  await cluster.world.until(`${machine.name} has joined`, () => {
    if (machine.fatal !== undefined) throw machine.fatal;
    return machine.joined;
  });
}

function idOf(machine: Machine): string {
  return machine.node?.identity.node ?? '';
}

function stateOf({ active }: Machine, node: string): string | undefined {
  return active.members.rowOf(node)?.state;
}

function messagesOf(cluster: SimCluster, { name }: Machine, event: string): string[] {
  const { log } = cluster.world;
  return log.filter((each) => each.node === name && each.name === event).map((e) => e.message);
}

/** What is left of the log and the tables that a node had when it was first started. */
async function filesOfOld(machine: Machine): Promise<string[]> {
  const vfs = machine.vfs.processCrashClone();
  return [...(await vfs.list('/data/log')), ...(await vfs.list('/data/tables'))];
}

describe('a directory that was rolled back', () => {
  async function cluster3(seed: number, shardCount = 4) {
    const cluster = new SimCluster({ nodes: 3, seed, shardCount });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'early', 10);
    return { cluster, first, second, third, old: idOf(third) };
  }

  it('begins anew as another node in the place of its old one, while the others serve', async () => {
    const { cluster, first, third, old } = await cluster3(201);
    await putAll(cluster, 'a');
    await rollBack(cluster, third);
    await cluster.start(third);
    await putAll(cluster, 'b');
    await untilJoined(cluster, third);
    expect(idOf(third)).not.toBe(old);
    expect(third.node?.identity).toMatchObject({ generation: 2, startCounter: 1, name: 'n3' });
    expect(third.node?.identity.succeeds).toBeUndefined();
    expect(third.active.suspects).toEqual([]);
    expect(await filesOfOld(third)).toEqual([]);
    expect(messagesOf(cluster, third, 'begins-anew').join()).toContain('restored or copied');
    expect(messagesOf(cluster, third, 'began-anew')).toHaveLength(1);
    await untilSettled(cluster, 3);
    expect(held(third)).toBe(5);
    await readAll(cluster, 'b');
    for (const machine of cluster.machines) {
      expect(await cluster.get(machine, 'late9')).toBe('late 9');
    }
    await cluster.world.until('the old one is gone', () => stateOf(first, old) === 'gone');
    await cluster.world.run(60_000);
    const peers = await first.vfs.processCrashClone().readFile('/data/peers');
    const remembered = new TextDecoder().decode(peers);
    expect(remembered).toContain(idOf(third));
    expect(remembered).not.toContain(old);
  });

  it('is not let in without a majority; it says so again and again, and loses nothing meanwhile', async () => {
    const { cluster, first, second, third, old } = await cluster3(202);
    await rollBack(cluster, third);
    await cluster.start(third);
    await cluster.world.until('it is found out', () => idOf(third) !== old);
    cluster.kill(first);
    await cluster.world.run(45_000);
    expect(third.joined).toBe(false);
    expect(await outcomeOfPut(cluster, second, 'k')).toBe('no-quorum');
    const complaints = messagesOf(cluster, third, 'waiting-for-peers');
    expect(complaints.length).toBeGreaterThanOrEqual(3);
    expect(complaints[0]).toContain(`${first.address} or ${second.address}`);
    expect(await filesOfOld(third)).not.toEqual([]);
    await cluster.start(first);
    await untilJoined(cluster, third);
    await untilSettled(cluster, 3);
    expect(await cluster.get(third, 'late9')).toBe('late 9');
  });

  it('does so once, however often the node starts again', async () => {
    const { cluster, third } = await cluster3(203);
    await rollBack(cluster, third);
    await cluster.start(third);
    await untilJoined(cluster, third);
    const node = idOf(third);
    for (let start = 2; start <= 5; start++) {
      await cluster.world.run(2_000);
      if (start % 2 === 0) cluster.kill(third);
      else cluster.cutPower(third);
      await cluster.start(third);
      await untilJoined(cluster, third);
      expect(third.node?.identity).toMatchObject({ node, generation: 2, startCounter: start });
    }
    expect(messagesOf(cluster, third, 'begins-anew')).toHaveLength(1);
    await untilSettled(cluster, 3);
  });

  it('and is rolled back once more begins anew once more', async () => {
    const { cluster, first, third, old } = await cluster3(211);
    await rollBack(cluster, third);
    await cluster.start(third);
    await untilJoined(cluster, third);
    const second = idOf(third);
    await untilSettled(cluster, 3);
    await rollBack(cluster, third, 20);
    await cluster.start(third);
    await untilJoined(cluster, third);
    expect(third.node?.identity.generation).toBe(3);
    await untilSettled(cluster, 3);
    for (const node of [old, second]) expect(stateOf(first, node)).toMatch(/dead|gone/);
    expect(await cluster.get(third, 'late19')).toBe('late 19');
  });

  it('stays found out though those who remembered have forgotten', async () => {
    const { cluster, first, second, third, old } = await cluster3(209);
    await rollBack(cluster, third);
    cluster.network.partition([third.address], [second.address]);
    await cluster.start(third);
    await cluster.world.until('it is found out', () => idOf(third) !== old);
    for (const machine of cluster.machines) cluster.kill(machine);
    cluster.network.heal();
    for (const { vfs } of [first, second]) {
      for (const name of ['peers', 'peers.copy']) await vfs.remove(`/data/${name}`);
    }
    for (const machine of cluster.machines) await cluster.start(machine);
    await cluster.untilLed();
    expect(idOf(third)).not.toBe(old);
    expect(await cluster.get(third, 'late9')).toBe('late 9');
  });

  it('is found out though the node that remembers answers once only', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 204 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    const old = idOf(third);
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
    await cluster.world.until('it is found out', () => idOf(third) !== old);
    await cluster.start(cluster.machine(4));
    await untilJoined(cluster, third);
  });

  it('is found out though the others have ended again and again before half a minute was over', async () => {
    const { cluster, first, second, third, old } = await cluster3(211);
    for (const machine of [first, second]) {
      cluster.kill(machine);
      await cluster.start(machine);
    }
    await cluster.untilLed();
    const image = third.vfs.processCrashClone();
    await putMany(cluster, first, 'late', 10);
    await cluster.world.run(8_000);
    for (const machine of cluster.machines) cluster.kill(machine);
    third.vfs = image;
    for (const machine of cluster.machines) await cluster.start(machine);
    await cluster.world.until('it is found out', () => idOf(third) !== old);
    await untilJoined(cluster, third);
    expect(await cluster.get(third, 'late9')).toBe('late 9');
  });

  it('is not taken for the run that used its start counter: what is acknowledged through it is stored', async () => {
    for (const startsAfterwards of [1, 3]) {
      const { cluster, first, third } = await cluster3(210);
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
      await untilJoined(cluster, third);
      await putMany(cluster, third, 'after', 20);
      for (let i = 0; i < 20; i++) expect(await cluster.get(first, `after${i}`)).toBe(`after ${i}`);
    }
  });

  it('begins anew once, and nothing is lost, whenever the node crashes on the way', {
    timeout: 120_000,
  }, async () => {
    let moments = 0;
    for (let crashAt = 1; ; crashAt++) {
      const where = `crash at operation ${crashAt}`;
      const { cluster, first, third, old } = await cluster3(214, 1);
      await rollBack(cluster, third);
      let operations = 0;
      third.beforeOperation = () => {
        operations += 1;
        if (operations !== crashAt) return;
        if (crashAt % 2 === 0) cluster.kill(third);
        else cluster.cutPower(third, crashAt % 3 === 0 ? 0.5 : 0);
      };
      await cluster.start(third);
      await cluster.world.until('it joins or crashes', () => !third.life?.alive || third.joined);
      const isDone = third.joined;
      third.beforeOperation = undefined;
      await putMany(cluster, first, 'meanwhile', 1);
      if (!isDone) await cluster.start(third);
      await untilJoined(cluster, third);
      expect(third.node?.identity, where).toMatchObject({ generation: 2, initialized: true });
      expect(third.node?.identity.succeeds, where).toBeUndefined();
      expect(await filesOfOld(third), where).toEqual([]);
      expect(third.active.suspects, where).toEqual([]);
      const names = third.active.members.list().filter(({ row }) => !isRemoved(row));
      expect(names.map(({ name }) => name).sort(), where).toEqual(['n1', 'n2', 'n3']);
      expect(stateOf(first, old), where).toMatch(/dead|gone/);
      expect(messagesOf(cluster, third, 'began-anew').length, where).toBeGreaterThan(0);
      if (crashAt % 10 === 0) await untilSettled(cluster, 3);
      for (const key of ['early9', 'late9', 'meanwhile0']) {
        expect(await cluster.get(third, key), where).toBe(key.replace(/(\d)/, ' $1'));
      }
      if (isDone) break;
      moments += 1;
    }
    expect(moments).toBeGreaterThan(100);
  });

  it('of a node that left goes on leaving', async () => {
    const { cluster, first, third, old } = await cluster3(212);
    const { settings, genesis } = first.active;
    const leave = editNodeTable(genesis, (now) => setNodeState(now, old, 'leaving', 1));
    await rollBack(cluster, third);
    await cluster.world.resolve('leave', settings.change(leave));
    await cluster.start(third);
    await cluster.world.until('it has left', () => third.ended !== undefined, 120_000);
    expect(third.ended).toMatchObject({ kind: 'left' });
    expect(messagesOf(cluster, third, 'began-anew')).toHaveLength(1);
  });

  it('in a clone waits while the original is at work; then one clone takes its place, for good', async () => {
    const { cluster, first, second, third } = await cluster3(213);
    const image = third.vfs.processCrashClone();
    await putMany(cluster, first, 'late', 10);
    const clones = ['10.0.0.8:1883', '10.0.0.9:1883'].map((address) => {
      const clone = new Machine('n3', address);
      clone.vfs = image.processCrashClone();
      clone.peers = [first, second];
      return clone;
    });
    for (const clone of clones) await cluster.start(clone);
    await cluster.world.run(20_000);
    expect(third.ended).toBeUndefined();
    expect(messagesOf(cluster, third, 'waiting-for-peers').join()).toContain('any other copy');
    cluster.kill(third);
    const isRefused = ({ fatal }: Machine) => fatal !== undefined;
    await cluster.world.until('one is refused', () => clones.some(isRefused));
    const refused = clones.find(isRefused) as Machine;
    const winner = clones.find((clone) => clone !== refused) as Machine;
    expect(refused.fatal).toMatchObject({ code: 'NODE_REMOVED' });
    expect(await filesOfOld(refused)).not.toEqual([]);
    await untilJoined(cluster, winner);
    expect(await cluster.get(winner, 'late9')).toBe('late 9');
    for (const machine of [refused, third]) {
      cluster.kill(machine);
      await cluster.start(machine);
      await cluster.world.until('it stays out', () => isRefused(machine));
      expect(machine.fatal).toMatchObject({ code: 'NODE_REMOVED' });
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
