import { describe, expect, it } from 'vitest';
import { readOrder, writeOrder } from '../../node/membership/recovery-order.ts';
import { metaGroup } from '../../node/ring/slots.ts';
import { type Machine, SimCluster } from './cluster.ts';
import { untilSettled } from './settling.ts';

const DIRECTORY = '/data';
const KEYS = Array.from({ length: 30 }, (_, i) => `k${i}`);

describe('An order to go on without lost nodes', () => {
  it.each([
    { nodes: 2, seed: 901 },
    { nodes: 3, seed: 902 },
  ])('makes one survivor of $nodes a cluster that can grow again', async ({ nodes, seed }) => {
    const cluster = await filled(nodes, seed);
    const survivor = cluster.machines.at(-1) as Machine;
    const ids = await loseAll(cluster, cluster.machines.slice(0, -1), survivor);
    await cluster.start(survivor);
    await cluster.world.run(20_000);
    expect(survivor.joined).toBe(false);
    cluster.kill(survivor);

    await order(survivor, ids);
    await cluster.start(survivor);
    await cluster.untilLed([survivor]);
    await expectAll(cluster, [survivor], 'before');
    await putAll(cluster, survivor, 'after');
    await cluster.world.until('the lost are dead', () =>
      survivor.active.settings.current.nodes.every(
        ({ node, state }) => !ids.includes(node) || state === 'dead' || state === 'gone',
      ),
    );
    await cluster.world.run(1_000);
    expect(await orderOf(survivor)).toBeUndefined();
    const kinds = survivor.active.repairs.incidents.list().map(({ kind, group }) => [kind, group]);
    expect(kinds).toContainEqual(['copy-forced', metaGroup]);

    const join = { addresses: [survivor.address] };
    const added = [cluster.addMachine({ join }), cluster.addMachine({ join })];
    for (const machine of added) await cluster.start(machine);
    await cluster.world.until('they have joined', () => added.every(({ joined }) => joined));
    await untilSettled(cluster, 3);
    cluster.kill(survivor);
    await cluster.untilLed(added);
    await expectAll(cluster, added, 'after');
  });

  it('is carried out once, whenever the process is killed meanwhile', async () => {
    const cluster = await filled(2, 903);
    const [survivor, ...lost] = cluster.machines as [Machine, ...Machine[]];
    const ids = await loseAll(cluster, lost, survivor);
    await order(survivor, ids);
    for (let kill = 1; kill <= 8; kill++) {
      let operations = 0;
      survivor.beforeOperation = ({ kind }) => {
        if (kind !== 'write' && kind !== 'rename') return;
        operations += 1;
        if (operations === kill * 3) cluster.kill(survivor);
      };
      const life = cluster.launch(survivor);
      await cluster.world.until(
        'it is killed, or has joined',
        () => !life.alive || survivor.joined,
        60_000,
      );
      if (life.alive) cluster.kill(survivor);
    }
    survivor.beforeOperation = undefined;
    await cluster.start(survivor);
    await cluster.untilLed([survivor]);
    expect(survivor.active.suspects).toEqual([]);
    await expectAll(cluster, [survivor], 'before');
  });

  it('leaves alone what the others can decide, and what they hold, too', async () => {
    const cluster = await filled(5, 904);
    const [first, second, ...lost] = cluster.machines as [Machine, Machine, ...Machine[]];
    const survivors = [first, second];
    const ids = lost.map(({ node }) => node?.identity.node as string);
    const holders = new Map(
      first.active.map
        .rows()
        .map(({ group }) => [
          group,
          survivors.filter(({ active }) => active.host.replica(group) !== undefined),
        ]),
    );
    for (const machine of cluster.machines) cluster.kill(machine);
    await order(first, ids, true);
    await order(second, ids);
    for (const machine of survivors) await cluster.start(machine);
    await cluster.world.until('they have joined', () => survivors.every(({ joined }) => joined));
    const held = [...holders].filter(([, machines]) => machines.length > 0).map(([group]) => group);
    await cluster.world.until(
      'what they hold is led',
      () =>
        held.every((group) =>
          survivors.some(({ active }) => active.host.replica(group)?.raft.role === 'leader'),
        ),
      60_000,
    );
    const forcedAt = (machine: Machine) =>
      machine.active.repairs.incidents
        .list()
        .filter(({ kind }) => kind === 'copy-forced')
        .map(({ group }) => group);
    expect(forcedAt(first)).toContain(metaGroup);
    expect(forcedAt(second)).not.toContain(metaGroup);
    for (const [group, machines] of holders) {
      if (group === metaGroup || machines.length !== 2) continue;
      expect([...forcedAt(first), ...forcedAt(second)]).not.toContain(group);
    }
    expect(survivors.map(({ fatal }) => fatal)).toEqual([undefined, undefined]);
  });

  it('of nobody puts up with what the only node has lost, which can grow then', async () => {
    const cluster = await filled(1, 906);
    const only = cluster.machine(0);
    await inTime(cluster, only.active.engine.flush());
    await damageTables(only);
    cluster.kill(only);
    await cluster.start(only);
    await cluster.untilLed();
    const before = await readAll(cluster, only);
    expect(before).toContain('<unavailable>');
    cluster.kill(only);
    await order(only, []);
    await cluster.start(only);
    await cluster.untilLed();
    const after = await readAll(cluster, only);
    const sound = (values: readonly string[]) => values.filter((value) => value.startsWith('b'));
    expect(sound(after).length).toBeGreaterThan(0);
    expect(sound(after)).toEqual(expect.arrayContaining(sound(before)));
    expect(new Set(after)).toEqual(new Set([...sound(after), '<not-found>']));
    expect(only.active.repairs.lacking()).toEqual([]);
    const kinds = only.active.repairs.incidents.list().map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['values-given-up']));

    const join = { addresses: [only.address] };
    for (const machine of [cluster.addMachine({ join }), cluster.addMachine({ join })]) {
      await cluster.start(machine);
    }
    await cluster.world.until('they have joined', () => cluster.machines.every((m) => m.joined));
    await untilSettled(cluster, 3);
    cluster.kill(only);
    const [, second] = cluster.machines as [Machine, Machine];
    await cluster.untilLed(cluster.machines.slice(1));
    expect(await readAll(cluster, second)).toEqual(after);
  });

  it('is not carried out, and forgotten, if one of the lost answers', async () => {
    const cluster = await filled(3, 907);
    const [mistaken, ...others] = cluster.machines as [Machine, ...Machine[]];
    const ids = others.map(({ node }) => node?.identity.node as string);
    cluster.kill(mistaken);
    await order(mistaken, ids);
    cluster.launch(mistaken);
    await cluster.world.until('it ends', () => mistaken.fatal !== undefined, 60_000);
    expect(mistaken.fatal).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(mistaken.fatal?.message).toContain('n2 and n3 answer');
    cluster.kill(mistaken);
    await cluster.start(mistaken);
    await cluster.untilLed();
    await expectAll(cluster, cluster.machines, 'before');
  });

  it('refuses the lost nodes when they come back after all', async () => {
    const cluster = await filled(3, 905);
    const [survivor, back, ...rest] = cluster.machines as [Machine, Machine, ...Machine[]];
    const ids = await loseAll(cluster, [back, ...rest], survivor);
    await order(survivor, ids);
    await cluster.start(survivor);
    await cluster.untilLed([survivor]);
    await putAll(cluster, survivor, 'after');
    cluster.launch(back);
    await cluster.world.until('it is refused', () => back.fatal !== undefined, 60_000);
    expect(back.fatal).toMatchObject({ code: 'NODE_REMOVED' });
    await expectAll(cluster, [survivor], 'after');
  });
});

