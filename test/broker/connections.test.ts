import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  connect,
  DISCONNECT,
  field,
  PINGREQ,
  packet,
  puback,
  publish,
  pubrel,
  subscribe,
  uint16,
  unsubscribe,
} from '../support/mqtt-frames.ts';
import { IDLE_TIMERS, settle, startBroker } from './harness.ts';

describe('CONNECT', () => {
  it('that is refused is answered even if the client takes its time to read', async () => {
    const { open, time } = await startBroker();
    const client = open();
    client.stopReading();
    client.send(connect({ level: 6 }));
    await settle();
    expect(client.closed).toBe(false);
    client.goOnReading();
    await client.untilClosed();
    expect(client.bytes.toString('hex')).toBe('20020001');
    const deaf = open();
    deaf.stopReading();
    deaf.send(connect({ level: 6 }));
    await settle();
    time.advance(1_000);
    await deaf.untilClosed();
  });

  it('of an unknown version is answered with return code 1', async () => {
    const { open } = await startBroker();
    for (const level of [2, 6]) {
      const client = open();
      client.send(connect({ level, name: 'MQTT' }));
      await client.untilClosed();
      expect(client.received).toEqual([{ type: 'connack', session: false, code: 1 }]);
    }
  });

  it.each([3, 4, 0x83, 0x84])('of protocol level %i is accepted', async (level) => {
    const { plane, connect: open } = await startBroker();
    const client = await open({ level, clientId: 'a client id of more than 23 characters' });
    client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }));
    await client.take('puback');
    expect(plane.value('a')).toBe('1');
  });

  it('without client id but with a persistent session is refused', async () => {
    const { open } = await startBroker();
    const client = open();
    client.send(connect({ clientId: '', clean: false }));
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'connack', code: 2 }]);
  });

  it('may be followed by packets before it is answered', async () => {
    const { plane, open } = await startBroker();
    const client = open();
    const puts = Array.from({ length: 60 }, (_, i) =>
      publish('dss/put/a', `${i}`, { qos: 1, id: i + 1 }),
    );
    const ordinary = Array.from({ length: 60 }, (_, i) =>
      publish('x', `${i}`, { qos: 1, id: i + 100 }),
    );
    client.send(Buffer.concat([connect(), ...puts, ...ordinary, PINGREQ]));
    await client.take('pingresp');
    expect(await client.all('puback')).toHaveLength(120);
    expect(plane.writes).toHaveLength(60);
  });

  it('takes a client id over from an older connection', async () => {
    const { connect: open } = await startBroker();
    const first = await open({ clientId: 'same' });
    const second = await open({ clientId: 'same' });
    await first.untilClosed();
    second.send(PINGREQ);
    await second.take('pingresp');
  });

  it('must come in time', async () => {
    const { open, time, broker } = await startBroker();
    const client = open();
    client.send(connect().subarray(0, 5));
    await settle();
    time.advance(10_000);
    await client.untilClosed();
    expect(broker.counters().connections).toBe(0);
  });
});

describe('keepalive', () => {
  it('closes after one and a half times its length without a packet', async () => {
    const { connect: open, time } = await startBroker();
    const client = await open({ keepalive: 10 });
    time.advance(14_000);
    client.send(publish('dss/put/a', '1'));
    await settle();
    time.advance(14_900);
    await settle();
    expect(client.closed).toBe(false);
    time.advance(200);
    await client.untilClosed();
  });

  it('does not count while it is us who do not read', async () => {
    const { plane, connect: open, time } = await startBroker();
    plane.hold = true;
    plane.room = false;
    const client = await open({ keepalive: 10 });
    client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }));
    await settle();
    time.advance(60_000);
    await settle();
    expect(client.closed).toBe(false);
  });
});

