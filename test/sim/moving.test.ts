import { describe, expect, it } from 'vitest';
import type { Replica } from '../../node/shard/replica.ts';
import { describeSystem } from '../../node/status.ts';
import { decode, encode, type Machine, SimCluster, watch } from './cluster.ts';

const GROUP = 1;

/** Five nodes and one shard, which three of them have. */
async function started(seed: number) {
  const cluster = new SimCluster({ nodes: 5, seed, shardCount: 1 });
  await cluster.startAll();
  const hasReplica = ({ active }: Machine) => active.host.replica(GROUP) !== undefined;
  const holders = cluster.machines.filter(hasReplica);
  const outsiders = cluster.machines.filter((machine) => !hasReplica(machine));
  return { cluster, holders, outsiders: outsiders as [Machine, Machine] };
}

const replicaOf = ({ active }: Machine) => active.host.replica(GROUP);
const nodeOf = (machine: Machine) => machine.node?.identity.node ?? '';

/** Its replica serves no more, and nobody was told before. */
function takeAway(machine: Machine): void {
  const replica = replicaOf(machine) as Replica;
  replica.halted = 'it is taken away';
  replica.close();
}

/** A report that is wrong: nobody that it names has the shard. */
function mislead(machine: Machine, wrong: readonly Machine[]): void {
  const { leader } = machine.active.map.row(GROUP);
  const places = wrong.map((each) => ({ node: nodeOf(each), role: 'voter' as const }));
  const term = (leader?.term ?? 0) + 1;
  const configuration = { index: 1_000, places };
  machine.active.map.report(GROUP, { node: nodeOf(wrong[0] as Machine), term, configuration });
}

describe('writes while replicas move', () => {
  it.each([501, 502, 503])('are stored once each and in order, seed %s', async (seed) => {
    const { cluster, outsiders } = await started(seed);
    const [writer, other] = outsiders;
    const count = 60;
    const puts: Promise<number>[] = [];
    for (let i = 0; i < count; i++) {
      puts.push(cluster.put(writer, 'k', `${i}`));
      if (i === 15) mislead(writer, [other, writer]);
      if (i === 30) takeAway(cluster.leaderOf('k'));
      if (i === 45) mislead(writer, [other]);
      await cluster.world.run(1 + cluster.random.below(20));
    }
    await cluster.world.resolve('all puts', Promise.all(puts));
    const query = { key: encode('k'), from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };
    const history = cluster.dataPlane(other).history({ ...query, ascending: true });
    const page = await cluster.world.resolve('history', history);
    if (page.kind !== 'page') throw new Error('unavailable');
    const expected = Array.from({ length: count }, (_, i) => `${i}`);
    expect(page.items.map(({ value }) => decode(value))).toEqual(expected);
  });
});

describe('reads through a node that knows nothing of a shard any more', () => {
  it('find it all the same', async () => {
    const { cluster, outsiders } = await started(510);
    const [reader, other] = outsiders;
    await cluster.world.resolve('put', cluster.put(reader, 'k', 'v'));
    mislead(reader, [other]);
    expect(await cluster.get(reader, 'k')).toBe('v');
    takeAway(cluster.leaderOf('k'));
    expect(await cluster.get(reader, 'k')).toBe('v');
  });
});

describe('watches while replicas move', () => {
  it.each([520, 521, 522])('never go back and end at the newest, seed %s', async (seed) => {
    const { cluster, holders, outsiders } = await started(seed);
    const [writer] = outsiders;
    const watchers = cluster.machines.map((machine) => watch(cluster.dataPlane(machine), '#'));
    const keys = ['a', 'b', 'c', 'd'];
    for (let i = 0; i < 80; i++) {
      const key = keys[cluster.random.below(keys.length)] as string;
      void cluster.put(writer, key, `${i}`).catch(() => {});
      const holder = holders[cluster.random.below(holders.length)] as Machine;
      // As when it has installed a snapshot.
      if (cluster.random.chance(0.15)) replicaOf(holder)?.feed.closeAll();
      if (i === 40) takeAway(cluster.leaderOf('a'));
      await cluster.world.run(cluster.random.below(100));
    }
    await cluster.world.run(15_000);
    for (const key of keys) {
      const newest = await cluster.get(writer, key);
      for (const { seen } of watchers) {
        const told = seen.filter(({ keyText }) => keyText === key);
        const versions = told.map(({ version }) => version);
        expect(versions, `${key}, seed ${seed}`).toEqual(versions.toSorted((a, b) => a - b));
        expect(told.at(-1)?.text).toBe(newest);
      }
    }
  });
});

describe('what every node says of the cluster', () => {
  it('is what leaders report of their replicas, and who is silent', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 530, shardCount: 2 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    const says = (machine: Machine) => describeSystem(machine.active);
    const isWell = (machine: Machine) => says(machine).cluster.state === 'ok';
    await cluster.world.until('every node says so', () => cluster.machines.every(isWell));
    for (const machine of cluster.machines) {
      expect(says(machine)).toMatchObject({
        cluster: { state: 'ok' },
        durability: { copies: 2, replicas: 3 },
        alerts: [],
      });
    }
    const { leader } = first.active.map.row(GROUP);
    const places = [
      { node: nodeOf(first), role: 'voter' as const },
      { node: nodeOf(second), role: 'learner' as const },
    ];
    const report = { node: leader?.node ?? '', term: leader?.term ?? 0 };
    first.active.map.report(GROUP, { ...report, configuration: { index: 99, places } });
    expect(says(first).durability, 'the shard that has the fewest').toEqual({
      copies: 1,
      replicas: 2,
    });
    cluster.kill(third);
    await cluster.world.run(16_000);
    for (const machine of [first, second]) {
      expect(says(machine).cluster.state).toBe('degraded');
      expect(says(machine).alerts.map(({ name }) => name)).toEqual(['node-failed-n3']);
    }
    await cluster.start(third);
    await cluster.untilLed();
    await cluster.world.run(2_000);
    expect(says(first)).toMatchObject({ cluster: { state: 'ok' }, alerts: [] });
  });
});
