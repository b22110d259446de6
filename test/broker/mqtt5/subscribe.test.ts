import { describe, expect, it } from 'vitest';
import { publish as publish3, subscribe as subscribe3 } from '../../support/mqtt-frames.ts';
import {
  ack5,
  byte,
  publish5,
  type Received5,
  subscribe5,
  unsubscribe5,
} from '../../support/mqtt5-frames.ts';
import { FakeUsers, passwordOf } from '../fake-users.ts';
import { type RawClient, settle, startBroker } from '../harness.ts';

const NO_LOCAL = 0b100;
const AS_PUBLISHED = 0b1000;
const IF_NEW = 0b10000;
const NEVER = 0b100000;

async function subscribed(client: RawClient<Received5>, ...rest: Parameters<typeof subscribe5>) {
  client.send(subscribe5(...rest));
  return client.take('suback');
}

const seen = (messages: readonly { topic: string; payload: string; retain: boolean }[]) =>
  messages.map(({ topic, payload, retain }) => `${topic} ${payload} ${retain ? 1 : 0}`);

describe('SUBSCRIBE of MQTT 5', () => {
  it('says of each filter what is wrong with it', async () => {
    const harness = await startBroker({
      limits: { watchesMax: 1 },
      authenticator: new FakeUsers({ ann: { read: ['a/#'] } }),
    });
    const client = await harness.connect5({ username: 'ann', password: passwordOf('ann') });
    const { codes, reason } = await subscribed(client, 1, [
      ['a/x', 1],
      ['dss/value/a', 2],
      ['dss/put/a', 0],
      ['dss/cluster/x', 0],
      ['b', 0],
      ['dss/value/a/b', 0],
      ['$share/g/a/x', 0],
      ['$share/g', 0],
      ['a/x', 2],
    ]);
    expect(codes).toEqual([1, 1, 0x87, 0x87, 0x87, 0x97, 0, 0x8f, 2]);
    expect(reason).toMatch(/^subscribe to dss\/value\/<filter>/);
  });

  it.each([
    ['reserved options', subscribe5(1, [['a', 0b1000000]]), 0x81],
    ['QoS 3', subscribe5(1, [['a', 3]]), 0x81],
    ['retain handling 3', subscribe5(1, [['a', 0b110000]]), 0x82],
    ['no local, shared', subscribe5(1, [['$share/g/a', NO_LOCAL]]), 0x82],
    ['subscription identifier 0', subscribe5(1, [['a', 0]], [byte(0x0b, 0)]), 0x82],
    ['no filter', subscribe5(1, []), 0x82],
    ['a filter that is none', subscribe5(1, [['a/#/b', 0]]), 0x8f],
    ['too many levels', subscribe5(1, [['a/'.repeat(100), 0]]), 0x8f],
    ['an UNSUBSCRIBE of nothing', unsubscribe5(1), 0x82],
    ['an UNSUBSCRIBE of what is no filter', unsubscribe5(1, 'a#'), 0x81],
  ])('ends the connection with %s', async (_what, bytes, code) => {
    const { connect5 } = await startBroker();
    const client = await connect5();
    client.send(bytes);
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'disconnect', code }]);
  });

  it('is ended by UNSUBSCRIBE, which says whether there was one', async () => {
    const { plane, connect5 } = await startBroker();
    const client = await connect5();
    await subscribed(client, 1, [
      ['plain/#', 1],
      ['dss/value/#', 1],
    ]);
    client.send(subscribe5(2, [['in/one/breath', 0]]));
    client.send(unsubscribe5(3, 'plain/#', 'dss/value/#', 'in/one/breath', 'other'));
    expect(await client.take('unsuback')).toMatchObject({ id: 3, codes: [0, 0, 0, 0x11] });
    client.send(unsubscribe5(4, 'plain/#'));
    expect(await client.take('unsuback')).toMatchObject({ id: 4, codes: [0x11] });
    plane.store('a', '1');
    expect(await client.all('publish')).toEqual([]);
  });
});

