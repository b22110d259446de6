import { describe, expect, it } from 'vitest';
import type { BrokerLimits } from '../../broker/limits.ts';
import { connect, PINGREQ, puback, publish, subscribe } from '../support/mqtt-frames.ts';
import { connect5, publish5, short, subscribe5 } from '../support/mqtt5-frames.ts';
import { as, FakeUsers, passwordOf } from './fake-users.ts';
import { type HarnessOptions, type RawClient, settle, startBroker } from './harness.ts';

const NODE = { clientId: 'n2', username: 'dss-node/n2', password: 'secret' };
const PERSISTENT = { clean: false };

async function start(limits: Partial<BrokerLimits>, options: HarnessOptions = {}) {
  const harness = await startBroker({ limits, ...options });
  const { broker, events, open, open5 } = harness;
  return {
    ...harness,
    refused: () => broker.counters().refused,
    warnings: (name: string) => events.filter((event) => event.name === name).length,
    /** The answer to a CONNECT: 3.1.1, and MQTT 5 of another client. */
    async codes(clientId: string, username?: string) {
      const options = username === undefined ? {} : { username, password: passwordOf(username) };
      const [plain, five] = [open(), open5()];
      plain.send(connect({ ...options, clientId }));
      five.send(connect5({ ...options, clientId: `${clientId}-5` }));
      return [(await plain.take('connack')).code, (await five.take('connack')).code];
    },
  };
}

/** `count` puts at QoS 1, with packet ids from 1 on. */
function puts(count: number): Buffer {
  const put = (id: number) => publish('dss/put/k', `${id}`, { qos: 1, id });
  return Buffer.concat(Array.from({ length: count }, (_, i) => put(i + 1)));
}

async function acknowledged(client: RawClient): Promise<number> {
  return (await client.all('puback')).length;
}

describe('a node', () => {
  it('takes so many connections; nodes of the cluster do not count', async () => {
    const { open, connect: enter, codes, refused, warnings } = await start({ connectionsMax: 2 });
    const [first] = [await enter({ clientId: 'a' }), await enter({ clientId: 'b' })];
    expect(await codes('c')).toEqual([3, 0x97]);
    expect(refused()).toEqual({ TOO_MANY_CONNECTIONS: 2 });
    expect(warnings('connect-refused')).toBe(1);
    const node = open();
    node.send(connect(NODE));
    expect((await node.take('connack')).code).toBe(0);
    first.cut();
    await settle();
    expect((await codes('c'))[0]).toBe(0);
  });

  it('that is full lets a client take its own place', async () => {
    const { open, connect: enter } = await start({ connectionsMax: 1 });
    const earlier = await enter({ clientId: 'a' });
    const later = open();
    later.send(connect({ clientId: 'a' }));
    expect((await later.take('connack')).code).toBe(0);
    await earlier.untilClosed();
  });

  it('that is full does not look at passwords', async () => {
    const authenticator = new FakeUsers({ anna: {} });
    const { codes, connect: enter } = await start({ connectionsMax: 1 }, { authenticator });
    await enter(as('anna'));
    expect(await codes('c', 'anna')).toEqual([3, 0x97]);
    expect(authenticator.asked).toEqual(['anna']);
  });

  it('has no more connections although several logged in at once', async () => {
    const authenticator = new FakeUsers({ anna: {} });
    const { open } = await start({ connectionsMax: 1 }, { authenticator });
    authenticator.hold = true;
    const clients = ['a', 'b'].map((clientId) => {
      const client = open();
      client.send(connect(as('anna', { clientId })));
      return client;
    });
    await settle();
    authenticator.answer();
    const codes = await Promise.all(clients.map(async (each) => (await each.take('connack')).code));
    expect(codes).toEqual([0, 3]);
  });

  it('has so many connections that say nothing; then the oldest of them goes', async () => {
    const { open, connect: enter } = await start({ strangersMax: 2 });
    await enter({ clientId: 'a' });
    const [first, second] = [open(), open()];
    const node = open();
    await first.untilClosed();
    node.send(connect(NODE));
    expect((await node.take('connack')).code).toBe(0);
    second.send(connect({ clientId: 'b' }));
    expect((await second.take('connack')).code).toBe(0);
    expect([second.closed, node.closed]).toEqual([false, false]);
  });

  it('takes so many CONNECTs a second, and after a quiet time some more', async () => {
    const limits = { connectionsPerSecond: 2, connectBurstSeconds: 2 };
    const { codes, refused, time, open } = await start(limits);
    expect(await codes('a')).toEqual([0, 0]);
    expect(await codes('b')).toEqual([0, 0]);
    expect(await codes('c')).toEqual([3, 0x9f]);
    expect(refused()).toEqual({ TOO_MANY_CONNECTS: 2 });
    const node = open();
    node.send(connect(NODE));
    expect((await node.take('connack')).code).toBe(0);
    time.advance(1_000);
    expect(await codes('d')).toEqual([0, 0]);
    expect(await codes('e')).toEqual([3, 0x9f]);
    time.advance(60_000);
    expect(await codes('f')).toEqual([0, 0]);
    expect(await codes('g')).toEqual([0, 0]);
    expect(await codes('h')).toEqual([3, 0x9f]);
  });

  it('gives one user so many connections', async () => {
    const authenticator = new FakeUsers({ anna: {}, ben: {} });
    const limits = { connectionsPerUserMax: 2 };
    const { codes, refused, connect: enter } = await start(limits, { authenticator });
    const first = await enter(as('anna', { clientId: 'a' }));
    await enter(as('anna', { clientId: 'b' }));
    expect(await codes('c', 'anna')).toEqual([3, 0x97]);
    expect(refused()).toEqual({ TOO_MANY_CONNECTIONS: 2 });
    expect(await codes('d', 'ben')).toEqual([0, 0]);
    first.cut();
    await settle();
    expect((await codes('c', 'anna'))[0]).toBe(0);
  });

  it('knows no limit per user where there are none', async () => {
    const { codes } = await start({ connectionsPerUserMax: 1 });
    expect(await codes('a')).toEqual([0, 0]);
  });

  it('keeps so many sessions; who has one comes back to it', async () => {
    const { connect: enter, open, open5, refused } = await start({ sessionsMax: 1 });
    const first = await enter({ clientId: 'a', ...PERSISTENT });
    first.cut();
    await settle();
    const [plain, five] = [open(), open5()];
    plain.send(connect({ clientId: 'b', ...PERSISTENT }));
    five.send(connect5({ clientId: 'c', props: [Buffer.of(0x11, 0, 0, 0, 9)] }));
    expect((await plain.take('connack')).code).toBe(3);
    expect((await five.take('connack')).code).toBe(0x97);
    expect(refused()).toEqual({ TOO_MANY_SESSIONS: 2 });
    await enter({ clientId: 'd' });
    const again = open();
    again.send(connect({ clientId: 'a', ...PERSISTENT }));
    expect(await again.take('connack')).toMatchObject({ code: 0, session: true });
  });
});

