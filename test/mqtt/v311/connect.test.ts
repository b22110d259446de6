import { expect } from 'vitest';
import { FakeUsers } from '../../broker/fake-users.ts';
import { field, uint16 } from '../fields.ts';
import { type ConnectOptions, connect, PINGREQ, packet, publish } from '../packets.ts';
import { type Server, startServer, v311 } from '../suite.ts';

const keeps = v311();

/** What the server sends to a CONNECT that it ends with. */
async function endOf(server: Server, ...bytes: Uint8Array[]) {
  return (await server.open()).send(...bytes).closed();
}

async function closesWithoutConnack(server: Server, options: ConnectOptions): Promise<void> {
  expect(await endOf(server, connect({ id: server.name(), ...options }))).toEqual([]);
}

/** A CONNECT whose payload is made of these fields. */
function handmade(flags: number, ...fields: readonly (string | Uint8Array)[]): Buffer {
  return packet(0x10, field('MQTT'), Buffer.of(4, flags), uint16(0), ...fields.map(field));
}

keeps('[MQTT-3.1.0-1]', async (server) => {
  for (const bytes of [PINGREQ, publish('a'), packet(0xe0), packet(0x82, Buffer.of(0, 1))]) {
    expect(await endOf(server, bytes, connect({ id: 'late' }))).toEqual([]);
  }
});

keeps('[MQTT-3.1.0-2]', async (server) => {
  const id = server.name();
  const client = await server.connect({ id });
  expect(await client.send(connect({ id })).closed()).toEqual([]);
  const atOnce = await endOf(server, connect({ id }), connect({ id }));
  expect(atOnce.length).toBeLessThanOrEqual(1);
});

keeps('[MQTT-3.1.2-1]', async (server) => {
  for (const name of ['MQTTX', 'mqtt', '', 'HTTP', 'MQIsdp2']) {
    await closesWithoutConnack(server, { name });
  }
});

keeps('[MQTT-3.1.2-2]', async (server) => {
  for (const level of [0, 2, 6, 42, 127]) {
    const answers = await endOf(server, connect({ id: server.name(), level }));
    expect(answers).toMatchObject([{ type: 'connack', codes: [1], sessionPresent: false }]);
  }
});

keeps('[MQTT-3.1.2-3]', (server) => closesWithoutConnack(server, { flags: (flags) => flags | 1 }));

keeps('[MQTT-3.1.2-13]', async (server) => {
  for (const qos of [1, 2, 3]) await closesWithoutConnack(server, { flags: (f) => f | (qos << 3) });
});

keeps('[MQTT-3.1.2-14]', async (server) => {
  const will = { topic: server.name() };
  for (const qos of [0, 1, 2] as const) await server.connect({ will: { ...will, qos } });
  await closesWithoutConnack(server, { will, flags: (flags) => flags | 0x18 });
});

keeps('[MQTT-3.1.2-15]', (server) => closesWithoutConnack(server, { flags: (f) => f | 0x20 }));

keeps('[MQTT-3.1.2-11]', async (server) => {
  for (const bits of [0x08, 0x10, 0x20, 0x28]) {
    await closesWithoutConnack(server, { flags: (flags) => flags | bits });
  }
  // A will in the payload that the flags do not know of.
  expect(await endOf(server, handmade(2, 'a', 'topic', 'message'))).toEqual([]);
});

keeps('[MQTT-3.1.2-18]', async (server) => {
  expect(await endOf(server, handmade(2, server.name(), 'user'))).toEqual([]);
});

keeps('[MQTT-3.1.2-19]', async (server) => {
  await server.connect({ user: 'somebody', password: 'x' });
  expect(await endOf(server, handmade(0x82, server.name()))).toEqual([]);
});

keeps('[MQTT-3.1.2-20]', async (server) => {
  expect(await endOf(server, handmade(0x82, server.name(), 'user', 'password'))).toEqual([]);
});

keeps('[MQTT-3.1.2-21]', async (server) => {
  expect(await endOf(server, handmade(0xc2, server.name(), 'user'))).toEqual([]);
});

keeps('[MQTT-3.1.2-22]', async (server) => {
  expect(await endOf(server, handmade(0x42, server.name(), 'password'))).toEqual([]);
});

