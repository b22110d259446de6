import { describe, expect, it } from 'vitest';
import { editNodeTable, isRemoved, leaveNode } from '../../node/settings/nodes.ts';
import { type Machine, SimCluster } from './cluster.ts';
import { alive, held, putAll, readAll, SETTLE_MS, untilSettled } from './settling.ts';

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

  it('fills a node anew whose disk is from before replicas came to it and left it', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 24, shardCount: 8 });
    await cluster.startAll();
    await putAll(cluster, 'a');
    const [first, second] = cluster.machines as [Machine, Machine];
    const join = { addresses: [first.address] };
    const fourth = cluster.addMachine({ join });
    await cluster.start(fourth);
    await cluster.world.until('it is in', () => fourth.joined);
    const images = [second, fourth].map(({ vfs }) => vfs.processCrashClone());
    await untilSettled(cluster, 3);
    const fifth = cluster.addMachine({ join });
    await cluster.start(fifth);
    await putAll(cluster, 'b');
    await untilSettled(cluster, 3);

    for (const [i, machine] of [second, fourth].entries()) {
      const before = held(machine);
      cluster.kill(machine);
      machine.vfs = images[i] as typeof machine.vfs;
      await cluster.start(machine);
      await putAll(cluster, machine.name);
      await cluster.world.until('it begins anew', () => machine.joined);
      expect(machine.node?.identity.generation).toBe(2);
      await untilSettled(cluster, 3);
      expect(machine.active.suspects).toEqual([]);
      expect(Math.abs(held(machine) - before), 'as much as before').toBeLessThan(4);
      await readAll(cluster, machine.name);
    }
    const gone = first.active.members.list().filter(({ row }) => isRemoved(row));
    await cluster.world.until('the old ones are gone', () =>
      gone.every(({ node }) => first.active.members.rowOf(node)?.state === 'gone'),
    );
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
