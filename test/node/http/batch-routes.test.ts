import { describe, expect, it } from 'vitest';
import { encode, kv } from '../../../protos/index.ts';
import { settled } from '../fake-env.ts';
import { valuesApp } from './values-app.ts';

const elements = (...keys: string[]) => JSON.stringify(keys.map((key) => ({ key, value: key })));

describe('POST /v1/batch', () => {
  it('stores all of it, and answers with the highest version', async () => {
    const { ask, dataPlane } = valuesApp();
    const { status, body } = await ask('POST', '/v1/batch?prefix=p', elements('a', 'b'));
    const { version } = (await dataPlane.get(Buffer.from('p/b'))) as { version: number };
    expect([status, body]).toEqual([200, { op: 'batch', prefix: 'p', ok: true, version }]);
    expect([dataPlane.value('p/a'), dataPlane.value('p/b')]).toEqual(['a', 'b']);
    expect((await ask('POST', '/v1/batch', '[]')).body).toEqual({
      op: 'batch',
      prefix: '',
      ok: true,
    });
  });

  it('takes protobuf as well', async () => {
    const { ask, dataPlane } = valuesApp();
    const readings = [{ key: 'a', value: Buffer.from('1'), timeMs: 0 }];
    const payload = Buffer.from(encode(kv.DeviceBatch, { format: 1, readings }));
    const headers = { 'content-type': 'application/x-protobuf' };
    expect((await ask('POST', '/v1/batch', payload, headers)).status).toBe(200);
    expect(dataPlane.value('a')).toBe('1');
  });

  it.each([
    ['/v1/batch', 'no', 400, 'MALFORMED_JSON'],
    ['/v1/batch', '', 400, 'MALFORMED_JSON'],
    ['/v1/batch', '{}', 400, 'MALFORMED_JSON'],
    ['/v1/batch', '[{"key":"a"}]', 400, 'INVALID_REQUEST'],
    ['/v1/batch', '[{"key":"a","value":1},{"key":"+","value":1}]', 400, 'INVALID_REQUEST'],
    ['/v1/batch', elements('x'.repeat(200)), 413, 'VALUE_TOO_LARGE'],
    ['/v1/batch?prefix=%23', '[]', 400, 'INVALID_KEY'],
    ['/v1/batch?pre=a', '[]', 400, 'INVALID_REQUEST'],
  ])('refuses all of %s %s', async (url, payload, status, code) => {
    const { ask, dataPlane } = valuesApp({ limits: { valueBytesMax: 100 } });
    expect(await ask('POST', url, payload)).toMatchObject({ status, body: { code } });
    expect(dataPlane.writes).toEqual([]);
  });

  it('says that it was not stored, or not all of it', async () => {
    const { ask, dataPlane } = valuesApp();
    dataPlane.hold = true;
    const waiting = ask('POST', '/v1/batch', elements('a', 'b'));
    while (dataPlane.held.length < 2) await settled();
    dataPlane.commit();
    dataPlane.fail('no-quorum');
    expect(await waiting).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
    dataPlane.hold = false;
    dataPlane.full = true;
    const full = await ask('POST', '/v1/batch', elements('a'));
    expect(full).toMatchObject({ status: 507, body: { code: 'STORAGE_FULL' } });
  });
});
