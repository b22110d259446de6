import { describe, expect, it } from 'vitest';
import {
  byte,
  connect5 as connectPacket,
  disconnect5,
  long,
  publish5,
  subscribe5,
  text,
  user,
} from '../../support/mqtt5-frames.ts';
import { type Harness, settle, startBroker } from '../harness.ts';

describe('a client of MQTT 5 that leaves', () => {
  const will = {
    topic: 'plain/will',
    payload: 'gone',
    qos: 1,
    props: [byte(0x01, 1), text(0x03, 'text/plain'), user('who', 'me')],
  };

  async function observed(): Promise<Harness & { leave: (bytes?: Buffer) => Promise<unknown[]> }> {
    const harness = await startBroker();
    const observer = await harness.connect5({ clientId: 'observer' });
    observer.send(subscribe5(1, [['plain/#', 1]]));
    await observer.take('suback');
    const leave = async (bytes?: Buffer) => {
      const client = await harness.connect5({ clientId: 'leaving', will });
      if (bytes === undefined) client.cut();
      else client.send(bytes);
      await client.untilClosed();
      expect(client.received).toEqual([]);
      return observer.all('publish');
    };
    return { ...harness, leave };
  }

  it.each([
    ['without a word', undefined],
    ['with its will', disconnect5(0x04)],
    ['because of us', disconnect5(0x82, [text(0x1f, 'you are wrong')])],
  ])('%s: its will is published, with its properties', async (_how, bytes) => {
    const { leave } = await observed();
    expect(await leave(bytes)).toMatchObject([
      { payload: 'gone', qos: 1, props: { 1: 1, 3: 'text/plain', user: [['who', 'me']] } },
    ]);
  });

  it.each([
    ['shortly', Buffer.of(0xe0, 0)],
    ['with a code', disconnect5(0)],
  ])('%s: its will is forgotten', async (_how, bytes) => {
    const { leave } = await observed();
    expect(await leave(bytes)).toEqual([]);
  });

  it('carries its will out as the put it is', async () => {
    const { plane, connect5 } = await startBroker();
    const props = [user('ttl', '9')];
    const client = await connect5({ will: { topic: 'dss/put/a', payload: 'gone', props } });
    client.cut();
    await settle();
    expect(plane.writes).toMatchObject([{ key: 'a', ttlMs: 9_000 }]);
  });

  it('may change how long its session goes on', async () => {
    const { connect5, open5, time } = await startBroker();
    const options = { clientId: 'c', clean: false, props: [long(0x11, 60)] };
    const client = await connect5(options);
    client.send(subscribe5(1, [['plain/#', 1]]));
    await client.take('suback');
    client.send(disconnect5(0, [long(0x11, 5)]));
    await client.untilClosed();
    time.advance(5_000);
    const next = open5();
    next.send(connectPacket(options));
    expect(await next.take('connack')).toMatchObject({ session: false });
  });

  it.each([
    ['a session that was to end', disconnect5(0, [long(0x11, 5)]), 0x82],
    ['a code that is none', disconnect5(0x8e), 0x82],
    ['a property that is none of its', disconnect5(0, [byte(0x01, 1)]), 0x81],
    ['more than there is', Buffer.of(0xe0, 3, 0, 0, 0), 0x81],
  ])('is told that it does so wrongly: %s', async (_what, bytes, code) => {
    const { connect5 } = await startBroker();
    const client = await connect5();
    client.send(bytes);
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'disconnect', code }]);
  });
});

describe('a connection of MQTT 5 that we end', () => {
  it('says that the client has connected once more', async () => {
    const { connect5 } = await startBroker();
    const first = await connect5({ clientId: 'same' });
    await connect5({ clientId: 'same' });
    await first.untilClosed();
    expect(first.received).toMatchObject([{ type: 'disconnect', code: 0x8e }]);
  });

  it('says that the client was silent', async () => {
    const { connect5, time } = await startBroker();
    const client = await connect5({ keepalive: 10 });
    time.advance(15_100);
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'disconnect', code: 0x8d }]);
  });

  it('says that the node stops, when everything has its outcome', async () => {
    const { broker, plane, connect5 } = await startBroker();
    const client = await connect5();
    plane.hold = true;
    client.send(publish5('dss/put/a', '1', { qos: 1, id: 1 }));
    await settle();
    const closed = broker.close();
    plane.commit();
    await client.untilClosed();
    await closed;
    expect(client.received).toMatchObject([
      { type: 'puback', code: 0 },
      { type: 'disconnect', code: 0x8b },
    ]);
  });

  it('says that the packets are no MQTT', async () => {
    const { connect5 } = await startBroker();
    const client = await connect5();
    client.send(Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 1));
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'disconnect', code: 0x81 }]);
    expect(client.received[0]).toHaveProperty(['props', 0x1f], 'malformed packet');
  });
});
