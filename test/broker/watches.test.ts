import { describe, expect, it } from 'vitest';
import { versionToUnixMs } from '../../broker/data-plane.ts';
import { publish, type Received, subscribe, unsubscribe } from '../support/mqtt-frames.ts';
import { type Harness, type RawClient, settle, startBroker } from './harness.ts';

type Published = Extract<Received, { type: 'publish' }>;
type Filters = readonly (readonly [string, number])[];

const brief = ({ topic, payload, retain, qos }: Published) =>
  `${topic}=${payload} qos ${qos}${retain ? ' retained' : ''}`;
const json = ({ payload }: Published) => JSON.parse(payload) as Record<string, unknown>;

async function subscribed(...filters: Filters): Promise<Harness & { client: RawClient }> {
  const harness = await startBroker();
  const client = await harness.connect({ clientId: 'reader', clean: false });
  client.send(subscribe(1, ...filters));
  await client.take('suback');
  return { ...harness, client };
}

describe('dss/watch', () => {
  it('gives current values and changes as JSON, with version and time', async () => {
    const { connect, plane } = await startBroker();
    const version = plane.store('räume/a', '1', 60_000);
    plane.store('other', 'x');
    const client = await connect();
    client.send(subscribe(1, ['dss/watch/räume/#', 2]));
    expect((await client.take('suback')).codes).toEqual([1]);
    const first = await client.take('publish');
    const time = versionToUnixMs(version);
    expect(first).toMatchObject({ topic: 'dss/watch/räume/a', qos: 1, retain: true });
    expect(json(first)).toEqual({
      key: 'räume/a',
      version,
      time,
      expiresAt: time + 60_000,
      value: '1',
      snapshot: true,
    });
  });

  it('says what changed and what was deleted', async () => {
    const { client, plane } = await subscribed(['dss/watch/#', 0]);
    const versions = [plane.store('a', Buffer.of(0xff)), plane.store('a', '')];
    const changes = await client.all('publish');
    expect(changes.map(({ retain, qos }) => [retain, qos])).toEqual([
      [false, 0],
      [false, 0],
    ]);
    const times = versions.map(versionToUnixMs);
    expect(changes.map(json)).toEqual([
      { key: 'a', version: versions[0], time: times[0], base64: '/w==', snapshot: false },
      { key: 'a', version: versions[1], time: times[1], deleted: true, snapshot: false },
    ]);
  });

  it('gives a bridge everything retained', async () => {
    const { connect, plane } = await startBroker();
    const bridge = await connect({ level: 0x84 });
    bridge.send(subscribe(1, ['dss/watch/#', 0]));
    await bridge.take('suback');
    plane.store('a', '');
    expect((await bridge.take('publish')).retain).toBe(true);
  });

  it('and dss/value give a connection both forms, each from a watch of its own', async () => {
    const { client, plane } = await subscribed(['dss/value/#', 1], ['dss/watch/#', 1]);
    expect(plane.watches.size).toBe(2);
    plane.store('a', '1');
    const seen = await client.all('publish');
    expect(seen.map(({ topic }) => topic).sort()).toEqual(['dss/value/a', 'dss/watch/a']);
    client.send(unsubscribe(2, 'dss/watch/#'));
    await client.take('unsuback');
    expect(plane.watches.size).toBe(1);
    plane.store('a', '2');
    expect((await client.all('publish')).map(brief)).toEqual(['dss/value/a=2 qos 1']);
  });

  it.each(['#', 'dss/#', '+/watch/#', 'dss/+/a'])('is not seen by %s', async (filter) => {
    const { client, plane, connect } = await subscribed([filter, 0]);
    const other = await connect({ clientId: 'other' });
    other.send(subscribe(1, ['dss/watch/#', 0]), publish('dss/watch/a', 'forged'));
    await other.take('suback');
    plane.store('a', '1');
    const topics = (await client.all('publish')).map(({ topic }) => topic);
    expect(topics).toEqual(filter === '+/watch/#' ? [] : ['dss/value/a']);
  });

  it('never takes a key back, in either form', async () => {
    const { client, plane } = await subscribed(
      ['dss/watch/#', 0],
      ['dss/watch/a', 0],
      ['dss/value/#', 0],
    );
    const version = plane.store('a', 'new');
    expect(await client.all('publish')).toHaveLength(3);
    const old = {
      key: Buffer.from('a'),
      value: Buffer.from('old'),
      version: version - 1,
      time: version - 1,
      deleted: false,
      snapshot: true,
    };
    for (const open of [...plane.watches]) plane.deliver(open, old);
    expect(await client.all('publish')).toEqual([]);
  });

  it('keeps the newest of each key for a reader that is slow, and counts what it skipped', async () => {
    const { client, plane, broker, events } = await subscribed(
      ['dss/watch/#', 0],
      ['dss/value/#', 0],
    );
    client.stopReading();
    const filler = 'x'.repeat(50_000);
    for (let i = 0; i < 40; i += 1) {
      plane.store('a', `${i} ${filler}`);
      await settle(1);
    }
    const skipped = broker.counters().deliveriesConflated;
    expect(skipped).toBeGreaterThan(40);
    client.goOnReading();
    const seen = await client.all('publish');
    for (const form of ['dss/value/a', 'dss/watch/a']) {
      const last = seen.filter(({ topic }) => topic === form).at(-1);
      expect(last?.payload).toContain('39 x');
    }
    client.cut();
    await settle();
    const closed = events.find(({ name }) => name === 'connection-closed');
    expect(closed?.data).toMatchObject({ client: 'reader', valuesSkipped: skipped });
  });
});

describe('a persistent session that resumes', () => {
  it('begins with what is current now, in both forms: what it missed is made up', async () => {
    const { client, connect, plane } = await subscribed(['dss/value/#', 1], ['dss/watch/#', 1]);
    for (const key of ['changed', 'deleted', 'same']) plane.store(key, 'before');
    // Delivered, but never acknowledged: nothing of it is owed after the snapshot.
    expect(await client.all('publish')).toHaveLength(6);
    client.cut();
    await settle();
    plane.store('changed', 'between');
    plane.store('changed', 'after');
    plane.store('deleted', '');
    plane.store('new', 'after');
    const again = await connect({ clientId: 'reader', clean: false });
    const seen = await again.all('publish');
    expect(seen.filter(({ topic }) => topic.startsWith('dss/value/')).map(brief)).toEqual([
      'dss/value/changed=after qos 1 retained',
      'dss/value/new=after qos 1 retained',
      'dss/value/same=before qos 1 retained',
    ]);
    const watched = seen.filter(({ topic }) => topic.startsWith('dss/watch/')).map(json);
    expect(watched).toMatchObject([
      { key: 'changed', value: 'after', snapshot: true },
      { key: 'new', value: 'after', snapshot: true },
      { key: 'same', value: 'before', snapshot: true },
    ]);
    plane.store('deleted', 'back');
    expect(await again.all('publish')).toHaveLength(2);
  });
});