describe('a client', () => {
  it('has so many subscriptions; more are refused and reported', async () => {
    const { connect: enter, connect5: enter5, refused } = await start({ subscriptionsMax: 2 });
    const client = await enter();
    client.send(subscribe(1, ['dss/error/me', 0], ['a', 1], ['b', 1], ['a', 0]));
    expect((await client.take('suback')).codes).toEqual([0, 1, 0x80, 0]);
    const [report] = await client.all('publish');
    expect(JSON.parse(report?.payload ?? '')).toMatchObject({
      code: 'TOO_MANY_SUBSCRIPTIONS',
      topic: 'b',
    });
    const five = await enter5({ clientId: 'five' });
    five.send(
      subscribe5(
        1,
        ['x', 'y', 'z'].map((filter) => [filter, 0] as const),
      ),
    );
    expect((await five.take('suback')).codes).toEqual([0, 0, 0x97]);
    expect(refused()).toEqual({ TOO_MANY_SUBSCRIPTIONS: 2 });
  });

  it('uses topics of so many levels, and filters', async () => {
    const { connect: enter, connect5: enter5, refused } = await start({ topicLevelsMax: 3 });
    const client = await enter();
    client.send(subscribe(1, ['a/b/c', 0], ['a/b/c/d', 0], ['$share/g/a/b/c', 0]));
    expect((await client.take('suback')).codes).toEqual([0, 0x80, 0]);
    client.send(publish('a/b/c/d', 'x', { qos: 1, id: 2 }), publish('dss/put/a/b/c/d/e', 'x'));
    expect((await client.take('puback')).id).toBe(2);
    const five = await enter5({ clientId: 'five' });
    five.send(
      publish5('a/b/c/d', 'x', { qos: 1, id: 2 }),
      publish5('a/b/c', 'x', { qos: 1, id: 3 }),
    );
    expect(await five.take('puback')).toMatchObject({ id: 2, code: 0x90 });
    expect((await five.take('puback')).id).toBe(3);
    expect(refused()).toEqual({ INVALID_FILTER: 1, INVALID_TOPIC: 2 });
  });
});

