import { expect } from 'vitest';
import { disconnect5, puback, pubcomp, pubrec } from '../packets.ts';
import { type Server, v5 } from '../suite.ts';

const keeps = v5('v5/sessions');
const KEPT = { sessionExpiry: 1_000 };

/** A client with a session that outlives its connection, and how to come back to it. */
async function keeping(server: Server) {
  const id = server.name();
  const topic = server.name();
  const resume = () => server.connect({ id, clean: false, properties: KEPT });
  const client = await server.connect({ id, properties: KEPT });
  await client.subscribe(topic, 2);
  const publisher = await server.connect();
  return { id, topic, client, resume, publisher };
}

keeps('[MQTT-3.1.2-4]', async (server) => {
  const { id, topic, client, publisher } = await keeping(server);
  await client.leave();
  await publisher.publish(topic, 'queued');
  const clean = await server.connect({ id, clean: true, properties: KEPT });
  expect(clean.connack?.sessionPresent).toBe(false);
  await publisher.publish(topic, 'live');
  await clean.subscribe(`${topic}/marker`, 1);
  await publisher.publish(`${topic}/marker`, 'marker');
  expect((await clean.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.1.2-5]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  client.cut();
  const again = await resume();
  expect(again.connack?.sessionPresent).toBe(true);
  await publisher.publish(topic, 'x');
  expect((await again.receive()).payload).toBe('x');
});

keeps('[MQTT-3.1.2-6]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const client = await server.connect({ id, clean: false, properties: KEPT });
  expect(client.connack?.sessionPresent).toBe(false);
  await client.subscribe(topic, 1);
  await client.leave();
  const again = await server.connect({ id, clean: false, properties: KEPT });
  expect(again.connack?.sessionPresent).toBe(true);
});

keeps('[MQTT-3.1.2-23]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  await client.leave();
  for (const qos of [1, 2]) await publisher.publish(topic, `${qos}`, { qos });
  const back = await resume();
  expect(await back.receive()).toMatchObject({ payload: '1', qos: 1 });
  expect(await back.receive()).toMatchObject({ payload: '2', qos: 2 });
});

keeps('[MQTT-3.1.3-2]', async (server) => {
  const { id, topic, client, resume, publisher } = await keeping(server);
  await client.leave();
  const upper = { id: id.toUpperCase(), clean: false, properties: KEPT };
  expect((await server.connect(upper)).connack?.sessionPresent).toBe(false);
  await publisher.publish(topic, 'x');
  expect((await (await resume()).receive()).payload).toBe('x');
});

keeps('[MQTT-3.1.4-4]', async (server) => {
  const id = server.name();
  const present = async (clean: boolean) => {
    const client = await server.connect({ id, clean, properties: KEPT });
    await client.leave();
    return client.connack?.sessionPresent;
  };
  const clean = [true, false, true, false, false];
  const found: (boolean | undefined)[] = [];
  for (const one of clean) found.push(await present(one));
  expect(found).toEqual([false, true, false, true, true]);
});

keeps('[MQTT-4.1.0-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect({ properties: { sessionExpiry: 1 } });
  await client.subscribe(topic, 1);
  await server.pass(server.plane === undefined ? 1_000 : 3_600_000);
  await client.publish(topic, 'still here');
  expect((await client.receive()).payload).toBe('still here');
});

keeps('[MQTT-4.1.0-2]', async (server) => {
  const id = server.name();
  const present = async (sessionExpiry: number) => {
    const client = await server.connect({ id, clean: false, properties: { sessionExpiry } });
    return { client, was: client.connack?.sessionPresent };
  };
  await (await present(0)).client.leave();
  const first = await present(2);
  expect(first.was).toBe(false);
  await first.client.leave();
  const second = await present(2);
  expect(second.was).toBe(true);
  await second.client.leave();
  await server.pass(3_000);
  const third = await present(1_000);
  expect(third.was).toBe(false);
  // DISCONNECT changes the interval.
  await third.client.leave(disconnect5(0, { sessionExpiry: 0 }));
  expect((await present(0)).was).toBe(false);
});

keeps('[MQTT-4.4.0-1]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  for (const qos of [1, 2, 2]) await publisher.publish(topic, `${qos}`, { qos });
  const [first, second, third] = await client.takeAll('publish', 3);
  client.send(pubrec(third?.id ?? 0));
  await client.take('pubrel');
  await server.pass(server.plane === undefined ? 0 : 600_000);
  expect(await client.ping()).toEqual([]);
  client.cut();
  const back = await resume();
  const again = await back.takeAll('publish', 2);
  expect(again.map(({ id, qos }) => [id, qos])).toEqual([
    [first?.id, 1],
    [second?.id, 2],
  ]);
  expect((await back.take('pubrel')).id).toBe(third?.id);
});

keeps('[MQTT-4.4.0-2]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  for (const qos of [1, 2]) await publisher.publish(topic, `${qos}`, { qos });
  const [first, second] = await client.takeAll('publish', 2);
  client.send(puback(first?.id ?? 0, 0x80), pubrec(second?.id ?? 0, 0x97));
  expect(await client.ping()).toEqual([]);
  client.cut();
  const back = await resume();
  await publisher.publish(topic, 'marker');
  expect((await back.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.3.1-1]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  for (const qos of [1, 2]) await publisher.publish(topic, 'x', { qos });
  const sent = await client.takeAll('publish', 2);
  expect(sent.map(({ dup }) => dup)).toEqual([false, false]);
  client.cut();
  const again = await (await resume()).takeAll('publish', 2);
  expect(again.map(({ dup }) => dup)).toEqual([true, true]);
});

keeps('[MQTT-4.3.2-3]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  await publisher.publish(topic, 'x');
  await publisher.publish(topic, 'y');
  const [first, second] = await client.takeAll('publish', 2);
  client.send(puback(first?.id ?? 0));
  await client.ping();
  client.cut();
  const back = await resume();
  expect((await back.receive()).id).toBe(second?.id);
  expect(await back.ping()).toEqual([]);
});

keeps('[MQTT-4.3.3-3]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  await publisher.publish(topic, 'x', { qos: 2 });
  const { id } = await client.take('publish');
  client.cut();
  const back = await resume();
  expect(await back.take('publish')).toMatchObject({ id, payload: 'x', qos: 2 });
});

keeps('[MQTT-4.3.3-5]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  await publisher.publish(topic, 'x', { qos: 2 });
  const { id } = await client.take('publish');
  client.send(pubrec(id));
  await client.take('pubrel');
  client.cut();
  let back = await resume();
  expect((await back.take('pubrel')).id).toBe(id);
  back.send(pubcomp(id));
  await back.ping();
  back.cut();
  back = await resume();
  expect(await back.ping()).toEqual([]);
});

keeps('[MQTT-4.3.3-6]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  await publisher.publish(topic, 'x', { qos: 2 });
  const { id } = await client.take('publish');
  client.send(pubrec(id));
  await client.take('pubrel');
  client.cut();
  const back = await resume();
  await back.take('pubrel');
  back.send(pubcomp(id));
  expect(await back.ping()).toEqual([]);
});

keeps('[MQTT-4.5.0-1]', async (server) => {
  const { topic, client, resume, publisher } = await keeping(server);
  await client.leave();
  const connected = await server.connect();
  await connected.subscribe(`${topic}/#`, 1);
  await publisher.publish(topic, 'for both');
  expect((await connected.receive()).payload).toBe('for both');
  expect((await (await resume()).receive()).payload).toBe('for both');
});