describe('values in MQTT 5', () => {
  it('bring version and time along, and the identifier of the subscription', async () => {
    const { plane, connect5, connect } = await startBroker();
    const version = plane.store('a', '1');
    const time = String(Math.floor(version / 4096) + Date.UTC(2020, 0, 1));
    const client = await connect5({ clientId: 'five' });
    await subscribed(client, 1, [['dss/value/#', 1]], [byte(0x0b, 7)]);
    const expected = [
      ['version', String(version)],
      ['time', time],
    ];
    const first = await client.take('publish');
    expect(first).toMatchObject({ payload: '1', retain: true, qos: 1 });
    expect(first.props).toMatchObject({ user: expected, ids: [7] });
    // A client of 3.1.1 with the same subscription gets the same value in its own form.
    const old = await connect({ clientId: 'three' });
    old.send(subscribe3(1, ['dss/value/#', 1]));
    expect(await old.take('publish')).toMatchObject({ payload: '1', retain: true });
    old.send(publish3('dss/put/a', '2'));
    const change = await client.take('publish');
    expect(change).toMatchObject({ payload: '2', retain: false });
    expect(change.props.user[0]?.[1]).not.toBe(String(version));
    expect(await old.take('publish')).toMatchObject({ payload: '2', retain: false });
  });

  it('on dss/watch have that in their JSON', async () => {
    const { plane, connect5 } = await startBroker();
    plane.store('a', '1');
    const client = await connect5();
    await subscribed(client, 1, [['dss/watch/a', 0]]);
    const { payload, props } = await client.take('publish');
    expect(JSON.parse(payload)).toMatchObject({ key: 'a', value: '1' });
    expect(props.user).toEqual([]);
  });

  it('come at first always, once, or never, as retain handling says', async () => {
    const { plane, connect5 } = await startBroker();
    plane.store('a', '1');
    const client = await connect5();
    const firsts = async (id: number, options: number) => {
      await subscribed(client, id, [['dss/value/#', options]]);
      return seen(await client.all('publish'));
    };
    expect(await firsts(1, NEVER)).toEqual([]);
    expect(await firsts(2, IF_NEW)).toEqual([]);
    expect(await firsts(3, 0)).toEqual(['dss/value/a 1 1']);
    client.send(unsubscribe5(4, 'dss/value/#'));
    await client.take('unsuback');
    expect(await firsts(5, IF_NEW)).toEqual(['dss/value/a 1 1']);
    expect(await firsts(6, IF_NEW)).toEqual([]);
    plane.store('a', '2');
    expect(seen(await client.all('publish'))).toEqual(['dss/value/a 2 0']);
  });

  it('miss no change while a subscription is renewed without current values', async () => {
    const { plane, connect5 } = await startBroker();
    const client = await connect5();
    await subscribed(client, 1, [['dss/value/#', 0]]);
    const watch = plane.watchOf('#');
    await subscribed(client, 2, [['dss/value/#', 1 | IF_NEW]], [byte(0x0b, 3)]);
    expect(plane.watchOf('#')).toBe(watch);
    plane.store('a', '1');
    const change = await client.take('publish');
    expect([change.qos, change.props.ids]).toEqual([1, [3]]);
  });

  it('keep the retain flag for those who want it as published', async () => {
    const { plane, connect5 } = await startBroker();
    const client = await connect5();
    await subscribed(client, 1, [['dss/value/#', AS_PUBLISHED]]);
    plane.store('a', '1');
    plane.store('a', '');
    expect(seen(await client.all('publish'))).toEqual(['dss/value/a 1 1', 'dss/value/a  1']);
  });

  it('that wait are one copy, with the identifiers of all it is for', async () => {
    const { plane, connect5 } = await startBroker();
    const client = await connect5();
    await subscribed(client, 1, [['dss/value/a', 0]], [byte(0x0b, 1)]);
    await subscribed(client, 2, [['dss/value/+', 0]], [byte(0x0b, 2)]);
    client.stopReading();
    for (let i = 0; i < 200; i += 1) plane.store('a', `${i} ${'x'.repeat(10_000)}`);
    await settle();
    client.goOnReading();
    await settle();
    const messages = await client.all('publish');
    expect(messages.length).toBeLessThan(200);
    expect(messages.at(-1)?.payload.startsWith('199 ')).toBe(true);
    expect(messages.at(-1)?.props.ids.toSorted()).toEqual([1, 2]);
  });
});

describe('acknowledgements of an MQTT 5 client', () => {
  it('may have reasons and properties; a failed PUBREC ends the exchange', async () => {
    const { connect5, connect } = await startBroker();
    const client = await connect5();
    await subscribed(client, 1, [['plain', 2]]);
    const sender = await connect({ clientId: 'sender' });
    sender.send(publish3('plain', '1', { qos: 1, id: 1 }));
    const first = await client.take('publish');
    client.send(ack5(0x40, first.id, 0x97, [Buffer.from('1f000378797a', 'hex')]));
    for (let i = 2; i < 5; i += 1) {
      sender.send(publish3('plain', String(i), { qos: 2, id: i }));
      const next = await client.take('publish');
      client.send(ack5(0x50, next.id, 0x87));
    }
    sender.send(publish3('plain', '5', { qos: 2, id: 5 }));
    const last = await client.take('publish');
    client.send(ack5(0x50, last.id, 0x10));
    const { id } = await client.take('pubrel');
    expect(id).toBe(last.id);
    client.send(ack5(0x70, id, 0));
    await settle();
    expect(client.received).toEqual([]);
    expect(client.closed).toBe(false);
  });

  it.each([
    ['a reason that is none', ack5(0x40, 1, 0x55), 0x82],
    ['a property that is none of theirs', ack5(0x40, 1, 0, [byte(0x01, 1)]), 0x81],
    ['packet id 0', ack5(0x40, 0, 0), 0x81],
    ['AUTH', Buffer.of(0xf0, 0), 0x82],
    ['wrong flags', ack5(0x42, 1, 0), 0x81],
    ['a PUBLISH with a subscription identifier', publish5('a', '', { props: [byte(11, 1)] }), 0x82],
  ])('end the connection with %s', async (_what, bytes, code) => {
    const { connect5 } = await startBroker();
    const client = await connect5();
    client.send(bytes);
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'disconnect', code }]);
  });
});
