import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FilteredAccess } from '../../../broker/access.ts';
import { settled } from '../fake-env.ts';
import { valuesApp } from './values-app.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function watching(options: Parameters<typeof valuesApp>[0] = {}) {
  const app = valuesApp(options);
  await app.app.listen({ host: '127.0.0.1', port: 0 });
  closers.push(() => app.app.close());
  const { port } = app.app.server.address() as AddressInfo;
  const watch = async (filter: string, headers = {}) => {
    const path = `/v1/watch?filter=${encodeURIComponent(filter)}`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path, headers }, resolve).on('error', reject);
    });
    let text = '';
    response.on('data', (chunk) => {
      text += chunk;
    });
    response.on('error', () => {});
    /** Turns pass until the client has read this. */
    const has = async (wanted: string) => {
      while (!text.includes(wanted)) {
        app.world.turn();
        await settled();
      }
      return text;
    };
    return { response, has };
  };
  return { ...app, watch };
}

describe('GET /v1/watch', () => {
  it('tells current values, then changes, and goes on where the client was', async () => {
    const { watch, dataPlane, world } = await watching();
    dataPlane.store('a/x', '1');
    dataPlane.store('a/y', '1');
    dataPlane.store('b', '1');
    const first = await watch('a/#');
    expect(first.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    const text = await first.has('id: ');
    expect(text.match(/^event: .*$/gm)).toEqual([
      'event: snapshot-begin',
      'event: value',
      'event: value',
      'event: snapshot-complete',
    ]);
    expect(text).not.toContain('"key":"b"');
    dataPlane.store('a/x', '2');
    await first.has('"value":"2"');
    world.pass(1_000);
    const ids = (await first.has('id: ')).matchAll(/^id: (.*)$/gm);
    const id = [...ids].at(-1)?.[1] ?? '';
    first.response.destroy();
    while (dataPlane.watches.size > 0) await settled();

    dataPlane.store('a/y', '');
    dataPlane.store('a/z', '3');
    const again = await watch('a/#', { 'last-event-id': id });
    const missed = await again.has('snapshot-complete');
    expect(missed).not.toContain('snapshot-begin');
    expect(missed).toMatch(/"key":"a\/y",.*"deleted":true/);
    expect(missed).toMatch(/"key":"a\/z",.*"value":"3"/);
    expect(missed.match(/^event: value$/gm)?.length).toBeLessThanOrEqual(3);

    const other = await watch('b', { 'last-event-id': id });
    expect(await other.has('snapshot-complete')).toContain('snapshot-begin');
  });

  it('tells a user only what it may read', async () => {
    const access = new FilteredAccess('ann', { read: ['a/#'], write: [] });
    const { watch, dataPlane } = await watching({ access });
    for (const key of ['a/1', 'b/1']) dataPlane.store(key, 'x');
    const { has } = await watch('#');
    await has('snapshot-complete');
    dataPlane.store('b/1', 'y');
    dataPlane.store('a/2', 'y');
    const text = await has('a/2');
    expect(text).toContain('a/1');
    expect(text).not.toContain('b/1');
  });

  it('ends the watch with the connection', async () => {
    const { watch, dataPlane, world } = await watching();
    const { response, has } = await watch('#');
    await has('snapshot-complete');
    expect(dataPlane.watches.size).toBe(1);
    response.destroy();
    while (dataPlane.watches.size > 0) await settled();
    expect(world.timersPending).toBe(0);
  });

  it('refuses what is no filter, and a node that has not joined yet', async () => {
    const { ask, leaveCluster } = valuesApp();
    const levels = Array(101).fill('a').join('/');
    for (const query of ['', '?filter=', '?filter=a%23', '?filter=a/%23/b', `?filter=${levels}`]) {
      const { status, body } = await ask('GET', `/v1/watch${query}`);
      expect([query, status, body.code]).toEqual([
        query,
        400,
        query === '' ? 'INVALID_REQUEST' : 'INVALID_FILTER',
      ]);
    }
    leaveCluster();
    expect(await ask('GET', '/v1/watch?filter=a')).toMatchObject({
      status: 503,
      body: { code: 'FORMING' },
    });
  });
});
