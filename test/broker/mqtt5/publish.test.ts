import { describe, expect, it } from 'vitest';
import type { WriteFailure } from '../../../broker/data-plane.ts';
import { publish as publish3, subscribe as subscribe3 } from '../../support/mqtt-frames.ts';
import {
  ack5,
  byte,
  connect5,
  long,
  type Props,
  publish5,
  type Received5,
  short,
  subscribe5,
  text,
  user,
} from '../../support/mqtt5-frames.ts';
import { FakeUsers, passwordOf } from '../fake-users.ts';
import {
  type Harness,
  type HarnessOptions,
  type RawClient,
  settle,
  startBroker,
} from '../harness.ts';

type Client = RawClient<Received5>;

async function connected(options: HarnessOptions = {}): Promise<Harness & { client: Client }> {
  const harness = await startBroker(options);
  const client = await harness.connect5();
  client.send(
    subscribe5(1, [
      ['dss/reply/me', 0],
      ['dss/error/me', 0],
    ]),
  );
  await client.take('suback');
  return { ...harness, client };
}

const bodies = (client: Client) =>
  client.received.flatMap((received) =>
    received.type === 'publish' ? [{ ...JSON.parse(received.payload), on: received.topic }] : [],
  );

/** The rows of DESIGN §7 for MQTT 5. */
describe('the outcome of a PUBLISH in MQTT 5', () => {
  type Plane = Harness['plane'];
  const full = (plane: Plane) => {
    plane.full = true;
  };
  const failing = (failure: WriteFailure) => (plane: Plane) => {
    plane.write = (sink, token) => {
      setImmediate(() => sink.writeFailed(token, failure));
      return true;
    };
  };
  const none = () => {};
  const cas = '{"if":1,"value":"v"}';
  // topic, payload, reason code of the PUBACK, of the DISCONNECT
  type Row = [
    ...[string, string, string, (plane: Plane) => void],
    ...[(number | undefined)?, (number | undefined)?, Props?],
  ];
  const rows: Row[] = [
    ['stored', 'dss/put/a', 'v', none, 0],
    ['cas lost', 'dss/cas/a', cas, none, 0],
    ['not found', 'dss/get/a', '', none, 0],
    ['wildcard', 'dss/put/+', 'v', none, undefined, 0x90],
    ['unknown verb', 'dss/puts/a', 'v', none, 0x90],
    ['reserved topic', 'dss/value/a', 'v', none, 0x90],
    ['malformed JSON', 'dss/batch', '[', none, 0x99],
    ['too large', 'dss/put/a', 'v'.repeat(2_000), none, 0x97],
    ['larger than is read', 'dss/put/a', 'v'.repeat(8_000), none, undefined, 0x95],
    ['not the text it is said to be', 'dss/put/a', '\ud800', none, 0x99, undefined, [byte(1, 1)]],
    ['storage full', 'dss/put/a', 'v', full, 0x97],
    ['storage full', 'dss/cas/a', '{"if":null,"value":1}', full, 0x97],
    ['storage full', 'dss/batch', '[{"key":"a","value":1}]', full, 0x97],
    ['no quorum', 'dss/put/a', 'v', failing('no-quorum'), undefined, 0x89],
    ['stopping', 'dss/put/a', 'v', failing('stopping'), undefined, 0x8b],
    ['a system topic', '$SYS/x', 'v', none, 0x90],
    ['a bridge notice', '$SYS/broker/connection/x/state', '1', none, 0],
    ['too many levels', 'a/'.repeat(120), 'v', none, 0x90],
    ['a bad time', 'dss/put/a', 'v', none, 0x99, undefined, [user('time', 'noon')]],
    ['a response topic of ours', 'dss/get/a', '', none, 0x99, undefined, [text(8, 'dss/put/b')]],
  ];

  it.each(rows)('%s: %s', async (_outcome, topic, payload, arrange, acked, left, props) => {
    const limits = { valueBytesMax: 1_000, packetBytesMax: 5_000 };
    for (const onInvalid of ['ack', 'close'] as const) {
      const { client, plane, time } = await connected({ limits, onInvalid });
      arrange(plane);
      const bytes = payload === '\ud800' ? Buffer.of(0xff) : payload;
      client.send(publish5(topic, bytes, { qos: 1, id: 5, ...(props ? { props } : {}) }));
      await settle();
      time.advance(5_000);
      await settle();
      const acks = client.received.filter(({ type }) => type === 'puback');
      const ends = client.received.filter(({ type }) => type === 'disconnect');
      expect(acks).toMatchObject(acked === undefined ? [] : [{ id: 5, code: acked }]);
      expect(ends).toMatchObject(left === undefined ? [] : [{ code: left }]);
      expect(client.closed).toBe(left !== undefined);
      if (acked !== undefined && acked >= 0x80) expect(acks[0]).toHaveProperty('reason');
    }
  });

  it('at QoS 2 is a PUBREC that ends the exchange', async () => {
    const { client, plane } = await connected();
    plane.full = true;
    client.send(publish5('dss/put/a', 'v', { qos: 2, id: 5 }));
    expect(await client.take('pubrec')).toMatchObject({ id: 5, code: 0x97 });
    plane.full = false;
    client.send(publish5('dss/put/a', 'w', { qos: 2, id: 5 }));
    expect(await client.take('pubrec')).toMatchObject({ id: 5, code: 0 });
    client.send(ack5(0x62, 5, 0));
    expect(await client.take('pubcomp')).toMatchObject({ id: 5, code: 0 });
    expect(plane.value('a')).toBe('w');
  });

  it('comes in the order of the PUBLISHes', async () => {
    const { client, plane } = await connected();
    plane.hold = true;
    client.send(publish5('dss/put/a', 'v', { qos: 1, id: 1 }));
    client.send(publish5('dss/puts/a', 'v', { qos: 1, id: 2 }));
    await settle();
    expect(client.received.filter(({ type }) => type === 'puback')).toEqual([]);
    plane.commit();
    expect(await client.all('puback')).toMatchObject([
      { id: 1, code: 0 },
      { id: 2, code: 0x90 },
    ]);
  });

  it('of what a user may not do is 0x87; a question is answered all the same', async () => {
    const harness = await startBroker({
      authenticator: new FakeUsers({ ann: { read: ['a/#'], write: ['a/#'] } }),
    });
    const client = await harness.connect5({ username: 'ann', password: passwordOf('ann') });
    client.send(subscribe5(1, [['dss/reply/me', 0]]));
    await client.take('suback');
    const packets: [string, string?, Props?][] = [
      ['dss/put/b', 'v'],
      ['plain', 'v'],
      ['dss/get/b', '{"id":1}'],
      ['dss/cas/b', '{"if":null,"value":1}'],
      ['dss/get/a/x', '', [text(8, 'b/answers')]],
      ['dss/put/a/x', 'v', [text(8, 'b/answers')]],
      ['dss/put/a/x', 'v'],
    ];
    for (const [i, [topic, payload, props]] of packets.entries()) {
      const extra = props === undefined ? {} : { props };
      client.send(publish5(topic, payload, { qos: 1, id: i + 1, ...extra }));
    }
    const acks = await client.all('puback');
    expect(acks.map(({ code }) => code)).toEqual([0x87, 0x87, 0x87, 0x87, 0x87, 0x87, 0]);
    expect(bodies(client)).toMatchObject([{ id: 1, ok: false, error: 'NOT_ALLOWED' }]);
    expect(client.closed).toBe(false);
  });
});

