import { expect } from 'vitest';
import { field } from '../fields.ts';
import { packet, puback, pubcomp, publish, pubrec, pubrel } from '../packets.ts';
import { v5 } from '../suite.ts';
import { expectEnd, MALFORMED, PROTOCOL_ERROR } from './ending.ts';

const keeps = v5('v5/publish');
const BAD_TOPIC = [MALFORMED, PROTOCOL_ERROR, 0x90];
/** MQTT 5 tables 3.4, 3.5, 3.6 and 3.7. */
const PUBACK_REASONS = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const PUBREL_REASONS = [0x00, 0x92];

keeps('[MQTT-2.2.1-2]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  client.send(publish(topic, 'abc', { version: 5 }));
  expect((await client.take('publish')).bytes.length).toBe(2 + 2 + topic.length + 1 + 3);
});

keeps('[MQTT-2.2.1-4]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  for (let i = 0; i < 20; i += 1) await client.publish(topic, 'x', { qos: 1 + (i % 2) });
  const ids = (await client.takeAll('publish', 20)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(20);
  expect(ids).not.toContain(0);
});

keeps('[MQTT-2.2.1-5]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  client.send(publish(topic, 'x', { version: 5, qos: 1, id: 4711 }));
  client.send(publish(topic, 'x', { version: 5, qos: 2, id: 65_535 }));
  expect((await client.take('puback')).id).toBe(4711);
  expect((await client.take('pubrec')).id).toBe(65_535);
  client.send(pubrel(65_535));
  expect((await client.take('pubcomp')).id).toBe(65_535);
  const deliveries = await client.takeAll('publish', 2);
  for (const { qos, id } of deliveries) client.send(qos === 1 ? puback(id) : pubrec(id));
  expect((await client.take('pubrel')).id).toBe(deliveries.find(({ qos }) => qos === 2)?.id);
});

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
  const wrong = [
    packet(0x30),
    packet(0x30, Buffer.of(0)),
    packet(0x30, Buffer.of(0, 5, 0x61)),
    packet(0x32, field('a'), Buffer.of(0)),
    publish(Buffer.of(0x61, 0xff), 'x', { version: 5 }),
  ];
  for (const bytes of wrong) await expectEnd((await server.connect()).send(bytes), ...BAD_TOPIC);
});

keeps('[MQTT-3.3.2-2]', async (server) => {
  for (const topic of ['#', '+', 'a/#', 'a/+/b', 'a+', 'a#b']) {
    for (const qos of [0, 1, 2]) {
      const client = (await server.connect()).send(publish(topic, 'x', { version: 5, qos }));
      await expectEnd(client, ...BAD_TOPIC);
    }
  }
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
  client.send(publish(topic, 'x', { version: 5 }));
  expect(await client.ping()).toEqual([]);
  client.send(publish(topic, 'x', { version: 5, qos: 1, id: 3 }));
  expect(await client.next()).toMatchObject({ type: 'puback', id: 3 });
  client.send(publish(topic, 'x', { version: 5, qos: 2, id: 4 }));
  expect(await client.next()).toMatchObject({ type: 'pubrec', id: 4 });
  client.send(pubrel(4));
  expect(await client.next()).toMatchObject({ type: 'pubcomp', id: 4 });
});

keeps('[MQTT-3.3.4-6]', async (server) => {
  const properties = { subscriptionIds: [1] };
  const client = (await server.connect()).send(publish('a', 'x', { version: 5, properties }));
  await expectEnd(client, MALFORMED, PROTOCOL_ERROR);
});

/** Taken, with no subscriber, and refused in the ways that our topics know. */
const ANSWERED = ['ordinary', 'dss/put/', 'dss/sys/cluster', 'dss/put/key', '$SYS/broker/uptime'];

keeps('[MQTT-3.4.2-1]', async (server) => {
  for (const topic of ANSWERED) {
    const answer = await (await server.connect()).publish(topic, 'x', { qos: 1 });
    expect(PUBACK_REASONS).toContain(answer?.codes[0]);
  }
});

