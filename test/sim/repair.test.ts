import { describe, expect, it } from 'vitest';
import type { Replica } from '../../node/shard/replica.ts';
import { describeStatus } from '../../node/status.ts';
import type { StorageNode } from '../../node/storage-node.ts';
import { encode, type Machine, SimCluster } from './cluster.ts';

const TABLES = '/data/tables';
const KEYS = Array.from({ length: 60 }, (_, i) => `k${i}`);
const wide = (text: string) => text.padEnd(1_500, '.');

describe('A damaged table', () => {
  it('is not replaced while a group needs all the replicas that it has left', async () => {
    const { cluster, victim, name } = await withTables(24);
    const [first, other] = cluster.machines as [Machine, Machine];
    cluster.kill(other);
    await cluster.world.run(20_000);
    flipBits(victim, name);
    await inTime(cluster, (victim.active.engine as never as Verifiable).verify());
    await cluster.world.run(20_000);
    expect(victim.active.suspects).toEqual([]);
    await inTime(cluster, cluster.put(first, 'k1', 'b'));
    await cluster.start(other);
    await cluster.world.until('it is', () => victim.active.suspects.length > 0);
    await untilRepaired(cluster, victim, []);
    await cluster.world.run(10_000);
    expect(alertsOf(victim)).toEqual([]);
    for (const machine of cluster.machines) {
      for (const key of KEYS.slice(2)) expect(await cluster.get(machine, key)).toBe(wide('a'));
    }
  });

  it.each([
    { how: 'a read', scrub: 0 },
    { how: 'the scrub', scrub: 1_000_000 },
  ])('that $how finds is replaced with all that it may have held', async ({ how, scrub }) => {
    const { cluster, victim, name } = await withTables(21, { scrubBytesPerSecond: scrub });
    flipBits(victim, name);
    if (how === 'a read') {
      for (const key of KEYS) {
        const bytes = new TextEncoder().encode(key);
        await inTime(cluster, victim.active.dataPlane.get(bytes, { eventual: true }));
      }
    }
    await cluster.world.until('somebody notices', () => victim.active.suspects.length > 0, 200_000);
    const suspects = victim.active.suspects.map(({ group }) => group);
    for (const machine of [victim, ...cluster.machines]) {
      await cluster.world.until('every node tells of it', () =>
        alertsOf(machine).some((alert) => alert.startsWith('replica-suspect-')),
      );
    }
    await untilRepaired(cluster, victim, suspects);
    expect(eventsOf(cluster, 'table-damaged')).toHaveLength(1);
    await cluster.world.run(3_000);
    for (const machine of cluster.machines) expect(alertsOf(machine)).toEqual([]);
    for (const { kind, ...times } of victim.active.repairs.incidents.list()) {
      expect(kind).toBe('replica-suspect');
      expect(times.decidedAtMs).toBeGreaterThanOrEqual(times.detectedAtMs);
      expect(times.repairedAtMs).toBeGreaterThanOrEqual(times.decidedAtMs as number);
    }
    await readAll(cluster, wide('a'));
  });

  it('is replaced on one node after the other when two of three find some at once', async () => {
    const { cluster, victim } = await withTables(26);
    const other = cluster.machine(1);
    for (const machine of [victim, other]) {
      const names = await machine.vfs.list(TABLES);
      for (const name of names.filter((each) => each.endsWith('.sst'))) flipBits(machine, name);
    }
    const verified = [victim, other].map(({ active }) =>
      (active.engine as never as Verifiable).verify(),
    );
    await inTime(cluster, Promise.all(verified));
    const suspectsOf = ({ active }: Machine) => active.suspects.map(({ group }) => group);
    const found = new Set<string>();
    const isRepaired = () => {
      const [here, there] = [suspectsOf(victim), suspectsOf(other)];
      expect(here.filter((group) => there.includes(group))).toEqual([]);
      for (const group of here) found.add(`here ${group}`);
      for (const group of there) found.add(`there ${group}`);
      const alerts = [victim, other].flatMap(alertsOf);
      return found.size > 0 && here.length + there.length + alerts.length === 0;
    };
    await cluster.world.until('both are whole again', isRepaired, 300_000);
    expect(found.size).toBeGreaterThan(1);
    await cluster.untilLed();
    await readAll(cluster, wide('a'));
  });

  it('that has halted a replica is replaced when the group can do without it, whoever leads by then', async () => {
    const { cluster, victim, name } = await withTables(27);
    const [first, other] = cluster.machines as [Machine, Machine];
    flipBits(victim, name);
    cluster.kill(other);
    const claims = KEYS.map((key) => {
      const claim = { key: encode(key), value: encode('c'), ifVersion: null, ttlMs: 0 };
      return first.active.dataPlane.compareAndSet({ ...claim, token: undefined });
    });
    const halted = () => [...victim.active.host.replicas()].filter((each) => each.isHaltedByDamage);
    await cluster.world.until('a claim needs what is damaged', () => halted().length > 0);
    const terms = new Map(halted().map(({ identity, raft }) => [identity.group, raft.term]));
    await cluster.world.run(20_000);
    await cluster.start(other);
    const groups = [...terms.keys()];
    await untilRepaired(cluster, victim, groups);
    for (const [group, term] of terms) {
      const { raft } = first.active.host.replica(group) as Replica;
      expect(raft.term, 'another has been elected meanwhile').toBeGreaterThan(term);
    }
    await Promise.all(claims.map((claim) => inTime(cluster, claim)));
    await readAll(cluster, wide('a'));
  });

  it('is known after a restart, and so is what was made of it before', async () => {
    const { cluster, victim, name } = await withTables(22);
    await victim.vfs.remove(`${TABLES}/${name}`);
    cluster.kill(victim);
    await cluster.start(victim);
    // Not before the others have been heard: the group must be able to do without it.
    await cluster.world.until(
      'it is back, and distrusts what it holds',
      () => victim.joined && victim.active.suspects.length > 0,
    );
    const suspects = victim.active.suspects.map(({ group }) => group);
    cluster.kill(victim);
    await cluster.start(victim);
    await cluster.world.until('it is back', () => victim.joined);
    await untilRepaired(cluster, victim, suspects);
    await readAll(cluster, wide('a'));
  });

  it('that was set aside is kept as long as somebody may want it, and no longer', async () => {
    for (const nodes of [1, 3]) {
      const { cluster, victim, name } = await withTables(25, { nodes });
      const aside = `${TABLES}/${name}.damaged`;
      const path = `${TABLES}/${name}`;
      cluster.kill(victim);
      victim.vfs.damage(path, (await victim.vfs.readFile(path)).length - 1, 0x10);
      await cluster.start(victim);
      await cluster.world.until('it is back', () => victim.joined);
      expect(await victim.vfs.exists(aside)).toBe(true);
      const isRepaired = () => victim.active.suspects.length === 0 && alertsOf(victim).length === 0;
      if (nodes === 3) await cluster.world.until('all is well', isRepaired, 120_000);
      await cluster.world.run(10_000);
      expect(await victim.vfs.exists(aside)).toBe(nodes === 1);
    }
  });

  it('of a group without other replicas is an alarm, and what is sound is served', async () => {
    const { cluster, victim, name } = await withTables(23, { nodes: 1 });
    flipBits(victim, name);
    await inTime(cluster, (victim.active.engine as never as Verifiable).verify());
    expect(victim.active.suspects).toEqual([]);
    await cluster.world.run(1_000);
    expect(alertsOf(victim)).toEqual([`table-damaged-${victim.node?.identity.name}`]);
    const readable: string[] = [];
    for (const key of KEYS) {
      if ((await cluster.get(victim, key)) === wide('a')) readable.push(key);
    }
    expect(readable.length).toBeGreaterThan(0);
    expect(readable.length).toBeLessThan(KEYS.length);
    expect(victim.fatal).toBeUndefined();
  });
});

