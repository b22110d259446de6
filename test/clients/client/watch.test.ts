import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../clients/client/client.ts';
import { type Change, connect } from '../../../clients/client/index.ts';
import { type FakeCluster, startFakeCluster } from './fake-nodes.ts';

describe('a watch', () => {
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

  const inWords = (change: Change | undefined): string => {
    if (change?.type === 'value') {
      return `${change.key}=${change.item.text()}${change.snapshot ? ' (snapshot)' : ''}`;
    }
    return change?.type === 'deleted' ? `${change.key} deleted` : `${change?.type}`;
  };
  const take = async (watch: AsyncIterator<Change>, count: number): Promise<string[]> => {
    const taken: string[] = [];
    while (taken.length < count) taken.push(inWords((await watch.next()).value));
    return taken;
  };

  it('gives the current values, says when that is all, then each change', async () => {
    cluster.plane.store('w/a', '1');
    cluster.plane.store('w/b', Uint8Array.of(0xff));
    cluster.plane.store('other', '1');
    const watch = dss.watch('w/#');
    const first = (await watch.next()).value as Extract<Change, { type: 'value' }>;
    expect(first).toMatchObject({ type: 'value', key: 'w/a', snapshot: true });
    expect(first.item).toEqual(await dss.get('w/a'));
    const second = (await watch.next()).value as Extract<Change, { type: 'value' }>;
    expect(second.item.value).toEqual(Uint8Array.of(0xff));
    expect(await take(watch, 1)).toEqual(['snapshot-complete']);
    await dss.put('w/c', '1');
    await dss.put('other', '2');
    await dss.delete('w/a');
    expect(await take(watch, 2)).toEqual(['w/c=1', 'w/a deleted']);
  });

  it('goes on after a reconnect with what has changed, deletes as well', async () => {
    for (const key of ['same', 'changed', 'gone', 'again']) cluster.plane.store(`w/${key}`, '1');
    const watch = dss.watch('w/+');
    expect((await take(watch, 5)).at(-1)).toBe('snapshot-complete');
    const lost = new Promise((resolve) => dss.on('disconnect', resolve));
    cluster.nodes[0]?.kill();
    await lost;
    cluster.plane.store('w/changed', '2');
    cluster.plane.store('w/gone', '');
    cluster.plane.store('w/again', '');
    cluster.plane.store('w/again', '3');
    cluster.plane.store('w/new', '1');
    expect((await take(watch, 5)).sort()).toEqual([
      'snapshot-complete',
      'w/again=3 (snapshot)',
      'w/changed=2 (snapshot)',
      'w/gone deleted',
      'w/new=1 (snapshot)',
    ]);
    await dss.put('w/gone', 'back');
    expect(await take(watch, 1)).toEqual(['w/gone=back']);
  });

  it('skips values in between for a reader that does not keep up, never the last one', async () => {
    const watch = dss.watch('w/#');
    expect(await take(watch, 1)).toEqual(['snapshot-complete']);
    for (let i = 0; i < 100; i += 1) await dss.put('w/a', i);
    await dss.put('w/b', 'last');
    // What is told on this connection before an answer has arrived before it.
    await dss.get('w/b');
    expect(await take(watch, 2)).toEqual(['w/a=99', 'w/b=last']);
  });

  it('has all values in the end, however few of them may wait', async () => {
    await dss.close();
    dss = await connect(cluster.urls, { watchBytesMax: 1_000 });
    const keys = Array.from({ length: 50 }, (_, i) => `w/${String(i).padStart(2, '0')}`);
    for (const key of keys) cluster.plane.store(key, key);
    const seen = new Set<string>();
    for await (const change of dss.watch('w/#')) {
      if (change.type === 'snapshot-complete') break;
      expect(change.type).toBe('value');
      // The connection goes on while a reader takes its time.
      await dss.get('w/00');
      seen.add(change.key);
    }
    expect([...seen].sort()).toEqual(keys);
  });

  it('is as good beside another one of the same filter, and after that has ended', async () => {
    cluster.plane.store('w/a', '1');
    const one = dss.watch('w/#');
    expect(await take(one, 2)).toEqual(['w/a=1 (snapshot)', 'snapshot-complete']);
    const other = dss.watch('w/#');
    expect(await take(other, 2)).toEqual(['w/a=1 (snapshot)', 'snapshot-complete']);
    await other.return?.();
    await dss.put('w/a', '2');
    expect(await take(one, 1)).toEqual(['w/a=2']);
  });

  it('ends when it is left, aborted, or its client closed', async () => {
    const controller = new AbortController();
    const aborted = dss.watch('a', { signal: controller.signal });
    const closed = dss.watch('b');
    for await (const change of dss.watch('c')) {
      expect(change.type).toBe('snapshot-complete');
      break;
    }
    await Promise.all([aborted.next(), closed.next()]);
    expect(cluster.plane.watches.size).toBe(2);
    controller.abort();
    expect(await aborted.next()).toEqual({ done: true, value: undefined });
    const waiting = closed.next();
    await dss.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await expect.poll(() => cluster.plane.watches.size).toBe(0);
  });

  it('refuses what is no filter', () => {
    for (const filter of ['', 'a#', '#/a', 'a/b+']) {
      expect(() => dss.watch(filter)).toThrow(/is no filter/);
    }
  });
});
