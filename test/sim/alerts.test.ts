import { describe, expect, it } from 'vitest';
import { type Machine, SimCluster } from './cluster.ts';

/** All nodes share one webhook, which notes who told it. */
function fixture(seed: number) {
  const told: { readonly event: string; readonly node: string; readonly name: string }[] = [];
  const hook = { isDown: false };
  const post = async (body: string) => {
    if (hook.isDown) throw new Error('it is down');
    const { event, node, alert } = JSON.parse(body);
    told.push({ event, node, name: alert.name });
  };
  const cluster = new SimCluster({ nodes: 3, seed, shardCount: 2, alerts: { post } });
  const teller = () =>
    [...cluster.machines].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1)).at(0) as Machine;
  return { cluster, told, hook, teller };
}

function idOf({ node }: Machine): string {
  return node?.identity.node ?? '';
}

describe('the webhook of a cluster', () => {
  it('is told once by one node, and by the next when that one is dead', async () => {
    const { cluster, told, teller } = fixture(901);
    await cluster.startAll();
    await cluster.world.run(35_000);
    const first = teller();
    const [second, third] = cluster.machines.filter((each) => each !== first) as [Machine, Machine];
    cluster.kill(second);
    await cluster.world.run(20_000);
    const name = `node-failed-${second.name}`;
    expect(told.splice(0)).toEqual([{ event: 'firing', node: first.name, name }]);
    await cluster.start(second);
    await cluster.world.run(5_000);
    expect(told.splice(0)).toEqual([{ event: 'resolved', node: first.name, name }]);

    await cluster.world.run(60_000);
    cluster.kill(first);
    await cluster.world.run(20_000);
    const tellers = new Set(told.map(({ node }) => node));
    expect(tellers.size).toBe(1);
    expect([second.name, third.name]).toContain([...tellers][0]);
    expect(told.splice(0).map((each) => each.name)).toEqual([`node-failed-${first.name}`]);

    // Whoever was away knows of nothing that is over now, though it would be its turn.
    await cluster.start(first);
    await cluster.world.run(20_000);
    expect(told).toEqual([
      { event: 'resolved', node: [...tellers][0], name: `node-failed-${first.name}` },
    ]);
  });

  it('is told without a quorum, too', async () => {
    const { cluster, told } = fixture(902);
    await cluster.startAll();
    await cluster.world.run(3_000);
    const [left, ...others] = cluster.machines as [Machine, ...Machine[]];
    for (const machine of others) cluster.kill(machine);
    await cluster.world.run(40_000);
    expect(new Set(told.map(({ node }) => node))).toEqual(new Set([left.name]));
    expect(told.map(({ name }) => name).sort()).toEqual([
      ...others.map(({ name }) => `node-failed-${name}`),
      'shard-without-quorum',
    ]);
  });
});
