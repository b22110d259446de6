import { expect } from 'vitest';
import type { Client } from '../client.ts';
import { type Server, v5 } from '../suite.ts';

const keeps = v5('v5/retained');

/** The next two: `what` was retained, then the marker, which is published after the subscription. */
async function expectRetained(client: Client, topic: string, what: string | undefined) {
  if (what !== undefined) {
    expect(await client.receive()).toMatchObject({ payload: what, retain: true });
  }
  await client.publish(topic, 'marker');
  expect((await client.receive()).payload).toBe('marker');
}

async function withRetained(server: Server, payload = 'kept') {
  const topic = server.name();
  const client = await server.connect();
  await client.publish(topic, payload, { retain: true });
  return { topic, client };
}

keeps('[MQTT-3.3.1-5]', async (server) => {
  const { topic, client } = await withRetained(server);
  await client.publish(topic, 'newer', { qos: 0, retain: true });
  // What is acknowledged was taken after it.
  await client.publish(`${topic}/other`, 'x');
  await client.subscribe(topic);
  await expectRetained(client, topic, 'newer');
});

keeps('[MQTT-3.3.1-6]', async (server) => {
  const { topic, client } = await withRetained(server);
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  await watcher.receive();
  await client.publish(topic, '', { retain: true });
  expect((await watcher.receive()).payload).toBe('');
  await client.subscribe(topic);
  await expectRetained(client, topic, undefined);
});

keeps('[MQTT-3.3.1-7]', async (server) => {
  const { topic, client } = await withRetained(server, '');
  await client.subscribe(topic);
  await expectRetained(client, topic, undefined);
});

keeps('[MQTT-3.3.1-8]', async (server) => {
  const { topic, client } = await withRetained(server);
  await client.publish(topic, 'live');
  await client.publish(topic, '');
  await client.subscribe(topic);
  await expectRetained(client, topic, 'kept');
});

const retainHandling = (value: number) => value << 4;
const RETAIN_AS_PUBLISHED = 0x08;

keeps('[MQTT-3.3.1-9]', async (server) => {
  const { topic, client } = await withRetained(server);
  for (let i = 0; i < 2; i += 1) {
    await client.subscribe(topic, retainHandling(0));
    await expectRetained(client, topic, 'kept');
  }
});

keeps('[MQTT-3.3.1-10]', async (server) => {
  const { topic, client } = await withRetained(server);
  await client.subscribe(topic, retainHandling(1));
  await expectRetained(client, topic, 'kept');
  await client.subscribe(topic, retainHandling(1));
  await expectRetained(client, topic, undefined);
});

keeps('[MQTT-3.3.1-11]', async (server) => {
  const { topic, client } = await withRetained(server);
  await client.subscribe(topic, retainHandling(2));
  await expectRetained(client, topic, undefined);
});

keeps('[MQTT-3.3.1-12]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic);
  for (const retain of [true, false]) {
    await client.publish(topic, 'x', { retain });
    expect((await client.receive()).retain).toBe(false);
  }
});

keeps('[MQTT-3.3.1-13]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, RETAIN_AS_PUBLISHED);
  for (const retain of [true, false]) {
    await client.publish(topic, 'x', { retain });
    expect((await client.receive()).retain).toBe(retain);
  }
});

keeps('[MQTT-3.8.4-4]', async (server) => {
  const { topic, client } = await withRetained(server);
  await client.subscribe(topic);
  await client.receive();
  // While messages come the subscription is replaced; none of them is missing.
  const publisher = await server.connect();
  for (let i = 0; i < 40; i += 1) {
    await publisher.publish(topic, `${i}`);
    if (i % 10 === 5) await client.subscribe(topic);
  }
  const live: string[] = [];
  let again = 0;
  while (live.length < 40) {
    const { payload, retain } = await client.receive();
    if (retain) again += 1;
    else live.push(payload);
  }
  expect(live).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`));
  expect(again).toBe(4);
});
