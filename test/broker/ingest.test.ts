import { describe, expect, it } from 'vitest';
import type { IngestRule } from '../../broker/ingest-rules/rule.ts';
import {
  connect,
  DISCONNECT,
  PINGREQ,
  publish,
  pubrel,
  subscribe,
} from '../support/mqtt-frames.ts';
import { as, FakeUsers } from './fake-users.ts';
import { type HarnessOptions, settle, startBroker } from './harness.ts';

function rule(filter: string, more: Partial<IngestRule> = {}): IngestRule {
  const rest = { except: [], key: '', value: '', time: '', timeUnit: '', timeZone: '' };
  return { name: filter, filter, ...rest, ...more };
}

const EACH = rule('tele/+/SENSOR', { name: 'tele', key: 'tele/$1/$field', value: 'each' });

/** A broker whose rules store `raw/#` as it is and each field of `tele/+/SENSOR`, and a subscriber to all. */
async function start(options: HarnessOptions = {}) {
  const harness = await startBroker(options);
  harness.broker.useIngestRules([EACH, rule('raw/#')]);
  const listener = await harness.connect({ clientId: 'listener' });
  listener.send(subscribe(1, ['raw/#', 2], ['tele/#', 2], ['other/#', 2]));
  await listener.take('suback');
  const client = await harness.connect({ clientId: 'device' });
  return { ...harness, listener, client };
}

