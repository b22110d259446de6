import { expect } from 'vitest';
import { connect, packet, publish, subscribe, unsubscribe } from '../packets.ts';
import { type Server, v311 } from '../suite.ts';

const keeps = v311();

const ILL_FORMED = [
  ['an invalid sequence', Buffer.of(0x61, 0xc3, 0x28)],
  ['a surrogate', Buffer.of(0x61, 0xed, 0xa0, 0x80)],
  ['overlong', Buffer.of(0x61, 0xc0, 0xaf)],
  ['cut short', Buffer.of(0x61, 0xe2, 0x82)],
  ['beyond Unicode', Buffer.of(0xf4, 0x90, 0x80, 0x80)],
] as const;

/** Everywhere a string can stand, in packets of a client that is connected, and in CONNECTs. */
const later = (text: Uint8Array) => [
  publish(text, 'x'),
  publish(text, 'x', { qos: 1 }),
  subscribe(1, [text, 0]),
  unsubscribe(1, text),
];
const connects = (text: Uint8Array) => [
  connect({ id: text }),
  connect({ id: 'a', will: { topic: text } }),
  connect({ id: 'a', user: text, password: 'x' }),
];

async function closesOn(server: Server, text: Uint8Array): Promise<void> {
  for (const bytes of later(text))
    expect(await (await server.connect()).send(bytes).closed()).toEqual([]);
  for (const bytes of connects(text))
    expect(await (await server.open()).send(bytes).closed()).toEqual([]);
}

keeps('[MQTT-1.5.3-1]', async (server) => {
  for (const [, text] of ILL_FORMED) await closesOn(server, text);
});

keeps('[MQTT-1.5.3-2]', async (server) => {
  await closesOn(server, Buffer.from('a\0b'));
});

keeps('[MQTT-1.5.3-3]', async (server) => {
  const name = server.name();
  const subscriber = await server.connect();
  await subscriber.subscribe(`\ufeff${name}/#`);
  await subscriber.publish(`${name}/a`, 'without');
  await subscriber.publish(`\ufeff${name}/\ufeffa`, 'with');
  const { payload, bytes } = await subscriber.receive();
  expect(payload).toBe('with');
  expect(bytes.includes(Buffer.from(`\ufeff${name}/\ufeffa`))).toBe(true);
});

keeps('[MQTT-3.1.3-4]', async (server) => {
  for (const [, id] of ILL_FORMED) {
    expect(await (await server.open()).send(connect({ id })).closed()).toEqual([]);
  }
  await server.connect({ id: `räume-${server.name()}-🌡` });
});

keeps('[MQTT-3.1.3-10]', async (server) => {
  for (const [, topic] of ILL_FORMED) {
    const will = { topic };
    expect(await (await server.open()).send(connect({ id: 'a', will })).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.1.3-11]', async (server) => {
  for (const [, user] of ILL_FORMED) {
    expect(await (await server.open()).send(connect({ id: 'a', user })).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.8.3-1]', async (server) => {
  for (const [, filter] of ILL_FORMED) {
    const client = await server.connect();
    expect(await client.send(subscribe(1, ['good', 0], [filter, 0])).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.10.3-1]', async (server) => {
  for (const [, filter] of ILL_FORMED) {
    const client = await server.connect();
    expect(await client.send(unsubscribe(1, 'good', filter)).closed()).toEqual([]);
  }
});

keeps('[MQTT-4.7.3-1]', async (server) => {
  for (const bytes of [publish(''), subscribe(1, ['', 0]), unsubscribe(1, '')]) {
    await (await server.connect()).send(bytes).closed();
  }
});

keeps('[MQTT-4.7.3-2]', async (server) => {
  for (const bytes of later(Buffer.from('\0'))) await (await server.connect()).send(bytes).closed();
});

/** A longer one cannot be written down; the longest must not be taken for something else. */
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
  // The same letter in two code points.
  topics.push(`${name}/a\u0308`);
  const client = await server.connect();
  await client.subscribe(topics.map((topic) => [topic, 0] as const));
  for (const topic of topics) await client.publish(topic, topic);
  for (const topic of topics) {
    expect(await client.receive()).toMatchObject({ topic, payload: topic });
  }
  expect(await client.ping()).toEqual([]);
});

keeps('[MQTT-4.8.0-1]', async (server) => {
  const violations = [
    // A CONNACK, a type that there is not, a remaining length of five bytes.
    packet(0x20, Buffer.of(0, 0)),
    packet(0x00),
    packet(0xf0),
    Buffer.of(0xc0, 0x80, 0x80, 0x80, 0x80, 0x01),
    packet(0x90, Buffer.of(0, 1, 0)),
    packet(0xd0),
  ];
  for (const bytes of violations) await (await server.connect()).send(bytes).closed();
});
