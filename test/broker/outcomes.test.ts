import { describe, expect, it } from 'vitest';
import type { WriteFailure } from '../../broker/data-plane.ts';
import { connect, type PublishOptions, publish, subscribe } from '../support/mqtt-frames.ts';
import { type Harness, type HarnessOptions, RawClient, settle, startBroker } from './harness.ts';

async function reporting(
  options: HarnessOptions = {},
  clientId = 'device',
): Promise<Harness & { client: RawClient }> {
  const harness = await startBroker(options);
  const client = await harness.connect({ clientId });
  client.send(subscribe(1, ['dss/error/me', 0], ['dss/reply/me', 0]));
  await client.take('suback');
  return { ...harness, client };
}

const codes = (client: RawClient) =>
  client.received.flatMap((received) =>
    received.type === 'publish' ? [JSON.parse(received.payload).code] : [],
  );
const acknowledged = (client: RawClient) =>
  client.received.some(({ type }) => type === 'puback' || type === 'pubrec');

/** The rows of DESIGN §7 for MQTT 3.1.1: what a PUBLISH at QoS 1 comes to. */
describe('the outcome of a PUBLISH', () => {
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
  const cas = '{"if":1,"value":"v"}';
  const rows: [string, string, string, (plane: Plane) => void, boolean, boolean, string?][] = [
    // outcome, topic, payload, acknowledged, closed, reported
    ['stored', 'dss/put/a', 'v', () => {}, true, false],
    ['cas lost', 'dss/cas/a', cas, () => {}, true, false],
    ['not found', 'dss/get/a', '', () => {}, true, false],
    ['end of list', 'dss/list', '', () => {}, true, false],
    ['wildcard', 'dss/put/+', 'v', () => {}, false, true],
    ['unknown verb', 'dss/puts/a', 'v', () => {}, true, false, 'UNKNOWN_VERB'],
    ['reserved topic', 'dss/value/a', 'v', () => {}, true, false, 'RESERVED_TOPIC'],
    ['malformed JSON', 'dss/batch', '[', () => {}, true, false, 'MALFORMED_JSON'],
    ['too large', 'dss/put/a', 'v'.repeat(2_000), () => {}, true, false, 'VALUE_TOO_LARGE'],
    ['storage full', 'dss/put/a', 'v', full, false, true, 'STORAGE_FULL'],
    ['storage full', 'dss/cas/a', '{"if":null,"value":1}', full, false, true, 'STORAGE_FULL'],
    ['storage full', 'dss/batch', '[{"key":"a","value":1}]', full, false, true, 'STORAGE_FULL'],
    ['storage full, delete', 'dss/delete/a', '', full, true, false],
    ['no quorum', 'dss/put/a', 'v', failing('no-quorum'), false, true],
    ['stopping', 'dss/put/a', 'v', failing('stopping'), false, true],
  ];

  it.each(rows)('%s: %s', async (_outcome, topic, payload, arrange, acks, closes, code) => {
    const { client, plane, broker, time } = await reporting({ limits: { valueBytesMax: 1_000 } });
    arrange(plane);
    client.send(publish(topic, payload, { qos: 1, id: 5 }));
    await settle();
    time.advance(5_000);
    await settle();
    expect([acknowledged(client), client.closed]).toEqual([acks, closes]);
    expect(codes(client).filter((found) => found !== undefined)).toEqual(code ? [code] : []);
    expect(broker.counters().refused).toEqual(code ? { [code]: 1 } : {});
  });
});