describe('a message to a topic that an ingest rule matches', () => {
  it.each([
    [0, undefined],
    [1, 'puback'],
    [2, 'pubrec'],
  ] as const)(
    'at QoS %i is delivered at once, and acknowledged when it is stored',
    async (qos, ack) => {
      const { plane, client, listener } = await start();
      plane.hold = true;
      client.send(publish('raw/a', '1', { qos, id: 7 }));
      expect(await listener.take('publish')).toMatchObject({ topic: 'raw/a', payload: '1', qos });
      await settle();
      expect(client.received).toEqual([]);
      expect(plane.held.map(({ key }) => key)).toEqual(['raw/a']);
      plane.commitAll();
      await settle();
      expect(client.received).toMatchObject(ack === undefined ? [] : [{ type: ack, id: 7 }]);
      expect(plane.value('raw/a')).toBe('1');
    },
  );

  it('is acknowledged when all of its values are stored', async () => {
    const { plane, client, broker } = await start();
    plane.hold = true;
    client.send(publish('tele/plug/SENSOR', '{"a":1,"b":{"c":2}}', { qos: 1, id: 7 }));
    await settle();
    expect(plane.held.map(({ key }) => key)).toEqual(['tele/plug/a', 'tele/plug/b/c']);
    plane.commit();
    expect(await client.all('puback')).toEqual([]);
    plane.commit();
    expect(await client.take('puback')).toMatchObject({ id: 7 });
    expect(broker.ingestCounts('tele')).toMatchObject({ messages: 1, stored: 2 });
    expect(broker.counters().puts).toBe(2);
  });

  it('of which nothing can be stored is ordinary, and counted', async () => {
    const { plane, client, listener, broker } = await start();
    client.send(publish('tele/plug/SENSOR', 'not json', { qos: 2, id: 7 }));
    await client.take('pubrec');
    client.send(pubrel(7));
    await client.take('pubcomp');
    expect(await listener.take('publish')).toMatchObject({ payload: 'not json' });
    expect(plane.writes).toEqual([]);
    expect(broker.ingestCounts('tele')).toMatchObject({ messages: 1, problems: { 'not-json': 1 } });
  });

  it('that is not stored is not acknowledged: the client sends it again elsewhere', async () => {
    const { plane, client, time } = await start();
    plane.hold = true;
    client.send(publish('raw/a', '1', { qos: 1, id: 1 }), publish('raw/b', '1', { qos: 1, id: 2 }));
    await settle();
    plane.commit();
    plane.fail('no-quorum');
    await settle();
    time.advance(5_000);
    await client.untilClosed();
    expect((await client.all('puback')).map(({ id }) => id)).toEqual([1]);
  });

  it('is refused like a put when the storage is full', async () => {
    const { plane, client, broker } = await start();
    plane.full = true;
    client.send(publish('raw/a', '1', { qos: 1 }));
    await client.untilClosed();
    expect(await client.all('puback')).toEqual([]);
    expect(broker.counters().refused).toEqual({ STORAGE_FULL: 1 });
  });

  it('that comes again while it is pending is the same message', async () => {
    const { plane, client, listener } = await start();
    plane.hold = true;
    const dup = { qos: 1, id: 7, dup: true };
    client.send(publish('raw/a', '1', { qos: 1, id: 7 }), publish('raw/a', '1', dup));
    await settle();
    expect(plane.held).toHaveLength(1);
    plane.commitAll();
    expect(await client.all('puback')).toHaveLength(1);
    expect(await listener.all('publish')).toHaveLength(1);
    client.send(publish('raw/a', '2', { qos: 1, id: 7 }));
    await settle();
    expect(plane.held).toHaveLength(1);
  });

  it('at QoS 2 is stored and delivered once, even over a reconnect', async () => {
    const { plane, listener, connect: connectOne, open } = await start();
    const session = { clientId: 'twice', clean: false };
    const first = await connectOne(session);
    first.send(publish('raw/a', '1', { qos: 2, id: 7 }));
    await first.take('pubrec');
    first.send(publish('raw/a', '1', { qos: 2, id: 7, dup: true }));
    await first.take('pubrec');
    first.cut();
    await settle();
    const second = open();
    second.send(connect(session), publish('raw/a', '1', { qos: 2, id: 7, dup: true }));
    await second.take('pubrec');
    second.send(pubrel(7));
    await second.take('pubcomp');
    expect(plane.writes).toHaveLength(1);
    expect(await listener.all('publish')).toHaveLength(1);
    // Released: the id is free, for our topics and for ordinary ones.
    for (const topic of ['raw/a', 'dss/put/raw/a', 'other/a', 'raw/a']) {
      second.send(publish(topic, '2', { qos: 2, id: 7 }));
      await second.take('pubrec');
      second.send(pubrel(7));
      await second.take('pubcomp');
    }
    expect(plane.writes).toHaveLength(4);
    expect(await listener.all('publish')).toHaveLength(3);
  });

  it('at QoS 2 whose rule goes before its PUBREL frees its id all the same', async () => {
    const { plane, client, broker, listener } = await start();
    client.send(publish('raw/a', '1', { qos: 2, id: 7 }));
    await client.take('pubrec');
    broker.useIngestRules([]);
    client.send(publish('raw/a', '1', { qos: 2, id: 7, dup: true }));
    await client.take('pubrec');
    client.send(pubrel(7));
    await client.take('pubcomp');
    client.send(publish('raw/a', '2', { qos: 2, id: 7 }));
    await client.take('pubrec');
    expect((await listener.all('publish')).map(({ payload }) => payload)).toEqual(['1', '2']);
    expect(plane.writes).toHaveLength(1);
  });

  it('keeps its place among the messages of its connection', async () => {
    const { client, listener } = await start();
    for (let i = 0; i < 30; i += 1) {
      const payload = i % 3 === 0 ? `bad ${i}` : `{"i":${i}}`;
      client.send(publish('tele/plug/SENSOR', payload, { qos: 1, id: i + 1 }));
    }
    const seen: string[] = [];
    while (seen.length < 30) seen.push((await listener.take('publish')).payload);
    expect(seen.map((text) => Number(/\d+/.exec(text)?.[0]))).toEqual(
      Array.from({ length: 30 }, (_, i) => i),
    );
  });

  it('is retained as ever, and clearing it deletes the key', async () => {
    const { plane, client, connect: connectOne } = await start();
    const late = async () => {
      const reader = await connectOne({ clientId: 'late' });
      reader.send(subscribe(1, ['raw/a', 0]));
      await reader.take('suback');
      return reader.all('publish');
    };
    client.send(publish('raw/a', '1', { qos: 1, retain: true }));
    await client.take('puback');
    expect(await late()).toMatchObject([{ payload: '1', retain: true }]);
    client.send(publish('raw/a', '', { qos: 1, retain: true }));
    await client.take('puback');
    expect(await late()).toEqual([]);
    expect(plane.value('raw/a')).toBeUndefined();
  });

  it('runs to its end after a DISCONNECT, and is dropped when the cable is cut', async () => {
    const { plane, client, connect: connectOne } = await start();
    plane.hold = true;
    client.send(publish('raw/a', '1', { qos: 1 }), DISCONNECT);
    await client.untilClosed();
    expect(plane.held).toHaveLength(1);
    const forgotten = plane.forgotten.size;
    plane.commitAll();
    expect(plane.forgotten.size).toBe(forgotten + 1);
    plane.hold = true;
    const other = await connectOne({ clientId: 'other' });
    other.send(publish('raw/b', '1', { qos: 1 }));
    await settle();
    other.cut();
    await settle();
    expect(plane.held).toEqual([]);
    expect(plane.value('raw/a')).toBe('1');
  });

  it('makes the connection stop reading when the data plane has no room', async () => {
    const { plane, client } = await start();
    plane.room = false;
    client.send(publish('raw/a', '1', { qos: 1 }));
    await settle();
    expect(client.held).toBe(true);
    plane.writes[0]?.sink.writesDrained();
    await settle();
    expect(client.held).toBe(false);
  });

  it('counts among what is under way', async () => {
    const { plane, client } = await start({ limits: { inflightPutsMax: 3 } });
    plane.hold = true;
    for (let id = 1; id <= 10; id += 1) client.send(publish('raw/a', `${id}`, { qos: 1, id }));
    await settle();
    expect(plane.held).toHaveLength(3);
    for (let i = 0; i < 10; i += 1) {
      plane.commitAll();
      await settle();
    }
    expect(await client.all('puback')).toHaveLength(10);
  });
});