keeps('[MQTT-3.1.2-24]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  const will = { topic, payload: 'silent' };
  const silent = await server.connect({ keepAliveSeconds: 1, will });
  await server.connect({ keepAliveSeconds: 0, will: { topic, payload: 'patient' } });
  await server.pass(1_600);
  await silent.closed();
  expect((await watcher.receive()).payload).toBe('silent');
  expect(await watcher.ping()).toEqual([]);
});

keeps('[MQTT-3.1.3-1]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  const client = await server.open();
  // By hand: every field is there, in the order of the specification.
  client.send(handmade(0xc6, server.name(), topic, 'last words', 'user', 'password'));
  expect((await client.take('connack')).codes).toEqual([0]);
  client.cut();
  expect(await watcher.receive()).toMatchObject({ topic, payload: 'last words' });
});

keeps('[MQTT-3.1.3-3]', async (server) => {
  expect(await endOf(server, handmade(2))).toEqual([]);
  expect(await endOf(server, packet(0x10, field('MQTT'), Buffer.of(4, 2)))).toEqual([]);
});

keeps('[MQTT-3.1.3-5]', async (server) => {
  const characters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  for (const id of [...characters, characters.slice(0, 23), characters.slice(23, 46)]) {
    await server.connect({ id });
  }
});

keeps('[MQTT-3.1.3-6]', async (server) => {
  const first = await server.connect({ id: '' });
  const second = await server.connect({ id: '' });
  // Neither took the other's session.
  expect(await first.ping()).toEqual([]);
  expect(await second.ping()).toEqual([]);
});

keeps('[MQTT-3.1.3-8]', async (server) => {
  const answers = await endOf(server, connect({ id: '', clean: false }));
  expect(answers).toMatchObject([{ type: 'connack', codes: [2], sessionPresent: false }]);
});

/** The id of another user's client; a server without users rejects none but the empty one. */
keeps('[MQTT-3.1.3-9]', async () => {
  const authenticator = new FakeUsers({ anna: {}, otto: {} });
  const server = await startServer(4, { authenticator });
  await server.connect({ id: 'shared', user: 'anna', password: 'anna' });
  const answers = await endOf(server, connect({ id: 'shared', user: 'otto', password: 'otto' }));
  expect(answers).toMatchObject([{ type: 'connack', codes: [2] }]);
  await server.close();
});

keeps('[MQTT-3.1.4-1]', async (server) => {
  const whole = connect({ id: server.name(), will: { topic: 'a', payload: 'b' }, user: 'c' });
  for (let end = 2; end < whole.length; end += 1) {
    const cut = packet(0x10, whole.subarray(2, end));
    expect(await endOf(server, cut)).toEqual([]);
  }
  expect(await endOf(server, packet(0x10, whole.subarray(2), Buffer.of(0)))).toEqual([]);
});

keeps('[MQTT-3.1.4-2]', async (server) => {
  const id = server.name();
  const older = await server.connect({ id });
  const newer = await server.connect({ id });
  expect(await older.closed()).toEqual([]);
  expect(await newer.ping()).toEqual([]);
});

keeps('[MQTT-3.1.4-4]', async (server) => {
  const client = await server.open();
  client.send(connect({ id: server.name() }));
  expect((await client.next()).bytes.toString('hex')).toBe('20020000');
});

keeps('[MQTT-3.1.4-5]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  await endOf(server, connect({ id: 'x', level: 6 }), publish(topic, 'never'));
  await endOf(server, connect({ id: '', clean: false }), publish(topic, 'never'));
  await watcher.publish(topic, 'marker');
  expect((await watcher.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.2.2-4]', async (server) => {
  const id = server.name();
  await (await server.connect({ id, clean: false })).leave();
  const [connack] = await endOf(server, connect({ id, clean: false, level: 6 }));
  expect(connack?.bytes.toString('hex')).toBe('20020001');
});

keeps('[MQTT-3.2.2-5]', async (server) => {
  const answers = await endOf(server, connect({ id: '', clean: false }), PINGREQ);
  expect(answers.map(({ type }) => type)).toEqual(['connack']);
});

keeps('[MQTT-3.2.2-6]', (server) => closesWithoutConnack(server, { name: 'AMQP' }));

keeps('[MQTT-7.1.1-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 1);
  const payload = Array.from({ length: 20_000 }, (_, i) => i).join();
  for (const byte of publish(topic, payload, { qos: 1 }).subarray(0, 300))
    client.send(Buffer.of(byte));
  client.send(publish(topic, payload, { qos: 1 }).subarray(300));
  expect((await client.receive()).payload).toBe(payload);
});
