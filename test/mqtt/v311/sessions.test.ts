import { expect } from 'vitest';
import { connect, packet, puback, pubcomp, publish, pubrec, pubrel } from '../packets.ts';
import { v311 } from '../suite.ts';

const keeps = v311();

keeps('[MQTT-3.1.2-4]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const first = await server.connect({ id, clean: false });
  await first.subscribe(topic, 1);
  for (const goodbye of ['leave', 'cut'] as const) {
    const client = await server.connect({ id, clean: false });
    await client[goodbye]();
    const again = await server.connect({ id, clean: false });
    expect(again.connack?.sessionPresent).toBe(true);
    await again.publish(topic, goodbye);
    expect((await again.receive()).payload).toBe(goodbye);
  }
});

keeps('[MQTT-3.1.2-5]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const away = await server.connect({ id, clean: false });
  await away.subscribe(`${topic}/#`, 2);
  await away.leave();
  const publisher = await server.connect();
  for (const qos of [1, 2, 1]) await publisher.publish(`${topic}/a`, `qos ${qos}`, { qos });
  const back = await server.connect({ id, clean: false });
  const received = [await back.receive(), await back.receive(), await back.receive()];
  expect(received.map(({ payload, qos }) => [payload, qos])).toEqual([
    ['qos 1', 1],
    ['qos 2', 2],
    ['qos 1', 1],
  ]);
});

keeps('[MQTT-3.1.2-6]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const before = await server.connect({ id, clean: false });
  await before.subscribe(topic, 1);
  await before.leave();
  const publisher = await server.connect();
  await publisher.publish(topic, 'queued');
  const clean = await server.connect({ id, clean: true });
  expect(clean.connack?.sessionPresent).toBe(false);
  await publisher.publish(topic, 'live');
  expect(await clean.ping()).toEqual([]);
  await clean.subscribe(`${topic}/of/the/clean`, 1);
  await clean.leave();
  const after = await server.connect({ id, clean: false });
  expect(after.connack?.sessionPresent).toBe(false);
  await publisher.publish(`${topic}/of/the/clean`, 'x');
  await after.subscribe(`${topic}/marker`, 1);
  await publisher.publish(`${topic}/marker`, 'marker');
  expect((await after.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.1.2-7]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const publisher = await server.connect({ id, clean: true });
  await publisher.publish(topic, 'kept', { retain: true });
  await publisher.leave();
  const again = await server.connect({ id, clean: true });
  await again.subscribe(topic);
  expect((await again.receive()).payload).toBe('kept');
});

keeps('[MQTT-3.1.3-2]', async (server) => {
  const [one, other, topic] = [server.name(), server.name(), server.name()];
  const first = await server.connect({ id: one, clean: false });
  await first.subscribe(topic, 1);
  await first.leave();
  const stranger = await server.connect({ id: other, clean: false });
  expect(stranger.connack?.sessionPresent).toBe(false);
  await stranger.publish(topic, 'for the first');
  expect(await stranger.ping()).toEqual([]);
  const upper = await server.connect({ id: one.toUpperCase(), clean: false });
  expect(upper.connack?.sessionPresent).toBe(false);
  expect((await (await server.connect({ id: one, clean: false })).receive()).payload).toBe(
    'for the first',
  );
});

keeps('[MQTT-3.1.4-3]', async (server) => {
  const id = server.name();
  const present = async (clean: boolean) => {
    const client = await server.connect({ id, clean });
    await client.leave();
    return client.connack?.sessionPresent;
  };
  expect(await present(true)).toBe(false);
  expect(await present(false)).toBe(false);
  expect(await present(false)).toBe(true);
  expect(await present(true)).toBe(false);
  expect(await present(false)).toBe(false);
});

keeps('[MQTT-3.2.0-1]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const away = await server.connect({ id, clean: false });
  await away.subscribe(topic, 1);
  await away.leave();
  await (await server.connect()).publish(topic, 'queued');
  const back = await server.open();
  back.send(connect({ id, clean: false }), Buffer.of(0xc0, 0));
  expect((await back.next()).type).toBe('connack');
  expect((await back.take('publish')).payload).toBe('queued');
});

