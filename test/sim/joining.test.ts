import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import type { NodeError } from '../../node/errors.ts';
import { editNodeTable, leaveNode, setNodeState } from '../../node/settings/nodes.ts';
import type { SettingsEdit } from '../../node/settings/settings.ts';
import { type Machine, SimCluster } from './cluster.ts';

const SHORTLY_MS = 3_000;

/** A cluster that runs, and a way to it. */
async function running(seed: number, nodes = 3) {
  const cluster = new SimCluster({ nodes, seed });
  await cluster.startAll();
  return { cluster, first: cluster.machine(0), join: { addresses: [cluster.machine(0).address] } };
}

async function untilJoined(cluster: SimCluster, machine: Machine): Promise<void> {
  await cluster.world.until(`${machine.name} has joined`, () => {
    if (machine.fatal !== undefined) throw machine.fatal;
    return machine.joined;
  });
}

async function startJoined(cluster: SimCluster, machine: Machine): Promise<void> {
  await cluster.start(machine);
  await untilJoined(cluster, machine);
}

async function restart(cluster: SimCluster, machine: Machine): Promise<void> {
  cluster.kill(machine);
  await startJoined(cluster, machine);
}

async function errorAtStart(cluster: SimCluster, machine: Machine): Promise<NodeError> {
  await cluster.start(machine);
  await cluster.world.until('it gives up', () => machine.fatal !== undefined);
  return machine.fatal as NodeError;
}

function namesAt({ active }: Machine): string[] {
  return active.members.list().map(({ name }) => name);
}

function stateAt({ active }: Machine, of: Machine): string | undefined {
  return active.members.list().find(({ name }) => name === of.name)?.row.state;
}

/** As an administrator, or the leader of meta, would. */
async function change(cluster: SimCluster, at: Machine, edit: SettingsEdit): Promise<void> {
  const changing = at.active.settings.change(editNodeTable(at.active.genesis, edit));
  expect(await cluster.world.resolve('change', changing)).toMatchObject({ kind: 'settled' });
}

function idOf(machine: Machine): string {
  return machine.node?.identity.node ?? '';
}

const declare = (cluster: SimCluster, at: Machine, node: string, state: 'dead' | 'gone') =>
  change(cluster, at, (settings) => setNodeState(settings, node, state, 1));

async function activate(cluster: SimCluster, at: Machine, joined: readonly Machine[]) {
  for (const machine of joined) {
    await change(cluster, at, (settings) => setNodeState(settings, idOf(machine), 'active', 1));
  }
}

