import { expect } from 'vitest';
import { puback, pubcomp, publish, pubrec, subscribe5, unsubscribe5 } from '../packets.ts';
import { type Server, v5 } from '../suite.ts';
import { expectEnd, MALFORMED, PROTOCOL_ERROR } from './ending.ts';

const keeps = v5('v5/subscribe');
const NO_LOCAL = 0x04;
/** MQTT 5 tables 3.8 and 3.11. */
const SUBACK_REASONS = [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2];
const UNSUBACK_REASONS = [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91];
/** Granted and refused in the ways that our topics know. */
const FILTERS = ['a', 'dss/put/#', 'dss/value/#', '$SYS/#', 'dss/nothing', '#'];

keeps('[MQTT-2.2.1-6]', async (server) => {
  const client = await server.connect();
  client.send(subscribe5(1234, {}, ['a', 0]), unsubscribe5(4321, 'a'));
  expect((await client.take('suback')).id).toBe(1234);
  expect((await client.take('unsuback')).id).toBe(4321);
});

keeps('[MQTT-3.8.3-3]', async (server) => {
  const topic = server.name();
  const [client, other] = [await server.connect(), await server.connect()];
  await client.subscribe(topic, NO_LOCAL);
  await client.publish(topic, 'own');
  await other.publish(topic, 'of another');
  expect((await client.receive()).payload).toBe('of another');
  // Without the option it does.
  await client.subscribe(topic, 0);
  await client.publish(topic, 'own');
  expect((await client.receive()).payload).toBe('own');
});

keeps('[MQTT-3.8.3-4]', async (server) => {
  const bytes = subscribe5(1, {}, ['$share/group/a', NO_LOCAL]);
  await expectEnd((await server.connect()).send(bytes), PROTOCOL_ERROR, MALFORMED);
});

keeps('[MQTT-3.8.4-1]', async (server) => {
  const client = await server.connect();
  client.send(subscribe5(1, {}, [server.name(), 0]));
  expect((await client.next()).type).toBe('suback');
});

keeps('[MQTT-3.8.4-2]', async (server) => {
  const client = await server.connect();
  for (const id of [1, 255, 256, 65_535]) {
    client.send(subscribe5(id, {}, [server.name(), 0]));
    expect((await client.next()).id).toBe(id);
  }
});

keeps('[MQTT-3.8.4-3]', async (server) => {
  for (const filter of ['a', '+', '#']) {
    const name = server.name();
    const client = await server.connect();
    for (const qos of [0, 2, 1]) {
      expect(await client.subscribe(`${name}/${filter}`, qos)).toEqual([qos]);
      await client.publish(`${name}/a`, 'live', { qos: 2 });
      await client.publish(`${name}/a`, 'marker', { qos: 2 });
      expect(await client.receive()).toMatchObject({ payload: 'live', qos });
      expect(await client.receive()).toMatchObject({ payload: 'marker', qos });
    }
  }
});

keeps('[MQTT-3.8.4-5]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  const topics = ['a', 'b', 'c'].map((topic) => `${name}/${topic}`);
  expect(await client.subscribe(topics.map((topic, qos) => [topic, qos] as const))).toEqual([
    0, 1, 2,
  ]);
  for (const [qos, topic] of topics.entries()) {
    await client.publish(topic, 'x', { qos: 2 });
    expect(await client.receive()).toMatchObject({ topic, qos });
  }
});

keeps('[MQTT-3.8.4-6]', async (server) => {
  const client = await server.connect();
  const filters = Array.from({ length: 100 }, (_, i) => [server.name(), i % 3] as const);
  expect(await client.subscribe(filters)).toHaveLength(100);
});

keeps('[MQTT-3.8.4-7]', async (server) => {
  const client = await server.connect();
  const codes = await client.subscribe(FILTERS.map((filter) => [filter, 2] as const));
  for (const code of codes) if (code < 0x80) expect(code).toBeLessThanOrEqual(2);
});

keeps('[MQTT-3.8.4-8]', async (server) => {
  for (const filter of ['a', '+', '#', 'a/#']) {
    const name = server.name();
    for (const granted of [0, 1, 2]) {
      const client = await server.connect();
      await client.subscribe(`${name}/${filter}`, granted);
      for (const published of [0, 1, 2]) {
        await client.publish(`${name}/a`, 'x', { qos: published });
        expect((await client.receive()).qos).toBe(Math.min(published, granted));
      }
      await client.leave();
    }
  }
});

