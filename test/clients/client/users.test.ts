import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../../clients/client/index.ts';
import { FakeUsers, passwordOf } from '../../broker/fake-users.ts';
import { caOfTests, certificates, tlsOf } from '../../support/certificates.ts';
import { type FakeCluster, startFakeCluster } from './fake-nodes.ts';

/** A client in a cluster with users: what may not be is refused by its code. */
describe('a client of a user', () => {
  let cluster: FakeCluster;
  beforeEach(async () => {
    const sensor = { read: ['plant1/#'], write: ['plant1/dev1/#'] };
    cluster = await startFakeCluster(1, { authenticator: new FakeUsers({ sensor }) });
  });
  afterEach(() => cluster.close());

  it('does what that may, and nothing else', async () => {
    const dss = await connect(cluster.urls, { user: 'sensor', password: passwordOf('sensor') });
    const refused = { name: 'DssError', code: 'NOT_ALLOWED' };
    await dss.put('plant1/dev1/temp', 21.5);
    await expect(dss.put('plant1/dev2/temp', 21.5)).rejects.toMatchObject(refused);
    await expect(dss.delete('plant2')).rejects.toMatchObject(refused);
    const writes = [
      { key: 'plant1/dev1/hum', value: 1 },
      { key: 'plant2', value: 1 },
    ];
    await expect(dss.batch(writes)).rejects.toMatchObject(refused);
    await expect(dss.get('plant2')).rejects.toMatchObject(refused);
    await expect(dss.keys().next()).rejects.toMatchObject(refused);
    await expect(dss.cas('plant2', 1, { ifVersion: null })).rejects.toMatchObject(refused);
    await expect(dss.watch('plant2/#').next()).rejects.toMatchObject(refused);
    const seen: string[] = [];
    for await (const change of dss.watch('plant1/#')) {
      if (change.type !== 'value') break;
      seen.push(change.key);
    }
    expect(seen).toEqual(['plant1/dev1/temp']);
    await dss.close();
  });

  it('is not let in with a wrong password, and does not try again', async () => {
    const wrong = connect(cluster.urls, { user: 'sensor', password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_CREDENTIALS' });
    await expect(connect(cluster.urls)).rejects.toMatchObject({ code: 'BAD_CREDENTIALS' });
  });
});

describe('a client over TLS', () => {
  it('speaks to nodes whose certificate it trusts, and to no other', async () => {
    const cluster = await startFakeCluster(1, { tls: tlsOf(certificates.node) });
    for (const ca of [caOfTests, caOfTests.toString()]) {
      const dss = await connect(cluster.urls, { ca });
      await dss.put('a', 'v');
      expect((await dss.get('a'))?.text()).toBe('v');
      await dss.close();
    }
    await expect(connect(cluster.urls, { connectTimeoutMs: 300 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('certificate'),
    });
    await cluster.close();
  });
});