interface Verifiable {
  verify(): Promise<unknown>;
}

interface Options {
  readonly nodes?: number;
  readonly scrubBytesPerSecond?: number;
}

/** A cluster with everything in tables, and one table of one node. */
async function withTables(seed: number, { nodes = 3, ...options }: Options = {}) {
  const cluster = new SimCluster({
    ...{ nodes, seed, shardCount: 4, memtableBytes: 64 * 1024, ...options },
  });
  await cluster.startAll();
  for (const key of KEYS) await putThrough(cluster, key, wide('a'));
  for (const { active } of cluster.machines) await inTime(cluster, active.engine.flush());
  const victim = cluster.machines.at(-1) as Machine;
  const name = (await victim.vfs.list(TABLES)).filter((each) => each.endsWith('.sst')).at(-1);
  return { cluster, victim, name: name as string };
}

function flipBits(machine: Machine, name: string): void {
  machine.vfs.damage(`${TABLES}/${name}`, 700, 0x10);
}

/** Each of these groups has a new replica there, which has all. */
async function untilRepaired(
  cluster: SimCluster,
  machine: Machine,
  groups: readonly number[],
): Promise<void> {
  await cluster.world.until(
    'the replicas are replaced',
    () =>
      machine.active.suspects.length === 0 &&
      groups.every((group) => machine.active.host.replica(group) !== undefined),
    120_000,
  );
  await cluster.untilLed();
}

function alertsOf({ node }: Machine): string[] {
  const status = describeStatus(node as StorageNode, { name: '', mqtt: '', http: '' });
  return status.alerts.map(({ name }) => name);
}

function eventsOf(cluster: SimCluster, name: string) {
  return cluster.world.log.filter((event) => event.name === name);
}

async function putThrough(cluster: SimCluster, key: string, value: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await inTime(cluster, cluster.put(cluster.machine(0), key, value));
      return;
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

async function readAll(cluster: SimCluster, value: string): Promise<void> {
  for (const machine of cluster.machines) {
    for (const key of KEYS)
      expect(await cluster.get(machine, key), `${key} from ${machine.name}`).toBe(value);
  }
}

function inTime<T>(cluster: SimCluster, promise: Promise<T>): Promise<T> {
  return cluster.world.resolve('an answer', promise);
}
