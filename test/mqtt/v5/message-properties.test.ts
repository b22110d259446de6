import { expect } from 'vitest';
import type { Client } from '../client.ts';
import { pubcomp, publish, pubrec, pubrel } from '../packets.ts';
import type { Properties } from '../properties.ts';
import { type Server, v5 } from '../suite.ts';
import { expectEnd, MALFORMED, PROTOCOL_ERROR } from './ending.ts';

const keeps = v5('v5/message-properties');
const KEPT = { sessionExpiry: 1_000 };

/** What a subscriber gets of a message: live, retained, and queued while it was away. */
async function delivered(server: Server, properties: Properties, payload = 'x') {
  const [topic, id] = [server.name(), server.name()];
  const live = await server.connect();
  await live.subscribe(topic, 1);
  const away = await server.connect({ id, properties: KEPT });
  await away.subscribe(topic, 1);
  await away.leave();
  await (await server.connect()).publish(topic, payload, { retain: true, properties });
  const late = await server.connect();
  await late.subscribe(topic, 1);
  const back = await server.connect({ id, clean: false, properties: KEPT });
  return [await live.receive(), await late.receive(), await back.receive()];
}

async function arrives(server: Server, properties: Properties): Promise<void> {
  for (const message of await delivered(server, properties)) {
    expect(message.properties).toEqual(properties);
  }
}

keeps('[MQTT-3.3.2-4]', async (server) => {
  await arrives(server, { payloadFormat: 1 });
  await arrives(server, { payloadFormat: 0 });
});

keeps('[MQTT-3.3.2-15]', (server) => arrives(server, { responseTopic: 'räume/answers' }));

keeps('[MQTT-3.3.2-16]', (server) =>
  arrives(server, { responseTopic: 'a', correlationData: '\u0000\u0001 bytes' }),
);

keeps('[MQTT-3.3.2-20]', (server) => arrives(server, { contentType: 'text/plain; x=ü' }));

const USER = [
  ['b', '1'],
  ['a', '2'],
  ['b', '1'],
  ['', ''],
  ['b', '0'],
] as const;

keeps('[MQTT-3.3.2-17]', (server) => arrives(server, { user: USER }));

keeps('[MQTT-3.3.2-18]', async (server) => {
  for (const { properties } of await delivered(server, { user: USER })) {
    expect(properties.user?.map(([name]) => name)).toEqual(['b', 'a', 'b', '', 'b']);
  }
});

keeps('[MQTT-3.3.2-14]', async (server) => {
  for (const responseTopic of ['a/+', '#', 'a/#']) {
    const bytes = publish('a', 'x', { version: 5, properties: { responseTopic } });
    await expectEnd((await server.connect()).send(bytes), MALFORMED, PROTOCOL_ERROR, 0x90);
  }
});

keeps('[MQTT-3.3.2-5]', async (server) => {
  const [topic, id] = [server.name(), server.name()];
  const away = await server.connect({ id, properties: KEPT });
  await away.subscribe(topic, 1);
  await away.leave();
  const publisher = await server.connect();
  await publisher.publish(topic, 'expires', { properties: { messageExpiry: 1 } });
  await publisher.publish(`${topic}`, 'kept', { retain: true, properties: { messageExpiry: 1 } });
  await publisher.publish(topic, 'stays');
  await server.pass(2_000);
  const back = await server.connect({ id, clean: false, properties: KEPT });
  expect((await back.receive()).payload).toBe('stays');
  const late = await server.connect();
  await late.subscribe(topic);
  await late.publish(topic, 'marker');
  expect((await late.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.3.2-6]', async (server) => {
  const [topic, id] = [server.name(), server.name()];
  const away = await server.connect({ id, properties: KEPT });
  await away.subscribe(topic, 1);
  await away.leave();
  const properties = { messageExpiry: 100 };
  await (await server.connect()).publish(topic, 'x', { retain: true, properties });
  await server.pass(3_000);
  const back = await server.connect({ id, clean: false, properties: KEPT });
  const late = await server.connect();
  await late.subscribe(topic);
  for (const message of [await back.receive(), await late.receive()]) {
    expect(message.properties.messageExpiry).toBeLessThanOrEqual(97);
    expect(message.properties.messageExpiry).toBeGreaterThan(80);
  }
});

keeps('[MQTT-4.3.3-7]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  await client.publish(topic, 'x', { qos: 2, properties: { messageExpiry: 1 } });
  const { id } = await client.take('publish');
  await server.pass(2_000);
  client.send(pubrec(id));
  expect((await client.take('pubrel')).id).toBe(id);
  client.send(pubcomp(id));
});

keeps('[MQTT-4.3.3-13]', async (server) => {
  const client = await server.connect();
  const properties = { messageExpiry: 1 };
  client.send(publish('a', 'x', { version: 5, qos: 2, id: 3, properties }));
  await client.take('pubrec');
  await server.pass(2_000);
  client.send(pubrel(3));
  expect((await client.take('pubcomp')).id).toBe(3);
});

