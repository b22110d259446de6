import { expect, it } from 'vitest';
import { type Machine, SimCluster, watch } from './cluster.ts';

/** What a watch has told: each value, and each end of one. */
const toldBy = ({ seen }: ReturnType<typeof watch>) =>
  seen.map(({ keyText, text, deleted }) => `${keyText}: ${deleted ? 'deleted' : text}`);

it('a value that lives shorter than its commit takes ends too, though others end meanwhile', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 601, shardCount: 1 });
  await cluster.startAll();
  const { world } = cluster;
  const leader = cluster.leaderOf('a');
  const watching = watch(cluster.dataPlane(leader), '#');
  await world.resolve('put', cluster.put(leader, 'a', 'A', 0, 2_000));
  await world.run(1_500);
  for (const machine of cluster.machines) machine.syncMs = 900;
  const putting = cluster.put(leader, 'b', 'B', 0, 200);
  await world.run(2_000);
  for (const machine of cluster.machines) machine.syncMs = 1;
  await world.resolve('put', putting);
  await world.run(3_000);
  expect(toldBy(watching).toSorted()).toEqual(['a: A', 'a: deleted', 'b: B', 'b: deleted']);
  expect(await cluster.get(leader, 'b')).toBe('<not-found>');
});

it('a value ends whose time had come for one leader, and not for the next, whose clock is behind', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 701, shardCount: 1 });
  const [ahead, ...others] = cluster.machines as [Machine, Machine, Machine];
  ahead.skewMs = 30_000;
  await cluster.startAll();
  const { world } = cluster;
  await cluster.makeLead(ahead, 'k');
  const { life } = ahead;
  const watching = watch(cluster.dataPlane(ahead), '#');
  await world.resolve('put', cluster.put(ahead, 'k', 'mortal', 0, 3_000));
  await world.run(2_500);
  cluster.network.partition(
    [ahead.address],
    others.map(({ address }) => address),
  );
  await cluster.untilLed(others);
  await world.run(1_000);
  cluster.network.heal();
  await world.run(3_000);
  expect(cluster.leaderOf('k')).not.toBe(ahead);
  expect(await cluster.get(ahead, 'k')).toBe('mortal');

  await cluster.makeLead(ahead, 'k', 4_000);
  await world.run(1_000);
  expect(ahead.life).toBe(life);
  expect(toldBy(watching)).toEqual(['k: mortal', 'k: deleted']);
});

it('a watch begins without a value whose time has come, as a get does', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 707, shardCount: 1 });
  await cluster.startAll();
  const { world } = cluster;
  const leader = cluster.leaderOf('k');
  await world.resolve('put', cluster.put(leader, 'k', 'mortal', 0, 50));
  await world.run(51);
  // Its end is proposed four times a second; until then the shard's highest version says that it is over.
  await world.resolve('put', cluster.put(leader, 'other', 'x'));
  expect(await cluster.get(leader, 'k')).toBe('<not-found>');
  const watchings = ['#', 'k'].map((filter) => watch(cluster.dataPlane(leader), filter));
  await world.until('snapshots', () => watchings.every(({ snapshotDone }) => snapshotDone));
  expect(watchings.map(toldBy)).toEqual([['other: x'], []]);
});
