import { describe, expect, it } from 'vitest';
import { type Machine, put, SimCluster, watch } from './cluster.ts';
import type { Life } from './world.ts';

function withoutFirst(cluster: SimCluster, one: Machine): [Machine, Machine] {
  return cluster.machines.filter((machine) => machine !== one) as [Machine, Machine];
}

/** The newest value of each key that a watcher was told, after checking that no key went back. */
function newestOf(watching: ReturnType<typeof watch>): Map<string, string> {
  const versions = new Map<string, number>();
  const newest = new Map<string, string>();
  for (const { keyText, text, version, snapshot } of watching.seen) {
    const before = versions.get(keyText) ?? 0;
    const isInOrder = snapshot ? version >= before : version > before;
    expect(isInOrder, `${keyText}: ${version} after ${before}`).toBe(true);
    versions.set(keyText, version);
    newest.set(keyText, text);
  }
  return newest;
}

describe('a put to a leader that cannot be reached for a while', () => {
  it.each(['both directions', 'what is sent to it', 'what it sends'])(
    'is stored as soon as it can, by whoever wrote it there (%s)',
    async (direction) => {
      const cluster = new SimCluster({ nodes: 3, seed: 405 });
      await cluster.startAll();
      const leader = cluster.leaderOf('k');
      const [writer] = withoutFirst(cluster, leader);
      await cluster.world.resolve('put', cluster.put(writer, 'k', 'before'));
      const { cuts } = cluster.network;
      if (direction !== 'what it sends') cuts.add(`${writer.address}>${leader.address}`);
      if (direction !== 'what is sent to it') cuts.add(`${leader.address}>${writer.address}`);
      const isStored = cluster.put(writer, 'k', 'meanwhile');
      await cluster.world.run(1_900);
      cluster.network.heal();
      const healedMs = cluster.world.nowMs;
      await cluster.world.resolve('put', isStored);
      expect(cluster.world.nowMs - healedMs).toBeLessThan(500);
      expect(await cluster.get(leader, 'k')).toBe('meanwhile');
    },
  );
});

describe('a leader that is cut off with the minority', () => {
  it.each(['both directions', 'what it sends', 'what it is sent'])(
    'acknowledges nothing and reads nothing stale (%s)',
    async (direction) => {
      const cluster = new SimCluster({ nodes: 3, seed: 401 });
      await cluster.startAll();
      const leader = cluster.leaderOf('k');
      const [second, third] = withoutFirst(cluster, leader);
      await cluster.world.resolve('put', cluster.put(leader, 'k', 'old'));
      const watchers = cluster.machines.map((machine) => watch(cluster.dataPlane(machine), '#'));
      await cluster.world.until('snapshots', () => watchers.every((each) => each.snapshotDone));

      for (const other of [second, third]) {
        if (direction !== 'what it is sent')
          cluster.network.cuts.add(`${leader.address}>${other.address}`);
        if (direction !== 'what it sends')
          cluster.network.cuts.add(`${other.address}>${leader.address}`);
      }
      let lonely = 'pending';
      put(cluster.dataPlane(leader), 'lonely', 'x').then(
        () => {
          lonely = 'acknowledged';
        },
        () => {
          lonely = 'failed';
        },
      );
      const early = cluster.get(leader, 'k');
      await cluster.untilLed([second, third]);
      await cluster.world.resolve('put', cluster.put(second, 'k', 'new'));
      const late = await cluster.get(leader, 'k');
      expect(late).not.toBe('old');
      expect(['old', '<unavailable>']).toContain(await early);
      expect(await cluster.get(third, 'k')).toBe('new');
      await cluster.world.until('the put settles', () => lonely !== 'pending');
      expect(lonely).toBe('failed');

      cluster.network.heal();
      await cluster.untilLed();
      for (const machine of cluster.machines) expect(await cluster.get(machine, 'k')).toBe('new');
      await cluster.world.run(6_000);
      for (const watching of watchers) expect(newestOf(watching).get('k')).toBe('new');
    },
  );

  it('answers with the old value only while no newer one can have been acknowledged', async () => {
    for (let seed = 410; seed < 416; seed++) {
      const cluster = new SimCluster({ nodes: 3, seed });
      await cluster.startAll();
      const leader = cluster.leaderOf('k');
      const [second, third] = withoutFirst(cluster, leader);
      await cluster.world.resolve('put', cluster.put(leader, 'k', 'old'));
      cluster.network.partition([leader.address], [second.address, third.address]);
      let acknowledged = false;
      const stale: string[] = [];
      const key = new TextEncoder().encode('k');
      const read = () => {
        const begunAfter = acknowledged;
        void cluster
          .dataPlane(leader)
          .get(key)
          .then((outcome) => {
            if (outcome.kind !== 'found' || !begunAfter) return;
            const text = new TextDecoder().decode(outcome.value);
            if (text === 'old') stale.push(`at ${cluster.world.nowMs}`);
          });
      };
      const stop = (leader.life as Life).every(50, read);
      await cluster.untilLed([second, third]);
      await cluster.world.resolve('put', cluster.put(second, 'k', 'new'));
      acknowledged = true;
      await cluster.world.run(4_000);
      cluster.network.heal();
      await cluster.world.run(4_000);
      stop();
      expect(stale, `seed ${seed}`).toEqual([]);
    }
  });
});

