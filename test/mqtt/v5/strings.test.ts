import { expect } from 'vitest';
import { field, uint16 } from '../fields.ts';
import { connect, packet, publish, subscribe5, unsubscribe5 } from '../packets.ts';
import { type Server, v5 } from '../suite.ts';
import { expectEnd, MALFORMED, PROTOCOL_ERROR } from './ending.ts';

const keeps = v5('v5/strings');

const ILL_FORMED = [
  Buffer.of(0x61, 0xc3, 0x28),
  Buffer.of(0x61, 0xed, 0xa0, 0x80),
  Buffer.of(0x61, 0xc0, 0xaf),
  Buffer.of(0x61, 0xe2, 0x82),
] as const;
/** 0x8F and 0x90 are said of filters and topic names, 0x85 of client ids. */
const CODES = [MALFORMED, PROTOCOL_ERROR, 0x8f, 0x90, 0x99] as const;

/** Properties of PUBLISH that are strings: content type, response topic, both halves of a user property. */
const texts = (text: Uint8Array) => [
  Buffer.concat([Buffer.of(0x03), field(text)]),
  Buffer.concat([Buffer.of(0x08), field(text)]),
  Buffer.concat([Buffer.of(0x26), field(text), field('b')]),
  Buffer.concat([Buffer.of(0x26), field('a'), field(text)]),
];

async function endsOn(server: Server, ...packets: readonly Buffer[]): Promise<void> {
  for (const bytes of packets) await expectEnd((await server.connect()).send(bytes), ...CODES);
}

async function refusesConnect(server: Server, ...packets: readonly Buffer[]): Promise<void> {
  for (const bytes of packets) await expectEnd((await server.open()).send(bytes), ...CODES, 0x85);
}

const later = (text: Uint8Array) => [
  publish(text, 'x', { version: 5 }),
  subscribe5(1, {}, [text, 0]),
  unsubscribe5(1, text),
  ...texts(text).map((properties) => publish('a', 'x', { version: 5, properties })),
];
const connects = (text: Uint8Array) => [
  connect({ version: 5, id: text }),
  connect({ version: 5, id: 'a', will: { topic: text } }),
  connect({ version: 5, id: 'a', user: text }),
];

keeps('[MQTT-1.5.4-1]', async (server) => {
  for (const text of ILL_FORMED) {
    await endsOn(server, ...later(text));
    await refusesConnect(server, ...connects(text));
  }
});

keeps('[MQTT-1.5.4-2]', async (server) => {
  const text = Buffer.from('a\0b');
  await endsOn(server, ...later(text));
  await refusesConnect(server, ...connects(text));
});

keeps('[MQTT-1.5.4-3]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.subscribe(`\ufeff${name}/#`);
  await client.publish(`${name}/a`, 'without');
  const properties = { contentType: '\ufeffx' };
  await client.publish(`\ufeff${name}/a`, 'with', { properties });
  const { payload, bytes } = await client.receive();
  expect(payload).toBe('with');
  expect(bytes.includes(Buffer.from(`\ufeff${name}/a`))).toBe(true);
  expect(bytes.includes(Buffer.from('\ufeffx'))).toBe(true);
});

keeps('[MQTT-1.5.5-1]', async (server) => {
  const client = await server.connect();
  const topic = server.name();
  await client.subscribe(topic);
  // Around the borders of one and two bytes; `Client` would not see a longer form than needed, so look here.
  for (const size of [90, 100, 110, 120, 128, 16_300]) {
    await client.publish(topic, 'x'.repeat(size));
    const { bytes } = await client.receive();
    const lengthBytes = [...bytes.subarray(1, 5)].findIndex((byte) => byte < 0x80) + 1;
    expect(bytes[lengthBytes]).not.toBe(lengthBytes > 1 ? 0 : -1);
  }
});

