import { describe, expect, it } from 'vitest';
import { connect, DISCONNECT, publish, subscribe } from '../support/mqtt-frames.ts';
import { as, FakeUsers } from './fake-users.ts';
import { type RawClient, settle, startBroker } from './harness.ts';

/** `sensor` may read and write `plant1/#`; `admin` everything. */
const users = () =>
  new FakeUsers({
    sensor: { read: ['plant1/#'], write: ['plant1/#'] },
    other: { read: ['plant2/#'], write: ['plant2/#'] },
    writer: { write: ['plant1/#'] },
    admin: { read: ['#'], write: ['#'] },
  });

async function start() {
  const authenticator = users();
  const harness = await startBroker({ authenticator });
  const watcher = await harness.connect(as('admin', { clientId: 'watcher' }));
  watcher.send(subscribe(1, ['#', 0]));
  await watcher.take('suback');
  /** The first answer to a CONNECT. */
  const knock = async (options: Parameters<typeof connect>[0]) => {
    const client = harness.open();
    client.send(connect(options));
    const { code } = await client.take('connack');
    return { client, code };
  };
  return { ...harness, authenticator, watcher, knock };
}

describe('a CONNECT at a node with users', () => {
  it.each([
    ['the right password', as('sensor'), 0],
    ['a wrong password', { ...as('sensor'), password: 'guess' }, 4],
    ['an unknown user', as('nobody'), 4],
    ['no user name', { clientId: 'x' }, 5],
    ['no password', { clientId: 'x', username: 'sensor' }, 4],
  ])('with %s gets CONNACK %j', async (_, options, expected) => {
    const { knock, broker } = await start();
    const { client, code } = await knock(options);
    expect(code).toBe(expected);
    const refused = expected === 0 ? {} : { BAD_CREDENTIALS: 1 };
    expect(broker.counters().refused).toEqual(refused);
    if (expected !== 0) await client.untilClosed();
  });

  it('is answered only when the password has been checked, and nothing behind it is read before', async () => {
    const { authenticator, open, plane } = await start();
    authenticator.hold = true;
    const client = open();
    client.send(connect(as('sensor')), publish('dss/put/plant1/a', '1', { qos: 1, id: 5 }));
    await settle();
    expect(client.received).toEqual([]);
    expect(plane.writes).toEqual([]);
    authenticator.answer();
    await client.take('connack');
    expect(await client.take('puback')).toMatchObject({ id: 5 });
    expect(plane.value('plant1/a')).toBe('1');
  });

  it('whose password is wrong has nothing behind it carried out', async () => {
    const { authenticator, open, plane } = await start();
    authenticator.hold = true;
    const client = open();
    client.send(
      connect({ ...as('sensor'), password: 'x' }),
      publish('dss/put/plant1/a', '1', { qos: 1 }),
    );
    await settle();
    authenticator.answer();
    await client.untilClosed();
    expect(plane.writes).toEqual([]);
    expect(await client.all('puback')).toEqual([]);
  });

  it('that takes too long to check is given up; the answer that comes later hurts nobody', async () => {
    const { authenticator, open, time, broker } = await start();
    authenticator.hold = true;
    const client = open();
    client.send(connect(as('sensor')));
    await settle();
    time.advance(10_000);
    await client.untilClosed();
    authenticator.answer();
    await settle();
    expect(broker.counters().connections).toBe(1);
  });

  it('gets CONNACK 3 while too many others are being checked', async () => {
    const { authenticator, knock } = await start();
    authenticator.busy = true;
    expect((await knock(as('sensor'))).code).toBe(3);
  });

  it('of another node goes its own way', async () => {
    const { authenticator, knock, door } = await start();
    authenticator.busy = true;
    const { client, code } = await knock({ username: 'dss-node/n2', password: 'secret' });
    expect(code).toBe(0);
    client.send(publish('dss/cluster/x', 'm'));
    await settle();
    expect(door.messages).toMatchObject([{ peer: 'n2', topic: 'x' }]);
  });

  it('with a will that the user may not publish is refused', async () => {
    const { knock, broker } = await start();
    for (const topic of ['plant2/a', 'dss/put/plant2/a', 'dss/list/plant2', 'dss/get/plant2/a']) {
      const { code } = await knock(as('sensor', { will: { topic, payload: '' } }));
      expect([topic, code]).toEqual([topic, 5]);
    }
    const batch = '[{"key":"plant1/a","value":1},{"key":"plant2/a","value":1}]';
    const { code } = await knock(as('sensor', { will: { topic: 'dss/batch', payload: batch } }));
    expect(code).toBe(5);
    expect(broker.counters().refused).toEqual({ NOT_ALLOWED: 5 });
  });

  it('with a will that the user may publish is accepted; the will is carried out', async () => {
    const { plane, connect: connectAs, watcher } = await start();
    for (const topic of ['plant1/a', 'dss/put/plant1/a', '$SYS/broker/connection/b/state']) {
      const client = await connectAs(as('sensor', { will: { topic, payload: 'gone' } }));
      client.cut();
      await settle();
    }
    expect(plane.writes.map(({ key }) => key)).toEqual(['plant1/a']);
    const seen = (await watcher.all('publish')).map(({ topic }) => topic);
    expect(seen.sort()).toEqual(['dss/value/plant1/a', 'plant1/a']);
  });
});