describe('the properties of a put', () => {
  it.each(['put', 'batch', 'cas'])('say when it was and how long it holds: %s', async (verb) => {
    const { client, plane } = await connected();
    const props = [user('time', '2023-11-14T00:00:00Z'), user('ttl', '30'), user('trace', 'x')];
    const payload = {
      put: 'v',
      batch: '[{"key":"k","value":1},{"key":"l","value":1,"ttl":5,"time":1600000000000}]',
      cas: '{"if":null,"value":1,"id":7}',
    }[verb];
    const topic = verb === 'batch' ? 'dss/batch' : `dss/${verb}/k`;
    client.send(publish5(topic, payload, { qos: 1, props }));
    expect(await client.take('puback')).toMatchObject({ code: 0 });
    if (verb === 'cas') {
      const { expiresAt, version } = bodies(client)[0];
      expect(expiresAt - Math.floor(version / 4096) - Date.UTC(2020, 0, 1)).toBe(30_000);
      return;
    }
    const time = (Date.UTC(2023, 10, 14) - Date.UTC(2020, 0, 1)) * 4096;
    expect(plane.writes[0]).toMatchObject({ key: 'k', ttlMs: 30_000, time });
    if (verb === 'batch') expect(plane.writes[1]).toMatchObject({ key: 'l', ttlMs: 5_000 });
  });

  it('take numbers as they are', async () => {
    const { client, plane } = await connected();
    const props = [user('time', '1600000000000'), user('ttl', '0.5')];
    client.send(publish5('dss/put/k', 'v', { qos: 1, props }));
    await client.take('puback');
    const time = (1_600_000_000_000 - Date.UTC(2020, 0, 1)) * 4096;
    expect(plane.writes).toMatchObject([{ ttlMs: 500, time }]);
  });

  it('ask for an answer with its version', async () => {
    const { client, plane } = await connected();
    const props = [text(0x08, 'dss/reply/me'), text(0x09, Buffer.of(0, 255))];
    client.send(publish5('dss/put/k', 'v', { qos: 1, props }));
    const { topic, payload, props: answered } = await client.take('publish');
    const { version } = JSON.parse(payload);
    expect([topic, JSON.parse(payload)]).toEqual([
      'dss/reply/me',
      { op: 'put', key: 'k', ok: true, version },
    ]);
    expect(answered[0x09]).toEqual(Buffer.of(0, 255));
    expect(await plane.get(Buffer.from('k'))).toMatchObject({ version });
    plane.full = true;
    client.send(publish5('dss/put/k', 'v', { qos: 1, props }));
    expect(await client.take('puback')).toMatchObject({ code: 0 });
    expect(await client.take('puback')).toMatchObject({ code: 0x97 });
    expect(JSON.parse((await client.take('publish')).payload)).toMatchObject({
      ok: false,
      error: 'STORAGE_FULL',
    });
  });

  it('win over the reply that its JSON names', async () => {
    const { client, connect, plane } = await connected();
    plane.store('k', 'v');
    const old = await connect({ clientId: 'old' });
    old.send(subscribe3(1, ['answers/#', 0]));
    await old.take('suback');
    client.send(subscribe5(2, [['answers/#', 1]]));
    await client.take('suback');
    const props = [text(0x08, 'answers/5'), text(0x09, 'seven')];
    client.send(publish5('dss/get/k', '{"id":7,"reply":"answers/json"}', { qos: 1, props }));
    const answer = await client.take('publish');
    expect(answer).toMatchObject({ topic: 'answers/5', props: { 9: Buffer.from('seven') } });
    expect(JSON.parse(answer.payload)).toMatchObject({ id: 7, value: 'v' });
    expect((await old.take('publish')).payload).toBe(answer.payload);
  });
});