describe('what is no MQTT', () => {
  const bad = {
    'ill-formed UTF-8 in a topic': publish(Buffer.of(0x64, 0xff), 'x'),
    'ill-formed UTF-8 in a key': publish(Buffer.from('dss/put/\xff', 'latin1'), 'x', { qos: 1 }),
    'a wildcard in a topic': publish('dss/put/a/+', 'x', { qos: 1 }),
    'U+0000 in a topic': publish('dss/put/a\0', 'x', { qos: 1 }),
    'an empty topic': publish('', 'x'),
    'QoS 3': publish('dss/put/a', 'x', { qos: 3 }),
    'packet id 0': publish('dss/put/a', 'x', { qos: 1, id: 0 }),
    'packet id 0 in SUBSCRIBE': subscribe(0, ['a', 0]),
    'a topic longer than its packet': packet(0x30, Buffer.of(0, 9, 0x61)),
    'no room for the packet id': packet(0x32, Buffer.concat([field('dss/put/a'), Buffer.of(1)])),
    'a remaining length of five bytes': Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01),
    'a second CONNECT': connect(),
    'a packet that only servers send': packet(0x20, Buffer.of(0, 0)),
    'packet type 0': packet(0x00, Buffer.alloc(0)),
    'packet type 15': packet(0xf0, Buffer.alloc(0)),
    'wrong flags in SUBSCRIBE': packet(0x80, subscribe(1, ['a', 0]).subarray(2)),
    'SUBSCRIBE without filters': packet(0x82, uint16(1)),
    'SUBSCRIBE with QoS 3': subscribe(1, ['a', 3]),
    'a filter with # inside': subscribe(1, ['a/#/b', 0]),
    'a filter with + inside a level': subscribe(1, ['a+', 0]),
    'UNSUBSCRIBE without filters': packet(0xa2, uint16(1)),
    'a PUBACK of three bytes': packet(0x40, Buffer.of(0, 1, 2)),
    'a PUBACK with packet id 0': puback(0),
    'a PINGREQ with a body': packet(0xc0, Buffer.of(1)),
    'an ordinary packet over the limit': publish('other', Buffer.alloc(2_200_000)),
    'a SUBSCRIBE over the limit': packet(0x82, Buffer.alloc(2_200_000)),
  };

  it.each(Object.entries(bad))('%s closes', async (_name, bytes) => {
    const { plane, connect: open, broker, time } = await startBroker();
    const client = await open();
    client.send(bytes);
    await client.untilClosed();
    expect(plane.writes).toEqual([]);
    expect(broker.counters().connections).toBe(0);
    expect(time.pending).toBe(IDLE_TIMERS);
  });

  const stranger = {
    'a PUBLISH': publish('a', 'x'),
    'a PINGREQ': PINGREQ,
    'a CONNECT with reserved flags': packet(0x11, connect().subarray(2)),
    'an unknown protocol name': connect({ name: 'HTTP' }),
    'a wildcard in the will topic': connect({ will: { topic: 'a/#', payload: '' } }),
    'ill-formed UTF-8 in the will topic': connect({
      will: { topic: Buffer.of(0xff), payload: '' },
    }),
    'a CONNECT without end': packet(0x10, Buffer.alloc(200_000)).subarray(0, 300),
  };

  it.each(Object.entries(stranger))('%s as the first packet closes', async (_name, bytes) => {
    const { open, broker } = await startBroker();
    const client = open();
    client.send(bytes);
    await client.untilClosed();
    expect(client.received).toEqual([]);
    expect(broker.counters().connections).toBe(0);
  });

  it('never crashes the broker or leaves anything behind', async () => {
    const { open, broker, time, plane } = await startBroker();
    const parts = [
      connect({ will: { topic: 'dss/put/w', payload: 'gone' } }),
      connect({ clean: false, keepalive: 5 }),
      publish('dss/put/a', 'x', { qos: 1, id: 3 }),
      publish('dss/put/a', 'x', { qos: 2, id: 4 }),
      pubrel(4),
      publish('dss/list', '{"limit":5}', { qos: 1, id: 5 }),
      publish('ordinary', 'x', { qos: 2, id: 6 }),
      subscribe(1, ['dss/value/#', 1], ['#', 1], ['dss/reply/me', 1], ['dss/put/#', 0]),
      unsubscribe(2, '#'),
      puback(9),
      PINGREQ,
      DISCONNECT,
    ];
    const mutations = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
    const sequences = fc.array(fc.constantFrom(...parts), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(sequences, mutations, fc.boolean(), async (packets, changes, cut) => {
        const client = open();
        const bytes = Buffer.concat([connect(), ...packets]);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        client.send(bytes);
        await settle(4);
        if (cut) client.cut();
        else client.end();
        await settle(4);
      }),
      { numRuns: 150 },
    );
    time.advance(60_000);
    await settle();
    expect(broker.counters().connections).toBe(0);
    expect(plane.watches.size).toBe(0);
    await broker.close();
    expect(time.pending).toBe(0);
  });
});

