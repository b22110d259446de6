import { describe, expect, it } from 'vitest';
import { puback, publish, subscribe } from '../support/mqtt-frames.ts';
import { startBroker } from './harness.ts';

/** A connection that asks and gets its answers on `dss/reply/me`, complaints on `dss/error/me`. */
async function asker() {
  const harness = await startBroker();
  const client = await harness.connect({ clientId: 'asker' });
  client.send(subscribe(1, ['dss/reply/me', 1], ['dss/error/me', 1]));
  await client.take('suback');
  let id = 1;
  const ask = async (topic: string, request: object | string = '') => {
    id += 1;
    const payload = typeof request === 'string' ? request : JSON.stringify(request);
    client.send(publish(topic, payload, { qos: 1, id }));
    const reply = await client.take('publish');
    client.send(puback(reply.id));
    return JSON.parse(reply.payload) as Record<string, unknown>;
  };
  return { ...harness, ask };
}

const START_MS = Date.UTC(2024, 0, 1);

describe('dss/history', () => {
  it('gives the values of a key by time, newest first or oldest first, and what was deleted', async () => {
    const { plane, ask } = await asker();
    plane.store('k', 'one');
    plane.store('k', '');
    plane.store('k', Buffer.of(0xff));
    plane.store('other', 'x');
    expect(await ask('dss/history/k', { id: 1, order: 'asc' })).toEqual({
      id: 1,
      op: 'history',
      key: 'k',
      ok: true,
      items: [
        { version: expect.any(Number), time: START_MS + 1, value: 'one' },
        { version: expect.any(Number), time: START_MS + 2, deleted: true },
        { version: expect.any(Number), time: START_MS + 3, base64: '/w==' },
      ],
      more: false,
      next: null,
    });
    const newest = await ask('dss/history/k', { limit: 1 });
    expect(newest).toMatchObject({ items: [{ base64: '/w==' }], more: true });
  });

  it('goes on where "next" says, in either order, until there is no more', async () => {
    const { plane, ask } = await asker();
    for (let i = 1; i <= 5; i++) plane.store('k', `${i}`);
    for (const order of ['asc', 'desc']) {
      const seen: unknown[] = [];
      let after: unknown;
      do {
        const page = await ask('dss/history/k', { order, limit: 2, ...(after ? { after } : {}) });
        seen.push(...(page.items as { value: string }[]).map(({ value }) => value));
        after = page.next;
      } while (after !== null);
      const expected = ['1', '2', '3', '4', '5'];
      expect(seen).toEqual(order === 'asc' ? expected : expected.reverse());
    }
  });

  it('takes times as milliseconds and as RFC 3339 with a zone, "from" inclusive and "to" exclusive', async () => {
    const { plane, ask } = await asker();
    for (let i = 1; i <= 4; i++) plane.store('k', `${i}`);
    const bounds = { from: '2024-01-01T01:00:00.002+01:00', to: START_MS + 4, order: 'asc' };
    const page = await ask('dss/history/k', bounds);
    expect((page.items as { value: string }[]).map(({ value }) => value)).toEqual(['2', '3']);
  });

  it.each([
    [
      { from: '2024-01-01T00:00:00' },
      /"from" must be milliseconds since 1970, or a time with a zone/,
    ],
    [{ to: true }, /"to" must be/],
    [{ order: 'up' }, /"order" must be "desc" or "asc"/],
    [{ limit: 0 }, /"limit" must be a whole number from 1 to 1000/],
    [{ after: 'x' }, /"after" must be what "next"/],
    [{ at: 1 }, /unknown member "at"; allowed are id, from, to/],
  ])('refuses %j', async (request, message) => {
    const { ask } = await asker();
    const reply = await ask('dss/history/k', request);
    expect(reply).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringMatching(message),
    });
  });

  it('says so when it cannot tell', async () => {
    const { plane, ask } = await asker();
    plane.down = true;
    expect(await ask('dss/history/k')).toMatchObject({ ok: false, error: 'UNAVAILABLE' });
  });
});

describe('dss/get with "at"', () => {
  it('gives what was current then', async () => {
    const { plane, ask } = await asker();
    for (const value of ['one', 'two', '']) plane.store('k', value);
    expect(await ask('dss/get/k', { at: START_MS + 2 })).toMatchObject({ ok: true, value: 'two' });
    expect(await ask('dss/get/k', { at: START_MS + 1 })).toMatchObject({ value: 'one' });
    expect(await ask('dss/get/k', { at: START_MS })).toMatchObject({
      ok: false,
      error: 'NOT_FOUND',
    });
    expect(await ask('dss/get/k', { at: START_MS + 9 })).toMatchObject({ error: 'NOT_FOUND' });
  });
});

describe('dss/range', () => {
  it('gives keys and values in order inside a prefix, between bounds, both ways, by pages', async () => {
    const { plane, ask } = await asker();
    for (const key of ['p/a', 'p/b', 'p/c', 'p/d', 'q']) plane.store(key, key.toUpperCase());
    const keysOf = (page: Record<string, unknown>) =>
      (page.items as { key: string }[]).map(({ key }) => key);
    const forward = await ask('dss/range/p', { from: 'p/b', to: 'p/d' });
    expect(forward).toMatchObject({ op: 'range', prefix: 'p', ok: true, more: false, next: null });
    expect(forward.items).toMatchObject([
      { key: 'p/b', value: 'P/B' },
      { key: 'p/c', value: 'P/C' },
    ]);
    const last = await ask('dss/range/p', { reverse: true, limit: 3 });
    expect([keysOf(last), last.more, last.next]).toEqual([['p/d', 'p/c', 'p/b'], true, 'p/b']);
    const rest = await ask('dss/range/p', { reverse: true, limit: 3, after: last.next });
    expect([keysOf(rest), rest.more]).toEqual([['p/a'], false]);
    expect(keysOf(await ask('dss/range'))).toEqual(['p/a', 'p/b', 'p/c', 'p/d', 'q']);
  });
});
