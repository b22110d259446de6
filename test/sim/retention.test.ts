import { describe, expect, it } from 'vitest';
import { UNITS_PER_MS } from '../../broker/data-plane.ts';
import { removeRetention, setRetention } from '../../node/settings/settings.ts';
import { scan } from '../support/scan.ts';
import { decode, type Machine, put, SimCluster, watch } from './cluster.ts';
import { change, history, rule, textsOf } from './retention.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function expectSameEverywhere(cluster: SimCluster, key: string, texts: readonly string[]) {
  for (const machine of cluster.machines) {
    expect(textsOf(await history(cluster, machine, key)), machine.name).toEqual(texts);
  }
}

describe('retention', () => {
  it('shows the same history from every replica before, during and after compaction, across leaders', async () => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 101,
      shardCount: 2,
      memtableBytes: 16 * 1024,
    });
    await cluster.startAll();
    const [first] = cluster.machines as [Machine];
    await change(cluster, first, (now) =>
      setRetention(now, rule('line', { keepMs: 10 * MINUTE_MS })),
    );
    const written: [atMs: number, value: string][] = [];
    for (let i = 0; i < 60; i++) {
      const value = i % 7 === 5 ? '' : `value ${i} `.repeat(20);
      await cluster.world.resolve('put', cluster.put(cluster.machine(i % 3), 'line/temp', value));
      await cluster.world.resolve('put', cluster.put(cluster.machine(i % 3), 'other', value));
      written.push([cluster.world.nowMs, value]);
      await cluster.world.run(MINUTE_MS / 2);
      if (i % 20 === 10) {
        const leader = cluster.leaderOf('line/temp');
        cluster.kill(leader);
        await cluster.start(leader);
        await cluster.untilLed();
      }
    }
    const seen = textsOf(await history(cluster, first, 'line/temp'));
    await expectSameEverywhere(cluster, 'line/temp', seen);
    // Ten minutes, and up to one more until the next watermark.
    expect(seen.length).toBeGreaterThanOrEqual(19);
    expect(seen.length).toBeLessThanOrEqual(24);
    const texts = written.map(([, value]) => (value === '' ? '<deleted>' : value));
    expect(seen).toEqual(texts.slice(-seen.length));
    await expectSameEverywhere(cluster, 'other', texts);
    await cluster.world.run(2 * HOUR_MS);
    for (const { active } of cluster.machines) {
      active.engine.requestFreeze();
    }
    await cluster.world.resolve('put', cluster.put(first, 'line/other', 'x'));
    await cluster.world.resolve('put', cluster.put(first, 'other2', 'x'));
    await cluster.world.run(10 * MINUTE_MS);
    for (const { active } of cluster.machines) {
      expect(active.engine.statistics().droppedEntries).toBeGreaterThanOrEqual(20);
    }
    const newest = texts.at(-1) as string;
    await expectSameEverywhere(cluster, 'line/temp', [newest]);
    for (const machine of cluster.machines) cluster.cutPower(machine);
    await cluster.startAll();
    await expectSameEverywhere(cluster, 'line/temp', [newest]);
    await expectSameEverywhere(cluster, 'other', texts);
  });

  it('keeps so many versions; a raised number counts for later ones only, a removed rule brings nothing back', async () => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 102,
      shardCount: 2,
      memtableBytes: 16 * 1024,
    });
    await cluster.startAll();
    const [first, second] = cluster.machines as [Machine, Machine];
    const write = async (from: number, to: number) => {
      for (let i = from; i <= to; i++) {
        await cluster.world.resolve('put', cluster.put(first, 'k', `${i}`));
      }
    };
    await change(cluster, first, (now) => setRetention(now, rule('', { versions: 3 })));
    await write(1, 8);
    await expectSameEverywhere(cluster, 'k', ['6', '7', '8']);
    await change(cluster, second, (now) => setRetention(now, rule('', { versions: 5 })));
    await expectSameEverywhere(cluster, 'k', ['6', '7', '8']);
    await write(9, 9);
    await expectSameEverywhere(cluster, 'k', ['7', '8', '9']);
    await write(10, 14);
    await expectSameEverywhere(cluster, 'k', ['10', '11', '12', '13', '14']);
    await change(cluster, first, (now) => removeRetention(now, ''));
    await expectSameEverywhere(cluster, 'k', ['10', '11', '12', '13', '14']);
    for (const machine of cluster.machines) cluster.cutPower(machine);
    await cluster.startAll();
    await expectSameEverywhere(cluster, 'k', ['10', '11', '12', '13', '14']);
  });

  it('ends the newest value too where a rule has a ttl, and tombstones leave the disk', async () => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 103,
      shardCount: 2,
      memtableBytes: 16 * 1024,
    });
    await cluster.startAll();
    const [first] = cluster.machines as [Machine];
    const short = rule('session', { ttlMs: 30_000, keepMs: 5 * MINUTE_MS });
    await change(cluster, first, (now) => setRetention(now, short));
    const watching = watch(cluster.dataPlane(cluster.machine(2)), 'session/#');
    for (let i = 0; i < 30; i++) {
      await cluster.world.resolve('put', cluster.put(first, `session/${i}`, 'here'));
    }
    expect(await cluster.get(first, 'session/7')).toBe('here');
    await cluster.world.run(40_000);
    expect(await cluster.get(first, 'session/7')).toBe('<not-found>');
    expect(watching.seen.filter(({ deleted }) => deleted)).toHaveLength(30);
    await cluster.world.run(2 * HOUR_MS);
    for (const { active } of cluster.machines) active.engine.requestFreeze();
    await cluster.world.resolve('put', cluster.put(first, 'a', 'x'));
    await cluster.world.resolve('put', cluster.put(first, 'b', 'x'));
    await cluster.world.resolve('put', cluster.put(first, 'c', 'x'));
    await cluster.world.run(20 * MINUTE_MS);
    for (const { active, name } of cluster.machines) {
      const snapshot = active.engine.snapshot();
      const left = (await scan(snapshot)).filter(({ key }) => decode(key).includes('session'));
      snapshot.close();
      expect(left.length, name).toBe(0);
    }
  });

  it('tells a watcher that was away of a delete whose event time is long gone', async () => {
    const cluster = new SimCluster({ nodes: 4, seed: 608, shardCount: 1 });
    await cluster.startAll();
    const { world } = cluster;
    const replicas = cluster.machines.filter(({ active }) => active.retentions().length > 0);
    const [outsider] = cluster.machines.filter((machine) => !replicas.includes(machine)) as [
      Machine,
    ];
    const [first] = replicas as [Machine];
    await change(cluster, first, (now) => setRetention(now, rule('', { keepMs: 10 * MINUTE_MS })));
    await world.resolve('put', cluster.put(first, 'k', 'alive'));
    for (const machine of cluster.machines) cluster.kill(machine);
    await world.run(10 * HOUR_MS);
    await cluster.startAll();
    await world.run(5_000);
    const watching = watch(cluster.dataPlane(outsider), '#');
    await world.until('a snapshot', () => watching.snapshotDone);
    cluster.network.partition(
      [outsider.address],
      replicas.map(({ address }) => address),
    );
    await world.run(15_000);
    const fiveHoursAgo = cluster.now - 5 * HOUR_MS * UNITS_PER_MS;
    await world.resolve('delete', cluster.put(first, 'k', '', fiveHoursAgo));
    expect(await cluster.get(first, 'k')).toBe('<not-found>');
    expect(textsOf(await history(cluster, first, 'k'))).toEqual(['<deleted>']);
    for (const { active } of replicas) active.engine.requestFreeze();
    for (const key of ['x', 'y']) await world.resolve('put', cluster.put(first, key, key));
    await world.run(2_000);
    for (const { active } of replicas) {
      await world.resolve('compaction', active.engine.compactFully());
    }
    cluster.network.heal();
    await world.run(30_000);
    expect(watching.seen.map(({ keyText, deleted }) => [keyText, deleted]).toSorted()).toEqual([
      ['k', false],
      ['k', true],
      ['x', false],
      ['y', false],
    ]);
  });
});

