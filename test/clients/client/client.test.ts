import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../clients/client/client.ts';
import { connect, type Item } from '../../../clients/client/index.ts';
import { type FakeCluster, startFakeCluster } from './fake-nodes.ts';

describe('the client library', () => {
  let cluster: FakeCluster;
  let dss: Client;
  beforeEach(async () => {
    cluster = await startFakeCluster(1);
    dss = await connect(cluster.urls, { timeoutMs: 5_000 });
  });
  afterEach(async () => {
    await dss.close();
    await cluster.close();
  });

  const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const item of items) found.push(item);
    return found;
  };
  const textsOf = (items: readonly Item[]) => items.map((item) => `${item.key}=${item.text()}`);

  it('stores a value and gets it back, byte for byte', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const given = Buffer.from(bytes);
    const stored = dss.put('a/bytes', given);
    given.fill(0);
    const { version } = await stored;
    const item = await dss.get('a/bytes');
    expect(item?.version).toBe(version);
    expect(item?.value).toEqual(bytes);
    await dss.put('a/text', '\uFEFFräume');
    expect((await dss.get('a/text'))?.text()).toBe('\uFEFFräume');
    await dss.put('a/json', { mode: 'eco', levels: [1, 2] });
    expect((await dss.get('a/json'))?.json()).toEqual({ mode: 'eco', levels: [1, 2] });
    await dss.put('a/number', 21.5);
    expect(cluster.plane.value('a/number')).toBe('21.5');
  });

  it('says when a value expires, and deletes', async () => {
    await dss.put('a', 'v', { ttlMs: 1_500, time: new Date('2024-05-01T00:00:00Z') });
    expect(cluster.plane.writes[0]).toMatchObject({ ttlMs: 1_500, time: expect.any(Number) });
    expect((await dss.get('a'))?.expiresAt).toEqual(expect.any(Number));
    await dss.delete('a');
    expect(await dss.get('a')).toBeUndefined();
    expect(await dss.get('never')).toBeUndefined();
  });

  it('asks for another consistency, and for the past', async () => {
    await dss.get('a', { consistency: 'eventual' });
    await dss.get('a', { at: Date.UTC(2024, 1, 1) });
    expect(cluster.plane.gets).toMatchObject([{ eventual: true }, { at: expect.any(Number) }]);
  });

  it('lists page by page, up to a limit', async () => {
    const keys = Array.from({ length: 2_345 }, (_, i) => `l/${String(i).padStart(5, '0')}`);
    for (const key of keys) cluster.plane.store(key, 'v');
    expect(await all(dss.keys({ prefix: 'l' }))).toEqual(keys);
    expect((await all(dss.list({ prefix: 'l', limit: 1_234 }))).map(({ key }) => key)).toEqual(
      keys.slice(0, 1_234),
    );
    expect(await all(dss.keys({ after: keys[2_342] as string }))).toEqual(keys.slice(2_343));
    const range = dss.range({ from: 'l/00010', to: 'l/00013', reverse: true });
    expect(textsOf(await all(range))).toEqual(['l/00012=v', 'l/00011=v', 'l/00010=v']);
  });

  it('tells the history of a key, deletes included', async () => {
    for (const value of ['1', '2', '', '3']) cluster.plane.store('h', value);
    const newest = await all(dss.history('h'));
    expect(newest.map((item) => (item.deleted ? null : item.text()))).toEqual([
      '3',
      null,
      '2',
      '1',
    ]);
    expect(newest[0]?.key).toBe('h');
    const oldest = await all(dss.history('h', { order: 'asc', limit: 2 }));
    expect(oldest.map((item) => item.text())).toEqual(['1', '2']);
  });

  it('stores many writes in their order', async () => {
    async function* readings() {
      for (let i = 0; i < 3_000; i += 1) yield { key: `b/${i % 700}`, value: i };
      yield { key: 'b/0', delete: true } as const;
      yield { key: 'b/large', value: new Uint8Array(900 * 1024).fill(0xff) };
      yield { key: 'b/bytes', value: Uint8Array.of(0, 0xff) };
    }
    const { count, version } = await dss.batch(readings());
    expect(count).toBe(3_003);
    expect(await dss.get('b/0')).toBeUndefined();
    expect((await dss.get('b/699'))?.text()).toBe('2799');
    expect((await dss.get('b/large'))?.value.length).toBe(900 * 1024);
    expect((await dss.get('b/bytes'))?.value).toEqual(Uint8Array.of(0, 0xff));
    expect((await dss.get('b/large'))?.version).toBeLessThanOrEqual(version);
    expect(await dss.batch([])).toEqual({ count: 0, version: 0 });
  });

  it('compares and sets', async () => {
    const first = await dss.cas('c', { n: 1 }, { ifVersion: null });
    expect(first).toMatchObject({ won: true, version: expect.any(Number) });
    expect(await dss.cas('c', { n: 1 }, { ifVersion: null })).toEqual({
      won: false,
      version: first.version,
    });
    expect(await dss.casDelete('c', { ifVersion: first.version as number })).toMatchObject({
      won: true,
    });
    expect(await dss.cas('c', 'x', { ifVersion: 1 })).toEqual({ won: false, version: null });
  });

  it.each([
    ['', 'INVALID_KEY'],
    ['a/+', 'INVALID_KEY'],
    ['ä'.repeat(513), 'INVALID_KEY'],
  ])('refuses the key %j before anything is sent', async (key, code) => {
    await expect(dss.put(key, 'v')).rejects.toMatchObject({ name: 'DssError', code });
    await expect(dss.get(key)).rejects.toMatchObject({ code });
    expect(cluster.plane.writes).toEqual([]);
  });

  it('refuses what is no value', async () => {
    for (const value of ['', new Uint8Array(0), Number.NaN, undefined as never, () => {}]) {
      await expect(dss.put('a', value)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    }
  });

  it('says by its code why a node refused something', async () => {
    const large = dss.put('a', new Uint8Array(1024 * 1024 + 1));
    await expect(large).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' });
    await expect(dss.put('a', 'v', { ttlMs: 1e15 })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('ttl'),
    });
    cluster.plane.full = true;
    await expect(dss.put('a', 'v')).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await expect(dss.cas('a', 'v', { ifVersion: null })).rejects.toMatchObject({
      code: 'STORAGE_FULL',
    });
    cluster.plane.full = false;
    cluster.plane.down = true;
    await expect(dss.get('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await dss.put('a', 'v')).toMatchObject({ version: expect.any(Number) });
  });

  it('takes no more than may wait, and sends what waits when there is room', async () => {
    await dss.close();
    dss = await connect(cluster.urls, { inFlightMax: 2, waitingMax: 3 });
    cluster.plane.hold = true;
    const taken = [1, 2, 3, 4, 5].map((i) => dss.put(`o/${i}`, i));
    await expect(dss.put('o/6', 6)).rejects.toMatchObject({ code: 'OVERLOADED' });
    await expect.poll(() => cluster.plane.held.length).toBe(2);
    cluster.plane.hold = false;
    cluster.plane.commitAll();
    await Promise.all(taken);
    expect(cluster.plane.writes.map(({ key }) => key)).toEqual(
      [1, 2, 3, 4, 5].map((i) => `o/${i}`),
    );
  });

  it('waits no longer than it was told to', async () => {
    cluster.plane.hold = true;
    const late = dss.put('a', 'v', { timeoutMs: 50 });
    await expect(late).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    const controller = new AbortController();
    const aborted = dss.put('a', 'v', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await expect(dss.get('a', { signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
  });

  it('waits for what is under way when it is closed, and takes nothing more', async () => {
    cluster.plane.hold = true;
    const under = dss.put('a', 'v');
    await expect.poll(() => cluster.plane.held.length).toBe(1);
    const closed = dss.close();
    await expect(dss.get('a')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    cluster.plane.commitAll();
    await closed;
    expect(await under).toMatchObject({ version: expect.any(Number) });
  });
});
