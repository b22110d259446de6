import { expect } from 'vitest';
import {
  DISCONNECT,
  PINGREQ,
  packet,
  puback,
  pubcomp,
  publish,
  pubrec,
  subscribe,
  unsubscribe,
} from '../packets.ts';
import { type Server, v311 } from '../suite.ts';

const keeps = v311();

keeps('[MQTT-3.8.3-2]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  expect(
    await client.subscribe([
      [`${name}/+`, 1],
      ['#', 0],
      ['+/+/#', 2],
    ]),
  ).toEqual([1, 0, 2]);
});

keeps('[MQTT-3.8.4-1]', async (server) => {
  const client = await server.connect();
  client.send(subscribe(1, [server.name(), 0]));
  expect((await client.next()).type).toBe('suback');
});

keeps('[MQTT-3.8.4-2]', async (server) => {
  const client = await server.connect();
  for (const id of [1, 255, 256, 65_535]) {
    client.send(subscribe(id, [server.name(), 0]));
    expect((await client.next()).id).toBe(id);
  }
});

keeps('[MQTT-3.8.4-3]', async (server) => {
  for (const filter of ['a', '+', '#']) {
    const name = server.name();
    const client = await server.connect();
    await client.publish(`${name}/a`, 'kept', { retain: true });
    for (const qos of [0, 2, 1]) {
      expect(await client.subscribe(`${name}/${filter}`, qos)).toEqual([qos]);
      expect(await client.receive()).toMatchObject({ payload: 'kept', retain: true });
      await client.publish(`${name}/a`, 'live', { qos: 2 });
      await client.publish(`${name}/a`, 'marker', { qos: 2 });
      // One subscription, so one copy, at the QoS that was granted last.
      expect(await client.receive()).toMatchObject({ payload: 'live', qos });
      expect(await client.receive()).toMatchObject({ payload: 'marker', qos });
    }
  }
});

keeps('[MQTT-3.8.4-4]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  const topics = ['a', 'b', 'c'].map((topic) => `${name}/${topic}`);
  client.send(subscribe(9, ...topics.map((topic, qos) => [topic, qos] as const)));
  expect(await client.next()).toMatchObject({ type: 'suback', id: 9, codes: [0, 1, 2] });
  for (const [qos, topic] of topics.entries()) {
    await client.publish(topic, 'x', { qos: 2 });
    expect(await client.receive()).toMatchObject({ topic, qos });
  }
  // Replaced at once, but granted before.
  expect(
    await client.subscribe([
      [`${name}/d`, 2],
      [`${name}/d`, 0],
    ]),
  ).toEqual([2, 0]);
});

keeps('[MQTT-3.8.4-5]', async (server) => {
  const client = await server.connect();
  const filters = Array.from({ length: 100 }, (_, i) => [server.name(), i % 3] as const);
  expect(await client.subscribe(filters)).toEqual(filters.map(([, qos]) => qos));
});

/** Every published QoS to every granted one; `filter` for the topic `<name>/a`. */
async function deliveredAtTheLower(server: Server, filter: string): Promise<void> {
  const name = server.name();
  for (const granted of [0, 1, 2]) {
    const client = await server.connect();
    await client.subscribe(`${name}/${filter}`, granted);
    for (const published of [0, 1, 2]) {
      await client.publish(`${name}/a`, `${published}`, { qos: published });
      expect(await client.receive()).toMatchObject({
        payload: `${published}`,
        qos: Math.min(published, granted),
      });
    }
    await client.leave();
  }
}

keeps('[MQTT-3.8.4-6]', async (server) => {
  for (const filter of ['a', '+', '#', 'a/#']) await deliveredAtTheLower(server, filter);
});

keeps('[MQTT-3.9.3-1]', async (server) => {
  const client = await server.connect();
  const name = server.name();
  const codes = await client.subscribe([
    [`${name}/a`, 2],
    [`${name}/b`, 0],
    [`${name}/c`, 1],
  ]);
  expect(codes).toEqual([2, 0, 1]);
});

keeps('[MQTT-3.9.3-2]', async (server) => {
  const client = await server.connect();
  const filters = ['a', 'dss/put/#', 'dss/value/#', '$share/g/a', '$SYS/#', 'dss/nothing', '#'];
  const codes = await client.subscribe(filters.map((filter) => [filter, 2] as const));
  expect(codes).toHaveLength(filters.length);
  for (const code of codes) expect([0, 1, 2, 0x80]).toContain(code);
});

keeps('[MQTT-3.10.4-1]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  const filters = [`${name}/a`, `${name}/+`, `${name}/A`, `${name}/a/#`];
  for (const filter of filters) await client.subscribe(filter);
  // These match the same topics, but are other filters.
  client.send(unsubscribe(1, `${name}/#`, `${name}/a/`, `${name}`, `${name}/b`));
  await client.take('unsuback');
  client.send(unsubscribe(2, `${name}/+`, `${name}/a/#`));
  await client.take('unsuback');
  await client.publish(`${name}/b`, 'gone');
  await client.publish(`${name}/A`, 'A');
  await client.publish(`${name}/a`, 'a');
  expect((await client.receive()).payload).toBe('A');
  expect((await client.receive()).payload).toBe('a');
  expect(await client.ping()).toEqual([]);
});