describe('what no ingest rule matches', () => {
  it.each(['other/a', '$SYS/broker/connection/b/state', Array(100).fill('raw').join('/')])(
    '%s: is ordinary',
    async (topic) => {
      const { plane, client } = await start();
      client.send(publish(topic, '1', { qos: 1, id: 7 }));
      await client.take('puback');
      expect(plane.writes.map(({ key }) => key)).toEqual(topic.startsWith('raw') ? [topic] : []);
    },
  );

  it('is a system topic: it is acknowledged, and reported', async () => {
    const { plane, client, broker } = await start();
    broker.useIngestRules([rule('#'), rule('$SYS/#')]);
    client.send(publish('$SYS/x', '1', { qos: 1 }));
    await client.take('puback');
    expect(plane.writes).toEqual([]);
    expect(broker.counters().refused).toEqual({ RESERVED_TOPIC: 1 });
  });

  it('has too many levels: it is acknowledged, and reported', async () => {
    const { plane, client, broker } = await start();
    broker.useIngestRules([rule('#')]);
    client.send(publish(Array(101).fill('raw').join('/'), '1', { qos: 1 }));
    await client.take('puback');
    expect(plane.writes).toEqual([]);
    expect(broker.counters().refused).toEqual({ INVALID_TOPIC: 1 });
  });

  it('is our topics: they are stored once', async () => {
    const { plane, client, broker } = await start();
    broker.useIngestRules([rule('#')]);
    client.send(publish('dss/put/a', '1', { qos: 1 }));
    await client.take('puback');
    expect(plane.writes.map(({ key }) => key)).toEqual(['a']);
  });
});

