import { expect } from 'vitest';
import { FakeUsers } from '../../broker/fake-users.ts';
import { connect, publish } from '../packets.ts';
import { startServer, v5 } from '../suite.ts';

const keeps = v5('v5/connack');
const KEPT = { sessionExpiry: 1_000 };
/** MQTT 5 table 3.1. */
const REASONS = [
  0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97,
  0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
];

keeps('[MQTT-3.2.0-1]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const away = await server.connect({ id, properties: KEPT });
  await away.subscribe(topic, 1);
  await away.leave();
  await (await server.connect()).publish(topic, 'queued');
  const back = await server.open();
  back.send(connect({ version: 5, id, clean: false, properties: KEPT }), Buffer.of(0xc0, 0));
  expect(await back.next()).toMatchObject({ type: 'connack', codes: [0] });
  expect((await back.take('publish')).payload).toBe('queued');
});

keeps('[MQTT-3.2.0-2]', async (server) => {
  const client = await server.connect();
  expect(await client.ping()).toEqual([]);
  const last = await client.send(connect({ version: 5, id: 'again' })).closed();
  expect(last.filter(({ type }) => type === 'connack')).toEqual([]);
});

keeps('[MQTT-3.2.2-1]', async (server) => {
  const id = server.name();
  for (const clean of [true, false, false]) {
    const client = await server.connect({ id, clean, properties: KEPT });
    expect((client.connack?.bytes[2] ?? 0xff) & 0xfe).toBe(0);
    await client.leave();
  }
});

keeps('[MQTT-3.2.2-2]', async (server) => {
  const id = server.name();
  await (await server.connect({ id, properties: KEPT })).leave();
  const client = await server.connect({ id, clean: true });
  expect(client.connack).toMatchObject({ sessionPresent: false, codes: [0] });
});

keeps('[MQTT-3.2.2-3]', async (server) => {
  const id = server.name();
  for (const sessionPresent of [false, true]) {
    const client = await server.connect({ id, clean: false, properties: KEPT });
    expect(client.connack).toMatchObject({ sessionPresent, codes: [0] });
    await client.leave();
  }
});

const REFUSED = { authenticationMethod: 'none' };

keeps('[MQTT-3.2.2-6]', async (server) => {
  const id = server.name();
  await (await server.connect({ id, properties: KEPT })).leave();
  const client = await server.open();
  client.send(connect({ version: 5, id, clean: false, properties: { ...KEPT, ...REFUSED } }));
  for (const connack of await client.closed()) expect(connack.sessionPresent).toBe(false);
});

keeps('[MQTT-3.2.2-7]', async (server) => {
  const client = await server.open();
  client.send(connect({ version: 5, id: 'a', properties: REFUSED }), Buffer.of(0xc0, 0));
  for (const connack of await client.closed()) {
    expect(connack.codes[0]).toBeGreaterThanOrEqual(0x80);
  }
});

keeps('[MQTT-3.2.2-8]', async (server) => {
  const refused = [
    connect({ version: 5, id: 'a', properties: REFUSED }),
    connect({ version: 5, id: 'a', properties: { receiveMaximum: 0 } }),
    connect({ version: 5, id: 'a', will: { topic: 'a/#' } }),
    connect({ version: 5, id: 'a', user: 'x', flags: (flags) => flags | 1 }),
    connect({ version: 5, id: 'a', user: 'x'.repeat(60_000), properties: REFUSED }),
  ];
  for (const bytes of refused) {
    for (const { codes } of await (await server.open()).send(bytes).closed()) {
      expect(REASONS).toContain(codes[0]);
    }
  }
});

keeps('[MQTT-3.2.2-16]', async (server) => {
  const clients = [0, 1, 2, 3].map(() => server.connect({ id: '' }));
  const ids = (await Promise.all(clients)).map(
    ({ connack }) => connack?.properties.assignedClientId ?? '',
  );
  expect(ids).not.toContain('');
  expect(new Set(ids).size).toBe(4);
});

keeps('[MQTT-3.2.2-19]', async () => {
  const server = await startServer(5, { authenticator: new FakeUsers({ anna: {} }) });
  const client = await server.open();
  client.send(connect({ version: 5, id: 'a', properties: { maximumPacketBytes: 12 } }));
  for (const { bytes } of await client.closed()) expect(bytes.length).toBeLessThanOrEqual(12);
  await server.close();
});

keeps('[MQTT-3.2.2-22]', async (server) => {
  const client = await server.connect({ keepAliveSeconds: 2 });
  const seconds = client.connack?.properties.serverKeepAlive ?? 2;
  await server.pass(seconds * 500);
  expect(await client.ping()).toEqual([]);
  await server.pass(seconds * 1_600);
  await client.closed();
});

keeps('[MQTT-3.1.2-28]', async (server) => {
  for (const properties of [{}, { requestResponseInformation: 0 }]) {
    const { connack } = await server.connect({ properties });
    expect(connack?.properties.responseInformation).toBeUndefined();
  }
});

keeps('[MQTT-3.1.2-29]', async (server) => {
  const client = await server.connect({ properties: { requestProblemInformation: 0 } });
  await client.publish(server.name(), 'x');
  await client.publish(server.name(), 'x', { qos: 2 });
  client.send(publish('dss/put/', 'no key', { version: 5, qos: 1, id: 77 }));
  const answers = [await client.take('puback')];
  await client.subscribe([['dss/put/#', 0]]);
  const id = client.nextId();
  client.send(Buffer.concat([Buffer.of(0x82, 15), Buffer.of(id >> 8, id & 0xff, 0)]));
  client.send(Buffer.from('\0\x09dss/get/a\0', 'latin1'));
  answers.push(await client.take('suback'));
  for (const { properties } of answers) {
    expect(properties.reason).toBeUndefined();
    expect(properties.user).toBeUndefined();
  }
});

keeps('[MQTT-4.12.0-6]', async (server) => {
  const client = await server.connect();
  expect(client.connack?.properties.authenticationMethod).toBeUndefined();
  expect(await client.ping()).toEqual([]);
});