keeps('[MQTT-3.4.2-2]', async (server) => {
  for (const topic of ANSWERED) {
    const client = await server.connect({ properties: { maximumPacketBytes: 60 } });
    const answer = await client.publish(topic, 'x', { qos: 1 });
    expect(answer?.bytes.length).toBeLessThanOrEqual(60);
  }
});

keeps('[MQTT-3.5.2-1]', async (server) => {
  for (const topic of ANSWERED) {
    const client = await server.connect();
    client.send(publish(topic, 'x', { version: 5, qos: 2, id: 9 }));
    expect(PUBACK_REASONS).toContain((await client.take('pubrec')).codes[0]);
  }
});

keeps('[MQTT-3.5.2-2]', async (server) => {
  for (const topic of ANSWERED) {
    const client = await server.connect({ properties: { maximumPacketBytes: 60 } });
    client.send(publish(topic, 'x', { version: 5, qos: 2, id: 9 }));
    expect((await client.take('pubrec')).bytes.length).toBeLessThanOrEqual(60);
  }
});

keeps('[MQTT-3.6.2-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  await client.publish(topic, 'x', { qos: 2 });
  client.send(pubrec((await client.take('publish')).id));
  expect(PUBREL_REASONS).toContain((await client.take('pubrel')).codes[0]);
  // Of nothing that was ever sent.
  client.send(pubrec(4711));
  expect(PUBREL_REASONS).toContain((await client.take('pubrel')).codes[0]);
});

keeps('[MQTT-3.7.2-1]', async (server) => {
  const client = await server.connect();
  expect(PUBREL_REASONS).toContain((await client.publish('a', 'x', { qos: 2 }))?.codes[0]);
  client.send(pubrel(4711));
  expect(PUBREL_REASONS).toContain((await client.take('pubcomp')).codes[0]);
});

keeps('[MQTT-4.3.1-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  client.send(publish(topic, 'x', { version: 5 }));
  expect((await client.receive()).header).toBe(0x30);
});

for (const [statement, qos] of [
  ['[MQTT-4.3.2-1]', 1],
  ['[MQTT-4.3.3-1]', 2],
] as const) {
  keeps(statement, async (server) => {
    const topic = server.name();
    const client = await server.connect();
    await client.subscribe(topic, qos);
    for (let i = 0; i < 5; i += 1) await client.publish(topic, 'x', { qos });
    const ids = (await client.takeAll('publish', 5)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(5);
  });
}

for (const [statement, qos] of [
  ['[MQTT-4.3.2-2]', 1],
  ['[MQTT-4.3.3-2]', 2],
] as const) {
  keeps(statement, async (server) => {
    const topic = server.name();
    const client = await server.connect();
    await client.subscribe(topic, qos);
    await client.publish(topic, 'x', { qos });
    expect(await client.receive()).toMatchObject({ qos, dup: false });
  });
}

keeps('[MQTT-4.3.2-4]', async (server) => {
  const client = await server.connect();
  expect(await client.publish('a', 'x', { qos: 1, id: 513 })).toMatchObject({ id: 513 });
});

keeps('[MQTT-4.3.2-5]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic);
  for (const dup of [false, true, true]) await client.publish(topic, `${dup}`, { id: 9, dup });
  const received = await client.takeAll('publish', 3);
  expect(received.map(({ payload }) => payload)).toEqual(['false', 'true', 'true']);
});

keeps('[MQTT-4.3.3-4]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  for (const reason of [0x00, 0x10, 0x80]) {
    await client.publish(topic, 'x', { qos: 2 });
    const { id } = await client.take('publish');
    client.send(pubrec(id, reason));
    if (reason < 0x80) expect((await client.take('pubrel')).id).toBe(id);
    client.send(...(reason < 0x80 ? [pubcomp(id)] : []));
    expect(await client.ping()).toEqual([]);
  }
});

keeps('[MQTT-4.3.3-8]', async (server) => {
  const client = await server.connect();
  client.send(publish('a', 'x', { version: 5, qos: 2, id: 514 }));
  expect(await client.next()).toMatchObject({ type: 'pubrec', id: 514 });
});