describe('a node that joins', () => {
  it('is a member on every node, knows the settings, and can be asked for data', async () => {
    const { cluster, first, join } = await running(801);
    await cluster.world.resolve('put', cluster.put(first, 'k', 'v'));
    const fourth = cluster.addMachine({ join });
    fourth.zone = 'east';
    await startJoined(cluster, fourth);
    await cluster.world.run(SHORTLY_MS);
    for (const machine of cluster.machines) {
      expect(namesAt(machine)).toEqual(['n1', 'n2', 'n3', 'n4']);
      expect(machine.active.members.list().map(({ state }) => state)).toEqual(
        Array(4).fill('active'),
      );
    }
    expect(first.active.members.rowOf(idOf(fourth))).toMatchObject({
      ...{ mqttAddress: fourth.address, zone: 'east', weight: 1 },
    });
    expect(fourth.active.suspects).toEqual([]);
    expect(await cluster.get(fourth, 'k')).toBe('v');
    await cluster.world.resolve('put', cluster.put(fourth, 'k', 'w'));
    expect(await cluster.get(first, 'k')).toBe('w');
  });

  it('starts again with what it has kept, and is told to join in vain', async () => {
    const { cluster, first, join } = await running(802);
    const fourth = cluster.addMachine({ join });
    await startJoined(cluster, fourth);
    const node = idOf(fourth);
    await restart(cluster, fourth);
    expect(cluster.world.log.map(({ name }) => name)).toContain('member-already');
    fourth.entrance = {};
    cluster.cutPower(fourth);
    await startJoined(cluster, fourth);
    expect(idOf(fourth)).toBe(node);
    expect(namesAt(first)).toEqual(['n1', 'n2', 'n3', 'n4']);
    const wrong = { addresses: join.addresses, clusterId: 'another' };
    fourth.entrance = { join: wrong };
    cluster.kill(fourth);
    expect((await errorAtStart(cluster, fourth)).code).toBe('WRONG_CLUSTER');
  });

  it('is let in once, whenever it loses power on the way', async () => {
    let moments = 0;
    for (let crashAt = 1; ; crashAt++) {
      const { cluster, first, join } = await running(803, 1);
      const second = cluster.addMachine({ join });
      let operations = 0;
      second.beforeOperation = () => {
        operations += 1;
        if (operations === crashAt) cluster.cutPower(second);
      };
      await cluster.start(second);
      await cluster.world.until('it joins or crashes', () => !second.life?.alive || second.joined);
      const isDone = second.joined;
      second.beforeOperation = undefined;
      if (!isDone) await startJoined(cluster, second);
      const { suspects } = second.active;
      expect(suspects, `crash at operation ${crashAt}`).toEqual([]);
      expect(namesAt(first).length, `crash at operation ${crashAt}`).toBe(2);
      if (isDone) break;
      moments += 1;
    }
    expect(moments).toBeGreaterThan(20);
  });

  it('may ask any member, as long as a majority of the cluster is there', async () => {
    const { cluster } = await running(804);
    const [, second, third] = cluster.machines as [Machine, Machine, Machine];
    cluster.kill(second);
    const { address } = third;
    const fourth = cluster.addMachine({ join: { addresses: [second.address, address] } });
    await startJoined(cluster, fourth);
    await activate(cluster, third, [fourth]);
    cluster.kill(cluster.machine(0));
    const fifth = cluster.addMachine({ join: { addresses: [address] } });
    await cluster.start(fifth);
    await cluster.world.run(20_000);
    expect([fifth.joined, fifth.fatal]).toEqual([false, undefined]);
    await cluster.start(second);
    await untilJoined(cluster, fifth);
  });

  it('and never comes does not keep the others from starting again', async () => {
    const { cluster, first, join } = await running(808, 1);
    const second = cluster.addMachine({ join });
    // As if it went before the balancer had heard of it, and made it one that counts.
    first.active.rebalancer.stop();
    await startJoined(cluster, second);
    cluster.kill(second);
    await cluster.world.run(SHORTLY_MS);
    await restart(cluster, first);
    expect(namesAt(first)).toEqual(['n1', 'n2']);
  });

  it('is refused under a name that is taken, unless it is to replace that node', async () => {
    const { cluster, first, join } = await running(805);
    const third = cluster.machine(2);
    const dead = idOf(third);
    cluster.kill(third);
    third.vfs = new CrashableMemVfs();
    third.entrance = { join };
    third.peers = [];
    const { code, message } = await errorAtStart(cluster, third);
    expect(code).toBe('NAME_TAKEN');
    expect(message).toContain('--replace n3');

    third.entrance = { join: { ...join, replace: 'n3' } };
    await startJoined(cluster, third);
    await cluster.world.run(SHORTLY_MS);
    expect(first.active.members.rowOf(dead)?.state).toMatch(/dead|gone/);
    expect(first.active.members.rowOf(idOf(third))).toMatchObject({ name: 'n3' });
    expect(first.active.members.has(dead)).toBe(false);
    third.entrance = { join: { ...join, replace: 'n9' } };
    third.vfs = new CrashableMemVfs();
    expect(await errorAtStart(cluster, third)).toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('is refused by another cluster than that of its token, and without the secret', async () => {
    const { cluster, join } = await running(806);
    const fourth = cluster.addMachine({ join: { ...join, clusterId: 'another' } });
    expect((await errorAtStart(cluster, fourth)).code).toBe('WRONG_CLUSTER');
    fourth.entrance = { join };
    fourth.secret = 'guessed';
    expect((await errorAtStart(cluster, fourth)).code).toBe('WRONG_SECRET');
    fourth.secret = 'secret';
    await startJoined(cluster, fourth);
  });

  it('is refused when there are ten, and when it must not come back', async () => {
    const { cluster, first, join } = await running(807, 1);
    const others = Array.from({ length: 9 }, () => cluster.addMachine({ join }));
    for (const machine of others) await startJoined(cluster, machine);
    const eleventh = cluster.addMachine({ join });
    expect((await errorAtStart(cluster, eleventh)).code).toBe('TOO_MANY_NODES');
    await declare(cluster, first, idOf(others[8] as Machine), 'gone');
    await startJoined(cluster, eleventh);
  });
});

describe('a cluster that is bootstrapped', () => {
  it('begins with one node and grows', async () => {
    const cluster = new SimCluster({ nodes: 0, seed: 811 });
    const first = cluster.addMachine({ bootstrap: { expect: 1 } });
    await startJoined(cluster, first);
    await cluster.untilLed([first]);
    await cluster.world.resolve('put', cluster.put(first, 'k', 'v'));
    for (let i = 0; i < 2; i++) {
      const machine = cluster.addMachine({ join: { addresses: [first.address] } });
      await startJoined(cluster, machine);
      expect(await cluster.get(machine, 'k')).toBe('v');
    }
    await cluster.world.run(SHORTLY_MS);
    expect(namesAt(first)).toEqual(['n1', 'n2', 'n3']);
    await restart(cluster, first);
    expect(await cluster.get(cluster.machine(2), 'k')).toBe('v');
  });

  it('waits for the nodes that it expects, and makes all of them its first', async () => {
    const cluster = new SimCluster({ nodes: 0, seed: 812 });
    const first = cluster.addMachine({ bootstrap: { expect: 3 } });
    const join = { addresses: [first.address] };
    const [second, third] = [cluster.addMachine({ join }), cluster.addMachine({ join })];
    third.zone = 'east';
    await cluster.start(second);
    await cluster.start(first);
    await cluster.world.run(20_000);
    expect([first.joined, second.joined]).toEqual([false, false]);
    expect(cluster.world.log.map(({ message }) => message).join()).toContain('2 more to join');
    await cluster.start(third);
    await cluster.untilLed();
    const { nodes, groups } = second.active.genesis;
    expect(nodes.map(({ name, zone }) => [name, zone])).toEqual([
      ['n1', ''],
      ['n2', ''],
      ['n3', 'east'],
    ]);
    expect(groups.every(({ voters }) => voters.length === 3)).toBe(true);
    const fourth = cluster.addMachine({ join });
    await startJoined(cluster, fourth);
    await restart(cluster, third);
  });

  it('does not wait for one that has given up', async () => {
    const cluster = new SimCluster({ nodes: 0, seed: 813 });
    const first = cluster.addMachine({ bootstrap: { expect: 3 } });
    const join = { addresses: [first.address] };
    const [second, third] = [cluster.addMachine({ join }), cluster.addMachine({ join })];
    await cluster.start(first);
    await cluster.start(second);
    await cluster.world.run(SHORTLY_MS);
    cluster.kill(second);
    await cluster.world.run(2 * SHORTLY_MS);
    await cluster.start(third);
    await cluster.world.run(2 * SHORTLY_MS);
    expect(first.joined).toBe(false);
    await cluster.start(second);
    await cluster.untilLed();
  });
});

describe('a node that was away', () => {
  it('learns who came meanwhile, and finds a majority of them', async () => {
    const { cluster, first, join } = await running(821);
    const [, second, third] = cluster.machines as [Machine, Machine, Machine];
    cluster.kill(third);
    const added = [cluster.addMachine({ join }), cluster.addMachine({ join })];
    for (const machine of added) await startJoined(cluster, machine);
    await activate(cluster, first, added);
    await cluster.world.run(SHORTLY_MS);
    // Of five it must hear two others; the second node alone is a majority of the three that it knows.
    cluster.kill(first);
    for (const machine of added) cluster.kill(machine);
    await cluster.start(third);
    await cluster.world.run(10_000);
    expect(third.joined).toBe(false);
    await cluster.start(added[0] as Machine);
    await untilJoined(cluster, third);
    expect(namesAt(third)).toEqual(['n1', 'n2', 'n3', 'n4', 'n5']);
    expect(namesAt(second)).toEqual(namesAt(third));
  });

  it('is found at another address, by all and by who starts later', async () => {
    const { cluster, first } = await running(822);
    const [, second, third] = cluster.machines as [Machine, Machine, Machine];
    for (const machine of cluster.machines) machine.peers = [];
    cluster.kill(third);
    third.address = '10.9.9.9:1883';
    await startJoined(cluster, third);
    await cluster.world.run(SHORTLY_MS);
    expect(first.active.members.stateOf(idOf(third))).toBe('active');
    expect(first.active.members.rowOf(idOf(third))?.mqttAddress).toBe(third.address);
    cluster.kill(first);
    await restart(cluster, second);
    expect(second.active.members.stateOf(idOf(third))).not.toBe('failed');
  });

  it('too long, and was declared dead, is told so for ever, with one sentence', async () => {
    const { cluster, first, join } = await running(823);
    const third = cluster.machine(2);
    const node = idOf(third);
    cluster.kill(third);
    await declare(cluster, first, node, 'dead');
    await cluster.world.run(SHORTLY_MS);
    const { code, message } = await errorAtStart(cluster, third);
    expect(code).toBe('NODE_REMOVED');
    expect(message).toContain('n3');
    expect(message).toContain('--join');
    // Also when nobody is there to ask.
    for (const machine of cluster.machines) cluster.kill(machine);
    expect((await errorAtStart(cluster, third)).code).toBe('NODE_REMOVED');

    third.vfs = new CrashableMemVfs();
    third.entrance = { join };
    for (const machine of cluster.machines.slice(0, 2)) await cluster.start(machine);
    await startJoined(cluster, third);
    expect(idOf(third)).not.toBe(node);
  });

  it('so long that it is forgotten is told the same', async () => {
    const { cluster, first, join } = await running(824, 1);
    const second = cluster.addMachine({ join });
    await startJoined(cluster, second);
    const node = idOf(second);
    cluster.kill(second);
    await change(cluster, first, (settings) => ({
      settings: { ...settings, nodes: settings.nodes.filter((row) => row.node !== node) },
    }));
    expect((await errorAtStart(cluster, second)).code).toBe('NODE_REMOVED');
  });
});

describe('a node that is removed while it runs', () => {
  it('is told by the others and ends', async () => {
    const { cluster, first, join } = await running(831);
    const third = cluster.machine(2);
    const others = cluster.machines.slice(0, 2).map(({ address }) => address);
    cluster.network.partition(others, [third.address]);
    const node = idOf(third);
    await declare(cluster, first, node, 'dead');
    await cluster.world.run(20_000);
    expect(third.ended).toBeUndefined();
    cluster.network.heal();
    await cluster.world.until('it ends', () => third.ended !== undefined);
    expect(third.ended).toMatchObject({ kind: 'removed', error: { code: 'NODE_REMOVED' } });
    const fourth = cluster.addMachine({ join });
    await startJoined(cluster, fourth);
    expect(stateAt(fourth, third)).toBe('dead');
  });

  it('because it was told to leave ends well, once it is gone', async () => {
    const { cluster, first, join } = await running(832);
    const fourth = cluster.addMachine({ join });
    await startJoined(cluster, fourth);
    await change(cluster, first, (settings) => leaveNode(settings, 'n4', 1));
    await cluster.world.run(SHORTLY_MS);
    expect(stateAt(fourth, fourth)).toBe('leaving');
    expect(fourth.active.members.heartbeatOf(idOf(fourth))?.state).toBe('leaving');
    expect(fourth.ended).toBeUndefined();
    await declare(cluster, first, idOf(fourth), 'gone');
    await cluster.world.until('it ends', () => fourth.ended !== undefined);
    expect(fourth.ended).toMatchObject({ kind: 'left' });
    expect((await errorAtStart(cluster, fourth)).code).toBe('NODE_REMOVED');
    await cluster.world.run(20_000);
    expect(namesAt(first)).toEqual(['n1', 'n2', 'n3']);
    expect(first.active.members.others()).toHaveLength(2);
  });
});
