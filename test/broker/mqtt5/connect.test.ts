import { describe, expect, it } from 'vitest';
import { packet } from '../../support/mqtt-frames.ts';
import {
  byte,
  connect5,
  long,
  publish5,
  short,
  subscribe5,
  text,
} from '../../support/mqtt5-frames.ts';
import { FakeUsers, passwordOf } from '../fake-users.ts';
import { startBroker } from '../harness.ts';

describe('CONNECT of MQTT 5', () => {
  it('is answered with what we take and offer', async () => {
    const { open5 } = await startBroker();
    const client = open5();
    client.send(connect5());
    const { code, session, props } = await client.take('connack');
    expect([code, session]).toEqual([0, false]);
    expect(props).toEqual({
      33: 20_000,
      34: 32,
      39: 2 * 1024 * 1024 + 5,
      user: [],
      ids: [],
    });
  });

  it('without a client id gets one, also for a session that goes on', async () => {
    const { open5 } = await startBroker();
    for (const clean of [true, false]) {
      const client = open5();
      client.send(connect5({ clientId: '', clean }));
      const { code, props } = await client.take('connack');
      expect(code).toBe(0);
      expect(props[0x12]).toMatch(/^[\w-]+$/);
    }
  });

  it('may bring a password without a user name', async () => {
    const { open5 } = await startBroker();
    const client = open5();
    client.send(connect5({ password: 'token' }));
    expect(await client.take('connack')).toMatchObject({ code: 0 });
  });

  it.each([
    ['an authentication method', connect5({ props: [text(0x15, 'SCRAM-SHA-1')] }), 0x8c],
    ['authentication data alone', connect5({ props: [text(0x16, 'x')] }), 0x82],
    ['a property twice', connect5({ props: [short(0x21, 1), short(0x21, 1)] }), 0x82],
    ['a property of another packet', connect5({ props: [byte(0x01, 1)] }), 0x81],
    ['Receive Maximum 0', connect5({ props: [short(0x21, 0)] }), 0x82],
    ['a wildcard in the will topic', connect5({ will: { topic: 'a/#', payload: '' } }), 0x90],
    [
      'a will that is not the text it is said to be',
      connect5({ will: { topic: 'a', payload: Buffer.of(0xff), props: [byte(0x01, 1)] } }),
      0x99,
    ],
    ['the user name of a node', connect5({ username: 'dss-node/n2', password: 'secret' }), 0x84],
    ['reserved flags', packet(0x10, Buffer.from('00044d5154540503000000000161', 'hex')), 0x81],
  ])('with %s is refused', async (_what, bytes, code) => {
    const { open5 } = await startBroker();
    const client = open5();
    client.send(bytes);
    await client.untilClosed();
    expect(client.received).toMatchObject([{ type: 'connack', session: false, code }]);
    expect(client.received[0]).toHaveProperty(['props', 0x1f]);
  });

  it('of users is refused with the codes for that', async () => {
    const { open5 } = await startBroker({
      authenticator: new FakeUsers({ ann: { write: ['open/#'] } }),
    });
    const answers = [];
    for (const options of [
      {},
      { username: 'ann', password: 'wrong' },
      {
        username: 'ann',
        password: passwordOf('ann'),
        will: { topic: 'dss/put/secret', payload: 'x' },
      },
    ]) {
      const client = open5();
      client.send(connect5(options));
      await client.untilClosed();
      answers.push(client.received.map((received) => 'code' in received && received.code));
    }
    expect(answers).toEqual([[0x87], [0x86], [0x87]]);
  });

  it('says that the session is there still', async () => {
    const { connect5: open, open5, time } = await startBroker();
    const options = { clientId: 'c', clean: false, props: [long(0x11, 60)] };
    const client = await open(options);
    client.send(subscribe5(1, [['plain/#', 1]]));
    await client.take('suback');
    const again = async (clean: boolean) => {
      const next = open5();
      next.send(connect5({ ...options, clean }));
      const { session } = await next.take('connack');
      next.send(subscribe5(1, [['plain/#', 1]]));
      await next.take('suback');
      next.end();
      await next.untilClosed();
      return session;
    };
    client.end();
    await client.untilClosed();
    expect(await again(false)).toBe(true);
    time.advance(59_000);
    expect(await again(false)).toBe(true);
    // Clean Start ends it, and begins another one that goes on.
    expect(await again(true)).toBe(false);
    expect(await again(false)).toBe(true);
    time.advance(60_000);
    expect(await again(false)).toBe(false);
  });

  it('bounds what is sent to its client at a time, and how large it is', async () => {
    const { plane, broker, connect5: open } = await startBroker();
    const client = await open({ props: [short(0x21, 2), long(0x27, 100)] });
    client.send(
      subscribe5(1, [
        ['dss/value/#', 1],
        ['plain', 1],
      ]),
    );
    await client.take('suback');
    plane.store('large', 'x'.repeat(100));
    for (const key of ['a', 'b', 'c']) plane.store(key, '1');
    client.send(publish5('plain', '2', { qos: 1, id: 9 }));
    const first = await client.all('publish');
    expect(first.map(({ topic }) => topic)).toEqual(['dss/value/a', 'dss/value/b']);
    for (const { id } of first) client.send(Buffer.of(0x40, 2, id >> 8, id & 0xff));
    const next = await client.all('publish');
    expect(next.map(({ topic }) => topic).sort()).toEqual(['dss/value/c', 'plain']);
    expect(broker.counters().deliveriesTooLarge).toBe(1);
  });

  it('never gets what is larger than it takes, not even later', async () => {
    const { connect5: open, open5 } = await startBroker();
    const options = { clientId: 'small', clean: false, props: [long(0x11, 60), long(0x27, 100)] };
    const client = await open(options);
    client.send(subscribe5(1, [['plain', 2]]));
    await client.take('suback');
    const sender = await open({ clientId: 'sender' });
    for (const qos of [1, 2]) {
      sender.send(publish5('plain', 'x'.repeat(100), { qos, id: qos }));
      sender.send(publish5('plain', 'small', { qos: 0 }));
      expect(await client.take('publish')).toMatchObject({ payload: 'small' });
    }
    client.end();
    await client.untilClosed();
    const next = open5();
    next.send(connect5({ ...options, props: [long(0x11, 60)] }));
    expect(await next.take('connack')).toMatchObject({ session: true });
    expect(await next.all('publish')).toEqual([]);
  });
});
