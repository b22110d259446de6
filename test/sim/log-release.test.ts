import { describe, expect, it } from 'vitest';
import { encode, type Machine, SimCluster } from './cluster.ts';

const KB = 1024;
/** Four segments or memtables. */
const LOG_BUDGET_BYTES = 4 * 64 * KB;
const KEYS = Array.from({ length: 60 }, (_, i) => `k${i}`);

const groupOf = ({ active }: Machine, key: string) => {
  const bytes = encode(key);
  return active.map.groupOf(bytes, 0, bytes.length);
};

/** Three nodes: of one group the second node's replica cannot be trusted, and not be replaced as the third node is off. */
async function withSuspect() {
  const cluster = new SimCluster({
    ...{ nodes: 3, seed: 12, shardCount: 4, memtableBytes: 64 * KB, segmentBytes: 64 * KB },
  });
  await cluster.startAll();
  await cluster.world.run(2_000);
  const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
  const suspected = groupOf(first, 'k0');
  const put = async (key: string, value: string) => {
    const done = cluster.put(first, key, value).then(
      () => true,
      () => false,
    );
    return cluster.world.resolve('put', done);
  };
  for (const key of KEYS) await put(key, (key === 'k0' ? 'spoiled' : '').padEnd(300, 'x'));
  second.active.groups.distrust(suspected, 'a test says so');
  cluster.kill(third);
  await cluster.world.run(3_000);
  expect(second.active.suspects.map(({ group }) => group)).toEqual([suspected]);
  const others = KEYS.filter((key) => groupOf(first, key) !== suspected);
  const write = async (bytes: number) => {
    for (let written = 0; written < bytes; written += 1_000) {
      const key = others[cluster.random.below(others.length)] as string;
      expect(await put(key, 'y'.repeat(1_000))).toBe(true);
      if ((written / 1_000) % 100 === 0) await cluster.world.run(1_000);
    }
  };
  return { cluster, second, suspected, write };
}

describe('A replica that is not trusted and cannot be replaced now', () => {
  it('keeps its log, and does not hold that of all other groups', async () => {
    const { cluster, second, suspected, write } = await withSuspect();
    const before = second.active.log.bytesFrom(suspected, 1);
    expect(before).toBeGreaterThan(1_000);
    await write(6 * LOG_BUDGET_BYTES);
    await cluster.world.run(3_000);
    expect(second.active.log.segmentsBytes).toBeLessThan(2 * LOG_BUDGET_BYTES);
    expect(second.active.log.bytesFrom(suspected, 1)).toBe(before);
    expect(second.fatal).toBeUndefined();
    // The copy is as good as before: nobody else need be asked for it.
    cluster.kill(second);
    await cluster.start(second);
    await cluster.world.until('it is back', () => second.joined);
    expect(second.active.suspects.map(({ group }) => group)).toEqual([suspected]);
    expect(second.active.log.bytesFrom(suspected, 1)).toBe(before);
  });

  it('does not end its node if its log is what is damaged', async () => {
    const { cluster, second, suspected, write } = await withSuspect();
    const { log } = second.active;
    const { vfs } = second;
    for (const name of (await vfs.list('/data/log')).filter((each) => each.endsWith('.log'))) {
      const bytes = await vfs.readFile(`/data/log/${name}`);
      const at = new TextDecoder('latin1').decode(bytes).indexOf('spoiled');
      // Everywhere, so that it is met whatever is compared: the record of this value says nothing that is right.
      if (at > 0) for (let i = -120; i < 300; i++) vfs.damage(`/data/log/${name}`, at + i, 0xff);
    }
    const before = log.bytesFrom(suspected, 1);
    await write(3 * LOG_BUDGET_BYTES);
    await cluster.world.run(3_000);
    expect(second.fatal).toBeUndefined();
    expect(log.segmentsBytes).toBeLessThan(2 * LOG_BUDGET_BYTES);
    expect(log.bytesFrom(suspected, 1)).toBeLessThan(before);
    expect(second.active.suspects.map(({ group }) => group)).toEqual([suspected]);
  });

  it('is replaced when that can be, though its node is full', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 14, shardCount: 4 });
    const [first, second] = cluster.machines as [Machine, Machine];
    second.storageMaxBytes = 300 * KB;
    await cluster.startAll();
    const hasPut = (i: number) =>
      cluster.put(first, `k${i}`, 'x'.repeat(5_000)).then(
        () => true,
        () => false,
      );
    // Of what fills it at first, some goes when it is flushed and merged.
    for (let refused = 0, i = 0; refused < 60; i++) {
      refused = (await cluster.world.resolve('put', hasPut(i))) ? 0 : refused + 1;
      await cluster.world.run(500);
    }
    expect(second.active.storage.isFull).toBe(true);
    second.active.groups.distrust(groupOf(first, 'k0'), 'a test says so');
    expect(second.active.suspects).toHaveLength(1);
    await cluster.world.until('it is replaced', () => second.active.suspects.length === 0);
  });
});

