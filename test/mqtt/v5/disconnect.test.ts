import { expect } from 'vitest';
import { connect, disconnect5, packet, publish, subscribe5 } from '../packets.ts';
import { type Server, v5 } from '../suite.ts';
import { expectEnd, MALFORMED, PROTOCOL_ERROR } from './ending.ts';

const keeps = v5('v5/disconnect');
/** MQTT 5 table 3.10: those that a server may send. */
const REASONS = [
  0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96,
  0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
];
const WRONG = [
  packet(0x00),
  packet(0x82, Buffer.of(0)),
  publish('a/#', 'x', { version: 5 }),
  publish('a', 'x', { version: 5, properties: { topicAlias: 0 } }),
  publish('', 'x', { version: 5 }),
  subscribe5(1, {}, ['a', 3]),
  connect({ version: 5, id: 'again' }),
];

/** How connections end that have been accepted. */
async function ends(server: Server, properties = {}) {
  const all: Awaited<ReturnType<Awaited<ReturnType<Server['connect']>>['closed']>>[] = [];
  for (const bytes of WRONG) {
    const client = await server.connect({ properties });
    all.push(await client.send(bytes, Buffer.of(0xc0, 0)).closed());
  }
  return all;
}

keeps('[MQTT-3.14.0-1]', async (server) => {
  for (const bytes of [...WRONG.slice(0, -1), connect({ version: 5, id: 'a', flags: () => 1 })]) {
    const sent = await (await server.open()).send(bytes).closed();
    expect(sent.filter(({ type }) => type === 'disconnect')).toEqual([]);
  }
});

keeps('[MQTT-3.14.2-1]', async (server) => {
  for (const last of await ends(server)) {
    for (const { codes } of last) expect(REASONS).toContain(codes[0]);
  }
});

keeps('[MQTT-3.14.2-2]', async (server) => {
  for (const last of await ends(server)) {
    for (const { properties } of last) expect(properties.sessionExpiry).toBeUndefined();
  }
});

keeps('[MQTT-3.14.2-3]', async (server) => {
  for (const last of await ends(server, { maximumPacketBytes: 50 })) {
    for (const { bytes } of last) expect(bytes.length).toBeLessThanOrEqual(50);
  }
});

keeps('[MQTT-3.14.4-1]', async (server) => {
  for (const last of await ends(server)) expect(last.length).toBeLessThanOrEqual(1);
});

keeps('[MQTT-3.14.4-2]', async (server) => {
  const id = server.name();
  const older = await server.connect({ id });
  await server.connect({ id });
  await expectEnd(older, 0x8e);
});

keeps('[MQTT-4.13.2-1]', async (server) => {
  for (const last of await ends(server)) {
    for (const { codes } of last) expect(codes[0]).toBeGreaterThanOrEqual(0x80);
  }
  // A DISCONNECT of the client: malformed, or with a session that it did not have.
  for (const bytes of [packet(0xe0, Buffer.of(0, 9)), disconnect5(0, { receiveMaximum: 1 })]) {
    await expectEnd((await server.connect()).send(bytes), MALFORMED, PROTOCOL_ERROR);
  }
  const client = await server.connect({ properties: { sessionExpiry: 0 } });
  await expectEnd(client.send(disconnect5(0, { sessionExpiry: 10 })), PROTOCOL_ERROR);
});