describe('a PUBLISH that is refused by state', () => {
  const put = (client: RawClient, options: PublishOptions) =>
    client.send(publish('dss/put/a', 'v', options));

  it('is reported everywhere before the connection ends, and nothing before it is lost', async () => {
    const { client, plane, connect: open, events, time } = await reporting();
    const operator = await open({ clientId: 'operator' });
    operator.send(subscribe(1, ['dss/sys/#', 0]));
    await operator.take('suback');
    plane.hold = true;
    put(client, { qos: 1, id: 1 });
    put(client, { qos: 2, id: 2 });
    await settle();
    plane.fail('storage-full', plane.held[1]);
    await settle();
    expect([client.closed, client.held]).toEqual([false, true]);
    plane.commit();
    await client.untilClosed();
    const [report, ack] = client.received;
    expect(report).toMatchObject({ type: 'publish', topic: 'dss/error/me' });
    expect(JSON.parse(report?.type === 'publish' ? report.payload : '')).toEqual({
      code: 'STORAGE_FULL',
      message: 'the storage of the cluster is full; deletes are still taken',
    });
    expect([ack, client.received.length]).toEqual([{ type: 'puback', id: 1 }, 2]);
    time.advance(1_000);
    const listed = JSON.parse((await operator.take('publish')).payload);
    expect(listed).toMatchObject([{ code: 'STORAGE_FULL', client: 'device' }]);
    expect(events.map(({ name }) => name)).toContain('publish-refused');
  });

  it('at QoS 0 is dropped, counted and reported; the connection stays', async () => {
    const { client, plane, broker } = await reporting();
    plane.full = true;
    put(client, { qos: 0 });
    client.send(publish('dss/cas/a', '{"if":null,"value":1}'));
    await settle();
    const messages = (await client.all('publish')).map(({ topic, payload }) => {
      const { code, error } = JSON.parse(payload);
      return [topic, code ?? error];
    });
    expect(messages.sort()).toEqual([
      ['dss/error/me', 'STORAGE_FULL'],
      ['dss/error/me', 'STORAGE_FULL'],
      ['dss/reply/me', 'STORAGE_FULL'],
    ]);
    expect(client.closed).toBe(false);
    expect(broker.counters()).toMatchObject({ putsFailed: 2, refused: { STORAGE_FULL: 2 } });
  });

  it('is reported to a client that subscribes and publishes in one breath', async () => {
    const { plane, open } = await startBroker();
    plane.full = true;
    const client = open();
    const packets = [connect(), subscribe(1, ['dss/error/me', 0])];
    client.send(Buffer.concat([...packets, publish('dss/put/a', 'v', { qos: 1, id: 2 })]));
    await client.untilClosed();
    expect(codes(client)).toEqual(['STORAGE_FULL']);
    expect(acknowledged(client)).toBe(false);
  });

  it('bars a client that comes back with it, for half a minute', async () => {
    const harness = await startBroker();
    const { plane, open, broker, time, connect: accepted } = harness;
    plane.full = true;
    for (let i = 0; i < 3; i += 1) {
      const client = await accepted({ clientId: 'stubborn' });
      // One connection counts once, however much it has sent.
      put(client, { qos: 1, id: 1 });
      put(client, { qos: 1, id: 2 });
      await client.untilClosed();
    }
    const barred = open();
    barred.send(connect({ clientId: 'stubborn' }));
    await barred.untilClosed();
    expect(barred.received).toEqual([{ type: 'connack', session: false, code: 3 }]);
    expect(broker.counters().refused).toMatchObject({ TOO_MANY_REFUSALS: 1 });
    await accepted({ clientId: 'other' });
    time.advance(29_999);
    const early = open();
    early.send(connect({ clientId: 'stubborn' }));
    await early.untilClosed();
    time.advance(1);
    await accepted({ clientId: 'stubborn' });
  });

  it('bars by address a client without an id, whatever its port', async () => {
    const { plane, broker } = await startBroker();
    plane.full = true;
    const from = async (address: string) => {
      const client = new RawClient((stream) => broker.handle(stream, address));
      client.send(connect({ clientId: '' }));
      return client;
    };
    for (const port of [1, 2, 3]) {
      const client = await from(`[::1]:${port}`);
      await client.take('connack');
      put(client, { qos: 1, id: 1 });
      await client.untilClosed();
    }
    expect((await (await from('[::1]:4')).take('connack')).code).toBe(3);
    expect((await (await from('[::2]:4')).take('connack')).code).toBe(0);
  });
});

describe('a SUBSCRIBE that is refused', () => {
  it('is answered with 0x80 and reported, each filter with its reason', async () => {
    const { client, broker, events, time } = await reporting();
    const filters = ['dss/put/#', 'dss/replay/-1h/#', 'dss/query/a', '$share/+/x', 'dss/cluster/#'];
    client.send(subscribe(2, ...filters.map((filter) => [filter, 1] as const), ['fine', 1]));
    expect((await client.take('suback')).codes).toEqual([0x80, 0x80, 0x80, 0x80, 0x80, 1]);
    const reports = (await client.all('publish')).map(({ payload }) => JSON.parse(payload));
    expect(reports.map(({ code, topic }) => [code, topic])).toEqual([
      ['INVALID_FILTER', 'dss/put/#'],
      ['NOT_SUPPORTED', 'dss/replay/-1h/#'],
      ['NOT_SUPPORTED', 'dss/query/a'],
      ['INVALID_FILTER', '$share/+/x'],
      ['RESERVED_TOPIC', 'dss/cluster/#'],
    ]);
    expect(reports[0].message).toContain('subscribe to dss/value/<filter>');
    expect(broker.counters().refused).toMatchObject({ NOT_SUPPORTED: 2 });
    expect(events.map(({ name }) => name)).toContain('subscribe-refused');
    time.advance(5_000);
    await settle();
    expect(client.closed).toBe(false);
  });

  it('hears of it although it asks for its errors in the same packet', async () => {
    const { connect: open } = await startBroker();
    const client = await open();
    client.send(subscribe(1, ['dss/put/#', 0], ['dss/error/me', 0]));
    expect(JSON.parse((await client.take('publish')).payload).code).toBe('INVALID_FILTER');
  });

  it('is not reported without end', async () => {
    const { client, broker } = await reporting();
    const filters = Array.from({ length: 1_000 }, (_, i) => [`dss/x${i}`, 0] as const);
    client.send(subscribe(2, ...filters));
    expect((await client.take('suback')).codes).toHaveLength(1_000);
    expect(broker.counters().refused).toEqual({ INVALID_FILTER: 10 });
  });
});
