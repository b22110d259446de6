import { describe, expect, it } from 'vitest';
import { cluster as messages } from '../../protos/index.ts';
import { type Machine, SimCluster } from './cluster.ts';

const { ConfigurationStatus } = messages;

/** Everything that can be written into one group and read again. */
const KEYS = Array.from({ length: 40 }, (_, i) => `k${i}`);

describe('A replica that moves', () => {
  it('is filled by a snapshot, votes once it has caught up, and the old one leaves nothing behind', async () => {
    const { cluster, group, leader, newcomer, leaving } = await moving(7);
    await putAll(cluster, 'a');
    await step(cluster, group, { learners: [newcomer] });
    await untilCaughtUp(cluster, group, newcomer);
    const kept = votersOf(cluster, group).filter((each) => each !== leaving);
    await step(cluster, group, { voters: [...kept, newcomer] });
    await cluster.world.until('the old replica is gone', () => {
      const { host, engine } = leaving.active;
      const positions = engine.flushedPositions();
      return host.replica(group) === undefined && positions !== undefined;
    });
    await cluster.world.run(3_000);
    expect(votersOf(cluster, group)).toEqual(expect.arrayContaining([...kept, newcomer]));
    expect(await entriesIn(leaving, group)).toBe(0);
    await readAll(cluster, 'a');
    await putAll(cluster, 'b');
    await readAll(cluster, 'b');
    expect(leader.fatal).toBeUndefined();
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'survives a power cut anywhere while it is filled (seed %i)',
    async (seed) => {
      const { cluster, group, newcomer } = await moving(seed);
      await putAll(cluster, 'a');
      await step(cluster, group, { learners: [newcomer] });
      for (let crash = 0; crash < 4; crash++) {
        let left = cluster.random.below(30);
        newcomer.beforeOperation = () => {
          if (left-- === 0) cluster.cutPower(newcomer, 0.5);
        };
        await cluster.world.run(2_000);
        newcomer.beforeOperation = undefined;
        if (!newcomer.life?.alive) await cluster.start(newcomer);
        keepStill(cluster);
      }
      await untilCaughtUp(cluster, group, newcomer);
      expect(newcomer.active.suspects).toEqual([]);
      await readAll(cluster, 'a');
    },
  );

  it('can leave a group that its node leads', async () => {
    const { cluster, group, leader, newcomer } = await moving(11);
    await putAll(cluster, 'a');
    await step(cluster, group, { learners: [newcomer] });
    await untilCaughtUp(cluster, group, newcomer);
    const kept = votersOf(cluster, group).filter((each) => each !== leader);
    await step(cluster, group, { voters: [...kept, newcomer] });
    await cluster.world.until('it is gone', () => leader.active.host.replica(group) === undefined);
    await putAll(cluster, 'b');
    await readAll(cluster, 'b');
  });

  it('may come back to a node that it has left', async () => {
    const { cluster, group, newcomer, leaving } = await moving(13);
    await putAll(cluster, 'a');
    const stay = votersOf(cluster, group).filter((each) => each !== leaving);
    for (const [comes, goes] of [
      [newcomer, leaving],
      [leaving, newcomer],
    ] as const) {
      await step(cluster, group, { learners: [comes] });
      await untilCaughtUp(cluster, group, comes);
      await step(cluster, group, { voters: [...stay, comes] });
      await cluster.world.until('gone', () => goes.active.host.replica(group) === undefined);
      await putAll(cluster, comes.name);
      await readAll(cluster, comes.name);
    }
  });
});

describe('A follower that was away for longer than the log is kept', () => {
  it('is brought up to date by a snapshot', async () => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 3,
      shardCount: 2,
      memtableBytes: 64 * 1024,
      segmentBytes: 64 * 1024,
    });
    await cluster.startAll();
    await putAll(cluster, 'a');
    const away = cluster.machine(2);
    cluster.kill(away);
    const [writer] = cluster.machines as [Machine];
    for (let round = 0; round < 30; round++) {
      await Promise.all(
        KEYS.map((key) => within(cluster, cluster.put(writer, key, `${round}`.padEnd(1_000, '.')))),
      );
    }
    await cluster.world.run(5_000);
    await cluster.start(away);
    await cluster.untilLed();
    await cluster.world.until('it has what the others have', () =>
      [...away.active.host.replicas()].every(({ identity, state }) => {
        const other = writer.active.host.replica(identity.group);
        return state.appliedIndex === other?.state.appliedIndex;
      }),
    );
    const installed = [...away.active.host.replicas()].some(
      ({ snapshotIndex }) => snapshotIndex > 0,
    );
    expect(installed).toBe(true);
    cluster.kill(writer);
    await cluster.untilLed([cluster.machine(1), away]);
    for (const key of KEYS) expect(await cluster.get(away, key)).toContain('29');
  });
});

describe('A suspect replica', () => {
  it('is replaced by a new one on the same node while the others serve', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 5, shardCount: 2 });
    await cluster.startAll();
    await putAll(cluster, 'a');
    const [group] = groupsOf(cluster);
    const victim = cluster.machines.find((each) => !leads(each, group)) as Machine;
    const suspect = victim.active.host.replica(group)?.identity.replicaId as number;
    victim.active.groups.distrust(group, 'a test says so');
    expect(victim.active.suspects).toHaveLength(1);
    await putAll(cluster, 'b');
    await step(cluster, group, { suspect });
    await cluster.world.until('a new replica serves', () => {
      const replica = victim.active.host.replica(group);
      return replica !== undefined && replica.identity.replicaId > suspect;
    });
    expect(victim.active.suspects).toEqual([]);
    await untilCaughtUp(cluster, group, victim);
    await readAll(cluster, 'b');
    await putAll(cluster, 'c');
    await readAll(cluster, 'c');
  });
});

