import { describe, expect, it } from 'vitest';
import { valuesApp } from './values-app.ts';

const keysOf = ({ body }: { body: { items: { key: string }[] } }) =>
  body.items.map(({ key }) => key);

describe('GET /v1/kv', () => {
  function stored() {
    const app = valuesApp();
    for (const key of ['12', 'p', 'p/a', 'p/b', 'p1', 'q']) app.dataPlane.store(key, `of ${key}`);
    app.dataPlane.store('p/bin', Buffer.from([255]), 1_000);
    return app;
  }

  it('gives keys and values in order, between and below others', async () => {
    const { ask } = stored();
    expect(keysOf(await ask('GET', '/v1/kv?prefix=p'))).toEqual(['p', 'p/a', 'p/b', 'p/bin']);
    expect(keysOf(await ask('GET', '/v1/kv?from=p%2Fb&to=p1'))).toEqual(['p/b', 'p/bin']);
    expect(keysOf(await ask('GET', '/v1/kv?reverse=true&limit=2'))).toEqual(['q', 'p1']);
    // A key that looks like a number is a key.
    expect(keysOf(await ask('GET', '/v1/kv?from=12&to=13'))).toEqual(['12']);
    const { body } = await ask('GET', '/v1/kv?prefix=p&after=p%2Fa');
    expect(body).toEqual({
      items: [
        {
          ...{ key: 'p/b', version: expect.any(Number), time: expect.any(Number) },
          value: 'of p/b',
        },
        {
          ...{ key: 'p/bin', version: expect.any(Number), time: expect.any(Number) },
          ...{ expiresAt: expect.any(Number), base64: '/w==' },
        },
      ],
      more: false,
      next: null,
    });
  });

  it('goes on from page to page, without values if they are not wanted', async () => {
    const { ask } = stored();
    const found: string[] = [];
    let after = '';
    do {
      const { body } = await ask('GET', `/v1/kv?limit=3&values=false${after}`);
      for (const { key, ...rest } of body.items) {
        found.push(key);
        expect(rest).not.toHaveProperty('value');
      }
      expect(body.more).toBe(body.next !== null);
      after = body.more ? `&after=${encodeURIComponent(body.next)}` : '';
    } while (after !== '');
    expect(found).toEqual(['12', 'p', 'p/a', 'p/b', 'p/bin', 'p1', 'q']);
  });

  it.each([
    ['?limit=0', 400, 'INVALID_REQUEST'],
    ['?limit=1001', 400, 'INVALID_REQUEST'],
    ['?limit=x', 400, 'INVALID_REQUEST'],
    ['?limi=1', 400, 'INVALID_REQUEST'],
    ['?id=1', 400, 'INVALID_REQUEST'],
    ['?reverse=yes', 400, 'INVALID_REQUEST'],
    ['?prefix=a%2B', 400, 'INVALID_KEY'],
  ])('refuses %s', async (query, status, code) => {
    expect(await stored().ask('GET', `/v1/kv${query}`)).toMatchObject({ status, body: { code } });
  });

  it('names the parameter that is not known', async () => {
    const { body } = await stored().ask('GET', '/v1/kv?limi=1');
    expect(body.detail).toBe('"limi" is none of the parameters of this address');
  });

  it('asks to come again when there is no quorum', async () => {
    const { ask, dataPlane } = stored();
    dataPlane.down = true;
    expect(await ask('GET', '/v1/kv')).toMatchObject({ status: 503 });
    expect(await ask('GET', '/v1/history/p')).toMatchObject({ status: 503 });
  });
});

describe('GET /v1/history/<key>', () => {
  it('answers as dss/history does', async () => {
    const { ask, dataPlane } = valuesApp();
    const first = dataPlane.store('a/b', '1');
    const second = dataPlane.store('a/b', '');
    const newest = await ask('GET', '/v1/history/a/b?limit=1');
    expect(newest.body).toEqual({
      ...{ op: 'history', key: 'a/b', ok: true, more: true, next: `${second}` },
      items: [{ version: second, time: Date.UTC(2024, 0, 1) + 2, deleted: true }],
    });
    const older = await ask('GET', `/v1/history/a%2Fb?limit=1&after=${second}`);
    expect(older.body).toMatchObject({ items: [{ version: first, value: '1' }], more: false });
    const ascending = await ask('GET', `/v1/history/a/b?order=asc&to=${Date.UTC(2024, 0, 1) + 2}`);
    expect(ascending.body.items).toMatchObject([{ version: first }]);
    expect((await ask('GET', '/v1/history/none')).body.items).toEqual([]);
  });

  it.each([
    ['/v1/history/a%23', 'INVALID_KEY'],
    ['/v1/history/a?order=up', 'INVALID_REQUEST'],
    ['/v1/history/a?from=now', 'INVALID_REQUEST'],
    ['/v1/history/a?after=x', 'INVALID_REQUEST'],
    ['/v1/history/a?reply=x', 'INVALID_REQUEST'],
  ])('refuses %s', async (url, code) => {
    expect(await valuesApp().ask('GET', url)).toMatchObject({ status: 400, body: { code } });
  });
});
