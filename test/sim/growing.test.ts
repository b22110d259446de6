import { describe, expect, it } from 'vitest';
import { editNodeTable, leaveNode } from '../../node/settings/nodes.ts';
import { type Machine, SimCluster } from './cluster.ts';

const KEYS = Array.from({ length: 60 }, (_, i) => `k${i}`);
const SETTLE_MS = 300_000;

describe('a cluster', () => {
  it('grows from one node to five and shrinks to three while puts go on', async () => {
    const cluster = new SimCluster({ nodes: 1, seed: 21, shardCount: 8 });
    await cluster.startAll();
    const first = cluster.machine(0);
    await putAll(cluster, 'one');
    const join = { addresses: [first.address] };
    for (const expected of [2, 3, 4, 5]) {
      const machine = cluster.addMachine({ join });
      await cluster.start(machine);
      await putAll(cluster, `${expected}`);
      await untilSettled(cluster, Math.min(expected, 3));
      await readAll(cluster, `${expected}`);
    }
    for (const machine of cluster.machines) expect(held(machine), machine.name).toBeGreaterThan(0);

    for (const name of ['n1', 'n4']) {
      const leaving = cluster.machines.find((each) => each.name === name) as Machine;
      await leave(cluster, leaving);
      await putAll(cluster, name);
      await cluster.world.until(
        `${name} holds nothing`,
        () => leaving.ended !== undefined,
        SETTLE_MS,
      );
      cluster.kill(leaving);
      await readAll(cluster, name);
    }
    await untilSettled(cluster, 3);
  });

  it('gives the data of a node that has died to another', async () => {
    const cluster = new SimCluster({ nodes: 4, seed: 22, shardCount: 8, deadAfterMs: 30_000 });
    await cluster.startAll();
    await untilSettled(cluster, 3);
    await putAll(cluster, 'a');
    const victim = cluster.machine(1);
    cluster.kill(victim);
    await putAll(cluster, 'b');
    await cluster.world.run(40_000);
    await untilSettled(cluster, 3);
    await readAll(cluster, 'b');
    await cluster.start(victim);
    await cluster.world.until(
      'it hears that it is out',
      () => victim.ended !== undefined || victim.fatal !== undefined,
    );
  });

  it('replaces a node whose disk is lost by a new one of the same name', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 23, shardCount: 8 });
    await cluster.startAll();
    await putAll(cluster, 'a');
    const [first, lost] = cluster.machines as [Machine, Machine];
    cluster.kill(lost);
    await putAll(cluster, 'b');
    const machine = cluster.addMachine({
      join: { addresses: [first.address], replace: lost.name },
    });
    cluster.machines.splice(1, 1);
    await cluster.start(machine);
    await cluster.world.run(10_000);
    await untilSettled(cluster, 3);
    await readAll(cluster, 'b');
    expect(held(machine)).toBe(9);
  });
});

async function leave(cluster: SimCluster, leaving: Machine): Promise<void> {
  const at = alive(cluster).find((each) => each !== leaving) as Machine;
  const { settings, genesis } = at.active;
  const nowMs = cluster.world.nowMs;
  const changing = settings.change(
    editNodeTable(genesis, (now) => leaveNode(now, leaving.name, nowMs)),
  );
  expect(await cluster.world.resolve('leave', changing)).toMatchObject({ kind: 'settled' });
}

function alive(cluster: SimCluster): Machine[] {
  return cluster.machines.filter(
    (each) => each.life?.alive && each.node?.hasJoined && each.ended === undefined,
  );
}

function held(machine: Machine): number {
  return [...machine.active.host.replicas()].length;
}

/** Every group has so many voters, each of which has all, and nothing is on its way. */
async function untilSettled(cluster: SimCluster, voters: number): Promise<void> {
  const isSettled = () => {
    const machines = alive(cluster);
    const groups = machines[0]?.active.map.rows() ?? [];
    return groups.every(({ group, slotCount }) => {
      const leader = machines
        .map(({ active }) => active.host.replica(group))
        .find((replica) => replica?.raft.role === 'leader');
      if (leader === undefined) return false;
      const { members, raft } = leader;
      const isSimple = members.outgoing.length === 0 && raft.isConfigurationCommitted;
      const wanted =
        slotCount === 0 ? members.voters.length : Math.max(1, voters - ((voters + 1) % 2));
      const isHere = members.voters.every(({ replicaId, node }) =>
        machines.some(
          ({ active, node: here }) =>
            here?.identity.node === node &&
            active.host.replica(group)?.identity.replicaId === replicaId &&
            active.host.replica(group)?.raft.appliedIndex === raft.appliedIndex,
        ),
      );
      return isSimple && isHere && members.voters.length === wanted;
    });
  };
  const leader = () => alive(cluster).find(({ active }) => active.rebalancer.isLeading);
  await cluster.world.until(
    'every group is where it should be',
    () => isSettled() && leader()?.active.rebalancer.moves().length === 0,
    SETTLE_MS,
  );
}

async function putAll(cluster: SimCluster, value: string): Promise<void> {
  for (const key of KEYS) {
    for (let tries = 0; ; tries++) {
      const machine = cluster.random.pick(alive(cluster));
      const isDone = await cluster.world
        .resolve('put', cluster.put(machine, key, value))
        .then(() => true)
        .catch(() => false);
      if (isDone) break;
      if (tries === 10) throw new Error(`${key} cannot be put`);
    }
  }
}

async function readAll(cluster: SimCluster, value: string): Promise<void> {
  for (const machine of alive(cluster)) {
    for (const key of KEYS) {
      expect(await cluster.get(machine, key), `${key} from ${machine.name}`).toBe(value);
    }
  }
}