keeps('[MQTT-3.2.2-1]', async (server) => {
  const id = server.name();
  await (await server.connect({ id, clean: false })).leave();
  const client = await server.connect({ id, clean: true });
  expect(client.connack?.bytes.toString('hex')).toBe('20020000');
});

keeps('[MQTT-3.2.2-2]', async (server) => {
  const id = server.name();
  await (await server.connect({ id, clean: false })).leave();
  const client = await server.connect({ id, clean: false });
  expect(client.connack?.bytes.toString('hex')).toBe('20020100');
});

keeps('[MQTT-3.2.2-3]', async (server) => {
  const client = await server.connect({ clean: false });
  expect(client.connack?.bytes.toString('hex')).toBe('20020000');
});

keeps('[MQTT-4.1.0-1]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const publisher = await server.connect();
  let client = await server.connect({ id, clean: false });
  await client.subscribe(topic, 2);
  await publisher.publish(topic, 'one', { qos: 2 });
  const { id: packetId } = await client.take('publish');
  client.cut();
  // Through several connections: the subscription, the delivery that has begun, and its second half.
  client = await server.connect({ id, clean: false });
  client.send(pubrec((await client.take('publish')).id));
  await client.take('pubrel');
  client.cut();
  client = await server.connect({ id, clean: false });
  expect((await client.take('pubrel')).id).toBe(packetId);
  client.send(pubcomp(packetId));
  await client.leave();
  await publisher.publish(topic, 'two', { qos: 2 });
  client = await server.connect({ id, clean: false });
  expect((await client.receive()).payload).toBe('two');
});

keeps('[MQTT-4.1.0-2]', async (server) => {
  for (const clean of [true, false]) {
    const topic = server.name();
    const client = await server.connect({ clean });
    await client.subscribe(topic, 1);
    await server.pass(server.plane === undefined ? 0 : 3_600_000);
    await client.publish(topic, 'still here');
    expect((await client.receive()).payload).toBe('still here');
  }
});

keeps('[MQTT-4.4.0-1]', async (server) => {
  const id = server.name();
  const topic = server.name();
  let client = await server.connect({ id, clean: false });
  await client.subscribe(topic, 2);
  const publisher = await server.connect();
  for (const qos of [1, 2, 2]) await publisher.publish(topic, `${qos}`, { qos });
  const [first, second, third] = await client.takeAll('publish', 3);
  client.send(pubrec(third?.id ?? 0));
  await client.take('pubrel');
  client.cut();
  client = await server.connect({ id, clean: false });
  const again = await client.takeAll('publish', 2);
  expect(again.map((one) => [one.id, one.qos])).toEqual([
    [first?.id, 1],
    [second?.id, 2],
  ]);
  expect((await client.take('pubrel')).id).toBe(third?.id);
});

keeps('[MQTT-3.3.1-1]', async (server) => {
  const id = server.name();
  const topic = server.name();
  let client = await server.connect({ id, clean: false });
  await client.subscribe(topic, 2);
  const publisher = await server.connect();
  for (const qos of [1, 2]) await publisher.publish(topic, 'x', { qos });
  expect((await client.takeAll('publish', 2)).map(({ dup }) => dup)).toEqual([false, false]);
  client.cut();
  client = await server.connect({ id, clean: false });
  expect((await client.takeAll('publish', 2)).map(({ dup }) => dup)).toEqual([true, true]);
});

keeps('[MQTT-4.6.0-1]', async (server) => {
  const id = server.name();
  const topic = server.name();
  let client = await server.connect({ id, clean: false });
  await client.subscribe(topic, 2);
  const publisher = await server.connect();
  const payloads = Array.from({ length: 30 }, (_, i) => `${i}`);
  for (const [i, payload] of payloads.entries())
    await publisher.publish(topic, payload, { qos: 1 + (i % 2) });
  const sent = (await client.takeAll('publish', 30)).map(({ payload }) => payload);
  client.cut();
  client = await server.connect({ id, clean: false });
  expect((await client.takeAll('publish', 30)).map(({ payload }) => payload)).toEqual(sent);
});