describe('topic aliases', () => {
  it('stand for the topic of this connection', async () => {
    const { client, plane } = await connected();
    client.send(publish5('dss/put/a', '1', { props: [short(0x23, 1)] }));
    client.send(publish5('', '2', { qos: 1, id: 1, props: [short(0x23, 1)] }));
    client.send(publish5('plain/x', '3', { props: [short(0x23, 32)] }));
    await client.take('puback');
    expect(plane.writes.map(({ key, value }) => [key, value.toString()])).toEqual([
      ['a', '1'],
      ['a', '2'],
    ]);
    client.send(publish5('dss/put/b', '4', { props: [short(0x23, 1)] }));
    client.send(publish5('', '5', { props: [short(0x23, 1)] }));
    await settle();
    expect(plane.value('b')).toBe('5');
  });

  it.each([
    ['0', publish5('a', '', { props: [short(0x23, 0)] }), 0x94],
    ['over the maximum', publish5('a', '', { props: [short(0x23, 33)] }), 0x94],
    ['that nothing has', publish5('', '', { props: [short(0x23, 3)] }), 0x82],
    ['missing', publish5('', ''), 0x82],
  ])('end the connection: %s', async (_what, bytes, code) => {
    const { client } = await connected();
    client.send(bytes);
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'disconnect', code }]);
  });
});