keeps('[MQTT-3.9.2-1]', async (server) => {
  const client = await server.connect({ properties: { maximumPacketBytes: 60 } });
  client.send(subscribe5(1, {}, ...FILTERS.map((filter) => [filter, 0] as const)));
  expect((await client.take('suback')).bytes.length).toBeLessThanOrEqual(60);
});

keeps('[MQTT-3.9.3-1]', async (server) => {
  const client = await server.connect();
  const name = server.name();
  const filters = [2, 0, 1].map((qos, i) => [`${name}/${i}`, qos] as const);
  expect(await client.subscribe(filters)).toEqual([2, 0, 1]);
});

keeps('[MQTT-3.9.3-2]', async (server) => {
  const client = await server.connect();
  const codes = await client.subscribe(FILTERS.map((filter) => [filter, 2] as const));
  expect(codes).toHaveLength(FILTERS.length);
  for (const code of codes) expect(SUBACK_REASONS).toContain(code);
});

keeps('[MQTT-3.10.4-1]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  for (const filter of ['a', '+', 'A', 'a/#']) await client.subscribe(`${name}/${filter}`);
  client.send(unsubscribe5(1, `${name}/#`, `${name}/a/`, name, `${name}/+`, `${name}/a/#`));
  expect((await client.take('unsuback')).codes).toEqual([0x11, 0x11, 0x11, 0, 0]);
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
  client.send(unsubscribe5(5, `${name}/a`), publish(`${name}/a`, 'never', { version: 5 }));
  await client.take('unsuback');
  await client.publish(`${name}/a`, 'never');
  await client.publish(`${name}/marker`, 'marker');
  expect((await client.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.10.4-3]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  await client.subscribe(topic, 2);
  for (const qos of [1, 2]) await client.publish(topic, 'x', { qos });
  const [one, two] = await client.takeAll('publish', 2);
  client.send(unsubscribe5(5, topic));
  await client.take('unsuback');
  client.send(puback(one?.id ?? 0), pubrec(two?.id ?? 0));
  expect((await client.take('pubrel')).id).toBe(two?.id);
  client.send(pubcomp(two?.id ?? 0));
  expect(await client.ping()).toEqual([]);
});

keeps('[MQTT-3.10.4-4]', async (server) => {
  const client = await server.connect();
  client.send(unsubscribe5(1, 'a'));
  expect((await client.next()).type).toBe('unsuback');
});

keeps('[MQTT-3.10.4-5]', async (server) => {
  const client = await server.connect();
  for (const id of [1, 65_535]) {
    client.send(unsubscribe5(id, server.name()));
    expect(await client.next()).toMatchObject({ type: 'unsuback', id, codes: [0x11] });
  }
});

keeps('[MQTT-3.10.4-6]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  const filters = ['a', 'b', 'c', 'marker'].map((level) => `${name}/${level}`);
  await client.subscribe(filters.map((filter) => [filter, 0] as const));
  client.send(unsubscribe5(6, ...filters.slice(0, 3)));
  expect((await client.take('unsuback')).codes).toEqual([0, 0, 0]);
  for (const topic of filters) await client.publish(topic, topic);
  expect((await client.receive()).topic).toBe(`${name}/marker`);
});

keeps('[MQTT-3.11.3-1]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.subscribe([
    [`${name}/a`, 0],
    [`${name}/c`, 0],
  ]);
  client.send(unsubscribe5(6, `${name}/a`, `${name}/b`, `${name}/c`));
  expect((await client.take('unsuback')).codes).toEqual([0, 0x11, 0]);
});

keeps('[MQTT-3.11.3-2]', async (server) => {
  const client = await server.connect();
  await client.subscribe('a');
  client.send(unsubscribe5(6, ...FILTERS));
  const { codes } = await client.take('unsuback');
  expect(codes).toHaveLength(FILTERS.length);
  for (const code of codes) expect(UNSUBACK_REASONS).toContain(code);
});