describe('a client id', () => {
  it('that another user is connected under is refused', async () => {
    const { knock, connect: connectAs, broker } = await start();
    const owner = await connectAs(as('sensor', { clientId: 'device' }));
    expect((await knock(as('other', { clientId: 'device' }))).code).toBe(2);
    expect(broker.counters().refused).toEqual({ CLIENT_ID_TAKEN: 1 });
    owner.send(publish('dss/put/plant1/a', '1', { qos: 1 }));
    await owner.take('puback');
    owner.send(DISCONNECT);
    await owner.untilClosed();
    expect((await knock(as('other', { clientId: 'device' }))).code).toBe(0);
  });

  it('is taken over by the same user', async () => {
    const { connect: connectAs, knock } = await start();
    const first = await connectAs(as('sensor', { clientId: 'device' }));
    const second = await connectAs(as('sensor', { clientId: 'device' }));
    await first.untilClosed();
    await settle();
    expect((await knock(as('other', { clientId: 'device' }))).code).toBe(2);
    second.cut();
    await settle();
    expect((await knock(as('other', { clientId: 'device' }))).code).toBe(0);
  });

  it('of a session that another user has left begins a new one: nothing of the old is delivered', async () => {
    const { connect: connectAs, open, plane, watcher } = await start();
    const device = { clientId: 'device', clean: false };
    const owner = await connectAs(as('admin', device));
    owner.send(subscribe(1, ['plant2/#', 1], ['dss/value/plant2/#', 1], ['later/#', 1]));
    await owner.take('suback');
    owner.send(publish('dss/put/plant2/qos2', 'x', { qos: 2, id: 9 }));
    await owner.take('pubrec');
    owner.cut();
    await settle();
    watcher.send(publish('plant2/news', 'secret', { qos: 1 }));
    await watcher.take('puback');

    const thief = open();
    thief.send(connect(as('other', device)));
    expect(await thief.take('connack')).toMatchObject({ code: 0, session: false });
    watcher.send(publish('plant2/news', 'more', { qos: 1, id: 2 }));
    plane.store('plant2/a', '1');
    expect(await thief.all('publish')).toEqual([]);
    // An id that the other session has not released is no repetition here.
    thief.send(publish('dss/put/plant2/b', 'mine', { qos: 2, id: 9 }));
    await thief.take('pubrec');
    expect(plane.value('plant2/b')).toBe('mine');
  });
});

