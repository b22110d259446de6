import { expect } from 'vitest';
import type { Machine, SimCluster } from './cluster.ts';

const KEYS = Array.from({ length: 60 }, (_, i) => `k${i}`);
export const SETTLE_MS = 300_000;

/** Machines whose nodes take part. */
export function alive(cluster: SimCluster): Machine[] {
  return cluster.machines.filter(
    (each) => each.life?.alive && each.node?.hasJoined && each.ended === undefined,
  );
}

export function held(machine: Machine): number {
  return [...machine.active.host.replicas()].length;
}

/** Every group has so many voters, each of which has all, and nothing is on its way. */
export async function untilSettled(cluster: SimCluster, voters: number): Promise<void> {
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

export async function putAll(cluster: SimCluster, value: string): Promise<void> {
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

export async function readAll(cluster: SimCluster, value: string): Promise<void> {
  for (const machine of alive(cluster)) {
    for (const key of KEYS) {
      expect(await cluster.get(machine, key), `${key} from ${machine.name}`).toBe(value);
    }
  }
}
