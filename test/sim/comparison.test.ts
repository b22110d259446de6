import { describe, expect, it } from 'vitest';
import { slotOf } from '../../node/ring/slots.ts';
import { setRetention } from '../../node/settings/settings.ts';
import { engineKeyAt, Space, timeOf, writeValueHeader } from '../../node/shard/engine-key.ts';
import { describeStatus } from '../../node/status.ts';
import type { StorageNode } from '../../node/storage-node.ts';
import { decode, encode, type Machine, put, SimCluster } from './cluster.ts';

/** More histories: `SOAK_SEEDS=50 npx vitest run test/sim/comparison`. */
const SEEDS = Array.from({ length: Number(process.env.SOAK_SEEDS ?? 2) }, (_, i) => i + 1);
const KEYS = Array.from({ length: 20 }, (_, i) => `k${i}`);

describe('Replicas that are compared', () => {
  it('are equal when nothing is wrong with them', async () => {
    const cluster = await filled(31, 3);
    await verify(cluster);
    const groups = await report(cluster);
    expect(groups.map(({ state }) => state)).toEqual(groups.map(() => 'equal'));
    expect(groups.map(({ group }) => group)).toEqual([0, 1, 2, 3, 4]);
    const entries = groups.reduce((sum, { entries }) => sum + entries, 0);
    expect(entries).toBeGreaterThanOrEqual(KEYS.length);
    for (const { replicas } of groups) {
      expect(replicas.map(({ verdict }) => verdict)).toEqual(['agrees', 'agrees', 'agrees']);
    }
    expect(told(cluster, 'replica-differs')).toEqual([]);
  });

  it.each([{ who: 'a follower' }, { who: 'the leader' }])(
    'show that $who has been changed, and it is built anew',
    async ({ who }) => {
      const cluster = await filled(32, 3);
      const leader = cluster.leaderOf('k3');
      const victim =
        who === 'the leader' ? leader : (cluster.machines.find((m) => m !== leader) as Machine);
      const group = groupOf(victim, 'k3');
      const before = replicaIdOf(victim, group);
      await spoil(cluster, victim, 'k3', 'forged');
      await verify(cluster, [group]);
      const found = (await report(cluster)).find((each) => each.group === group);
      expect(found).toMatchObject({ state: 'different', slots: [slotOf(encode('k3'), 0, 2)] });
      expect(found?.replicas.filter(({ verdict }) => verdict === 'differs')).toMatchObject([
        { node: victim.node?.identity.node, replicaId: before },
      ]);
      expect(told(cluster, 'replica-differs')).toHaveLength(1);
      await cluster.world.until('it is built anew', () => replicaIdOf(victim, group) > before);
      await cluster.untilLed();
      for (const machine of cluster.machines) {
        expect(await cluster.get(machine, 'k3')).toBe('a');
        expect(machine.active.suspects).toEqual([]);
      }
      await cluster.world.run(10_000);
      for (const machine of cluster.machines) expect(alertsOf(machine)).toEqual([]);
      await verify(cluster, [group]);
      const again = (await report(cluster)).find((each) => each.group === group);
      expect(again?.state).toBe('equal');
    },
  );

  it('stay as they are where two differ and nobody knows who is right', async () => {
    const cluster = await filled(33, 2);
    const leader = cluster.leaderOf('k3');
    const other = cluster.machines.find((each) => each !== leader) as Machine;
    const group = groupOf(leader, 'k3');
    await spoil(cluster, other, 'k3', 'forged');
    await verify(cluster, [group]);
    await cluster.world.run(15_000);
    expect(alertsOf(leader)).toEqual([`replica-differs-${group}`]);
    for (const machine of cluster.machines) expect(machine.active.suspects).toEqual([]);
  });

  it('that were found wrong are so after a restart too', async () => {
    const cluster = await filled(34, 3);
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    const group = groupOf(third, 'k3');
    third.active.groups.distrust(group, 'a test says so');
    await cluster.world.run(10);
    cluster.kill(third);
    cluster.kill(second);
    await cluster.start(third);
    await cluster.world.until('it is back', () => third.joined);
    expect(third.active.suspects).toMatchObject([{ group, reason: 'a test says so' }]);
    await cluster.start(second);
    await cluster.world.until('it is replaced', () => third.active.suspects.length === 0);
    expect(first.fatal).toBeUndefined();
  });

  it('are compared by themselves, each group in its time', async () => {
    const cluster = await filled(35, 3, { verifyHours: 1 / 30 });
    await cluster.world.run(130_000);
    const groups = await report(cluster);
    expect(groups.map(({ state }) => state)).toEqual(groups.map(() => 'equal'));
    expect(groups).toHaveLength(5);
    const starts = groups.map(({ startedAtMs }) => startedAtMs);
    expect(new Set(starts).size, 'not all at once').toBeGreaterThan(2);
  });
});