describe('fragmentation', () => {
  it('does not change what happens', async () => {
    const run = async (cuts: readonly number[]) => {
      const { open, plane } = await startBroker({ limits: { valueBytesMax: 500 } });
      const client = open();
      const stream = Buffer.concat([
        connect(),
        subscribe(1, ['dss/value/#', 0], ['dss/error/me', 0]),
        publish('dss/put/a', 'x'.repeat(400), { qos: 1, id: 2 }),
        publish('dss/put/big', 'x'.repeat(3_000), { qos: 1, id: 3 }),
        publish('plain', 'y'.repeat(2_000), { qos: 1, id: 4 }),
        publish('dss/put/räume', 'z', { qos: 2, id: 5 }),
        publish('dss/nonsense', '', { qos: 1, id: 6 }),
        unsubscribe(7, 'dss/value/#'),
        PINGREQ,
      ]);
      let position = 0;
      for (const cut of [...cuts].map((at) => at % stream.length).sort((a, b) => a - b)) {
        client.send(stream.subarray(position, cut));
        position = cut;
      }
      client.send(stream.subarray(position));
      await client.take('unsuback');
      await settle(40);
      const acks = client.received.filter(({ type }) => type !== 'publish' && type !== 'pingresp');
      const errors = client.received.filter(
        (received) => received.type === 'publish' && received.topic === 'dss/error/me',
      );
      return {
        acks: acks.map((ack) => JSON.stringify(ack)).sort(),
        errors: errors.length,
        keys: plane.writes.map(({ key }) => key),
      };
    };
    const whole = await run([]);
    expect(whole.keys).toEqual(['a', 'räume']);
    expect(whole.errors).toBe(2);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 30 }), async (cuts) => {
        expect(await run(cuts)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a put over the size limit', () => {
  it('is drained, acknowledged and reported, its neighbours unharmed', async () => {
    const { plane, connect: open, broker } = await startBroker();
    const client = await open();
    client.send(subscribe(1, ['dss/error/me', 0]));
    await client.take('suback');
    client.send(
      publish('dss/put/before', '1', { qos: 1, id: 1 }),
      publish('dss/put/big', Buffer.alloc(1_200_000), { qos: 1, id: 2 }),
      publish('dss/put/huge', Buffer.alloc(5_000_000), { qos: 1, id: 3 }),
      publish('dss/put/huge', Buffer.alloc(5_000_000), { qos: 2, id: 4 }),
      publish('dss/put/after', '1', { qos: 1, id: 5 }),
      publish('dss/put/largest', Buffer.alloc(1_048_576), { qos: 1, id: 6 }),
    );
    await settle(400);
    expect((await client.all('puback')).map(({ id }) => id)).toEqual([1, 2, 3, 5, 6]);
    expect((await client.all('pubrec')).map(({ id }) => id)).toEqual([4]);
    expect(plane.writes.map(({ key }) => key)).toEqual(['before', 'after', 'largest']);
    const errors = (await client.all('publish')).map(({ payload }) => JSON.parse(payload));
    expect(errors.map(({ code, topic }) => [code, topic])).toEqual([
      ['VALUE_TOO_LARGE', 'dss/put/big'],
      ['VALUE_TOO_LARGE', 'dss/put/huge'],
      ['VALUE_TOO_LARGE', 'dss/put/huge'],
    ]);
    expect(broker.counters().refused).toEqual({ VALUE_TOO_LARGE: 3 });
  });
});

it('a put over the size limit that is repeated while it waits is reported once', async () => {
  const { plane, connect: open, broker } = await startBroker({ limits: { valueBytesMax: 100 } });
  plane.hold = true;
  const client = await open();
  const large = publish('dss/put/b', Buffer.alloc(1_000), { qos: 1, id: 2 });
  client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }), large, large);
  await settle();
  plane.commitAll();
  expect((await client.all('puback')).map(({ id }) => id)).toEqual([1, 2]);
  expect(broker.counters().refused).toEqual({ VALUE_TOO_LARGE: 1 });
});

