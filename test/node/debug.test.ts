import { beforeAll, describe, expect, it } from 'vitest';
import { describeLog, describeQueues, describeRaft } from '../../node/debug.ts';
import { type MemberFacts, memberFacts } from '../../node/metrics/facts.ts';
import { type Machine, SimCluster } from '../sim/cluster.ts';

const KEY = 'plant1/temp';

describe('what nodes of a simulated cluster tell of themselves', () => {
  const cluster = new SimCluster({ nodes: 3, seed: 7, shardCount: 2 });
  let group: number;
  let leader: Machine;
  let follower: Machine;
  beforeAll(async () => {
    await cluster.startAll();
    const [first] = cluster.machines as [Machine];
    for (const value of ['1', '2', '3']) {
      await cluster.world.resolve('put', cluster.put(first, KEY, value));
    }
    const bytes = new TextEncoder().encode(KEY);
    group = first.active.map.groupOf(bytes, 0, bytes.length);
    const roleOf = ({ active }: Machine) => active.host.replica(group)?.raft.role;
    await cluster.world.until('followers apply', () =>
      cluster.machines.every(({ active }) => active.host.replica(group)?.isIdle === true),
    );
    leader = cluster.machines.find((machine) => roleOf(machine) === 'leader') as Machine;
    follower = cluster.machines.find((machine) => roleOf(machine) === 'follower') as Machine;
  });

  const factsOf = ({ active, node }: Machine): MemberFacts => {
    const of = { id: node?.identity.node ?? '', engineName: 'lsm' };
    return memberFacts(active, of, (name) => {
      throw new Error(`there is no rule ${name}`);
    });
  };

  it('shows every replica, and on its leader how far the others are', () => {
    const { node, groups } = describeRaft(leader.active, leader.name);
    expect([node, groups.map((each) => each.group)]).toEqual([leader.name, [0, 1, 2]]);
    const led = groups.find((each) => each.group === group);
    expect(led).toMatchObject({ role: 'leader', leader: leader.name, first: 2 });
    expect(led?.applied).toBe(led?.commit);
    expect(led?.peers).toHaveLength(2);
    const { match, next, state } = led?.peers[0] ?? {};
    expect([match, next, state]).toEqual([led?.last, (led?.last ?? 0) + 1, 'replicate']);

    const followed = describeRaft(follower.active, follower.name).groups[group];
    expect(followed).toMatchObject({ role: 'follower', leader: leader.name });
    expect(followed?.peers[0]).toMatchObject({ match: null, next: null, state: null });
  });

  it('shows what kinds of entries a log has, and from where batches came', async () => {
    const shown = await cluster.world.resolve(
      'log',
      describeLog(follower.active, group, { from: undefined, limit: 1_000 }),
    );
    const entries = shown?.entries ?? [];
    expect(entries.map(({ index }) => index)).toEqual(
      Array.from(entries, (_, at) => (shown?.first ?? 0) + at),
    );
    expect(entries.at(-1)?.index).toBe(shown?.last);
    const batches = entries.flatMap((entry) => entry.batches ?? []);
    expect(batches.map(({ from, writes }) => [from, writes])).toEqual(
      Array(3).fill([cluster.machines[0]?.name, 1]),
    );
    const part = { from: (shown?.first ?? 0) + 1, limit: 2 };
    const middle = await cluster.world.resolve('log', describeLog(leader.active, group, part));
    expect(middle?.entries).toEqual(entries.slice(1, 3));
    const beyond = { from: 1_000_000, limit: 1 };
    const none = await cluster.world.resolve('log', describeLog(leader.active, group, beyond));
    expect(none?.entries).toEqual([]);
    expect(
      await cluster.world.resolve('log', describeLog(leader.active, 99, part)),
    ).toBeUndefined();
  });

  it('counts elections, commits, rounds and copies', () => {
    const facts = cluster.machines.map(factsOf);
    const elections = facts.flatMap(({ groups }) => groups.map((each) => each.elections));
    expect(elections.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(3);
    const [first] = facts as [MemberFacts];
    expect(first.commits.counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(3);
    expect(first.commits.sum).toBeGreaterThan(0);
    expect(first.log.rounds).toBeGreaterThan(0);
    expect(first.engine.memtableBytes).toBeGreaterThan(0);
    expect(first.cluster.durability).toEqual({ copies: 2, replicas: 3 });
    expect(first.cluster.nodes.map(({ state }) => state)).toEqual(Array(3).fill('active'));
    expect(first.shardsWithoutLeader).toBe(0);
  });

  it('has nothing waiting when nobody writes', () => {
    expect(describeQueues(leader.active)).toMatchObject({
      ...{ writesBytes: 0, logStagedBytes: 0, entriesToApply: 0, isLogSyncing: false },
    });
  });
});
