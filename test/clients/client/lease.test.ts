import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../clients/client/client.ts';
import { connect } from '../../../clients/client/index.ts';
import { type FakeCluster, startFakeCluster } from './fake-nodes.ts';

describe('a lease', () => {
  let cluster: FakeCluster;
  let dss: Client;
  let other: Client;
  beforeEach(async () => {
    cluster = await startFakeCluster(1);
    dss = await connect(cluster.urls);
    other = await connect(cluster.urls);
  });
  afterEach(async () => {
    await dss.close({ timeoutMs: 0 });
    await other.close({ timeoutMs: 0 });
    await cluster.close();
  });

  it('is held by one, and by the next when it is released', async () => {
    const lease = await dss.lease('jobs/leader', 'one', { ttlMs: 60_000 });
    expect(lease).toMatchObject({ key: 'jobs/leader', holder: 'one' });
    expect(cluster.plane.value('jobs/leader')).toBe('one');
    expect(await other.lease('jobs/leader', 'two', { ttlMs: 60_000 })).toBeUndefined();
    await lease?.release();
    expect(lease?.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
    const next = await other.lease('jobs/leader', 'two', { ttlMs: 60_000 });
    expect(next?.version).toBeGreaterThan(lease?.version as number);
    await next?.[Symbol.asyncDispose]();
    expect(cluster.plane.value('jobs/leader')).toBeUndefined();
  });

  it('renews itself, with a greater version each time', async () => {
    const lease = await dss.lease('l', 'one', { ttlMs: 300 });
    const version = lease?.version as number;
    await expect.poll(() => lease?.version).toBeGreaterThan(version);
    expect(await lease?.renew()).toBe(true);
    expect((await dss.get('l'))?.version).toBe(lease?.version);
    await lease?.release();
  });

  it('says that it is lost when somebody else has taken the key', async () => {
    const lease = await dss.lease('l', 'one', { ttlMs: 60_000 });
    cluster.plane.store('l', 'two');
    expect(await lease?.renew()).toBe(false);
    expect(lease?.signal.aborted).toBe(true);
    await lease?.release();
    expect(cluster.plane.value('l')).toBe('two');
  });

  it('is lost at the latest when its time is over, although nobody can be asked', async () => {
    const lease = await dss.lease('l', 'one', { ttlMs: 300 });
    cluster.nodes[0]?.kill();
    const signal = lease?.signal as AbortSignal;
    const lost = new Promise((resolve) => signal.addEventListener('abort', resolve));
    await Promise.race([lost, delay(5_000, undefined, { ref: false })]);
    expect(signal.aborted).toBe(true);
  });
});