describe('a will', () => {
  it('on a verb topic is carried out like any put when the client breaks off', async () => {
    const { plane, connect: open } = await startBroker();
    const will = { topic: 'dss/put/dev42/status', payload: 'offline', qos: 1, retain: true };
    const client = await open({ will });
    client.cut();
    await settle();
    expect(plane.value('dev42/status')).toBe('offline');
  });

  it('is not after a DISCONNECT that the session had no time to read yet', async () => {
    const streams: Duplex[] = [];
    const { connect: open } = await startBroker({
      createSessions: () => ({
        start: async () => {},
        attach: (stream) => {
          streams.push(stream);
          stream.once('readable', () => {
            stream.read();
            stream.write(Buffer.of(0x20, 2, 0, 0));
          });
        },
        publish: () => {},
        close: async () => {},
      }),
    });
    const client = await open();
    client.send(DISCONNECT);
    client.cut();
    await settle();
    expect(streams[0]?.destroyed).toBe(false);
    expect(streams[0]?.read()).toEqual(DISCONNECT);
  });

  it('is not after a DISCONNECT', async () => {
    const { plane, connect: open } = await startBroker();
    const client = await open({ will: { topic: 'dss/put/status', payload: 'offline' } });
    client.send(DISCONNECT);
    client.end();
    await client.untilClosed();
    await settle();
    expect(plane.writes).toEqual([]);
  });

  it('on a reserved topic is dropped and reported', async () => {
    const { connect: open, broker, plane } = await startBroker();
    const watcher = await open({ clientId: 'w' });
    watcher.send(subscribe(1, ['#', 0]));
    await watcher.take('suback');
    const client = await open({ will: { topic: 'dss/value/a', payload: 'forged' } });
    client.cut();
    await settle();
    expect(plane.writes).toEqual([]);
    expect(broker.counters().refused).toEqual({ RESERVED_TOPIC: 1 });
    expect(await watcher.all('publish')).toEqual([]);
  });
});

describe('a node of the cluster', () => {
  const node = { clientId: 'n2', username: 'dss-node/n2', password: 'secret' };

  it('that proves the secret reaches the cluster door, large messages included', async () => {
    const { connect: open, door } = await startBroker();
    const client = await open(node);
    const large = Buffer.alloc(7_000_000, 'r');
    client.send(publish('dss/cluster/c1/node/n1/raft', 'm1'));
    client.send(publish('dss/cluster/c1/node/n1/rpc', large), PINGREQ);
    await client.take('pingresp');
    expect(door.messages.map(({ peer, topic }) => [peer, topic])).toEqual([
      ['n2', 'c1/node/n1/raft'],
      ['n2', 'c1/node/n1/rpc'],
    ]);
    expect(door.messages[1]?.payload.equals(large)).toBe(true);
    client.send(DISCONNECT);
    await client.untilClosed();
    expect(door.gone).toEqual(['n2']);
  });

  it('without the secret is refused with return code 5', async () => {
    const { open, door } = await startBroker();
    const client = open();
    client.send(connect({ ...node, password: 'guess' }));
    client.send(publish('dss/cluster/c1/x', 'm'));
    await client.untilClosed();
    expect(client.received).toEqual([{ type: 'connack', session: false, code: 5 }]);
    expect(door.messages).toEqual([]);
  });

  it.each([
    ['an ordinary topic', publish('a', 'x')],
    ['a put', publish('dss/put/a', 'x')],
    ['QoS 1', publish('dss/cluster/a', 'x', { qos: 1 })],
    ['a SUBSCRIBE', subscribe(1, ['#', 0])],
    ['too large a message', publish('dss/cluster/a', Buffer.alloc(9_000_000))],
  ])('is closed over %s', async (_name, bytes) => {
    const { connect: open, door, plane, broker } = await startBroker();
    const client = await open(node);
    client.send(bytes);
    await client.untilClosed();
    expect([door.messages, plane.writes]).toEqual([[], []]);
    expect(broker.counters().connections).toBe(0);
  });
});
