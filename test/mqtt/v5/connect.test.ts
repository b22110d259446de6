import { expect } from 'vitest';
import { FakeUsers } from '../../broker/fake-users.ts';
import { field, uint16 } from '../fields.ts';
import { type ConnectOptions, connect, PINGREQ, packet, publish, subscribe5 } from '../packets.ts';
import { type Server, startServer, v5 } from '../suite.ts';
import { expectEnd, MALFORMED, PROTOCOL_ERROR } from './ending.ts';

const keeps = v5('v5/connect');

async function refuses(server: Server, bytes: Uint8Array, ...codes: readonly number[]) {
  await expectEnd((await server.open()).send(bytes), ...codes);
}

async function malformed(server: Server, options: ConnectOptions): Promise<void> {
  await refuses(server, connect({ version: 5, id: 'a', ...options }), MALFORMED, PROTOCOL_ERROR);
}

/** A CONNECT whose payload is made of these fields. */
function handmade(flags: number, ...fields: readonly (string | Uint8Array)[]): Buffer {
  const payload = fields.map((one) => (typeof one === 'string' ? field(one) : one));
  return packet(0x10, field('MQTT'), Buffer.of(5, flags), uint16(0), Buffer.of(0), ...payload);
}
const NO_PROPERTIES = Buffer.of(0);

keeps('[MQTT-3.1.0-1]', async (server) => {
  const first = [PINGREQ, publish('a', 'x', { version: 5 }), subscribe5(1, {}, ['a', 0])];
  for (const bytes of first) expect(await (await server.open()).send(bytes).closed()).toEqual([]);
});

keeps('[MQTT-3.1.0-2]', async (server) => {
  const client = await server.connect();
  await expectEnd(client.send(connect({ version: 5, id: 'b' })), PROTOCOL_ERROR);
});

keeps('[MQTT-3.1.2-1]', async (server) => {
  for (const name of ['MQTTX', 'mqtt', '', 'HTTP']) {
    await refuses(server, connect({ version: 5, name, id: 'a' }), 0x84, MALFORMED, PROTOCOL_ERROR);
  }
});

/** As CONNACK of which version is not said: either framing will do. */
keeps('[MQTT-3.1.2-2]', async (server) => {
  for (const level of [2, 6, 100]) {
    const client = await server.open(4);
    const answers = await client.send(connect({ version: 5, level, id: 'a' })).closed();
    for (const { type, bytes } of answers) {
      expect(type).toBe('connack');
      expect(['20020001', '2003008400']).toContain(bytes.subarray(0, 5).toString('hex'));
    }
  }
});

keeps('[MQTT-3.1.2-9]', async (server) => {
  for (const fields of [[], [NO_PROPERTIES], [NO_PROPERTIES, 'topic'], ['topic', 'payload']]) {
    await refuses(server, handmade(6, 'a', ...fields), MALFORMED, PROTOCOL_ERROR);
  }
});

keeps('[MQTT-3.1.2-11]', async (server) => {
  for (const qos of [1, 2, 3]) await malformed(server, { flags: (flags) => flags | (qos << 3) });
});

keeps('[MQTT-3.1.2-12]', async (server) => {
  for (const qos of [0, 1, 2] as const)
    await server.connect({ will: { topic: server.name(), qos } });
  await malformed(server, { will: { topic: 'a' }, flags: (flags) => flags | 0x18 });
});

keeps('[MQTT-3.1.2-13]', (server) => malformed(server, { flags: (flags) => flags | 0x20 }));

keeps('[MQTT-3.1.2-16]', async (server) => {
  await refuses(server, handmade(2, 'a', 'user'), MALFORMED, PROTOCOL_ERROR);
});

keeps('[MQTT-3.1.2-17]', async (server) => {
  await refuses(server, handmade(0x82, 'a'), MALFORMED, PROTOCOL_ERROR);
  await server.connect({ user: 'somebody' });
});

keeps('[MQTT-3.1.2-18]', async (server) => {
  await refuses(server, handmade(0x82, 'a', 'user', 'password'), MALFORMED, PROTOCOL_ERROR);
});

/** A password alone may be a token of any kind: MQTT 3.1.1 forbids it, MQTT 5 does not. */
keeps('[MQTT-3.1.2-19]', async (server) => {
  await refuses(server, handmade(0xc2, 'a', 'user'), MALFORMED, PROTOCOL_ERROR);
  await refuses(server, handmade(0x42, 'a'), MALFORMED, PROTOCOL_ERROR);
  await server.connect({ password: 'token' });
});

keeps('[MQTT-3.1.2-22]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  const will = { topic, payload: 'silent' };
  const silent = await server.connect({ keepAliveSeconds: 1, will });
  await server.connect({ keepAliveSeconds: 0, will: { topic, payload: 'patient' } });
  await server.pass(1_600);
  await expectEnd(silent, 0x8d);
  expect((await watcher.receive()).payload).toBe('silent');
  expect(await watcher.ping()).toEqual([]);
});

