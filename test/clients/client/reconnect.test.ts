import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../clients/client/client.ts';
import { connect } from '../../../clients/client/index.ts';
import { type FakeCluster, startFakeCluster } from './fake-nodes.ts';

/** What becomes of what is under way when the connection is lost. */
describe('a client that loses its connection', () => {
  let cluster: FakeCluster;
  let dss: Client;
  beforeEach(async () => {
    cluster = await startFakeCluster(2);
    dss = await connect(cluster.urls, { timeoutMs: 10_000 });
  });
  afterEach(async () => {
    await dss.close({ timeoutMs: 0 });
    await cluster.close();
  });

  const isHeld = (count: number) => expect.poll(() => cluster.plane.held.length).toBe(count);
  const [first, second] = [0, 1];
  const kill = (node: number) => cluster.nodes[node]?.kill();

  it('goes on at the next address, and says so', async () => {
    const events: string[] = [];
    dss.on('disconnect', ({ reason }) => events.push(`disconnect ${reason.code}`));
    dss.on('reconnect', ({ url }) => events.push(`reconnect ${url}`));
    const stop = dss.on('connect', ({ url }) => events.push(`connect ${url}`));
    expect(dss.url).toBe(cluster.urls[first]);
    kill(first);
    await dss.put('a', 'v');
    expect(dss.url).toBe(cluster.urls[second]);
    const url = cluster.urls[second];
    expect(events).toEqual(['disconnect UNAVAILABLE', `reconnect ${url}`, `connect ${url}`]);
    stop();
  });

  it('sends again what had no outcome, in its order', async () => {
    cluster.plane.hold = true;
    const stored = ['1', '2', '3'].map((value) => dss.put('k', value));
    await isHeld(3);
    cluster.plane.hold = false;
    kill(first);
    await Promise.all(stored);
    expect(cluster.plane.writes.map(({ value }) => `${value}`)).toEqual([
      ...['1', '2', '3'],
      ...['1', '2', '3'],
    ]);
    expect(cluster.plane.value('k')).toBe('3');
  });

  it('does not send again what must not be stored twice, and says that it does not know', async () => {
    cluster.plane.hold = true;
    const unknown = dss.put('k', 'v', { resend: false });
    const timed = dss.put('k', 'v', { resend: false, time: Date.UTC(2024, 5, 1) });
    await isHeld(2);
    cluster.plane.hold = false;
    kill(first);
    await expect(unknown).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await timed;
    expect(cluster.plane.writes).toHaveLength(3);
  });

  it('does not call refused what may have been stored before', async () => {
    cluster.plane.hold = true;
    const unknown = dss.put('k', 'v');
    await isHeld(1);
    cluster.plane.full = true;
    cluster.plane.hold = false;
    kill(first);
    await expect(unknown).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      cause: { code: 'STORAGE_FULL' },
    });
  });

  it('sends what was not sent yet, whatever it is', async () => {
    const lost = new Promise((resolve) => dss.on('disconnect', resolve));
    kill(first);
    await lost;
    expect(dss.url).toBeUndefined();
    expect(await dss.put('k', 'v', { resend: false })).toMatchObject({
      version: expect.any(Number),
    });
  });

  it('wins a compare-and-set once, although it is sent twice', async () => {
    const compareAndSet = cluster.plane.compareAndSet.bind(cluster.plane);
    cluster.plane.compareAndSet = async (request) => {
      const outcome = await compareAndSet(request);
      cluster.plane.compareAndSet = compareAndSet;
      kill(first);
      return outcome;
    };
    const result = await dss.cas('c', 'mine', { ifVersion: null });
    expect(result).toEqual({ won: true, version: (await dss.get('c'))?.version });
  });

  it('does not call lost what may have won and been overwritten', async () => {
    const compareAndSet = cluster.plane.compareAndSet.bind(cluster.plane);
    cluster.plane.compareAndSet = async (request) => {
      const outcome = await compareAndSet(request);
      cluster.plane.compareAndSet = compareAndSet;
      cluster.plane.store('c', 'of another');
      kill(first);
      return outcome;
    };
    await expect(dss.cas('c', 'mine', { ifVersion: null })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
  });

  it('gives up when its time is over: a question was not answered, of a write nobody knows', async () => {
    cluster.plane.hold = true;
    const unknown = dss.put('k', 'v', { timeoutMs: 600 });
    await isHeld(1);
    kill(first);
    kill(second);
    const question = dss.get('k', { timeoutMs: 500 });
    await expect(question).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await expect(unknown).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });
});

describe('connect', () => {
  let cluster: FakeCluster;
  beforeEach(async () => {
    cluster = await startFakeCluster(1);
  });
  afterEach(() => cluster.close());

  it('takes the first address that lets it in', async () => {
    const dss = await connect(['mqtt://127.0.0.1:1', ...cluster.urls]);
    expect(dss.url).toBe(cluster.urls[0]);
    await dss.close();
  });

  it('rejects when none does in time, and when it is told to', async () => {
    const nowhere = connect('mqtt://127.0.0.1:1', { connectTimeoutMs: 300 });
    await expect(nowhere).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    const controller = new AbortController();
    const aborted = connect('mqtt://127.0.0.1:1', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
  });

  it('closes the client when its signal says so', async () => {
    const controller = new AbortController();
    const dss = await connect(cluster.urls, { signal: controller.signal });
    cluster.plane.hold = true;
    const put = dss.put('k', 'v');
    const question = dss.get('k');
    await question;
    controller.abort();
    await expect(put).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });

  it.each(['http://127.0.0.1', 'nonsense', 'mqtt://user@127.0.0.1'])(
    'does not take %s for an address',
    async (url) => {
      await expect(connect(url)).rejects.toThrow(TypeError);
    },
  );
});