describe('A node that is stopped', () => {
  it('hands its leaderships over first', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 9, shardCount: 4 });
    await cluster.startAll();
    const [node] = cluster.machines as [Machine];
    await cluster.makeLead(node, 'k1');
    const others = cluster.machines.slice(1);
    const elections = () => cluster.world.log.filter(({ name }) => name === 'became-leader').length;
    const before = elections();
    await within(cluster, node.active.groups.handOver());
    expect([...node.active.host.replicas()].some(({ raft }) => raft.role === 'leader')).toBe(false);
    expect(elections()).toBeGreaterThan(before);
    await cluster.untilLed(others);
  });
});

async function moving(seed: number) {
  const cluster = new SimCluster({ nodes: 4, seed, shardCount: 4 });
  await cluster.startAll();
  keepStill(cluster);
  const [group] = groupsOf(cluster);
  const voters = votersOf(cluster, group);
  const newcomer = cluster.machines.find((each) => !voters.includes(each)) as Machine;
  const leader = leaderOf(cluster, group);
  const leaving = voters.find((each) => each !== leader) as Machine;
  return { cluster, group, voters, newcomer, leader, leaving };
}

function groupsOf(cluster: SimCluster): [number] {
  const [{ group } = { group: 0 }] = cluster.machine(0).active.map.shards();
  return [group];
}

function leads(machine: Machine, group: number): boolean {
  return machine.life?.alive === true && machine.active.host.replica(group)?.raft.role === 'leader';
}

function leaderOf(cluster: SimCluster, group: number): Machine {
  const leader = cluster.machines.find((each) => each.node?.hasJoined && leads(each, group));
  if (leader === undefined) throw new Error(`nobody leads group ${group}`);
  return leader;
}

function votersOf(cluster: SimCluster, group: number): Machine[] {
  const { voters } = (
    leaderOf(cluster, group).active.host.replica(group) as NonNullable<
      ReturnType<Machine['active']['host']['replica']>
    >
  ).members;
  return voters.map(({ node }) => machineOf(cluster, node));
}

function machineOf(cluster: SimCluster, node: string): Machine {
  return cluster.machines.find((each) => each.node?.identity.node === node) as Machine;
}

/** Asks whoever leads for one step until it is taken and complete. */
async function step(
  cluster: SimCluster,
  group: number,
  wanted: { voters?: readonly Machine[]; learners?: readonly Machine[]; suspect?: number },
): Promise<void> {
  const nodes = (machines: readonly Machine[] = []) =>
    machines.map(({ node }) => (node as NonNullable<typeof node>).identity.node);
  const leadingReplica = () =>
    cluster.machines
      .find((each) => each.node?.hasJoined && leads(each, group))
      ?.active.host.replica(group);
  const propose = () => {
    const replica = leadingReplica();
    if (replica === undefined) return false;
    const request = new messages.ConfigurationRequest({
      group,
      configurationIndex: replica.raft.configurationIndex,
      voters: nodes(wanted.voters),
      learners: nodes(wanted.learners),
      replaceSuspect: wanted.suspect !== undefined,
      suspect: wanted.suspect ?? 0,
    });
    const { status } = leaderOf(cluster, group).active.groups.change(request);
    return status === ConfigurationStatus.CONFIGURATION_PROPOSED;
  };
  while (!propose()) await cluster.world.run(100);
  await cluster.world.until('the step is complete', () => {
    const replica = leadingReplica();
    return replica?.raft.isConfigurationCommitted === true && replica.members.outgoing.length === 0;
  });
}

async function untilCaughtUp(cluster: SimCluster, group: number, machine: Machine): Promise<void> {
  await cluster.world.until(`${machine.name} has caught up`, () => {
    const leader = cluster.machines.find((each) => each.node?.hasJoined && leads(each, group));
    const applied =
      machine.node?.hasJoined && machine.active.host.replica(group)?.state.appliedIndex;
    return (
      applied !== undefined && applied === leader?.active.host.replica(group)?.raft.commitIndex
    );
  });
}

/** Nobody but the test moves anything. */
function keepStill(cluster: SimCluster): void {
  for (const { node } of cluster.machines) if (node?.hasJoined) node.active.rebalancer.stop();
}

async function putAll(cluster: SimCluster, value: string): Promise<void> {
  for (const key of KEYS) await putThrough(cluster, cluster.machine(0), key, value);
}

async function putThrough(cluster: SimCluster, machine: Machine, key: string, value: string) {
  for (let tries = 0; ; tries++) {
    try {
      return await within(cluster, cluster.put(machine, key, value));
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

async function entriesIn(machine: Machine, group: number): Promise<number> {
  const { engine, map } = machine.active;
  const { firstSlot, slotCount } = map.row(group);
  const snapshot = engine.snapshot();
  const cursor = snapshot.cursor({
    lower: Uint8Array.of(firstSlot),
    ...(firstSlot + slotCount > 255 ? {} : { upper: Uint8Array.of(firstSlot + slotCount) }),
  });
  await cursor.seekFirst();
  const entries = await cursor.take(10, 1024);
  cursor.close();
  snapshot.close();
  return entries.length;
}

function within<T>(cluster: SimCluster, promise: Promise<T>): Promise<T> {
  return cluster.world.resolve('an answer', promise);
}
