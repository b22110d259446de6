import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FilteredAccess } from '../../../broker/access.ts';
import { isTopicName } from '../../../broker/topics.ts';
import { settled } from '../fake-env.ts';
import { valuesApp } from './values-app.ts';

const problem = (status: number, code: string) => ({
  status,
  body: {
    type: 'about:blank',
    title: expect.any(String),
    status,
    code,
    detail: expect.any(String),
  },
});

describe('GET /v1/kv/<key>', () => {
  it('gives the bytes as they are, with version and times beside them', async () => {
    const { ask, dataPlane } = valuesApp();
    const version = dataPlane.store('räume/küche 1', Buffer.from([0, 255, 1]), 60_000);
    const { status, headers, bytes } = await ask('GET', '/v1/kv/r%C3%A4ume/k%C3%BCche%201');
    expect(status).toBe(200);
    expect(bytes).toEqual(Buffer.from([0, 255, 1]));
    expect(headers).toMatchObject({
      etag: `"${version}"`,
      'dss-version': `${version}`,
      'dss-time': '2024-01-01T00:00:00.001Z',
      'dss-expires': '2024-01-01T00:01:00.001Z',
      'content-type': 'application/octet-stream',
      'cache-control': 'no-cache',
    });
  });

  it.each([
    ['21.5', 'application/json'],
    ['{"a":[1]}', 'application/json'],
    [' "x"', 'application/json'],
    ['{"a":', 'application/octet-stream'],
    ['on', 'application/octet-stream'],
    [Buffer.from([0x22, 0xff, 0x22]), 'application/octet-stream'],
  ])('says of %s that it is %s', async (value, type) => {
    const { ask, dataPlane } = valuesApp();
    dataPlane.store('a', value);
    expect((await ask('GET', '/v1/kv/a')).headers['content-type']).toBe(type);
  });

  it('sends no version again that is known, and nothing to HEAD', async () => {
    const { ask, dataPlane } = valuesApp();
    const version = dataPlane.store('a', 'long');
    for (const known of [`"${version}"`, `"1", W/"${version}"`, '*']) {
      const { status, headers, bytes } = await ask('GET', '/v1/kv/a', undefined, {
        'if-none-match': known,
      });
      expect([status, headers.etag, bytes.length]).toEqual([304, `"${version}"`, 0]);
    }
    expect(await ask('GET', '/v1/kv/a', undefined, { 'if-none-match': '"1"' })).toMatchObject({
      status: 200,
      body: 'long',
    });
    const head = await ask('HEAD', '/v1/kv/a');
    expect([head.status, head.headers['content-length'], head.bytes.length]).toEqual([200, '4', 0]);
  });

  it('asks as the query says', async () => {
    const { ask, dataPlane } = valuesApp();
    dataPlane.store('a', '1');
    await ask('GET', '/v1/kv/a?consistency=eventual');
    await ask('GET', '/v1/kv/a?consistency=repair');
    expect(await ask('GET', '/v1/kv/a?at=2020-01-01T00:00:00Z')).toMatchObject({ status: 404 });
    expect(await ask('GET', '/v1/kv/a?at=1800000000000')).toMatchObject({ status: 200 });
    expect(dataPlane.gets).toMatchObject([
      { eventual: true },
      { repair: true },
      { at: expect.any(Number) },
      { at: expect.any(Number) },
    ]);
  });

  it.each([
    ['/v1/kv/none', 404, 'NOT_FOUND'],
    ['/v1/kv/', 400, 'INVALID_KEY'],
    ['/v1/kv/a%2Bb', 400, 'INVALID_KEY'],
    ['/v1/kv/a+b', 400, 'INVALID_KEY'],
    ['/v1/kv/a%00', 400, 'INVALID_KEY'],
    [`/v1/kv/${'x'.repeat(1025)}`, 400, 'INVALID_KEY'],
    ['/v1/kv/%zz', 400, 'INVALID_KEY'],
    ['/v1/kv/%ff', 400, 'INVALID_KEY'],
    ['/v1/history/%ff', 400, 'INVALID_KEY'],
    ['/v1/nowhere/%ff', 400, 'INVALID_REQUEST'],
    ['/v1/kv/a?att=1', 400, 'INVALID_REQUEST'],
    ['/v1/kv/a?at=1&at=2', 400, 'INVALID_REQUEST'],
    ['/v1/kv/a?at=yesterday', 400, 'INVALID_REQUEST'],
    ['/v1/kv/a?consistency=weak', 400, 'INVALID_REQUEST'],
    ['/v1/kv/a?at=1&consistency=repair', 400, 'INVALID_REQUEST'],
  ])('refuses %s', async (url, status, code) => {
    const { ask } = valuesApp();
    const answer = await ask('GET', url);
    expect(answer).toMatchObject(problem(status, code));
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('asks to come again when there is no quorum', async () => {
    const { ask, dataPlane } = valuesApp();
    dataPlane.down = true;
    const answer = await ask('GET', '/v1/kv/a');
    expect(answer).toMatchObject(problem(503, 'UNAVAILABLE'));
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('finds any key that was put, however it is encoded', async () => {
    const { ask, dataPlane } = valuesApp();
    const key = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 40 })
      .filter((text) => isTopicName(Buffer.from(text), 0, Buffer.byteLength(text)));
    await fc.assert(
      fc.asyncProperty(key, fc.boolean(), async (name, isSlashEncoded) => {
        const encoded = encodeURIComponent(name);
        const path = isSlashEncoded ? encoded : encoded.replaceAll('%2F', '/');
        // What a client resolves before it asks is no part of this.
        fc.pre(!path.split('/').some((level) => level === '.' || level === '..'));
        dataPlane.store(name, name);
        expect((await ask('GET', `/v1/kv/${path}`)).bytes.toString()).toBe(name);
      }),
      { numRuns: 60 },
    );
  });
});

describe('PUT and DELETE /v1/kv/<key>', () => {
  it('store bytes of any type, and delete', async () => {
    const { ask, dataPlane } = valuesApp();
    for (const type of ['application/json', 'text/plain', 'image/png', '']) {
      const headers = type === '' ? {} : { 'content-type': type };
      const value = Buffer.from([0x7b, 0xff]);
      const { status, headers: said } = await ask('PUT', '/v1/kv/a/b', value, headers);
      const { version } = (await dataPlane.get(Buffer.from('a/b'))) as { version: number };
      expect([status, said.etag, said['dss-version']]).toEqual([204, `"${version}"`, `${version}`]);
      expect(dataPlane.writes.at(-1)?.value).toEqual(value);
    }
    const deleted = await ask('DELETE', '/v1/kv/a/b');
    expect([deleted.status, deleted.headers.etag]).toEqual([204, undefined]);
    expect(dataPlane.value('a/b')).toBeUndefined();
    expect(await ask('DELETE', '/v1/kv/a/b')).toMatchObject({ status: 204 });
  });

  it('take a time and a ttl', async () => {
    const { ask, dataPlane, context } = valuesApp();
    await ask('PUT', '/v1/kv/a?ttl=1.5&time=1700000000000', '1');
    await ask('PUT', '/v1/kv/a?time=1999-01-01T00:00:00Z', '2');
    expect(dataPlane.writes).toMatchObject([
      { ttlMs: 1500, time: 1700000000000 * 4096 - Date.UTC(2020, 0, 1) * 4096 },
      { ttlMs: 0, time: 0 },
    ]);
    expect(context.counters).toMatchObject({ puts: 2, timesNotBelieved: 1 });
  });

  it('compare and set', async () => {
    const { ask, dataPlane } = valuesApp();
    const put = (value: string, headers: Record<string, string>) =>
      ask('PUT', '/v1/kv/a?ttl=60', value, headers);
    const first = await put('1', { 'if-none-match': '*' });
    expect(first.status).toBe(204);
    expect(first.headers['dss-expires']).toMatch(/^2024-01-01T00:01:00/);
    const { etag = '' } = first.headers as { etag?: string };
    const again = await put('2', { 'if-none-match': '*' });
    expect(again).toMatchObject(problem(412, 'VERSION_MISMATCH'));
    expect(again.headers.etag).toBe(etag);
    expect((await put('3', { 'if-match': etag })).status).toBe(204);
    expect((await put('4', { 'if-match': etag })).status).toBe(412);
    expect((await ask('DELETE', '/v1/kv/a', undefined, { 'if-match': etag })).status).toBe(412);
    const { headers } = await ask('GET', '/v1/kv/a');
    const current = { 'if-match': `${headers.etag}` };
    expect((await ask('DELETE', '/v1/kv/a', undefined, current)).status).toBe(204);
    const gone = await put('5', current);
    expect([gone.status, gone.headers.etag]).toEqual([412, undefined]);
    expect(dataPlane.value('a')).toBeUndefined();
  });

  it.each([
    ['PUT', '/v1/kv/a', '', {}, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a%23', 'x', {}, 400, 'INVALID_KEY'],
    ['PUT', '/v1/kv/a?ttl=0', 'x', {}, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a?ttl=soon', 'x', {}, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a?time=x', 'x', {}, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a?tll=1', 'x', {}, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a', 'x', { 'if-match': '*' }, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a', 'x', { 'if-match': 'W/"1"' }, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a', 'x', { 'if-none-match': '"1"' }, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a', 'x', { 'if-match': '"1"', 'if-none-match': '*' }, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a?time=1700000000000', 'x', { 'if-match': '"1"' }, 400, 'INVALID_REQUEST'],
    ['PUT', '/v1/kv/a', 'too long', {}, 413, 'VALUE_TOO_LARGE'],
    ['DELETE', '/v1/kv/a?ttl=1', undefined, {}, 400, 'INVALID_REQUEST'],
    ['DELETE', '/v1/kv/a', undefined, { 'if-none-match': '*' }, 400, 'INVALID_REQUEST'],
  ] as const)('refuse %s %s %j %j', async (method, url, body, headers, status, code) => {
    const { ask, dataPlane } = valuesApp({ limits: { valueBytesMax: 7 } });
    expect(await ask(method, url, body, headers)).toMatchObject(problem(status, code));
    expect(dataPlane.writes).toEqual([]);
  });

  it('say what became of a write that was not stored', async () => {
    const { ask, dataPlane } = valuesApp();
    dataPlane.full = true;
    expect(await ask('PUT', '/v1/kv/a', 'x')).toMatchObject(problem(507, 'STORAGE_FULL'));
    dataPlane.full = false;
    dataPlane.hold = true;
    const waiting = ask('PUT', '/v1/kv/a', 'x');
    while (dataPlane.held.length === 0) await settled();
    dataPlane.fail('no-quorum');
    const failed = await waiting;
    expect(failed).toMatchObject(problem(503, 'UNAVAILABLE'));
    expect(failed.headers['retry-after']).toBe('1');
    dataPlane.down = true;
    const { status } = await ask('PUT', '/v1/kv/a', 'x', { 'if-none-match': '*' });
    expect(status).toBe(503);
  });

  it('are refused while the data plane takes no more, and taken again afterwards', async () => {
    const { ask, dataPlane } = valuesApp();
    dataPlane.room = false;
    expect((await ask('PUT', '/v1/kv/a', '1')).status).toBe(204);
    dataPlane.room = true;
    expect(await ask('PUT', '/v1/kv/a', '2')).toMatchObject(problem(503, 'UNAVAILABLE'));
    expect(await ask('POST', '/v1/batch', '[]')).toMatchObject(problem(503, 'UNAVAILABLE'));
    expect(dataPlane.value('a')).toBe('1');
    dataPlane.writes[0]?.sink.writesDrained();
    expect((await ask('PUT', '/v1/kv/a', '3')).status).toBe(204);
  });
});

describe('a user', () => {
  const access = new FilteredAccess('ann', { read: ['r/#', 'rw'], write: ['w', 'rw'] });

  it('reads and writes what its filters match', async () => {
    const { ask, dataPlane } = valuesApp({ access });
    for (const key of ['r/a', 'rw', 'w']) dataPlane.store(key, key);
    const forbidden = problem(403, 'NOT_ALLOWED');
    expect((await ask('GET', '/v1/kv/r/a')).status).toBe(200);
    expect(await ask('GET', '/v1/kv/w')).toMatchObject(forbidden);
    expect(await ask('GET', '/v1/history/w')).toMatchObject(forbidden);
    expect((await ask('PUT', '/v1/kv/w', '1')).status).toBe(204);
    expect(await ask('PUT', '/v1/kv/r/a', '1')).toMatchObject(forbidden);
    expect(await ask('DELETE', '/v1/kv/r/a')).toMatchObject(forbidden);
    // Its answer tells the version.
    const cas = { 'if-none-match': '*' };
    expect(await ask('PUT', '/v1/kv/w', '1', cas)).toMatchObject(forbidden);
    expect((await ask('PUT', '/v1/kv/rw', '1', cas)).status).toBe(412);
    expect(await ask('GET', '/v1/kv')).toMatchObject(forbidden);
    expect((await ask('GET', '/v1/kv?prefix=r')).status).toBe(200);
    const batch = JSON.stringify([
      { key: 'w', value: 1 },
      { key: 'r/b', value: 1 },
    ]);
    expect(await ask('POST', '/v1/batch', batch)).toMatchObject(forbidden);
    expect(dataPlane.value('r/b')).toBeUndefined();
    expect(await ask('GET', '/v1/watch?filter=w')).toMatchObject(forbidden);
    expect(await ask('GET', '/v1/refusals')).toMatchObject(forbidden);
  });
});

describe('GET /v1/refusals', () => {
  it('tells what was refused lately, newest first, by whatever door', async () => {
    const { ask, context } = valuesApp();
    const client = { clientId: 'c', address: '1.2.3.4:5', access: { user: 'ann' } };
    context.refusals.report({ code: 'INVALID_KEY', message: 'm', topic: 't' }, client, 'PUBLISH');
    await ask('GET', '/v1/kv/a%23b?at=1');
    await ask('GET', '/v1/kv/none');
    const { body } = await ask('GET', '/v1/refusals');
    const message = expect.stringContaining('a key is UTF-8');
    expect(body.refusals).toEqual([
      {
        ...{ time: expect.any(Number), code: 'INVALID_KEY', message, topic: 'GET /v1/kv/a%23b' },
        ...{ client: '', address: '127.0.0.1' },
      },
      {
        ...{ time: expect.any(Number), code: 'INVALID_KEY', message: 'm', topic: 't' },
        ...{ client: 'c', address: '1.2.3.4:5', user: 'ann' },
      },
    ]);
  });
});