async function filled(nodes: number, seed: number): Promise<SimCluster> {
  const cluster = new SimCluster({ nodes, seed, shardCount: 4, memtableBytes: 16 * 1024 });
  await cluster.startAll();
  await untilSettled(cluster, Math.min(nodes, 3));
  await putAll(cluster, cluster.machine(0), 'before');
  await cluster.world.run(2_000);
  return cluster;
}

/** Kills all, and gives the ids of those that are lost. */
async function loseAll(
  cluster: SimCluster,
  lost: readonly Machine[],
  survivor: Machine,
): Promise<string[]> {
  const ids = lost.map(({ node }) => node?.identity.node as string);
  for (const machine of [...lost, survivor]) cluster.kill(machine);
  return ids;
}

async function order(machine: Machine, lost: readonly string[], takesShared = false) {
  const { readIdentity } = await import('../../node/membership/identity.ts');
  const node = (await readIdentity(machine.vfs, DIRECTORY))?.node as string;
  await writeOrder(machine.vfs, DIRECTORY, { node, lost, takesShared });
}

function orderOf(machine: Machine) {
  const node = machine.node?.identity.node as string;
  return readOrder(machine.vfs, DIRECTORY, { node, events: { emit: () => {} } });
}

/** One bit in the middle of each table. */
async function damageTables({ vfs }: Machine): Promise<void> {
  for (const name of await vfs.list(`${DIRECTORY}/tables`)) {
    if (name.endsWith('.sst')) vfs.damage(`${DIRECTORY}/tables/${name}`, 700, 0x10);
  }
}

async function readAll(cluster: SimCluster, machine: Machine): Promise<string[]> {
  const values: string[] = [];
  for (const key of KEYS) values.push(await cluster.get(machine, key));
  return values;
}

function inTime<T>(cluster: SimCluster, promise: Promise<T>): Promise<T> {
  return cluster.world.resolve('an answer', promise);
}

async function putAll(cluster: SimCluster, machine: Machine, note: string): Promise<void> {
  for (const key of KEYS) {
    const value = `${note} ${key}`.padEnd(1_200, '.');
    await cluster.world.resolve('put', cluster.put(machine, key, value));
  }
}

async function expectAll(cluster: SimCluster, machines: readonly Machine[], note: string) {
  for (const machine of machines) {
    for (const key of KEYS) {
      expect(await cluster.get(machine, key)).toBe(`${note} ${key}`.padEnd(1_200, '.'));
    }
  }
}