describe('an answer to an earlier run of a node', () => {
  it('acknowledges nothing of this run, though the batch has the same number', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 421, shardCount: 1 });
    await cluster.startAll();
    const leader = cluster.leaderOf('k');
    const [writer, third] = withoutFirst(cluster, leader);
    await cluster.world.resolve('put', cluster.put(leader, 'k', 'first'));
    await cluster.world.run(1_000);
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    writer.syncGate = gate;
    third.syncGate = gate;
    cluster.put(writer, 'k', 'of the earlier run').catch(() => {});
    await cluster.world.until(
      'the other follower holds the entry',
      () => third.syncsHeld.length > 0,
    );
    cluster.kill(writer);
    writer.syncGate = undefined;
    cluster.network.cuts.add(`${writer.address}>${leader.address}`);
    await cluster.start(writer);
    await cluster.world.until('the writer is back', () => writer.joined);
    let acknowledged = false;
    const putting = cluster.put(writer, 'k', 'of this run').then(() => {
      acknowledged = true;
    });
    await cluster.world.run(50);
    third.syncGate = undefined;
    open();
    await cluster.world.run(2_000);
    expect(acknowledged).toBe(false);
    cluster.network.heal();
    await cluster.world.resolve('put', putting);
    expect(await cluster.get(third, 'k')).toBe('of this run');
  });
});

describe('a network that loses and repeats messages', () => {
  it('loses no acknowledged write, and watchers see each change once and in order', async () => {
    for (let seed = 431; seed <= 438; seed++) {
      const cluster = new SimCluster({ nodes: 5, seed, shardCount: 4 });
      await cluster.startAll();
      const watchers = cluster.machines.map((machine) => watch(cluster.dataPlane(machine), '#'));
      await cluster.world.until('snapshots', () => watchers.every((each) => each.snapshotDone));
      cluster.network.lossRatio = 0.1;
      cluster.network.duplicateRatio = 0.1;
      const acknowledged = new Map<string, string>();
      for (let round = 0; round < 4; round++) {
        const victim = cluster.random.pick(cluster.machines);
        const writer = cluster.random.pick(cluster.machines.filter((each) => each !== victim));
        const puts = Array.from({ length: 25 }, async (_, i) => {
          const [key, value] = [`k${i}`, `${round}`];
          await cluster.put(writer, key, value);
          acknowledged.set(key, value);
        });
        const settled = Promise.allSettled(puts);
        await cluster.world.run(cluster.random.below(40));
        if (round % 2 === 1) {
          cluster.kill(victim);
          await cluster.start(victim);
        }
        await cluster.world.resolve('puts', settled);
        await cluster.world.until('the victim is back', () => victim.joined);
      }
      cluster.network.heal();
      await cluster.untilLed();
      await cluster.world.run(8_000);
      expect(acknowledged.size, `seed ${seed}`).toBeGreaterThan(20);
      for (const machine of cluster.machines) {
        for (const [key, value] of acknowledged) {
          const read = await cluster.get(machine, key);
          expect(Number(read), `seed ${seed}: ${key}`).toBeGreaterThanOrEqual(Number(value));
        }
      }
      for (const [i, watching] of watchers.entries()) {
        const newest = newestOf(watching);
        const stillRuns = cluster.machine(i).node?.identity.startCounter === 1;
        if (!stillRuns) continue;
        for (const key of acknowledged.keys()) {
          expect(newest.get(key), `seed ${seed}: ${key}`).toBe(
            await cluster.get(cluster.machine(0), key),
          );
        }
      }
    }
  });
});