describe('rules', () => {
  it('hold from the moment they are made; those that are gone are forgotten', async () => {
    const { plane, client, broker } = await start();
    const send = async () => {
      client.send(publish('other/a', '1', { qos: 1 }));
      await client.take('puback');
      return plane.writes.length;
    };
    expect(await send()).toBe(0);
    broker.useIngestRules([rule('other/#', { name: 'o' })]);
    expect(await send()).toBe(1);
    expect(broker.ingestRules.rules.match('other/x')?.name).toBe('o');
    expect(broker.ingestCounts('o')).toMatchObject({ messages: 1 });
    broker.useIngestRules([]);
    expect(await send()).toBe(1);
    expect(broker.ingestCounts('o')).toMatchObject({ messages: 0 });
  });

  it('that this version does not understand are named in the log', async () => {
    const { broker, events } = await start();
    broker.useIngestRules([rule('a', { name: 'new', value: '$..every[' })]);
    expect(events.find(({ name }) => name === 'ingest-rule-unusable')?.message).toContain('"new"');
  });

  it('are bounded by the limits of the broker', async () => {
    const { client, plane, broker } = await start({ limits: { valueBytesMax: 3 } });
    expect(broker.ingestRules.limits).toMatchObject({ valueBytesMax: 3, keyBytesMax: 1_024 });
    client.send(publish('raw/a', 'long', { qos: 1 }), publish('raw/b', 'ok', { qos: 1, id: 2 }));
    await client.take('puback');
    await client.take('puback');
    expect(plane.writes.map(({ key }) => key)).toEqual(['raw/b']);
  });
});

describe('while nobody has said what the rules are', () => {
  const unknown = async () => {
    const harness = await startBroker({ ingestRulesKnownFrom: 'useIngestRules' });
    const client = await harness.connect({ clientId: 'device' });
    return { ...harness, client };
  };

  it('a message that wants an acknowledgement waits until they are known, and is stored', async () => {
    const { client, broker, plane } = await unknown();
    client.send(
      publish('raw/a', '1', { qos: 1, id: 1 }),
      publish('dss/put/b', '1', { qos: 1, id: 2 }),
    );
    await settle();
    expect(client.received).toEqual([]);
    expect(client.held).toBe(true);
    broker.useIngestRules([rule('raw/#')]);
    expect((await client.all('puback')).map(({ id }) => id)).toEqual([1, 2]);
    expect(plane.writes.map(({ key }) => key)).toEqual(['raw/a', 'b']);
    expect(client.held).toBe(false);
  });

  it('a message at QoS 0, a put and a PINGREQ do not wait', async () => {
    const { client, plane } = await unknown();
    client.send(publish('raw/a', '1'), publish('dss/put/b', '1', { qos: 1 }), PINGREQ);
    await client.take('puback');
    await client.take('pingresp');
    expect(plane.writes.map(({ key }) => key)).toEqual(['b']);
  });

  it('it waits at most 10 s; after that the connection’s messages are ordinary', async () => {
    const { client, time, plane, broker } = await unknown();
    client.send(publish('raw/a', '1', { qos: 1, id: 1 }));
    await settle();
    time.advance(9_999);
    expect(await client.all('puback')).toEqual([]);
    time.advance(1);
    expect(await client.take('puback')).toMatchObject({ id: 1 });
    client.send(publish('raw/a', '1', { qos: 1, id: 2 }));
    expect(await client.take('puback')).toMatchObject({ id: 2 });
    expect(plane.writes).toEqual([]);
    broker.useIngestRules([rule('raw/#')]);
    client.send(publish('raw/a', '1', { qos: 1, id: 3 }));
    await client.take('puback');
    expect(plane.writes).toHaveLength(1);
  });

  it('a connection that goes leaves nothing behind', async () => {
    const { client, time, plane, broker } = await unknown();
    const timers = time.pending;
    client.send(publish('raw/a', '1', { qos: 1 }));
    await settle();
    client.cut();
    await settle();
    expect(time.pending).toBeLessThanOrEqual(timers);
    broker.useIngestRules([rule('raw/#')]);
    await settle();
    expect(plane.writes).toEqual([]);
  });
});

