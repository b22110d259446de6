import { expect, it } from 'vitest';
import { placeReplicas } from '../../node/ring/placement.ts';
import { shardLayout } from '../../node/ring/slots.ts';
import { type Machine, SimCluster } from './cluster.ts';

const shardCount = 12;

const replicasOf = (machine: Machine) => [...machine.active.host.replicas()];
const ledBy = (machine: Machine) =>
  replicasOf(machine).filter(({ identity, raft }) => identity.group > 0 && raft.role === 'leader')
    .length;

it('a node that joins is given exactly what the placement says, and every node can tell of it', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 31, shardCount });
  await cluster.startAll();
  const { world } = cluster;
  const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
  const newcomer = cluster.addMachine({ join: { addresses: [first.address] } });
  await cluster.start(newcomer);

  const old = [first, second, third];
  const isMoving = () => old.some(({ active }) => active.rebalancer.moves().length > 0);
  await world.until('something moves', isMoving);
  for (const { active } of old) {
    const { moves } = await world.resolve('moves', active.balance.moves());
    expect(moves.length).toBeGreaterThan(0);
    expect(moves[0]).toMatchObject({ reason: 'balance', to: [newcomer.name] });
  }

  const ids = cluster.machines.map(({ node }) => node?.identity.node ?? '');
  const placement = placeReplicas({
    nodes: ids.map((id) => ({ id, weight: 1, state: 'active' as const })),
    shards: shardLayout(shardCount),
    replicationFactor: 3,
  });
  const wanted = placement.filter(({ voters }) => voters.includes(ids[3] ?? '')).length;
  await world.until('nothing moves', () => !isMoving(), 120_000);
  expect(replicasOf(newcomer)).toHaveLength(wanted);

  const isSpread = () => {
    const led = cluster.machines.map(ledBy);
    return Math.max(...led) - Math.min(...led) <= 1;
  };
  await world.until('leaders are spread', isSpread);
  for (const { active } of [second, newcomer]) {
    const { events } = await world.resolve('events', active.balance.events());
    expect(events[0]).toMatchObject({ kind: 'node-state', message: `${newcomer.name} is active` });
    const moved = events.filter(({ kind }) => kind === 'moved');
    expect(moved).toHaveLength(wanted);
  }
});