keeps('[MQTT-3.10.4-2]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.subscribe([
    [`${name}/a`, 1],
    [`${name}/marker`, 0],
  ]);
  client.send(unsubscribe(5, `${name}/a`), publish(`${name}/a`, 'never'));
  await client.take('unsuback');
  await client.publish(`${name}/a`, 'never');
  await client.publish(`${name}/marker`, 'marker');
  expect((await client.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.10.4-3]', async (server) => {
  const id = server.name();
  const topic = server.name();
  let client = await server.connect({ id, clean: false });
  await client.subscribe(topic, 2);
  await client.publish(topic, 'one', { qos: 1 });
  await client.publish(topic, 'two', { qos: 2 });
  const deliveries = await client.takeAll('publish', 2);
  client.send(unsubscribe(5, topic));
  await client.take('unsuback');
  const two = deliveries.find(({ qos }) => qos === 2)?.id ?? 0;
  client.send(pubrec(two));
  expect((await client.take('pubrel')).id).toBe(two);
  client.cut();
  client = await server.connect({ id, clean: false });
  const one = await client.take('publish');
  expect(one).toMatchObject({ payload: 'one' });
  expect((await client.take('pubrel')).id).toBe(two);
  client.send(puback(one.id), pubcomp(two));
  expect(await client.ping()).toEqual([]);
});

keeps('[MQTT-3.10.4-4]', async (server) => {
  const client = await server.connect();
  for (const id of [1, 65_535]) {
    client.send(unsubscribe(id, 'a'));
    expect((await client.next()).bytes).toEqual(packet(0xb0, Buffer.of(id >> 8, id & 0xff)));
  }
});

keeps('[MQTT-3.10.4-5]', async (server) => {
  const client = await server.connect();
  client.send(unsubscribe(6, server.name(), '#', '+/never'));
  expect(await client.next()).toMatchObject({ type: 'unsuback', id: 6 });
});

keeps('[MQTT-3.10.4-6]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  const filters = ['a', 'b', 'c', 'marker'].map((level) => `${name}/${level}`);
  await client.subscribe(filters.map((filter) => [filter, 0] as const));
  client.send(unsubscribe(6, ...filters.slice(0, 3)));
  await client.take('unsuback');
  for (const topic of filters) await client.publish(topic, topic);
  expect((await client.receive()).topic).toBe(`${name}/marker`);
  expect(await client.ping()).toEqual([]);
});

keeps('[MQTT-3.12.4-1]', async (server) => {
  const client = await server.connect();
  client.send(PINGREQ, PINGREQ, PINGREQ);
  for (let i = 0; i < 3; i += 1) {
    expect((await client.next()).bytes.toString('hex')).toBe('d000');
  }
  expect(await client.send(DISCONNECT).closed()).toEqual([]);
});

async function filtersClose(server: Server, filters: readonly string[]): Promise<void> {
  for (const filter of filters) {
    const answer = (await server.connect()).send(subscribe(1, [filter, 0]));
    // A server may close; one that goes on must say that it failed.
    const codes = await answer.take('suback').then(
      ({ codes: [code] }) => code,
      () => 'closed',
    );
    expect(['closed', 0x80]).toContain(codes);
  }
}

keeps('[MQTT-4.7.1-2]', async (server) => {
  await filtersClose(server, ['a#', '#/a', 'a/#/b', '##', 'a/b#', '+#']);
  const name = server.name();
  const client = await server.connect();
  await client.subscribe(`${name}/a/#`);
  for (const topic of ['b', 'ab', 'a', 'a/', 'a/b', 'a/b/c']) {
    await client.publish(`${name}/${topic}`, topic);
  }
  for (const topic of ['a', 'a/', 'a/b', 'a/b/c']) {
    expect((await client.receive()).payload).toBe(topic);
  }
});

keeps('[MQTT-4.7.1-3]', async (server) => {
  await filtersClose(server, ['a+', '+a', 'a/+b/c', '++', 'a/b+']);
  const name = server.name();
  const client = await server.connect();
  await client.subscribe([
    [`${name}/+/c`, 0],
    [`+/${name}`, 0],
    [`${name}/end/+`, 0],
  ]);
  const topics = ['b/c', '/c', 'b/c/d', 'c', 'end', 'end/', 'end/x', 'end/x/y'];
  for (const topic of topics) await client.publish(`${name}/${topic}`, topic);
  await client.publish(`/${name}`, 'first');
  for (const topic of ['b/c', '/c', 'end/', 'end/x', 'first']) {
    expect((await client.receive()).payload).toBe(topic);
  }
});

keeps('[MQTT-4.7.2-1]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.subscribe([
    ['#', 0],
    [`+/${name}`, 0],
    [`$own/${name}/#`, 0],
  ]);
  await client.publish(`$own/${name}`, 'by its name');
  await client.publish(`other/${name}`, 'marker');
  const received: string[] = [];
  while (!received.includes('marker')) {
    const { topic, retain } = await client.receive();
    // What other tests have retained matches, too.
    if (!retain) received.push(topic === `other/${name}` ? 'marker' : topic);
  }
  expect(received).toEqual([`$own/${name}`, 'marker']);
});