describe('what no socket brought', () => {
  it('wills on ordinary topics are delivered and stored', async () => {
    const { plane, listener, connect: connectOne, broker } = await start();
    const will = { topic: 'raw/state', payload: 'gone', qos: 1, retain: true };
    const dying = await connectOne({ clientId: 'dying', will });
    dying.cut();
    expect(await listener.take('publish')).toMatchObject({ payload: 'gone', qos: 1 });
    await settle();
    expect(plane.value('raw/state')).toBe('gone');
    expect(broker.ingestCounts('raw/#')).toMatchObject({ messages: 1 });
  });

  it('answers on ordinary topics are delivered and stored', async () => {
    const { plane, client, listener } = await start();
    plane.store('k', 'v');
    client.send(publish('dss/get/k', '{"reply":"raw/answer"}', { qos: 1 }));
    await client.take('puback');
    expect(JSON.parse((await listener.take('publish')).payload)).toMatchObject({ value: 'v' });
    expect(JSON.parse(plane.value('raw/answer') ?? '')).toMatchObject({ value: 'v' });
  });

  it('that cannot be stored is counted and logged', async () => {
    const { plane, broker, connect: connectOne, events } = await start();
    plane.full = true;
    const will = { topic: 'raw/state', payload: 'gone' };
    (await connectOne({ clientId: 'dying', will })).cut();
    await settle();
    expect(broker.counters()).toMatchObject({ putsFailed: 1, refused: { STORAGE_FULL: 1 } });
    expect(events.map(({ name }) => name)).toContain('message-not-stored');
  });
});

describe('a rule that stores where the publisher may not write', () => {
  const restricted = async () => {
    const authenticator = new FakeUsers({
      sensor: { read: ['#'], write: ['raw/#', 'out/#'] },
      admin: { read: ['#'], write: ['#'] },
    });
    const harness = await startBroker({ authenticator });
    harness.broker.useIngestRules([
      rule('raw/#', { key: 'plant2/$1' }),
      rule('out/#', { key: 'out/$1/x' }),
    ]);
    const listener = await harness.connect(as('admin'));
    listener.send(subscribe(1, ['raw/#', 0]));
    await listener.take('suback');
    return { ...harness, listener };
  };

  it('stores nothing, and the message goes nowhere', async () => {
    const { connect: connectAs, plane, listener, broker } = await restricted();
    const client = await connectAs(as('sensor'));
    client.send(subscribe(1, ['dss/error/me', 0]));
    await client.take('suback');
    client.send(publish('raw/a', '0'), publish('out/a', '1', { qos: 1 }));
    await client.take('puback');
    client.send(publish('raw/a', '1', { qos: 1 }));
    await client.untilClosed();
    expect(await client.all('puback')).toEqual([]);
    expect(plane.writes.map(({ key }) => key)).toEqual(['out/a/x']);
    expect(await listener.all('publish')).toEqual([]);
    expect(broker.ingestCounts('raw/#')).toMatchObject({ messages: 0, stored: 0 });
    const reports = (await client.all('publish')).map(({ payload }) => JSON.parse(payload));
    expect(reports).toHaveLength(2);
    expect(reports[0]).toMatchObject({ code: 'NOT_ALLOWED', topic: 'raw/a' });
    expect(reports[0].message).toContain('the ingest rule "raw/#"');
  });

  it('is not reached by wills and answers either', async () => {
    const { connect: connectAs, plane, listener, broker } = await restricted();
    plane.store('k', 'v');
    const will = { topic: 'raw/a', payload: 'gone' };
    const client = await connectAs(as('sensor', { will }));
    client.send(publish('dss/get/k', '{"reply":"raw/answer"}', { qos: 1 }));
    await client.take('puback');
    client.cut();
    await settle();
    expect(plane.writes).toEqual([]);
    expect(await listener.all('publish')).toEqual([]);
    expect(broker.counters().refused).toEqual({ NOT_ALLOWED: 2 });
  });
});