keeps('[MQTT-3.1.3-1]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  const client = await server.open();
  const properties = Buffer.of(2, 0x01, 0x01);
  client.send(handmade(0xc6, server.name(), properties, topic, 'last words', 'user', 'password'));
  expect((await client.take('connack')).codes).toEqual([0]);
  client.cut();
  const will = await watcher.receive();
  expect(will).toMatchObject({ payload: 'last words', properties: { payloadFormat: 1 } });
});

keeps('[MQTT-3.1.3-3]', async (server) => {
  await refuses(server, handmade(2), MALFORMED, PROTOCOL_ERROR);
  await refuses(server, packet(0x10, field('MQTT'), Buffer.of(5, 2)), MALFORMED, PROTOCOL_ERROR);
});

keeps('[MQTT-3.1.3-5]', async (server) => {
  const characters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  for (const id of [...characters, characters.slice(0, 23), characters.slice(23, 46)]) {
    await server.connect({ id });
  }
});

keeps('[MQTT-3.1.3-6]', async (server) => {
  const first = await server.connect({ id: '' });
  const second = await server.connect({ id: '', clean: false });
  expect(await first.ping()).toEqual([]);
  expect(await second.ping()).toEqual([]);
});

keeps('[MQTT-3.1.3-7]', async (server) => {
  const topic = server.name();
  const nameless = await server.connect({ id: '', properties: { sessionExpiry: 100 } });
  const id = nameless.connack?.properties.assignedClientId ?? '';
  expect(id).not.toBe('');
  await nameless.subscribe(topic, 1);
  await nameless.leave();
  // Under that id its session goes on.
  const again = await server.connect({ id, clean: false, properties: { sessionExpiry: 100 } });
  expect(again.connack?.sessionPresent).toBe(true);
  expect(again.connack?.properties.assignedClientId).toBeUndefined();
});

keeps('[MQTT-3.1.3-8]', async () => {
  const server = await startServer(5, { authenticator: new FakeUsers({ anna: {}, otto: {} }) });
  await server.connect({ id: 'shared', user: 'anna', password: 'anna' });
  const other = { version: 5, id: 'shared', user: 'otto', password: 'otto' } as const;
  await refuses(server, connect(other), 0x85);
  await server.close();
});

keeps('[MQTT-3.1.4-1]', async (server) => {
  const will = { topic: 'a', payload: 'b', properties: { willDelay: 1 } };
  const properties = { sessionExpiry: 1, user: [['a', 'b']] } as const;
  const whole = connect({ version: 5, id: 'a', will, user: 'c', properties });
  for (let end = 2; end < whole.length; end += 1) {
    await refuses(server, packet(0x10, whole.subarray(2, end)), MALFORMED, PROTOCOL_ERROR);
  }
  await refuses(server, packet(0x10, whole.subarray(2), Buffer.of(0)), MALFORMED, PROTOCOL_ERROR);
  // Properties: of another packet, twice, 0 where it must not be, neither 0 nor 1.
  const wrong = [
    { topicAlias: 1 },
    Buffer.of(0x21, 0, 5, 0x21, 0, 5),
    { receiveMaximum: 0 },
    { maximumPacketBytes: 0 },
    { requestProblemInformation: 2 },
    { requestResponseInformation: 2 },
    { authenticationData: 'without a method' },
  ];
  for (const one of wrong) await malformed(server, { properties: one });
});

keeps('[MQTT-3.1.4-2]', async () => {
  const server = await startServer(5, { authenticator: new FakeUsers({ anna: {} }) });
  const anna = { version: 5, id: 'a', user: 'anna', password: 'wrong' } as const;
  await refuses(server, connect(anna), 0x86, 0x87);
  await refuses(server, connect({ version: 5, id: 'a' }), 0x86, 0x87);
  await server.close();
});

keeps('[MQTT-3.1.4-3]', async (server) => {
  const id = server.name();
  const older = await server.connect({ id });
  const newer = await server.connect({ id });
  expect(await older.closed()).toMatchObject([{ type: 'disconnect', codes: [0x8e] }]);
  expect(await newer.ping()).toEqual([]);
});

keeps('[MQTT-3.1.4-5]', async (server) => {
  const client = await server.open();
  client.send(connect({ version: 5, id: server.name() }));
  expect(await client.next()).toMatchObject({ type: 'connack', codes: [0] });
});

keeps('[MQTT-3.1.4-6]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  const refused = connect({ version: 5, id: 'a', properties: { authenticationMethod: 'none' } });
  const client = (await server.open()).send(refused, publish(topic, 'never', { version: 5 }));
  await expectEnd(client, 0x8c, 0x87);
  await watcher.publish(topic, 'marker');
  expect((await watcher.receive()).payload).toBe('marker');
});

keeps('[MQTT-4.12.0-1]', async (server) => {
  const properties = { authenticationMethod: 'SCRAM-SHA-256', authenticationData: 'x' };
  await refuses(server, connect({ version: 5, id: 'a', properties }), 0x8c, 0x87);
});

keeps('[MQTT-4.2-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 1);
  const payload = Array.from({ length: 20_000 }, (_, i) => i).join();
  const bytes = publish(topic, payload, { version: 5, qos: 1 });
  for (const byte of bytes.subarray(0, 300)) client.send(Buffer.of(byte));
  client.send(bytes.subarray(300));
  expect((await client.receive()).payload).toBe(payload);
});