describe('A read for repair', () => {
  it('answers as any other where all is well, also while the key is written', async () => {
    const cluster = await filled(41, 4);
    for (const machine of cluster.machines) {
      expect(await repairRead(cluster, machine, 'k3')).toBe('a');
      expect(await repairRead(cluster, machine, 'nothing')).toBe('<not-found>');
    }
    for (let i = 0; i < 20; i++) {
      const writes = [1, 2, 3].map((n) => cluster.put(cluster.machine(n), 'k3', `${i}.${n}`));
      const read = repairRead(cluster, cluster.machine(i % 4), 'k3');
      expect(await read).not.toMatch(/^</);
      await inTime(cluster, Promise.all(writes));
    }
    await inTime(cluster, cluster.put(cluster.machine(0), 'k3', ''));
    expect(await repairRead(cluster, cluster.machine(1), 'k3')).toBe('<not-found>');
    expect(told(cluster, 'replica-differs')).toEqual([]);
  });

  it.each([
    { what: 'another value', forged: 'forged' },
    { what: 'a deletion', forged: '' },
  ])(
    'gives what most replicas hold where one has $what, and that one is built anew',
    async ({ forged }) => {
      const cluster = await filled(42, 4);
      const group = groupOf(cluster.machine(0), 'k3');
      const victim = cluster.machines.findLast((each) => replicaIdOf(each, group) > 0) as Machine;
      const before = replicaIdOf(victim, group);
      await spoil(cluster, victim, 'k3', forged);
      for (const machine of cluster.machines) {
        expect(await repairRead(cluster, machine, 'k3')).toBe('a');
      }
      expect(told(cluster, 'replica-differs').length).toBeGreaterThan(0);
      await cluster.world.until('it is built anew', () => replicaIdOf(victim, group) > before);
      await cluster.untilLed();
      expect(await cluster.get(victim, 'k3')).toBe('a');
    },
  );

  it('does not wait for nodes that are down', async () => {
    const cluster = await filled(43, 3);
    cluster.kill(cluster.machine(2));
    expect(await repairRead(cluster, cluster.machine(0), 'k3')).toBe('a');
  });
});

describe('Equal replicas', () => {
  it.each(SEEDS)(
    'are never found to differ, whatever is written, forgotten, compacted and restarted (seed %i)',
    async (seed) => {
      const cluster = await filled(seed, 3, { memtableBytes: 8 * 1024 });
      const { world, random } = cluster;
      const usable = () => cluster.machines.filter(({ joined, life }) => joined && life?.alive);
      let isWorking = true;
      const loop = (pauseMs: number, work: (machine: Machine) => unknown) => {
        const next = () => {
          if (!isWorking) return;
          const machines = usable();
          if (machines.length > 0) void work(random.pick(machines));
          world.at(1 + random.below(pauseMs), next);
        };
        next();
      };
      let skewMs = 0;
      const nowMs = () => Date.UTC(2026, 0, 1) + world.nowMs + skewMs;
      let number = 0;
      loop(60, (machine) => {
        const value = random.chance(0.2) ? '' : `${++number} `.repeat(1 + random.below(30));
        const ageMs = random.pick([0, 500, 5_000, 4_000_000]) + random.below(50);
        const time = random.chance(0.5) ? 0 : (nowMs() - ageMs - Date.UTC(2020, 0, 1)) * 4096;
        const ttlMs = random.chance(0.2) && value !== '' ? 100 + random.below(3_000) : 0;
        put(cluster.dataPlane(machine), random.pick(KEYS), value, time, ttlMs).catch(() => {});
      });
      loop(4_000, ({ active }) => {
        const keepMs = random.pick([undefined, 1_000, 5_000]);
        const versions = random.pick([0, 1, 3]);
        const rule = { prefix: '', keepMs, versions, ttlMs: random.pick([0, 0, 2_000]) };
        return active.settings.change((settings) => setRetention(settings, rule));
      });
      loop(3_000, ({ active }) => active.engine.compactFully().catch(() => {}));
      loop(2_000, ({ active }) => active.engine.flush().catch(() => {}));
      loop(6_000, ({ active }) => active.repairs.verification.start().catch(() => {}));
      for (let restart = 0; restart < 6; restart++) {
        await world.run(3_000 + random.below(3_000));
        // More than an hour later tombstones go, too: each node in turn learns that it is so late.
        if (restart === 3) skewMs = 7_200_000;
        const machine = cluster.machine(restart % 3);
        machine.skewMs = skewMs;
        if (random.chance(0.5)) cluster.kill(machine);
        else cluster.cutPower(machine, 0.5);
        await world.run(random.below(2_000));
        await cluster.start(machine);
        await cluster.untilLed();
      }
      await world.run(70_000);
      isWorking = false;
      const cutoffs = [...cluster.machine(0).active.host.replicas()].map(
        ({ state }) => state.retention.highestTombstoneCutoff,
      );
      expect(Math.max(...cutoffs)).toBeGreaterThan(0);
      for (const { active } of cluster.machines) {
        await inTime(cluster, active.engine.flush());
        if (random.chance(0.7)) await inTime(cluster, active.engine.compactFully());
      }
      await verify(cluster);
      const groups = await report(cluster);
      expect(groups.map(({ state }) => state)).toEqual(groups.map(() => 'equal'));
      expect(told(cluster, 'replica-differs')).toEqual([]);
    },
    120_000,
  );
});