describe('an ordinary message', () => {
  const props = [
    byte(0x01, 1),
    text(0x03, 'text/plain'),
    text(0x08, 'back'),
    text(0x09, 'c'),
    user('b', '1'),
    user('a', '2'),
  ];

  it.each([0, 1, 2])('keeps its properties, at QoS %i', async (qos) => {
    const { client, connect } = await connected();
    const old = await connect({ clientId: 'old' });
    old.send(subscribe3(1, ['plain/#', 2]));
    client.send(subscribe5(2, [['plain/#', 2]]));
    await old.take('suback');
    await client.take('suback');
    client.send(publish5('plain/a', 'text', { qos, id: 3, props }));
    const got = await client.take('publish');
    expect(got).toMatchObject({ topic: 'plain/a', payload: 'text', qos });
    expect(got.props).toMatchObject({
      1: 1,
      3: 'text/plain',
      8: 'back',
      9: Buffer.from('c'),
      user: [
        ['b', '1'],
        ['a', '2'],
      ],
    });
    expect(await old.take('publish')).toMatchObject({ payload: 'text', qos });
    old.send(publish3('plain/b', 'old'));
    expect(await client.take('publish')).toMatchObject({ payload: 'old', props: { user: [] } });
  });

  it('keeps them while it is retained, and until it expires', async () => {
    const { client, time } = await connected();
    client.send(publish5('plain/r', 'kept', { retain: true, props: [...props, long(2, 10)] }));
    await settle();
    time.advance(4_000);
    client.send(subscribe5(2, [['plain/r', 0]]));
    expect(await client.take('publish')).toMatchObject({
      payload: 'kept',
      retain: true,
      props: { 2: 6, 3: 'text/plain' },
    });
    time.advance(6_000);
    client.send(subscribe5(3, [['plain/r', 0]]));
    await client.take('suback');
    expect(await client.all('publish')).toEqual([]);
  });

  it('with a response topic that is none ends the connection', async () => {
    const { client } = await connected();
    client.send(publish5('plain/a', '', { props: [text(8, 'a/#')] }));
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'disconnect', code: 0x82 }]);
  });
});

describe('Receive Maximum', () => {
  it('may be used up, and not more', async () => {
    const { client, plane } = await connected({ limits: { inflightPutsMax: 3 } });
    plane.hold = true;
    for (const id of [1, 2]) client.send(publish5('dss/put/a', '1', { qos: 1, id }));
    client.send(publish5('plain', '1', { qos: 2, id: 3 }));
    await settle();
    plane.commitAll();
    await client.take('puback');
    await client.take('puback');
    await client.take('pubrec');
    // The one at QoS 2 counts until its PUBCOMP.
    for (const id of [4, 5]) client.send(publish5('dss/put/a', '1', { qos: 1, id }));
    client.send(publish5('dss/put/a', '1', { qos: 1, id: 5, dup: true }));
    await settle();
    expect(client.closed).toBe(false);
    client.send(publish5('plain', '1', { qos: 1, id: 6 }));
    await client.untilClosed();
    expect(await client.take('disconnect')).toMatchObject({ code: 0x93 });
  });
});

describe('reasons', () => {
  it('are left out for those who do not want them, or have no room', async () => {
    const { open5 } = await startBroker();
    for (const props of [[byte(0x17, 0)], [long(0x27, 60)]]) {
      const client = open5();
      client.send(connect5({ props }));
      await client.take('connack');
      client.send(publish5('dss/puts/a', '', { qos: 1, id: 1 }));
      expect(await client.take('puback')).toEqual({ type: 'puback', id: 1, code: 0x90 });
      client.end();
      await client.untilClosed();
    }
  });
});
