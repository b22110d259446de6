import { expect } from 'vitest';
import { puback, publish, pubrec, pubrel, subscribe, unsubscribe } from '../packets.ts';
import { v311 } from '../suite.ts';

const keeps = v311();

keeps('[MQTT-2.3.1-1]', async (server) => {
  const topic = server.name();
  for (const bytes of [
    subscribe(0, ['a', 0]),
    unsubscribe(0, 'a'),
    publish('a', 'x', { qos: 1, id: 0 }),
    publish('a', 'x', { qos: 2, id: 0 }),
  ]) {
    expect(await (await server.connect()).send(bytes).closed()).toEqual([]);
  }
  const client = await server.connect();
  await client.subscribe(topic, 2);
  for (const qos of [1, 2]) {
    await client.publish(topic, 'x', { qos });
    expect((await client.receive()).id).toBeGreaterThan(0);
  }
});

keeps('[MQTT-2.3.1-4]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  for (let i = 0; i < 20; i += 1) await client.publish(topic, 'x', { qos: 1 + (i % 2) });
  const unacknowledged = (await client.takeAll('publish', 20)).map(({ id }) => id);
  expect(new Set(unacknowledged).size).toBe(20);
});

keeps('[MQTT-2.3.1-5]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  client.send(publish(topic, 'abc'));
  const { bytes } = await client.take('publish');
  expect(bytes.length).toBe(2 + 2 + topic.length + 3);
});

keeps('[MQTT-2.3.1-6]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  client.send(
    publish(topic, 'x', { qos: 1, id: 4711 }),
    publish(topic, 'x', { qos: 2, id: 65_535 }),
  );
  expect((await client.take('puback')).id).toBe(4711);
  expect((await client.take('pubrec')).id).toBe(65_535);
  client.send(pubrel(65_535));
  const deliveries = await client.takeAll('publish', 2);
  for (const { qos, id } of deliveries) client.send(qos === 1 ? puback(id) : pubrec(id));
  expect((await client.take('pubrel')).id).toBe(deliveries.find(({ qos }) => qos === 2)?.id);
});

keeps('[MQTT-2.3.1-7]', async (server) => {
  const client = await server.connect();
  client.send(subscribe(1234, ['a', 0]), unsubscribe(4321, 'a'));
  expect((await client.take('suback')).id).toBe(1234);
  expect((await client.take('unsuback')).id).toBe(4321);
});