/** Publishes at QoS 1 by an alias alone, or sets it. */
async function byAlias(client: Client, topic: string, topicAlias: number, payload: string) {
  await client.publish(topic, payload, { properties: { topicAlias } });
}

keeps('[MQTT-3.3.2-7]', async (server) => {
  const [topic, id] = [server.name(), server.name()];
  const first = await server.connect({ id, properties: KEPT });
  if (!(first.connack?.properties.topicAliasMaximum ?? 0)) return;
  await byAlias(first, topic, 1, 'x');
  await first.leave();
  const second = await server.connect({ id, clean: false, properties: KEPT });
  const bytes = publish('', 'never', { version: 5, properties: { topicAlias: 1 } });
  await expectEnd(second.send(bytes), PROTOCOL_ERROR, 0x94);
});

keeps('[MQTT-3.3.2-8]', async (server) => {
  const bytes = publish('a', 'x', { version: 5, properties: { topicAlias: 0 } });
  await expectEnd((await server.connect()).send(bytes), 0x94, PROTOCOL_ERROR, MALFORMED);
});

keeps('[MQTT-3.3.2-12]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.subscribe(`${name}/+`);
  const maximum = client.connack?.properties.topicAliasMaximum ?? 0;
  for (let alias = 1; alias <= maximum; alias += 1) {
    await byAlias(client, `${name}/${alias}`, alias, 'set');
    expect((await client.receive()).topic).toBe(`${name}/${alias}`);
  }
  for (let alias = maximum; alias > 0; alias -= 1) {
    await byAlias(client, '', alias, 'used');
    expect(await client.receive()).toMatchObject({ topic: `${name}/${alias}`, payload: 'used' });
  }
  if (maximum > 0) {
    // Set again, it means another topic from then on.
    await byAlias(client, `${name}/other`, 1, 'set');
    await byAlias(client, '', 1, 'used');
    expect((await client.receive()).topic).toBe(`${name}/other`);
    expect((await client.receive()).topic).toBe(`${name}/other`);
  }
  const over = publish('a', 'x', { version: 5, properties: { topicAlias: maximum + 1 } });
  await expectEnd(client.send(over), 0x94, PROTOCOL_ERROR);
});

/** The aliases on five deliveries of two topics; the topics must be told by them. */
async function aliases(server: Server, topicAliasMaximum: number | undefined) {
  const name = server.name();
  const client = await server.connect({
    properties: topicAliasMaximum === undefined ? {} : { topicAliasMaximum },
  });
  await client.subscribe(`${name}/#`);
  const known = new Map<number, string>();
  const found: number[] = [];
  for (const topic of ['a', 'b', 'a', 'b', 'c']) {
    await client.publish(`${name}/${topic}`, topic);
    const message = await client.receive();
    const alias = message.properties.topicAlias;
    if (alias !== undefined) found.push(alias);
    if (alias !== undefined && message.topic !== '') known.set(alias, message.topic);
    expect(message.topic || known.get(alias ?? 0)).toBe(`${name}/${topic}`);
  }
  return found;
}

keeps('[MQTT-3.1.2-26]', async (server) => {
  for (const alias of await aliases(server, 2)) expect(alias).toBeLessThanOrEqual(2);
});

keeps('[MQTT-3.1.2-27]', async (server) => {
  expect(await aliases(server, undefined)).toEqual([]);
  expect(await aliases(server, 0)).toEqual([]);
});

keeps('[MQTT-3.3.2-11]', async (server) => {
  for (const alias of await aliases(server, 1)) expect(alias).toBe(1);
});

keeps('[MQTT-3.1.2-24]', async (server) => {
  const topic = server.name();
  const client = await server.connect({ properties: { maximumPacketBytes: 200 } });
  await client.subscribe(topic, 1);
  const publisher = await server.connect();
  const large = { properties: { user: [['a', 'x'.repeat(200)]] } } as const;
  await publisher.publish(topic, 'x'.repeat(300), { retain: true });
  await publisher.publish(topic, 'large by its properties', large);
  await publisher.publish(topic, 'small');
  expect((await client.receive()).payload).toBe('small');
  // Nor when it is retained.
  await client.subscribe(topic, 1);
  await publisher.publish(topic, 'marker');
  expect((await client.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.1.2-25]', async (server) => {
  const topic = server.name();
  const client = await server.connect({
    properties: { maximumPacketBytes: 200, receiveMaximum: 1 },
  });
  await client.subscribe(topic, 2);
  const publisher = await server.connect();
  for (const qos of [1, 2, 1, 2]) await publisher.publish(topic, 'x'.repeat(300), { qos });
  await publisher.publish(topic, 'small');
  expect((await client.receive()).payload).toBe('small');
});
