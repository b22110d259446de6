import { describe, expect, it } from 'vitest';
import { type Machine, SimCluster, watch } from './cluster.ts';

/** Starts `count` puts of distinct keys and keeps what was acknowledged. */
function writeMany(cluster: SimCluster, machine: Machine, round: number, count: number) {
  const acknowledged = new Map<string, string>();
  let settled = 0;
  for (let i = 0; i < count; i++) {
    const [key, value] = [`r${round}/k${i}`, `${round}-${i}`];
    cluster.put(machine, key, value).then(
      () => {
        acknowledged.set(key, value);
        settled += 1;
      },
      () => {
        settled += 1;
      },
    );
  }
  return { acknowledged, isSettled: () => settled === count };
}

describe('an acknowledged write', () => {
  it('was fsynced by a majority: with the followers’ disks held back nothing is acknowledged', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 11 });
    await cluster.startAll();
    const leader = cluster.leaderOf('held');
    const followers = cluster.machines.filter((machine) => machine !== leader);
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    for (const follower of followers) follower.syncGate = gate;
    let acknowledged = false;
    const putting = cluster.put(leader, 'held', 'x').then(() => {
      acknowledged = true;
    });
    await cluster.world.until('both followers have the entry and hold its sync', () =>
      followers.every((follower) => follower.syncsHeld.length > 0),
    );
    await cluster.world.run(500);
    expect(acknowledged).toBe(false);
    for (const follower of followers) follower.syncGate = undefined;
    open();
    await cluster.world.resolve('put', putting);
  });

  it.each([
    { roundsMaxWaitMs: 0, seeds: 25 },
    { roundsMaxWaitMs: 10, seeds: 8 },
  ])(
    'survives when several nodes lose everything unsynced at once, at any moment: %o',
    async ({ roundsMaxWaitMs, seeds }) => {
      for (let seed = 1; seed <= seeds; seed++) {
        const sizes = { memtableBytes: 64 * 1024, roundsMaxWaitMs };
        const cluster = new SimCluster({ nodes: 3, seed, ...sizes });
        await cluster.startAll();
        const acknowledged = new Map<string, string>();
        for (let round = 0; round < 3; round++) {
          const writer = cluster.random.pick(cluster.machines);
          const writing = writeMany(cluster, writer, round, 60);
          await cluster.world.run(cluster.random.below(12));
          for (const [key, value] of writing.acknowledged) acknowledged.set(key, value);
          for (const machine of cluster.machines) {
            const fate = cluster.random.below(3);
            if (fate === 0) cluster.kill(machine);
            else cluster.cutPower(machine, cluster.random.pick([0, 0.5, 1]));
          }
          await cluster.startAll();
        }
        for (const [key, value] of acknowledged) {
          const reader = cluster.random.pick(cluster.machines);
          expect(await cluster.get(reader, key), `seed ${seed}, ${key}`).toBe(value);
        }
      }
    },
  );

  it('survives a leader that is killed while puts go through another node, which resends them', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const cluster = new SimCluster({ nodes: 3, seed });
      await cluster.startAll();
      const victim = cluster.leaderOf('r0/k0');
      const writer = cluster.machines.find((machine) => machine !== victim) as Machine;
      const watching = watch(cluster.dataPlane(writer), '#');
      const writing = writeMany(cluster, writer, 0, 100);
      await cluster.world.run(cluster.random.below(8));
      cluster.kill(victim);
      await cluster.world.until('all puts settle', writing.isSettled);
      expect(writing.acknowledged.size, `seed ${seed}`).toBe(100);
      await cluster.world.until('watcher has all', () => watching.seen.length >= 100);
      await cluster.world.run(5_000);
      expect(
        watching.seen.map(({ keyText }) => keyText).sort(),
        `seed ${seed}: each change once`,
      ).toEqual([...writing.acknowledged.keys()].sort());
      await cluster.start(victim);
      await cluster.untilLed();
      for (const [key, value] of writing.acknowledged) {
        expect(await cluster.get(victim, key), `seed ${seed}`).toBe(value);
      }
    }
  });

  it('needs a majority: with one of three nodes left nothing is acknowledged, later retries are', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 5 });
    await cluster.startAll();
    const [left, ...others] = cluster.machines as [Machine, Machine, Machine];
    for (const other of others) cluster.kill(other);
    const failed = cluster.put(left, 'lonely', '1').then(
      () => 'acknowledged',
      (error: Error) => error.message,
    );
    expect(await cluster.world.resolve('put', failed)).toBe('no-quorum');
    await cluster.start(others[0]);
    await cluster.untilLed([left, others[0]]);
    await cluster.world.resolve('retry', cluster.put(left, 'lonely', '2'));
    expect(await cluster.get(left, 'lonely')).toBe('2');
  });
});