keeps('[MQTT-4.3.3-2]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic, 2);
  let client = await server.connect({ id, clean: false });
  const message = publish(topic, 'once', { qos: 2, id: 7 });
  const repeated = publish(topic, 'once', { qos: 2, id: 7, dup: true });
  client.send(message);
  expect((await client.take('pubrec')).id).toBe(7);
  client.send(repeated);
  expect((await client.take('pubrec')).id).toBe(7);
  client.cut();
  client = await server.connect({ id, clean: false });
  client.send(repeated);
  expect((await client.take('pubrec')).id).toBe(7);
  client.send(pubrel(7));
  expect((await client.take('pubcomp')).id).toBe(7);
  client.send(publish(topic, 'new', { qos: 2, id: 7 }));
  await client.take('pubrec');
  client.send(pubrel(7));
  await client.take('pubcomp');
  expect((await watcher.receive()).payload).toBe('once');
  expect((await watcher.receive()).payload).toBe('new');
  // A PUBREL that is repeated, or whose message nobody knows, is answered all the same.
  client.send(pubrel(7));
  expect((await client.take('pubcomp')).id).toBe(7);
});

keeps('[MQTT-4.3.3-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  await client.publish(topic, 'x', { qos: 2 });
  const delivery = await client.take('publish');
  expect(delivery).toMatchObject({ qos: 2, dup: false });
  // Unacknowledged until PUBREC: its id is not used for another.
  await client.publish(topic, 'y', { qos: 2 });
  const other = await client.take('publish');
  expect(other.id).not.toBe(delivery.id);
  client.send(pubrec(delivery.id));
  expect((await client.take('pubrel')).id).toBe(delivery.id);
  client.send(pubcomp(delivery.id));
  expect(await client.ping()).toEqual([]);
});

keeps('[MQTT-4.3.2-1]', async (server) => {
  const id = server.name();
  const topic = server.name();
  let client = await server.connect({ id, clean: false });
  await client.subscribe(topic, 1);
  await client.publish(topic, 'x');
  await client.publish(topic, 'y');
  const [first, second] = await client.takeAll('publish', 2);
  expect([first, second]).toMatchObject([
    { qos: 1, dup: false },
    { qos: 1, dup: false },
  ]);
  expect(first?.id).not.toBe(second?.id);
  client.send(puback(first?.id ?? 0));
  await client.ping();
  client.cut();
  client = await server.connect({ id, clean: false });
  expect((await client.take('publish')).id).toBe(second?.id);
  expect(await client.ping()).toEqual([]);
});

keeps('[MQTT-4.3.2-2]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic);
  for (const dup of [false, true, true]) {
    client.send(publish(topic, `${dup}`, { qos: 1, id: 9, dup }));
    expect((await client.take('puback')).id).toBe(9);
  }
  const received = await client.takeAll('publish', 3);
  expect(received.map(({ payload }) => payload)).toEqual(['false', 'true', 'true']);
});

keeps('[MQTT-4.8.0-2]', async (server) => {
  const { plane } = server;
  if (plane === undefined) return;
  plane.hold = true;
  const client = await server.connect();
  client.send(publish('dss/put/key', 'x', { qos: 1 }));
  while (plane.held.length === 0) await client.ping();
  const [write] = plane.held.splice(0);
  write?.sink.writeFailed(write.token, 'no-quorum');
  await server.pass(10_000);
  expect(await client.closed()).toEqual([]);
  plane.hold = false;
  // Nor does anything else that cannot go on: an acknowledgement that is none.
  await (await server.connect()).send(packet(0x40, Buffer.of(1))).closed();
});