keeps('[MQTT-1.5.7-1]', async (server) => {
  for (const text of [...ILL_FORMED, Buffer.from('a\0b')]) {
    const pairs = texts(text).slice(2);
    await endsOn(
      server,
      ...pairs.map((properties) => publish('a', 'x', { version: 5, properties })),
    );
    for (const properties of pairs) {
      await refusesConnect(server, connect({ version: 5, id: 'a', properties }));
    }
  }
});

keeps('[MQTT-3.1.3-4]', async (server) => {
  for (const id of ILL_FORMED) await refusesConnect(server, connect({ version: 5, id }));
  await server.connect({ id: `räume-${server.name()}` });
});

keeps('[MQTT-3.1.3-11]', async (server) => {
  for (const topic of ILL_FORMED) {
    await refusesConnect(server, connect({ version: 5, id: 'a', will: { topic } }));
  }
});

keeps('[MQTT-3.1.3-12]', async (server) => {
  for (const user of ILL_FORMED)
    await refusesConnect(server, connect({ version: 5, id: 'a', user }));
});

keeps('[MQTT-3.3.2-13]', async (server) => {
  for (const text of ILL_FORMED) {
    const properties = Buffer.concat([Buffer.of(0x08), field(text)]);
    await endsOn(server, publish('a', 'x', { version: 5, properties }));
  }
});

keeps('[MQTT-3.3.2-19]', async (server) => {
  for (const text of ILL_FORMED) {
    const properties = Buffer.concat([Buffer.of(0x03), field(text)]);
    await endsOn(server, publish('a', 'x', { version: 5, properties }));
  }
});

keeps('[MQTT-3.8.3-1]', async (server) => {
  for (const text of ILL_FORMED) await endsOn(server, subscribe5(1, {}, ['good', 0], [text, 0]));
});

keeps('[MQTT-3.10.3-1]', async (server) => {
  for (const text of ILL_FORMED) await endsOn(server, unsubscribe5(1, 'good', text));
});

keeps('[MQTT-4.7.3-1]', async (server) => {
  const nothing = publish('', 'x', { version: 5 });
  await endsOn(server, nothing, unsubscribe5(1, ''));
  const client = await server.connect();
  const code = await client.subscribe('').catch(() => [MALFORMED]);
  expect(code[0]).toBeGreaterThanOrEqual(0x80);
});

keeps('[MQTT-4.7.3-2]', (server) => endsOn(server, ...later(Buffer.from('\0')).slice(0, 3)));

keeps('[MQTT-4.7.3-3]', async (server) => {
  const client = await server.connect();
  const longest = `${server.name()}${'x'.repeat(65_535)}`.slice(0, 65_535);
  expect(await client.subscribe(longest)).toEqual([0]);
  await client.publish(longest, 'long');
  expect((await client.receive()).topic).toBe(longest);
});

keeps('[MQTT-4.7.3-4]', async (server) => {
  const name = server.name();
  const topics = [`${name}/a`, `${name}/A`, `/${name}/a`, `${name}//a`, `${name}/a/`, `${name}/ä`];
  topics.push(`${name}/a\u0308`);
  const client = await server.connect();
  await client.subscribe(topics.map((topic) => [topic, 0] as const));
  for (const topic of topics) await client.publish(topic, topic);
  for (const topic of topics)
    expect(await client.receive()).toMatchObject({ topic, payload: topic });
  expect(await client.ping()).toEqual([]);
});

keeps('[MQTT-2.2.2-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic);
  await client.publish(topic, 'x', { qos: 0 });
  // Fixed header, topic, a property length of 0, the payload.
  expect((await client.receive()).bytes).toEqual(publish(topic, 'x', { version: 5 }));
  // Not even the length is there.
  await expectEnd((await server.connect()).send(packet(0x30, field(topic))), MALFORMED);
  await expectEnd(
    (await server.connect()).send(packet(0x82, uint16(1))),
    MALFORMED,
    PROTOCOL_ERROR,
  );
});