/**
 * A node that was away for so long that it needs snapshots comes back, while the others take 100 KB/s all the time. All is a
 * thousandth of what it may be: 2 GB of values, a log budget of 256 MB, and moves at 512 MB/s.
 */
async function comesBack(cluster: SimCluster) {
  const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
  await cluster.startAll();
  const random = (length: number) =>
    String.fromCharCode(...Array.from({ length }, () => 33 + cluster.random.below(90)));
  const fill = async () => {
    for (let i = 0; i < 200; i++) {
      await cluster.world.resolve('put', cluster.put(first, `k${i}`, random(10_000)));
    }
  };
  await fill();
  cluster.kill(third);
  await cluster.untilLed([first, second]);
  await fill();
  await cluster.world.run(15_000);
  await cluster.start(third);
  await cluster.world.until('it is back', () => third.joined);
  let isOver = false;
  const pump = () => {
    if (isOver) return;
    for (let count = 0; count < 20; count++) {
      const put = cluster.put(first, `k${cluster.random.below(200)}`, 'y'.repeat(1_000));
      put.catch(() => {});
    }
    cluster.world.at(200, pump);
  };
  pump();
  const stop = () => {
    isOver = true;
  };
  /** How the leaders see the shards' replicas that have come back. */
  const states = () =>
    [first, second].flatMap(({ active }) =>
      [...active.host.replicas()]
        .filter(({ identity }) => identity.slotCount > 0)
        .flatMap((replica) =>
          replica.raft
            .status()
            .progress.filter(({ replica: id }) => replica.nodeOf(id) === third.nodeId),
        )
        .map(({ state }) => state),
    );
  return { first, second, states, stop };
}

describe('A replica that needs a snapshot', () => {
  it.each([{ shardCount: 1 }, { shardCount: 8 }])(
    'has caught up with the first one, though there is load on all of $shardCount shards',
    async ({ shardCount }) => {
      const cluster = new SimCluster({
        ...{ nodes: 3, seed: 13, shardCount, memtableBytes: 64 * KB, segmentBytes: 64 * KB },
        snapshotBytesPerSecond: 512 * KB,
      });
      const { first, second, states, stop } = await comesBack(cluster);
      const { world } = cluster;
      await world.until('snapshots begin', () => states().includes('snapshot'));
      const hasCaughtUp = () => states().every((state) => state === 'replicate');
      await world.until('it has caught up', hasCaughtUp, 30_000);
      for (let seconds = 0; seconds < 20; seconds++) {
        await world.run(1_000);
        expect(hasCaughtUp()).toBe(true);
      }
      stop();
      for (const { active } of [first, second]) {
        expect(active.log.segmentsBytes).toBeLessThan(2 * LOG_BUDGET_BYTES);
      }
      const [one = 0, other = 0] = [first, second].map(
        ({ active }) => active.groups.sender.counts.installed,
      );
      expect(one + other).toBe(shardCount);
    },
  );

  it('is waited for while the log is no longer than what another snapshot is worth', async () => {
    const cluster = new SimCluster({
      ...{ nodes: 3, seed: 13, shardCount: 1, memtableBytes: 64 * KB, segmentBytes: 64 * KB },
      snapshotBytesPerSecond: 1_000,
    });
    const { first, second, states, stop } = await comesBack(cluster);
    const logBytes = () =>
      Math.max(...[first, second].map(({ active }) => active.log.segmentsBytes));
    let highest = 0;
    for (let seconds = 0; seconds < 40; seconds++) {
      await cluster.world.run(1_000);
      highest = Math.max(highest, logBytes());
    }
    stop();
    expect(states()).not.toEqual(['replicate']);
    expect(highest).toBeGreaterThan(2 * LOG_BUDGET_BYTES);
    expect(highest).toBeLessThan(5.5 * LOG_BUDGET_BYTES);
  });
});