describe('what a user may not', () => {
  /** What is refused ends the connection at QoS 1, and is reported. */
  async function refused(user: string, topic: string, payload = '') {
    const harness = await start();
    harness.plane.store('plant1/a', 'mine');
    harness.plane.store('plant2/a', 'theirs');
    await harness.watcher.all('publish');
    const before = harness.plane.writes.length;
    const client = await harness.connect(as(user));
    client.send(subscribe(1, ['dss/error/me', 0], ['dss/reply/me', 0]));
    await client.take('suback');
    client.send(publish(topic, payload, { qos: 1, id: 7 }));
    await client.untilClosed();
    const said = await client.all('publish');
    expect(await client.all('puback')).toEqual([]);
    expect(harness.plane.writes.length).toBe(before);
    expect(harness.plane.value('plant2/a')).toBe('theirs');
    expect(await harness.watcher.all('publish')).toEqual([]);
    expect(said).toHaveLength(1);
    expect(said[0]?.topic).toBe('dss/error/me');
    expect(harness.broker.counters().refused).toEqual({ NOT_ALLOWED: 1 });
    return JSON.parse(said[0]?.payload ?? '') as object;
  }

  it.each([
    ['sensor', 'dss/put/plant2/a', 'x'],
    ['sensor', 'dss/put/plant10/a', 'x'],
    ['sensor', 'dss/put/plant2/a', ''],
    ['sensor', 'dss/delete/plant2/a', ''],
    ['sensor', 'dss/batch/plant2', '[{"key":"a","value":1}]'],
    ['sensor', 'dss/batch', '[{"key":"plant1/a","value":1},{"key":"plant2/a","value":1}]'],
    ['sensor', 'dss/cas/plant2/a', '{"if":null,"value":1}'],
    ['writer', 'dss/cas/plant1/a', '{"if":null,"value":1}'],
    ['sensor', 'dss/get/plant1/a', '{"reply":"plant2/answers"}'],
    ['sensor', 'plant2/ordinary', 'x'],
  ])('%s: %s %s', async (user, topic, payload) => {
    const report = await refused(user, topic, payload);
    expect(report).toMatchObject({ code: 'NOT_ALLOWED', topic });
  });

  it('is told with the id of the request', async () => {
    const payload = '{"id":5,"if":null,"value":1}';
    expect(await refused('sensor', 'dss/cas/plant2/a', payload)).toEqual({
      code: 'NOT_ALLOWED',
      message: 'the user "sensor" may not write to plant2/a',
      topic: 'dss/cas/plant2/a',
      id: 5,
    });
  });

  it.each([
    ['sensor', 'dss/get/plant2/a', '{"id":5}'],
    ['writer', 'dss/get/plant1/a', '{"id":5}'],
    ['sensor', 'dss/history/plant2/a', '{"id":5}'],
    ['sensor', 'dss/list', '{"id":5}'],
    ['sensor', 'dss/list/plant2', '{"id":5}'],
    ['sensor', 'dss/range', '{"id":5,"from":"plant1","to":"plant2"}'],
  ])('%s: ask %s %s: it is answered, reported and acknowledged', async (user, topic, payload) => {
    const { plane, connect: connectAs, broker } = await start();
    plane.store('plant1/a', 'SECRET');
    plane.store('plant2/a', 'SECRET');
    const client = await connectAs(as(user));
    client.send(subscribe(1, ['dss/error/me', 0], ['dss/reply/me', 0]));
    await client.take('suback');
    client.send(publish(topic, payload, { qos: 1, id: 7 }));
    expect(await client.take('puback')).toMatchObject({ id: 7 });
    const said = (await client.all('publish')).map((message) => JSON.parse(message.payload));
    expect(said).toMatchObject([
      { id: 5, code: 'NOT_ALLOWED', topic },
      { id: 5, ok: false, error: 'NOT_ALLOWED' },
    ]);
    expect(JSON.stringify(said)).not.toContain('SECRET');
    expect(broker.counters().refused).toEqual({ NOT_ALLOWED: 1 });
    expect(client.closed).toBe(false);
  });

  it('at QoS 0 is dropped and reported; a request is answered, and the connection stays', async () => {
    const { connect: connectAs, plane } = await start();
    const client = await connectAs(as('sensor'));
    client.send(subscribe(1, ['dss/error/me', 0], ['dss/reply/me', 0]));
    await client.take('suback');
    client.send(publish('dss/put/plant2/a', 'x'), publish('plant2/b', 'x'));
    client.send(publish('dss/get/plant2/a', '{"id":1}'));
    client.send(publish('dss/get/plant1/a', '{"id":2,"reply":"plant2/answers"}'));
    client.send(publish('dss/put/plant1/a', 'x', { qos: 1 }));
    await client.take('puback');
    const said = (await client.all('publish')).map(({ topic, payload }) => [
      topic,
      JSON.parse(payload),
    ]);
    expect(said.filter(([topic]) => topic === 'dss/error/me')).toHaveLength(4);
    expect(said.filter(([topic]) => topic === 'dss/reply/me')).toEqual([
      ['dss/reply/me', { id: 1, op: 'get', key: 'plant2/a', ok: false, error: 'NOT_ALLOWED' }],
    ]);
    expect(plane.writes.map(({ key }) => key)).toEqual(['plant1/a']);
  });

  it('bars who comes back with it again and again, but no other user', async () => {
    const { knock, connect: connectAs } = await start();
    for (let i = 0; i < 3; i += 1) {
      const client = await connectAs(as('other', { clientId: 'device' }));
      client.send(publish('dss/put/plant1/a', 'x', { qos: 1 }));
      await client.untilClosed();
    }
    expect((await knock(as('other', { clientId: 'device' }))).code).toBe(3);
    expect((await knock(as('sensor', { clientId: 'device' }))).code).toBe(0);
  });

  it('ends only after what was allowed before it has its outcome', async () => {
    const { connect: connectAs, plane } = await start();
    const client = await connectAs(as('sensor'));
    plane.hold = true;
    client.send(publish('dss/put/plant1/a', '1', { qos: 1, id: 1 }));
    client.send(publish('dss/put/plant2/a', '1', { qos: 1, id: 2 }));
    client.send(publish('dss/put/plant1/a', '2', { qos: 1, id: 3 }));
    await settle();
    plane.commitAll();
    await client.untilClosed();
    expect((await client.all('puback')).map(({ id }) => id)).toEqual([1]);
  });
});