describe('five nodes with three replicas', () => {
  it('keep their promises through a node that is no replica, with its peers’ apply held back', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 21, shardCount: 8 });
    await cluster.startAll();
    const outsider = cluster.machine(0);
    const { map, host } = outsider.active;
    const key = Array.from({ length: 100 }, (_, i) => `plant1/k${i}`).find((candidate) => {
      const bytes = new TextEncoder().encode(candidate);
      return host.replica(map.groupOf(bytes, 0, bytes.length)) === undefined;
    }) as string;
    const watching = watch(cluster.dataPlane(outsider), 'plant1/#');
    await cluster.world.until('snapshot', () => watching.snapshotDone);

    const resume = holdApply(
      cluster,
      [...cluster.machines.slice(1)].filter((machine) => machine !== cluster.leaderOf(key)),
    );
    await cluster.world.resolve('put', cluster.put(outsider, key, 'new'));
    const reading = cluster.get(outsider, key);
    const listing = cluster.dataPlane(outsider).list({
      prefix: new TextEncoder().encode('plant1'),
      after: new Uint8Array(0),
      limit: 10,
      values: true,
    });
    await cluster.world.run(1_000);
    resume();
    expect(await reading).toBe('new');
    const list = await cluster.world.resolve('list', listing);
    expect(
      list.kind === 'page' && list.items.map(({ value }) => new TextDecoder().decode(value)),
    ).toEqual(['new']);
    await cluster.world.until('the change arrives', () =>
      watching.seen.some(({ text }) => text === 'new'),
    );
    expect(watching.seen.filter(({ keyText }) => keyText === key)).toHaveLength(1);

    const late = watch(cluster.dataPlane(outsider), key);
    await cluster.world.until('snapshot', () => late.snapshotDone);
    expect(late.seen.map(({ text, snapshot }) => [text, snapshot])).toEqual([['new', true]]);
  });

  it('go on watching when the node that serves a watch dies', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 22, shardCount: 8 });
    await cluster.startAll();
    const outsider = cluster.machine(0);
    await cluster.world.resolve('put', cluster.put(outsider, 'a/1', 'old'));
    await cluster.world.resolve('put', cluster.put(outsider, 'a/2', 'gone soon'));
    const watching = watch(cluster.dataPlane(outsider), 'a/#');
    await cluster.world.until('snapshot', () => watching.snapshotDone);
    const victim =
      cluster.machines.slice(1).find((machine) => machine === cluster.leaderOf('a/1')) ??
      cluster.machine(1);
    cluster.kill(victim);
    await cluster.world.resolve('put', cluster.put(outsider, 'a/1', 'newer'));
    await cluster.world.resolve('delete', cluster.put(outsider, 'a/2', ''));
    await cluster.world.until('both changes arrive', () => {
      const newest = new Map(watching.seen.map((item) => [item.keyText, item.text]));
      return newest.get('a/1') === 'newer' && newest.get('a/2') === '';
    });
  });
});

describe('one node alone', () => {
  it('stores, restarts and has everything', async () => {
    const cluster = new SimCluster({ nodes: 1, seed: 31, memtableBytes: 16 * 1024 });
    await cluster.startAll();
    const only = cluster.machine(0);
    for (let i = 0; i < 300; i++) {
      await cluster.world.resolve('put', cluster.put(only, `k${i}`, `value ${i}`.repeat(20)));
    }
    await cluster.world.run(5_000);
    cluster.cutPower(only);
    await cluster.startAll();
    for (let i = 0; i < 300; i += 7) {
      expect(await cluster.get(only, `k${i}`)).toBe(`value ${i}`.repeat(20));
    }
  });
});

/** Stops these nodes from applying what is committed, until the returned function is called. */
function holdApply(cluster: SimCluster, machines: readonly Machine[]): () => void {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let held = true;
  for (const machine of machines) {
    const { engine } = machine.active;
    const waitForRoom = engine.waitForRoom.bind(engine);
    engine.waitForRoom = () => (held ? gate : waitForRoom());
  }
  return () => {
    held = false;
    open();
    void cluster;
  };
}