keeps('[MQTT-3.12.4-1]', async (server) => {
  const client = await server.connect();
  client.send(Buffer.of(0xc0, 0, 0xc0, 0));
  for (let i = 0; i < 2; i += 1) expect((await client.next()).bytes.toString('hex')).toBe('d000');
});

/** Closed, or refused with a code of 0x80 or more. */
async function refusesFilters(server: Server, filters: readonly string[]): Promise<void> {
  for (const filter of filters) {
    const client = await server.connect();
    const codes = await client.subscribe(filter).catch(() => [MALFORMED]);
    expect(codes[0]).toBeGreaterThanOrEqual(0x80);
  }
}

keeps('[MQTT-4.7.1-1]', async (server) => {
  await refusesFilters(server, ['a#', '#/a', 'a/#/b', '##', 'a/b#', '+#']);
  const name = server.name();
  const client = await server.connect();
  await client.subscribe(`${name}/a/#`);
  for (const topic of ['b', 'ab', 'a', 'a/', 'a/b/c'])
    await client.publish(`${name}/${topic}`, topic);
  for (const topic of ['a', 'a/', 'a/b/c']) expect((await client.receive()).payload).toBe(topic);
});

keeps('[MQTT-4.7.1-2]', async (server) => {
  await refusesFilters(server, ['a+', '+a', 'a/+b/c', '++', 'a/b+']);
  const name = server.name();
  const client = await server.connect();
  await client.subscribe([
    [`${name}/+/c`, 0],
    [`+/${name}`, 0],
  ]);
  for (const topic of ['b/c', '/c', 'b/c/d', 'c']) await client.publish(`${name}/${topic}`, topic);
  await client.publish(`/${name}`, 'first');
  for (const topic of ['b/c', '/c', 'first']) expect((await client.receive()).payload).toBe(topic);
});

keeps('[MQTT-4.7.2-1]', async (server) => {
  const name = server.name();
  const client = await server.connect();
  await client.subscribe([
    ['#', 0x20],
    [`+/${name}`, 0],
    [`$own/${name}/#`, 0],
  ]);
  await client.publish(`$own/${name}`, 'by its name');
  await client.publish(`other/${name}`, 'marker');
  expect((await client.receive()).topic).toBe(`$own/${name}`);
  expect((await client.receive()).payload).toBe('marker');
});

/** The copies that a client gets of one message to `<name>/a`. */
async function copies(server: Server, filters: readonly (readonly [string, number, number?])[]) {
  const name = server.name();
  const client = await server.connect();
  for (const [filter, qos, id] of filters) {
    await client.subscribe(
      `${name}/${filter}`,
      qos,
      id === undefined ? {} : { subscriptionIds: [id] },
    );
  }
  await client.subscribe(`${name}`);
  await client.publish(`${name}/a`, 'x', { qos: 2 });
  await client.publish(name, 'marker');
  const found = [await client.receive()];
  while (found.at(-1)?.payload !== 'marker') found.push(await client.receive());
  return found.slice(0, -1);
}

keeps('[MQTT-3.3.4-2]', async (server) => {
  for (const qos of [0, 1, 2]) {
    const found = await copies(server, [
      ['#', 0],
      ['a', qos],
      ['+', 0],
    ]);
    expect(Math.max(...found.map((copy) => copy.qos))).toBe(qos);
  }
});

keeps('[MQTT-3.3.4-3]', async (server) => {
  const [copy, ...others] = await copies(server, [['+', 1, 268_435_455]]);
  expect(copy?.properties.subscriptionIds).toEqual([268_435_455]);
  expect(others).toEqual([]);
});

const IDENTIFIED = [
  ['#', 1, 1],
  ['a', 1, 130],
  ['+', 1],
] as const;

keeps('[MQTT-3.3.4-4]', async (server) => {
  const found = await copies(server, IDENTIFIED);
  const ids = found.flatMap(({ properties }) => properties.subscriptionIds ?? []);
  expect(ids.sort()).toEqual([1, 130]);
});

keeps('[MQTT-3.3.4-5]', async (server) => {
  const found = await copies(server, IDENTIFIED);
  if (found.length === 1) return;
  for (const { properties } of found)
    expect(properties.subscriptionIds?.length ?? 0).toBeLessThan(2);
});
