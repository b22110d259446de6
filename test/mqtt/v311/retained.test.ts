import { expect } from 'vitest';
import type { Received } from '../received.ts';
import { type Server, v311 } from '../suite.ts';

const keeps = v311();

/**
 * What a new subscription to everything below the name gets at once, in the order of topics; it must be so many. In
 * which order they come is the server's affair, and so is when: the end shows itself by a marker of their kind.
 */
async function retained(server: Server, name: string, count: number) {
  const client = await server.connect();
  await client.publish(`${name}/~`, 'marker', { retain: true });
  await client.subscribe(`${name}/#`, 2);
  const found: Received[] = [];
  for (let i = 0; i <= count; i += 1) found.push(await client.receive());
  await client.publish(`${name}/~`, 'nothing else');
  expect((await client.receive()).payload).toBe('nothing else');
  const kept = found.filter(({ payload }) => payload !== 'marker');
  return kept
    .map(({ topic, payload, qos, retain }) => ({
      topic: topic.slice(name.length + 1),
      payload,
      qos,
      retain,
    }))
    .sort((a, b) => (a.topic < b.topic ? -1 : 1));
}

keeps('[MQTT-3.3.1-5]', async (server) => {
  const name = server.name();
  const publisher = await server.connect();
  for (const qos of [0, 1, 2])
    await publisher.publish(`${name}/${qos}`, 'x', { qos, retain: true });
  const found = await retained(server, name, 3);
  expect(found.map(({ topic, qos }) => [topic, qos])).toEqual([
    ['0', 0],
    ['1', 1],
    ['2', 2],
  ]);
});

keeps('[MQTT-3.3.1-6]', async (server) => {
  const name = server.name();
  const publisher = await server.connect();
  for (const topic of ['a', 'b', 'b/c']) {
    await publisher.publish(`${name}/${topic}`, 'old', { retain: true });
    await publisher.publish(`${name}/${topic}`, `last of ${topic}`, { retain: true });
  }
  const payloads = (await retained(server, name, 3)).map(({ payload }) => payload);
  expect(payloads).toEqual(['last of a', 'last of b', 'last of b/c']);
});

keeps('[MQTT-3.3.1-7]', async (server) => {
  const name = server.name();
  const publisher = await server.connect();
  await publisher.publish(`${name}/a`, 'qos 1', { qos: 1, retain: true });
  await publisher.publish(`${name}/a`, 'qos 0', { qos: 0, retain: true });
  await publisher.publish(`${name}/b`, 'marker');
  expect(await retained(server, name, 1)).toMatchObject([{ payload: 'qos 0', qos: 0 }]);
});

keeps('[MQTT-3.3.1-8]', async (server) => {
  const name = server.name();
  await (await server.connect()).publish(`${name}/a`, 'x', { retain: true });
  expect(await retained(server, name, 1)).toMatchObject([{ retain: true }]);
});

keeps('[MQTT-3.3.1-9]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic);
  await client.publish(topic, 'x', { retain: true });
  expect((await client.receive()).retain).toBe(false);
});

keeps('[MQTT-3.3.1-10]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.publish(`${name}/a`, 'x', { retain: true });
  await client.publish(`${name}/b`, 'stays', { retain: true });
  await client.subscribe(`${name}/a`);
  await client.receive();
  await client.publish(`${name}/a`, '', { retain: true });
  expect(await client.receive()).toMatchObject({ topic: `${name}/a`, payload: '', retain: false });
  expect(await retained(server, name, 1)).toMatchObject([{ topic: 'b', payload: 'stays' }]);
});

keeps('[MQTT-3.3.1-11]', async (server) => {
  const name = server.name();
  await (await server.connect()).publish(`${name}/a`, '', { retain: true });
  expect(await retained(server, name, 0)).toEqual([]);
});

keeps('[MQTT-3.3.1-12]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.publish(`${name}/a`, 'kept', { retain: true });
  await client.publish(`${name}/a`, 'live');
  await client.publish(`${name}/a`, '');
  await client.publish(`${name}/b`, 'live');
  expect(await retained(server, name, 1)).toMatchObject([{ topic: 'a', payload: 'kept' }]);
});