describe('what a user may', () => {
  it('is everything within its filters, by every verb', async () => {
    const { connect: connectAs, plane } = await start();
    const client = await connectAs(as('sensor'));
    client.send(subscribe(1, ['dss/reply/me', 0], ['plant1/answers', 0]));
    await client.take('suback');
    client.send(
      publish('dss/put/plant1/a', '1', { qos: 1, id: 1 }),
      publish('dss/batch/plant1', '[{"key":"b","value":1}]', { qos: 1, id: 2 }),
      publish('dss/cas/plant1/c', '{"if":null,"value":1}', { qos: 1, id: 3 }),
      publish('dss/get/plant1/a', '{"reply":"plant1/answers"}', { qos: 1, id: 4 }),
      publish('dss/list/plant1', '', { qos: 1, id: 5 }),
      publish('dss/range/plant1/x', '', { qos: 1, id: 6 }),
      publish('dss/history/plant1/a', '', { qos: 1, id: 7 }),
      publish('plant1/ordinary', '', { qos: 1, id: 8 }),
      publish('dss/delete/plant1/a', '', { qos: 1, id: 9 }),
    );
    const acknowledged = (await client.all('puback')).map(({ id }) => id);
    expect(acknowledged.sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const answers = (await client.all('publish')).map(({ payload }) => JSON.parse(payload));
    expect(answers).toHaveLength(5);
    for (const answer of answers) expect(answer).toMatchObject({ ok: true });
    expect(plane.value('plant1/c')).toBe('1');
  });

  it('sets its own requests apart from another user’s under the same client id', async () => {
    const { connect: connectAs } = await start();
    const ask = async (user: string) => {
      const client = await connectAs(as(user, { clientId: 'device' }));
      client.send(subscribe(1, ['dss/reply/me', 0]));
      await client.take('suback');
      client.send(publish('dss/cas/plant1/c', '{"id":1,"if":null,"value":1}'));
      const { payload } = await client.take('publish');
      client.send(DISCONNECT);
      await client.untilClosed();
      return JSON.parse(payload) as object;
    };
    expect(await ask('sensor')).toMatchObject({ ok: true });
    expect(await ask('sensor')).toMatchObject({ ok: true });
    expect(await ask('admin')).toMatchObject({ ok: false, error: 'VERSION_MISMATCH' });
  });
});

describe('a subscription of a user', () => {
  const topics = async (client: RawClient) =>
    (await client.all('publish')).map(({ topic, payload }) => `${topic}=${payload}`).sort();

  it('is granted where something may be read, and reported where not', async () => {
    const { connect: connectAs, broker } = await start();
    const client = await connectAs(as('sensor'));
    client.send(
      subscribe(
        1,
        ['dss/error/me', 0],
        ['dss/value/plant1/#', 1],
        ['dss/value/plant2/#', 1],
        ['dss/watch/#', 1],
        ['plant1/x', 2],
        ['plant2/x', 2],
        ['#', 0],
        ['dss/sys/#', 0],
      ),
    );
    const { codes } = await client.take('suback');
    expect(codes).toEqual([0, 1, 0x80, 1, 2, 0x80, 0, 0]);
    expect(broker.counters().refused).toEqual({ NOT_ALLOWED: 2 });
    const reports = (await client.all('publish')).filter(({ topic }) => topic === 'dss/error/me');
    expect(reports.map(({ payload }) => JSON.parse(payload))).toMatchObject([
      { code: 'NOT_ALLOWED', topic: 'dss/value/plant2/#' },
      { code: 'NOT_ALLOWED', topic: 'plant2/x' },
    ]);
  });

  it('gets of values only those whose keys may be read: snapshot and changes', async () => {
    const { connect: connectAs, plane } = await start();
    plane.store('plant1/a', '1');
    plane.store('plant2/a', '1');
    const client = await connectAs(as('sensor'));
    client.send(subscribe(1, ['dss/value/#', 1], ['dss/watch/+/a', 0]));
    await client.take('suback');
    await settle();
    plane.store('plant1/b', '2');
    plane.store('plant2/b', '2');
    plane.store('plant2/a', '2');
    const seen = (await client.all('publish')).map(({ topic }) => topic);
    expect(seen.sort()).toEqual(['dss/value/plant1/a', 'dss/value/plant1/b', 'dss/watch/plant1/a']);
  });

  it('walks past what may not be read in small steps', async () => {
    const harness = await startBroker({
      authenticator: users(),
      limits: { bulkDeliveriesPerTurn: 10 },
    });
    for (let i = 0; i < 1_000; i += 1) harness.plane.store(`plant0/${i}`, 'x');
    harness.plane.store('plant1/a', 'x');
    const client = await harness.connect(as('sensor'));
    client.send(subscribe(1, ['dss/value/#', 0]));
    await client.take('suback');
    await settle(3);
    expect(harness.plane.snapshotItems).toBeLessThan(200);
    expect((await client.take('publish')).topic).toBe('dss/value/plant1/a');
  });

  it('gets of ordinary topics only those that may be read: retained, live, and kept while away', async () => {
    const { connect: connectAs, watcher } = await start();
    watcher.send(
      publish('plant1/kept', 'r', { qos: 1, id: 1, retain: true }),
      publish('plant2/kept', 'r', { qos: 1, id: 2, retain: true }),
    );
    await watcher.all('puback');
    const session = as('sensor', { clean: false });
    const client = await connectAs(session);
    client.send(subscribe(1, ['#', 1]));
    await client.take('suback');
    const send = async (payload: string) => {
      watcher.send(
        publish('plant1/x', payload, { qos: 1, id: 3 }),
        publish('plant2/x', payload, { qos: 1, id: 4 }),
        publish('plant1/x', `${payload}!`, { qos: 1, id: 5 }),
        publish('plant2/y', payload, { qos: 0 }),
      );
      await watcher.all('puback');
    };
    await send('live');
    expect(await topics(client)).toEqual(['plant1/kept=r', 'plant1/x=live', 'plant1/x=live!']);
    expect(client.closed).toBe(false);
    client.cut();
    await settle();
    await send('away');
    const back = await connectAs(session);
    expect(await topics(back)).toEqual(expect.arrayContaining(['plant1/x=away', 'plant1/x=away!']));
  });

  it('with others’ messages between its own stays connected', async () => {
    const { connect: connectAs, watcher } = await start();
    const client = await connectAs(as('sensor', { clean: false }));
    client.send(subscribe(1, ['#', 1]));
    await client.take('suback');
    for (let id = 1; id <= 50; id += 1) {
      watcher.send(publish(id % 2 === 0 ? 'plant1/x' : 'plant2/x', `${id}`, { qos: 1, id }));
    }
    const seen: number[] = [];
    while (seen.length < 25) seen.push(Number((await client.take('publish')).payload));
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => 2 * i + 2));
    expect(client.closed).toBe(false);
  });

  it('that was refused is not kept for a persistent session', async () => {
    const { connect: connectAs, plane, watcher } = await start();
    const session = as('sensor', { clean: false });
    const client = await connectAs(session);
    client.send(subscribe(1, ['plant2/#', 1], ['dss/value/plant2/#', 1], ['plant1/#', 1]));
    expect((await client.take('suback')).codes).toEqual([0x80, 0x80, 1]);
    client.cut();
    await settle();
    watcher.send(
      publish('plant2/x', 'secret', { qos: 1 }),
      publish('plant1/x', '1', { qos: 1, id: 2 }),
    );
    await watcher.all('puback');
    plane.store('plant2/a', 'secret');
    const back = await connectAs(session);
    expect(await topics(back)).toEqual(['plant1/x=1']);
  });

  it('sees system topics, but what was refused to others only if it may read everything', async () => {
    const { connect: connectAs, time, broker } = await start();
    const client = await connectAs(as('sensor'));
    client.send(subscribe(1, ['dss/sys/#', 0]));
    await client.take('suback');
    const admin = await connectAs(as('admin'));
    admin.send(subscribe(1, ['dss/sys/#', 0]), publish('dss/puts/secret', '', { qos: 0 }));
    await admin.take('suback');
    await settle();
    time.advance(2_000);
    broker.publishSystem('cluster', { id: 'c' });
    expect((await topics(client)).map((text) => text.split('=')[0])).toEqual(['dss/sys/cluster']);
    expect((await topics(admin)).map((text) => text.split('=')[0])).toEqual([
      'dss/sys/cluster',
      'dss/sys/refused/one',
    ]);
  });
});