describe('a budget for the disk', () => {
  const MIB = 1024 * 1024;

  it('lets the oldest history go first, refuses puts only then, and takes them again when there is room', {
    timeout: 90_000,
  }, async () => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 104,
      shardCount: 2,
      memtableBytes: 64 * 1024,
      segmentBytes: 128 * 1024,
      storageMaxBytes: 2 * MIB,
    });
    await cluster.startAll();
    const { world } = cluster;
    const [first] = cluster.machines as [Machine];
    const used = () =>
      Math.max(
        ...cluster.machines.map(({ active: { engine, log } }) => engine.diskBytes + log.diskBytes),
      );
    const fill = 'x'.repeat(8_000);
    let highest = 0;
    for (let i = 0; i < 700; i++) {
      await world.resolve('put', cluster.put(first, `sensor/${i % 10}`, `${i} ${fill}`));
      await world.run(2_000);
      highest = Math.max(highest, used());
    }
    expect(highest).toBeLessThan(2.3 * MIB);
    expect((await history(cluster, first, 'sensor/3')).length).toBeGreaterThan(3);
    expect(await cluster.get(first, 'sensor/9')).toBe(`699 ${fill}`);

    // Nothing but current values: none of them goes.
    let stored = 0;
    let refused = '';
    while (refused === '' && stored < 1_000) {
      const putting = put(cluster.dataPlane(first), `asset/${stored}`, fill).catch(
        (error) => error,
      );
      const outcome = await world.resolve('put', putting);
      if (typeof outcome === 'number') stored += 1;
      else refused = outcome.message;
      await world.run(2_000);
    }
    expect(refused).toBe('storage-full');
    // No history is left, so it is not the overrun that they are refused for.
    expect(used()).toBeLessThan(1.05 * 2 * MIB);
    expect(stored).toBeGreaterThan(100);
    for (let i = 0; i < stored; i++) {
      expect(await cluster.get(first, `asset/${i}`)).toHaveLength(fill.length);
    }
    for (let i = 0; i < stored; i++) {
      await world.resolve('delete', put(cluster.dataPlane(first), `asset/${i}`, ''));
    }
    let isTaken = false;
    for (let i = 0; i < 100 && !isTaken; i++) {
      await world.run(60_000);
      const putting = cluster.put(first, 'again', 'x').catch((error) => error);
      isTaken = typeof (await world.resolve('put', putting)) === 'number';
    }
    expect(isTaken).toBe(true);
  });

  /** As many readings of a key as say what fills the disk, with event times over the last six hours. */
  async function fill(cluster: SimCluster, key: string, isEnough: () => boolean): Promise<void> {
    const { world } = cluster;
    const begin = cluster.now - 6 * HOUR_MS * UNITS_PER_MS;
    for (let i = 0; !isEnough(); i++) {
      const time = begin + i * MINUTE_MS * UNITS_PER_MS;
      await world.resolve('put', cluster.put(cluster.machine(0), key, 'x'.repeat(4_000), time));
    }
  }

  it('of a node that has died does not let the others drop history', async () => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 602,
      shardCount: 1,
      storageMaxBytes: 50 * MIB,
    });
    const [first, , small] = cluster.machines as [Machine, Machine, Machine];
    small.storageMaxBytes = 600_000;
    await cluster.startAll();
    const { world } = cluster;
    await world.run(2_000);
    await fill(cluster, 'k', () => small.active.storage.usedBytes > 0.85 * 600_000);
    await world.run(1_500);
    cluster.kill(small);
    await world.run(30_000);
    const left = (await history(cluster, first, 'k')).length;
    expect(left).toBeGreaterThan(30);
    await world.run(8 * MINUTE_MS);
    expect(await history(cluster, first, 'k')).toHaveLength(left);
  });

  it('of a node that has died full does not have the others refuse puts', async () => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 603,
      shardCount: 2,
      storageMaxBytes: 50 * MIB,
    });
    const [first, , small] = cluster.machines as [Machine, Machine, Machine];
    small.storageMaxBytes = 200_000;
    await cluster.startAll();
    const { world } = cluster;
    const tryToPut = async (key: string, value: string) => {
      const putting = cluster.put(first, key, value).then(
        () => 'taken',
        (error: Error) => error.message,
      );
      return await world.resolve('put', putting);
    };
    let outcome = '';
    for (let i = 0; i < 100 && outcome !== 'storage-full'; i++) {
      outcome = await tryToPut(`k${i}`, 'x'.repeat(4_000));
      await world.run(500);
    }
    expect(outcome).toBe('storage-full');
    cluster.kill(small);
    await world.run(20_000);
    for (const key of ['a', 'b', 'c', 'd']) expect(await tryToPut(key, 'x')).toBe('taken');
  });

  it('takes a part of the history at a time also from what no table holds yet', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 715, shardCount: 1, storageMaxBytes: MIB });
    await cluster.startAll();
    const { world } = cluster;
    const first = cluster.machine(0);
    // A look at the tables has been taken by then, and there were none.
    await world.run(2 * MINUTE_MS);
    await fill(cluster, 'k', () => first.active.storage.usedBytes > 0.85 * MIB);
    const { length } = await history(cluster, first, 'k');
    expect(length).toBeGreaterThan(50);
    await world.run(20_000);
    expect((await history(cluster, first, 'k')).length).toBeGreaterThan(0.7 * length);
  });

  it('that is small does not stay full: what has gone leaves the log too', async () => {
    const cluster = new SimCluster({ nodes: 1, seed: 714, shardCount: 1, storageMaxBytes: MIB });
    await cluster.startAll();
    const { world } = cluster;
    const first = cluster.machine(0);
    let taken = 0;
    for (let i = 0; i < 600; i++) {
      const putting = cluster.put(first, 'k', `${i} ${'x'.repeat(4_000)}`).then(
        () => true,
        () => false,
      );
      if (await world.resolve('put', putting)) taken += 1;
      await world.run(2_000);
    }
    expect(taken).toBe(600);
  });
});
