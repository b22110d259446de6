import { expect } from 'vitest';
import {
  auth,
  connect,
  DISCONNECT,
  PINGREQ,
  packet,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe5,
  unsubscribe5,
} from '../packets.ts';
import { type Server, v5 } from '../suite.ts';
import { expectEnd, MALFORMED, PROTOCOL_ERROR } from './ending.ts';

const keeps = v5('v5/flags');

/** The packet with every other value of the four flags. */
function misflagged(bytes: Buffer): Buffer[] {
  const header = bytes[0] as number;
  const others = Array.from({ length: 16 }, (_, flags) => (header & 0xf0) | flags);
  return others
    .filter((other) => other !== header)
    .map((other) => Buffer.concat([Buffer.of(other), bytes.subarray(1)]));
}

async function endsOnFlagsOf(server: Server, bytes: Buffer): Promise<void> {
  for (const wrong of misflagged(bytes)) {
    await expectEnd((await server.connect()).send(wrong), MALFORMED, PROTOCOL_ERROR);
  }
}

keeps('[MQTT-2.1.3-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  expect(client.connack?.header).toBe(0x20);
  client.send(subscribe5(1, {}, [topic, 2]), PINGREQ, unsubscribe5(2, 'none'));
  client.send(publish(topic, '', { version: 5, qos: 1, id: 3 }));
  client.send(publish(topic, '', { version: 5, qos: 2, id: 4 }));
  const types = ['suback', 'pingresp', 'unsuback', 'puback', 'pubrec'] as const;
  const headers: number[] = [];
  for (const type of types) headers.push((await client.take(type)).header);
  expect(headers).toEqual([0x90, 0xd0, 0xb0, 0x40, 0x50]);
  client.send(pubrel(4));
  expect((await client.take('pubcomp')).header).toBe(0x70);
  const deliveries = await client.takeAll('publish', 2);
  client.send(pubrec(deliveries.find(({ qos }) => qos === 2)?.id ?? 0));
  expect((await client.take('pubrel')).header).toBe(0x62);
  for (const bytes of [PINGREQ, puback(1), pubrec(1), pubcomp(1)])
    await endsOnFlagsOf(server, bytes);
});

keeps('[MQTT-3.6.1-1]', (server) => endsOnFlagsOf(server, pubrel(1)));

keeps('[MQTT-3.8.1-1]', (server) => endsOnFlagsOf(server, subscribe5(1, {}, ['a', 0])));

keeps('[MQTT-3.10.1-1]', (server) => endsOnFlagsOf(server, unsubscribe5(1, 'a')));

keeps('[MQTT-3.14.1-1]', (server) => endsOnFlagsOf(server, DISCONNECT));

keeps('[MQTT-3.15.1-1]', (server) => endsOnFlagsOf(server, auth(0x18, {})));

keeps('[MQTT-3.3.1-4]', async (server) => {
  for (const flags of [0x06, 0x07, 0x0e, 0x0f]) {
    const bytes = publish('a', 'x', { version: 5, qos: 1 });
    bytes[0] = 0x30 | flags;
    await expectEnd((await server.connect()).send(bytes), MALFORMED, PROTOCOL_ERROR);
  }
});

keeps('[MQTT-3.8.3-2]', async (server) => {
  for (const bytes of [subscribe5(1, {}), packet(0x82, Buffer.of(0, 1)), packet(0x82)]) {
    await expectEnd((await server.connect()).send(bytes), MALFORMED, PROTOCOL_ERROR);
  }
});

keeps('[MQTT-3.10.3-2]', async (server) => {
  for (const bytes of [unsubscribe5(1), packet(0xa2, Buffer.of(0, 1)), packet(0xa2)]) {
    await expectEnd((await server.connect()).send(bytes), MALFORMED, PROTOCOL_ERROR);
  }
});

/** Bits 6 and 7, QoS 3, Retain Handling 3. */
keeps('[MQTT-3.8.3-5]', async (server) => {
  for (const options of [0x40, 0x80, 0xc1, 0x03, 0x30]) {
    const bytes = subscribe5(1, {}, ['a', 0], ['b', options]);
    await expectEnd((await server.connect()).send(bytes), MALFORMED, PROTOCOL_ERROR);
  }
});

keeps('[MQTT-3.1.2-3]', async (server) => {
  const bytes = connect({ version: 5, id: 'a', flags: (flags) => flags | 1 });
  await expectEnd((await server.open()).send(bytes), MALFORMED, PROTOCOL_ERROR);
});

keeps('[MQTT-4.13.1-1]', async (server) => {
  const violations = [
    // A CONNACK, a type that there is not, a length of five bytes, packet id 0, a second authentication.
    packet(0x20, Buffer.of(0, 0, 0)),
    packet(0x00),
    Buffer.of(0xc0, 0x80, 0x80, 0x80, 0x80, 0x01),
    subscribe5(0, {}, ['a', 0]),
    publish('a', 'x', { version: 5, qos: 1, id: 0 }),
    auth(0x19, { authenticationMethod: 'x' }),
    // Properties: unknown, of another packet, twice, longer than the packet, a value that there is not.
    publish('a', 'x', { version: 5, properties: Buffer.of(0x7f, 0) }),
    publish('a', 'x', { version: 5, properties: { sessionExpiry: 1 } }),
    publish('a', 'x', { version: 5, properties: Buffer.of(0x01, 0, 0x01, 0) }),
    packet(0x30, Buffer.of(0, 1, 0x61, 9, 0x01, 0)),
    publish('a', 'x', { version: 5, properties: { payloadFormat: 2 } }),
    subscribe5(1, { subscriptionIds: [0] }, ['a', 0]),
    subscribe5(1, { subscriptionIds: [1, 2] }, ['a', 0]),
    pubrec(1, 0x01),
  ];
  const reasons = [MALFORMED, PROTOCOL_ERROR];
  for (const bytes of violations) await expectEnd((await server.connect()).send(bytes), ...reasons);
});
