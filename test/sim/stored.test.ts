import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../broker/limits.ts';
import { keyBytes, ownerOf, queuePrefix, tableKey } from '../../broker/reserved-keys.ts';
import { createMessageStore, type StoredMessages } from '../../broker/stored/message-store.ts';
import type { Env } from '../../node/env.ts';
import {
  message,
  queued,
  retainedTexts,
  session,
  textsOf,
} from '../broker/stored/store-harness.ts';
import { encode, type Machine, SimCluster, watch } from './cluster.ts';
import type { Life } from './world.ts';

const NOTHING = new Uint8Array(0);

/** The store of ordinary messages of a machine's node, on its clock. */
function storeOf(cluster: SimCluster, machine: Machine): StoredMessages {
  const life = machine.life as Life;
  const env: Pick<Env, 'clock' | 'timers' | 'random' | 'yield' | 'events'> = {
    clock: life,
    timers: life,
    random: { below: () => 0, bytes: (length) => new Uint8Array(length) },
    yield: (task) => void life.after(0, task),
    events: life,
  };
  const dataPlane = cluster.dataPlane(machine);
  const events = { sessionChanged: () => {}, queueReadable: () => {} };
  return createMessageStore({ env, dataPlane, limits: DEFAULT_LIMITS, events });
}

const away = (clientId: string, machine: Machine) =>
  session(clientId, { awaySinceMs: (machine.life as Life).nowMs() });

it('sessions, queues and retained messages outlive the restart of all nodes', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 611 });
  await cluster.startAll();
  const { world, machines } = cluster;
  const [first, second, third] = machines as [Machine, Machine, Machine];
  const store = storeOf(cluster, first);
  store.retain(message('plant/state', 'running'));
  store.retain(message('plant/gone', 'x'));
  for (const text of ['a', 'b', 'c']) store.enqueue('client', queued(text));
  await world.resolve('saved', store.saveSession(away('client', first)));
  await world.run(1_000);
  store.retain(message('plant/gone', ''));
  await world.resolve('read', store.queued('client'));
  store.dequeue('client', queued('b').message.id);
  await world.run(1_000);

  for (const machine of machines) cluster.cutPower(machine);
  await cluster.startAll();
  for (const machine of [second, third]) {
    const again = storeOf(cluster, machine);
    await world.until('retained', () => retainedTexts(again).length > 0);
    await world.until('session', () => again.session('client') !== undefined);
    expect(retainedTexts(again)).toEqual(['plant/state=running']);
    expect(textsOf(await world.resolve('read', again.queued('client')))).toEqual(['a', 'c']);
    expect(
      await world.resolve(
        'load',
        again.loadSession('client', () => true),
      ),
    ).toMatchObject({
      user: 'anna',
    });
  }
});

it('without a quorum they go on from memory, and are stored when it is back', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 612 });
  await cluster.startAll();
  const { world, machines } = cluster;
  const [first, second, third] = machines as [Machine, Machine, Machine];
  const store = storeOf(cluster, first);
  store.enqueue('client', queued('before'));
  await world.run(1_000);
  expect(store.state).toBe('replicated');

  for (const machine of [second, third]) cluster.kill(machine);
  const lostAtMs = world.nowMs;
  store.retain(message('plant/state', 'alone'));
  store.enqueue('client', queued('meanwhile'));
  await world.resolve('saved', store.saveSession(away('client', first)));
  expect(world.nowMs - lostAtMs).toBeLessThanOrEqual(1_000);
  expect(retainedTexts(store)).toEqual(['plant/state=alone']);
  expect(textsOf(await world.resolve('read', store.queued('client')))).toContain('meanwhile');
  // Long enough for the data plane to have given up.
  await world.run(25_000);
  expect(store.state).toBe('memory');

  for (const machine of [second, third]) await cluster.start(machine);
  await cluster.untilLed();
  await world.until('stored', () => store.state === 'replicated');
  const other = storeOf(cluster, second);
  await world.until('told', () => other.session('client') !== undefined);
  await world.until('told', () => retainedTexts(other).length > 0);
  expect(retainedTexts(other)).toEqual(['plant/state=alone']);
  const read = await world.resolve('read', other.queued('client'));
  expect(textsOf(read)).toEqual(['before', 'meanwhile']);
});