describe('a watch that another node serves', () => {
  it('tells what was deleted while its unfinished snapshot was opened again', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 441, shardCount: 1 });
    await cluster.startAll();
    const outsider = cluster.machines.find(
      ({ node }) => node?.active.host.replica(1) === undefined,
    ) as Machine;
    const big = 'x'.repeat(100_000);
    for (let i = 0; i < 20; i++) {
      await cluster.world.resolve('put', cluster.put(outsider, `k${i}`, big));
    }
    const watching = watch(cluster.dataPlane(outsider), '#');
    await cluster.world.until('a part of the snapshot', () => watching.seen.length > 0);
    expect(watching.snapshotDone).toBe(false);
    const others = cluster.machines.filter((machine) => machine !== outsider);
    cluster.network.partition(
      [outsider.address],
      others.map(({ address }) => address),
    );
    const told = watching.seen.map(({ keyText }) => keyText);
    for (const key of told) {
      await cluster.world.resolve('delete', cluster.put(others[0] as Machine, key, ''));
    }
    await cluster.world.run(7_000);
    cluster.network.heal();
    await cluster.world.until('snapshot', () => watching.snapshotDone);
    const newest = newestOf(watching);
    for (const key of told) expect(newest.get(key)).toBe('');
    expect([...newest.values()].filter((text) => text !== '')).toHaveLength(20 - told.length);
  });

  it('goes on with its snapshot when what the watcher granted was lost', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 442, shardCount: 1 });
    await cluster.startAll();
    const outsider = cluster.machines.find(
      ({ node }) => node?.active.host.replica(1) === undefined,
    ) as Machine;
    for (let i = 0; i < 10; i++) {
      await cluster.world.resolve('put', cluster.put(outsider, `k${i}`, 'x'.repeat(100_000)));
    }
    const watching = watch(cluster.dataPlane(outsider), '#');
    await cluster.world.until('a part of the snapshot', () => watching.seen.length > 0);
    for (const { address } of cluster.machines) {
      cluster.network.cuts.add(`${outsider.address}>${address}`);
    }
    await cluster.world.run(2_500);
    expect(watching.snapshotDone).toBe(false);
    cluster.network.heal();
    await cluster.world.until('snapshot', () => watching.snapshotDone, 10_000);
    expect(watching.seen).toHaveLength(10);
  });

  it('misses nothing of a snapshot of which messages are lost', async () => {
    for (let seed = 451; seed <= 456; seed++) {
      const cluster = new SimCluster({ nodes: 5, seed, shardCount: 1 });
      await cluster.startAll();
      const outsider = cluster.machines.find(
        ({ node }) => node?.active.host.replica(1) === undefined,
      ) as Machine;
      const puts = Array.from({ length: 800 }, (_, i) =>
        cluster.put(outsider, `k${i}`, 'x'.repeat(500)),
      );
      await cluster.world.resolve('puts', Promise.all(puts));
      cluster.network.lossRatio = 0.2;
      const watching = watch(cluster.dataPlane(outsider), '#');
      await cluster.world.until('snapshot', () => watching.snapshotDone, 120_000);
      expect(newestOf(watching).size, `seed ${seed}`).toBe(800);
    }
  });
});
