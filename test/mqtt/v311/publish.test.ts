import { expect } from 'vitest';
import { field } from '../fields.ts';
import { packet, publish, pubrec, pubrel } from '../packets.ts';
import { v311 } from '../suite.ts';

const keeps = v311();

keeps('[MQTT-3.3.1-2]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 0);
  for (const qos of [0, 1, 2]) {
    await client.publish(topic, 'x', { qos, dup: qos > 0 });
    expect(await client.receive()).toMatchObject({ qos: 0, dup: false });
  }
});

keeps('[MQTT-3.3.1-3]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  for (const qos of [1, 2]) {
    await client.publish(topic, 'x', { qos, dup: true });
    expect(await client.receive()).toMatchObject({ qos, dup: false });
  }
});

keeps('[MQTT-3.3.2-1]', async (server) => {
  for (const bytes of [
    packet(0x30),
    packet(0x30, Buffer.of(0)),
    packet(0x30, Buffer.of(0, 5, 0x61)),
    packet(0x32, field('a'), Buffer.of(0)),
    publish(Buffer.of(0x61, 0xff), 'x'),
  ]) {
    expect(await (await server.connect()).send(bytes).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.3.2-2]', async (server) => {
  for (const topic of ['#', '+', 'a/#', 'a/+/b', 'a+', 'a#b']) {
    for (const qos of [0, 1, 2]) {
      const bytes = publish(topic, 'x', { qos });
      expect(await (await server.connect()).send(bytes).closed()).toEqual([]);
    }
  }
});

keeps('[MQTT-4.7.1-1]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(`${topic}/+`);
  await (await server.connect()).send(publish(`${topic}/+`, 'never')).closed();
  await watcher.publish(`${topic}/a`, 'marker');
  expect((await watcher.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.3.2-3]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.subscribe([
    [`${name}/+/c`, 0],
    [`${name}/d/#`, 0],
  ]);
  const topics = [`${name}/b/c`, `${name}/d`, `${name}/d/e/f`];
  for (const topic of topics) await client.publish(topic, topic);
  for (const topic of topics)
    expect(await client.receive()).toMatchObject({ topic, payload: topic });
});

keeps('[MQTT-3.3.4-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  client.send(publish(topic, 'x'));
  expect(await client.ping()).toEqual([]);
  client.send(publish(topic, 'x', { qos: 1, id: 3 }));
  expect(await client.next()).toMatchObject({ type: 'puback', id: 3 });
  client.send(publish(topic, 'x', { qos: 2, id: 4 }));
  expect(await client.next()).toMatchObject({ type: 'pubrec', id: 4 });
  client.send(pubrel(4));
  expect(await client.next()).toMatchObject({ type: 'pubcomp', id: 4 });
});

keeps('[MQTT-3.3.5-1]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.subscribe([
    [`${name}/#`, 2],
    [`${name}/a`, 0],
    [`${name}/+`, 1],
  ]);
  for (const qos of [0, 1, 2]) {
    await client.publish(`${name}/a`, `${qos}`, { qos });
    await client.publish(name, `marker ${qos}`);
    const copies: number[] = [];
    for (;;) {
      const copy = await client.receive();
      if (copy.payload === `marker ${qos}`) break;
      expect(copy.payload).toBe(`${qos}`);
      copies.push(copy.qos);
    }
    expect(Math.max(...copies)).toBe(qos);
  }
});

keeps('[MQTT-3.3.5-2]', async (server) => {
  for (const topic of ['$SYS/broker/uptime', 'dss/sys/cluster', 'dss/put/']) {
    const client = await server.connect();
    client.send(publish(topic, 'forged', { qos: 1, id: 5 }));
    const answer = await Promise.race([client.next(), client.closed().then(() => 'closed')]).catch(
      () => 'closed',
    );
    if (answer !== 'closed') expect(answer).toMatchObject({ type: 'puback', id: 5 });
  }
});

keeps('[MQTT-4.3.1-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  client.send(publish(topic, 'x'));
  expect((await client.receive()).header).toBe(0x30);
});

keeps('[MQTT-4.5.0-1]', async (server) => {
  const topic = server.name();
  const [here, away] = [server.name(), server.name()];
  const connected = await server.connect({ id: here, clean: false });
  await connected.subscribe(topic, 1);
  const gone = await server.connect({ id: away, clean: false });
  await gone.subscribe(`${topic}/#`, 2);
  await gone.leave();
  await (await server.connect()).publish(topic, 'for both');
  expect((await connected.receive()).payload).toBe('for both');
  expect((await (await server.connect({ id: away, clean: false })).receive()).payload).toBe(
    'for both',
  );
});

/** So many messages that they come in several pieces. */
const ORDERED = Array.from({ length: 300 }, (_, i) => i + 1);

keeps('[MQTT-4.6.0-2]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  client.send(...ORDERED.map((id) => publish(topic, 'x', { qos: 1, id })));
  expect((await client.takeAll('puback', 300)).map(({ id }) => id)).toEqual(ORDERED);
});

keeps('[MQTT-4.6.0-3]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  client.send(...ORDERED.map((id) => publish(topic, 'x', { qos: 2, id })));
  expect((await client.takeAll('pubrec', 300)).map(({ id }) => id)).toEqual(ORDERED);
});

keeps('[MQTT-4.6.0-4]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  for (const id of ORDERED.slice(0, 20)) await client.publish(topic, 'x', { qos: 2, id });
  const ids = (await client.takeAll('publish', 20)).map(({ id }) => id);
  const order = [...ids.slice(10), ...ids.slice(0, 10)];
  client.send(...order.map((id) => pubrec(id)));
  expect((await client.takeAll('pubrel', 20)).map(({ id }) => id)).toEqual(order);
});

keeps('[MQTT-4.6.0-5]', async (server) => {
  for (const topic of [server.name(), `${server.name()}/a/b`, `/${server.name()}`]) {
    const watcher = await server.connect();
    await watcher.subscribe(topic, 1);
    const publisher = await server.connect();
    publisher.send(...ORDERED.map((id) => publish(topic, `${id}`, { qos: 1, id })));
    for (const id of ORDERED) expect((await watcher.receive()).payload).toBe(`${id}`);
  }
});

keeps('[MQTT-4.6.0-6]', async (server) => {
  const topic = server.name();
  const watchers = [await server.connect(), await server.connect()];
  for (const [qos, watcher] of watchers.entries()) await watcher.subscribe(`${topic}/+`, qos + 1);
  const publishers = [await server.connect(), await server.connect()];
  for (const qos of [0, 1, 2]) {
    for (const [who, publisher] of publishers.entries()) {
      const messages = ORDERED.map((id) => publish(`${topic}/${who}`, `${id}`, { qos, id }));
      publisher.send(...messages);
      if (qos < 2) continue;
      await publisher.takeAll('pubrec', ORDERED.length);
      publisher.send(...ORDERED.map((id) => pubrel(id)));
    }
    for (const watcher of watchers) {
      const seen = new Map<string, string[]>();
      for (let i = 0; i < 2 * ORDERED.length; i += 1) {
        const { topic: from, payload } = await watcher.receive();
        seen.set(from, [...(seen.get(from) ?? []), payload]);
      }
      const expected = ORDERED.map((id) => `${id}`);
      expect([...seen.values()]).toEqual([expected, expected]);
    }
  }
});
