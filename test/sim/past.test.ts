import { expect, it } from 'vitest';
import { decode, encode, type Machine, SimCluster, watch } from './cluster.ts';

it('history is the same through every node, replica or not, also after all have restarted', async () => {
  const cluster = new SimCluster({ nodes: 5, seed: 61, shardCount: 8, memtableBytes: 32 * 1024 });
  await cluster.startAll();
  const writer = cluster.machine(0);
  const written: { version: number; value: string }[] = [];
  for (let i = 0; i < 30; i++) {
    const value = i % 7 === 3 ? '' : `${i}`.repeat(200);
    const version = await cluster.world.resolve('put', cluster.put(writer, 'line/temp', value));
    written.push({ version, value });
    await cluster.world.resolve('put', cluster.put(writer, `line/temp/${i}`, 'other'));
  }
  const expectHistory = async (machine: Machine) => {
    const plane = cluster.dataPlane(machine);
    const key = encode('line/temp');
    const query = { key, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 100, ascending: true };
    const page = await cluster.world.resolve('history', plane.history(query));
    if (page.kind !== 'page') throw new Error(`${machine.name}: ${page.kind}`);
    expect(
      page.items.map(({ version, value, deleted }) => [version, decode(value), deleted]),
    ).toEqual(written.map(({ version, value }) => [version, value, value === '']));
    const { version, value } = written[10] as (typeof written)[number];
    const past = await cluster.world.resolve('get at', plane.get(key, { at: version }));
    expect(past.kind === 'found' && decode(past.value)).toBe(value === '' ? false : value);
  };
  for (const machine of cluster.machines) await expectHistory(machine);
  await cluster.world.run(5_000);
  for (const machine of cluster.machines) cluster.cutPower(machine);
  await cluster.startAll();
  for (const machine of cluster.machines) await expectHistory(machine);
});

it('a late reading enters history on every node, and no watcher goes back to it', async () => {
  const cluster = new SimCluster({ nodes: 5, seed: 62, shardCount: 8, memtableBytes: 32 * 1024 });
  await cluster.startAll();
  const writer = cluster.machine(0);
  const watchers = cluster.machines.map((machine) => watch(cluster.dataPlane(machine), 'line/#'));
  await cluster.world.until('snapshots', () => watchers.every((each) => each.snapshotDone));
  const now = await cluster.world.resolve('put', cluster.put(writer, 'line/temp', 'now'));
  const readings = [
    ['an hour ago', now - 3_600_000 * 4096],
    ['two hours ago', now - 7_200_000 * 4096],
    ['an hour ago, sent again', now - 3_600_000 * 4096],
  ] as const;
  for (const [value, time] of readings) {
    await cluster.world.resolve('put', cluster.put(writer, 'line/temp', value, time));
  }
  await cluster.world.resolve('put', cluster.put(writer, 'line/temp', 'after'));
  await cluster.world.until('all were told', () =>
    watchers.every(({ seen }) => seen.at(-1)?.text === 'after'),
  );
  for (const { seen } of watchers) expect(seen.map(({ text }) => text)).toEqual(['now', 'after']);

  for (const machine of cluster.machines) cluster.cutPower(machine);
  await cluster.startAll();
  for (const machine of cluster.machines) {
    expect(await cluster.get(machine, 'line/temp')).toBe('after');
    const key = encode('line/temp');
    const query = { key, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 9, ascending: true };
    const history = cluster.dataPlane(machine).history(query);
    const page = await cluster.world.resolve('history', history);
    expect(page.kind === 'page' && page.items.map(({ value }) => decode(value))).toEqual([
      'two hours ago',
      'an hour ago, sent again',
      'now',
      'after',
    ]);
  }
});