describe('a client that publishes faster than it may', () => {
  const limits = { publishesPerSecond: 10, publishBurstSeconds: 2 };

  it('is read no faster than that, and loses nothing', async () => {
    const { connect: enter, time, broker, plane, warnings } = await start(limits);
    const client = await enter();
    client.send(puts(100));
    expect(await acknowledged(client)).toBe(21);
    expect(client.held).toBe(true);
    let all = 21;
    for (let second = 0; second < 7; second += 1) {
      for (let i = 0; i < 10; i += 1) {
        time.advance(100);
        await settle(2);
      }
      const more = await acknowledged(client);
      expect(more).toBe(10);
      all += more;
    }
    expect(plane.writes.map(({ value }) => Number(value))).toEqual(
      Array.from({ length: all }, (_, i) => i + 1),
    );
    expect(broker.counters()).toMatchObject({ publishPauses: 71, refused: {} });
    expect(warnings('publisher-paused')).toBe(1);
    expect(client.closed).toBe(false);
  });

  it('may send at once what it has left out', async () => {
    const { connect: enter, time } = await start(limits);
    const client = await enter();
    client.send(puts(20));
    expect(await acknowledged(client)).toBe(20);
    expect(client.held).toBe(false);
    time.advance(60_000);
    client.send(puts(20));
    expect(await acknowledged(client)).toBe(20);
    expect(client.held).toBe(false);
  });

  it('in bytes is read no faster, either; ordinary messages and skipped ones count', async () => {
    const slow = { publishBytesPerSecond: 1_000, publishBurstSeconds: 1, valueBytesMax: 500 };
    const { connect: enter, time } = await start(slow);
    for (const topic of ['dss/put/k', 'ordinary']) {
      const client = await enter({ clientId: topic });
      client.send(publish(topic, 'x'.repeat(1_500)), PINGREQ);
      await settle();
      expect(client.held).toBe(true);
      expect(await client.all('pingresp')).toEqual([]);
      time.advance(600);
      await settle();
      expect(await client.all('pingresp')).toHaveLength(1);
    }
  });

  it('is closed only if it is far over', async () => {
    const slow = { publishBytesPerSecond: 100, publishBurstSeconds: 1, publishPauseMsMax: 5_000 };
    const { connect: enter, connect5: enter5, plane, refused } = await start(slow);
    const big = 'x'.repeat(2_000);
    const client = await enter();
    client.send(
      publish('dss/put/a', 'y', { qos: 1 }),
      publish('dss/put/k', big, { qos: 1, id: 2 }),
    );
    await client.untilClosed();
    expect((await client.all('puback')).map(({ id }) => id)).toEqual([1]);
    const five = await enter5({ clientId: 'five' });
    five.send(publish5('dss/put/k', big));
    expect((await five.take('disconnect')).code).toBe(0x96);
    expect(refused()).toEqual({ TOO_MANY_PUBLISHES: 2 });
    expect(plane.writes.map(({ key }) => key)).toEqual(['a']);
  });

  it('still gets what it has subscribed to, and its acknowledgements', async () => {
    const { connect: enter, connect5: enter5, plane } = await start(limits);
    const client = await enter5({ props: [short(0x21, 10)] });
    client.send(subscribe5(1, [['news', 0]]));
    await client.take('suback');
    plane.hold = true;
    const put = (id: number) => publish5('dss/put/k', '', { qos: 1, id });
    client.send(Buffer.concat(Array.from({ length: 30 }, (_, i) => put(i + 1))));
    await settle();
    expect(client.held).toBe(true);
    for (const write of plane.held.splice(0)) write.sink.writeCommitted(write.token, 1);
    expect(await client.all('puback')).toHaveLength(21);
    const other = await enter({ clientId: 'other' });
    other.send(publish('news', 'n'));
    expect((await client.take('publish')).payload).toBe('n');
  });

  it('is not taken for one that has gone, as nobody hears its pings', async () => {
    const { connect: enter, time } = await start({ publishesPerSecond: 1, publishBurstSeconds: 1 });
    const client = await enter({ keepalive: 1 });
    client.send(puts(5), PINGREQ);
    await settle();
    for (let i = 0; i < 4; i += 1) {
      time.advance(1_000);
      await settle();
    }
    expect(client.closed).toBe(false);
    expect(await acknowledged(client)).toBe(5);
  });

  it('leaves no timer behind when it goes', async () => {
    const { connect: enter, time } = await start(limits);
    const before = time.pending;
    const client = await enter();
    client.send(puts(100));
    await settle();
    client.cut();
    await settle();
    expect(time.pending).toBe(before);
  });
});

describe('a flood from some clients', () => {
  it('leaves others, and the nodes of the cluster, as they are', async () => {
    const {
      connect: enter,
      open,
      door,
      time,
    } = await start({
      publishesPerSecond: 10,
      readBytesPerTurn: 2_000,
    });
    const floods = await Promise.all(
      Array.from({ length: 20 }, (_, i) => enter({ clientId: `flood-${i}` })),
    );
    const node = open();
    node.send(connect(NODE));
    await node.take('connack');
    const watcher = await enter({ clientId: 'watcher' });
    watcher.send(subscribe(1, ['dss/value/calm', 1]));
    await watcher.take('suback');
    const calm = await enter({ clientId: 'calm' });
    for (const flood of floods) {
      flood.send(...Array.from({ length: 2_000 }, () => publish('noise', 'x'.repeat(200))));
    }
    for (let id = 1; id <= 5; id += 1) {
      node.send(publish('dss/cluster/c1/node/n1/raft', `${id}`));
      calm.send(publish('dss/put/calm', `${id}`, { qos: 1, id }), PINGREQ);
      expect((await calm.take('puback')).id).toBe(id);
      await calm.take('pingresp');
      const delivery = await watcher.take('publish');
      expect(delivery.payload).toBe(`${id}`);
      watcher.send(puback(delivery.id));
      time.advance(100);
    }
    await settle();
    expect(door.messages.map(({ payload }) => `${payload}`)).toEqual(['1', '2', '3', '4', '5']);
    expect(floods.every((flood) => flood.held)).toBe(true);
  });
});