keeps('[MQTT-4.3.3-9]', async (server) => {
  const client = await server.connect();
  // One of our own topics without a key: refused, where a server refuses it at all.
  for (const topic of ['dss/put/', 'dss/put/']) {
    client.send(publish(topic, 'x', { version: 5, qos: 2, id: 5 }));
    const { codes } = await client.take('pubrec');
    if ((codes[0] ?? 0) >= 0x80) continue;
    client.send(pubrel(5));
    await client.take('pubcomp');
  }
  const topic = server.name();
  await client.subscribe(topic, 2);
  client.send(publish(topic, 'new', { version: 5, qos: 2, id: 5 }));
  expect((await client.take('pubrec')).codes[0]).toBeLessThan(0x80);
  client.send(pubrel(5));
  expect((await client.receive()).payload).toBe('new');
});

keeps('[MQTT-4.3.3-10]', async (server) => {
  const id = server.name();
  const topic = server.name();
  const properties = { sessionExpiry: 1_000 };
  const watcher = await server.connect();
  await watcher.subscribe(topic, 2);
  let client = await server.connect({ id, properties });
  client.send(publish(topic, 'once', { version: 5, qos: 2, id: 7 }));
  await client.take('pubrec');
  const repeated = publish(topic, 'once', { version: 5, qos: 2, id: 7, dup: true });
  client.send(repeated);
  await client.take('pubrec');
  client.cut();
  client = await server.connect({ id, clean: false, properties });
  client.send(repeated);
  await client.take('pubrec');
  client.send(pubrel(7));
  await client.take('pubcomp');
  await client.publish(topic, 'marker', { qos: 2 });
  expect((await watcher.receive()).payload).toBe('once');
  expect((await watcher.receive()).payload).toBe('marker');
});

keeps('[MQTT-4.3.3-11]', async (server) => {
  const client = await server.connect();
  client.send(publish('a', 'x', { version: 5, qos: 2, id: 600 }));
  await client.take('pubrec');
  client.send(pubrel(600));
  expect(await client.next()).toMatchObject({ type: 'pubcomp', id: 600 });
});

keeps('[MQTT-4.3.3-12]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 0);
  for (const payload of ['first', 'second']) {
    await client.publish(topic, payload, { qos: 2, id: 6 });
    expect((await client.receive()).payload).toBe(payload);
  }
});

/** So many messages that they come in several pieces. */
const ORDERED = Array.from({ length: 300 }, (_, i) => i + 1);

keeps('[MQTT-4.6.0-5]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(`${topic}/+`, 1);
  const publishers = [await server.connect(), await server.connect()];
  for (const [who, publisher] of publishers.entries()) {
    // Within what any server lets be under way.
    const first = ORDERED.slice(0, 20);
    publisher.send(
      ...first.map((id) => publish(`${topic}/${who}`, `${id}`, { version: 5, qos: 1, id })),
    );
    await publisher.takeAll('puback', first.length);
  }
  const seen: Record<string, number> = {};
  for (let i = 0; i < 40; i += 1) {
    const { topic: from, payload } = await watcher.receive();
    expect(Number(payload)).toBe((seen[from] ?? 0) + 1);
    seen[from] = Number(payload);
  }
});

keeps('[MQTT-4.6.0-6]', async (server) => {
  for (const topic of [server.name(), `${server.name()}/a/b`, `/${server.name()}`]) {
    const watcher = await server.connect();
    await watcher.subscribe(topic, 0);
    const publisher = await server.connect();
    publisher.send(...ORDERED.map((id) => publish(topic, `${id}`, { version: 5 })));
    for (const id of ORDERED) expect((await watcher.receive()).payload).toBe(`${id}`);
  }
});

keeps('[MQTT-4.7.0-1]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(`${topic}/+`);
  await (await server.connect()).send(publish(`${topic}/+`, 'never', { version: 5 })).closed();
  await watcher.publish(`${topic}/a`, 'marker');
  expect((await watcher.receive()).payload).toBe('marker');
});