async function filled(
  seed: number,
  nodes: number,
  options: { readonly verifyHours?: number; readonly memtableBytes?: number } = {},
): Promise<SimCluster> {
  const cluster = new SimCluster({ nodes, seed, shardCount: 4, ...options });
  await cluster.startAll();
  for (const key of KEYS) await inTime(cluster, cluster.put(cluster.machine(0), key, 'a'));
  return cluster;
}

/** Has groups compared, or all, and waits for the end. */
async function verify(cluster: SimCluster, groups: readonly number[] = []): Promise<void> {
  const { verification } = cluster.machine(0).active.repairs;
  await inTime(cluster, verification.start(groups));
  let isOver = false;
  while (!isOver) {
    await cluster.world.run(200);
    const all = await report(cluster);
    const wanted = all.filter(({ group }) => groups.length === 0 || groups.includes(group));
    isOver =
      wanted.length > 0 && wanted.every(({ state }) => state !== 'waiting' && state !== 'running');
  }
}

async function repairRead(cluster: SimCluster, machine: Machine, key: string): Promise<string> {
  const reading = cluster.dataPlane(machine).get(encode(key), { repair: true });
  const outcome = await inTime(cluster, reading);
  return outcome.kind === 'found' ? decode(outcome.value) : `<${outcome.kind}>`;
}

function report(cluster: SimCluster) {
  return inTime(cluster, cluster.machine(0).active.repairs.verification.report());
}

/** Another value in the place of the current one, as no log ever said. */
async function spoil(
  cluster: SimCluster,
  { active }: Machine,
  key: string,
  value: string,
): Promise<void> {
  const slot = slotOf(encode(key), 0, encode(key).length);
  const snapshot = active.engine.snapshot();
  const entries = snapshot.cursor({
    lower: engineKeyAt(slot, Space.userValues, encode(key), 2 ** 52),
  });
  await inTime(cluster, Promise.resolve(entries.seekFirst()));
  const engineKey = entries.key.slice();
  entries.close();
  snapshot.close();
  const time = timeOf(engineKey);
  const stored = new Uint8Array(64);
  const header = writeValueHeader(stored, time, time, value === '');
  stored.set(encode(value), header);
  active.engine.put(engineKey, 0, engineKey.length, stored, 0, header + value.length);
}

function groupOf({ active }: Machine, key: string): number {
  return active.map.groupOf(encode(key), 0, encode(key).length);
}

function replicaIdOf({ active }: Machine, group: number): number {
  return active.host.replica(group)?.identity.replicaId ?? 0;
}

function alertsOf({ node }: Machine): string[] {
  const status = describeStatus(node as StorageNode, { name: '', mqtt: '', http: '' });
  return status.alerts.map(({ name }) => name);
}

function told(cluster: SimCluster, name: string) {
  return cluster.world.log.filter((event) => event.name === name);
}

function inTime<T>(cluster: SimCluster, promise: Promise<T>): Promise<T> {
  return cluster.world.resolve('an answer', promise);
}