it('a session that is over takes its queue with it, and leaves the next one alone', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 613 });
  await cluster.startAll();
  const { world, machines } = cluster;
  const [first, second] = machines as [Machine, Machine];
  const store = storeOf(cluster, first);
  const other = storeOf(cluster, second);
  await world.resolve('saved', store.saveSession(away('client', first)));
  for (let i = 0; i < 300; i++) other.enqueue('client', queued(`old${i}`));
  await world.run(1_000);
  store.endSession('client');
  await world.resolve('saved', store.saveSession(away('client', first)));
  other.enqueue('client', queued('new'));
  await world.run(2_000);
  expect(textsOf(await world.resolve('read', other.queued('client')))).toEqual(['new']);
});

it('what expires is over on every node: messages, queued or retained, and sessions', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 614 });
  await cluster.startAll();
  const { world, machines } = cluster;
  const [first, second] = machines as [Machine, Machine];
  const store = storeOf(cluster, first);
  const other = storeOf(cluster, second);
  const nowMs = (first.life as Life).nowMs();
  store.retain(message('t', 'x', { expiresAtMs: nowMs + 5_000 }));
  store.enqueue('client', queued('short', { expiresAtMs: nowMs + 5_000 }));
  store.enqueue('client', queued('long'));
  void store.saveSession({ ...away('client', first), expirySeconds: 5 });
  await world.run(2_000);
  expect(retainedTexts(other)).toEqual(['t=x']);
  expect(other.session('client')).toBeDefined();
  await world.run(5_000);
  expect(retainedTexts(other)).toEqual([]);
  expect(other.session('client')).toBeUndefined();
  expect(textsOf(await world.resolve('read', other.queued('client')))).toEqual(['long']);
});

it('clients never see them: not in lists, ranges or watches, from their start or in between', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 615 });
  await cluster.startAll();
  const { world, machines } = cluster;
  const [first, second] = machines as [Machine, Machine];
  const early = watch(cluster.dataPlane(second), '#');
  const store = storeOf(cluster, first);
  store.retain(message('plant/state', 'running'));
  store.enqueue('client', queued('a'));
  await world.resolve('saved', store.saveSession(away('client', first)));
  await world.resolve('put', cluster.put(first, 'a', '1'));
  await world.resolve('put', cluster.put(first, '\u{10ffff}', '2'));
  await world.run(1_000);
  const late = ['#', '+/#', '+/t/#'].map((filter) => watch(cluster.dataPlane(second), filter));
  await world.until('snapshots', () => late.every(({ snapshotDone }) => snapshotDone));
  await world.run(1_000);
  const keysOf = ({ seen }: typeof early) => seen.map(({ keyText }) => keyText);
  expect([early, ...late].map(keysOf).map((keys) => keys.sort())).toEqual([
    ['a', '\u{10ffff}'],
    ['a', '\u{10ffff}'],
    ['a', '\u{10ffff}'],
    [],
  ]);

  const list = async (query: object) => {
    const whole = { prefix: NOTHING, after: NOTHING, limit: 100, values: false, ...query };
    const page = await world.resolve('list', cluster.dataPlane(second).list(whole));
    if (page.kind !== 'page') throw new Error('unavailable');
    return page.items.map(({ key }) => new TextDecoder().decode(key));
  };
  expect(await list({})).toEqual(['a', '\u{10ffff}']);
  expect(await list({ reverse: true })).toEqual(['\u{10ffff}', 'a']);
  expect(await list({ from: encode('b') })).toEqual(['\u{10ffff}']);
  expect(await list({ after: encode('\u{10ffff}') })).toEqual([]);
  expect(await list({ to: Uint8Array.of(0xff, 0xff) })).toEqual(['a', '\u{10ffff}']);
  expect(await list({ prefix: keyBytes(queuePrefix(ownerOf('client'))) })).toHaveLength(1);
});

it('a store that many nodes watch costs the writes of users nothing', async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 616, shardCount: 1 });
  await cluster.startAll();
  const { world, machines } = cluster;
  for (const machine of machines) storeOf(cluster, machine);
  await world.run(1_000);
  const key = keyBytes(tableKey('session', ownerOf('client')));
  for (const { active } of machines) {
    const feed = active.host.replica(active.map.groupOf(key, 0, key.length))?.feed;
    expect([feed?.wantsWrites, feed?.wantsReservedWrites]).toEqual([false, true]);
  }
});
