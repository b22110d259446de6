import { expect } from 'vitest';
import {
  connect,
  DISCONNECT,
  PINGREQ,
  packet,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
} from '../packets.ts';
import { type Server, v311 } from '../suite.ts';

const keeps = v311();

/** The packet with every other value of the four flags. */
function misflagged(bytes: Buffer): Buffer[] {
  const header = bytes[0] as number;
  const others = Array.from({ length: 16 }, (_, flags) => (header & 0xf0) | flags);
  return others
    .filter((other) => other !== header)
    .map((other) => Buffer.concat([Buffer.of(other), bytes.subarray(1)]));
}

async function closesOnFlagsOf(server: Server, bytes: Buffer): Promise<void> {
  for (const wrong of misflagged(bytes)) {
    expect(await (await server.connect()).send(wrong).closed()).toEqual([]);
  }
}

keeps('[MQTT-2.2.2-1]', async (server) => {
  const topic = server.name();
  const client = await server.connect();
  client.send(
    subscribe(1, [topic, 2]),
    PINGREQ,
    unsubscribe(2, 'none'),
    publish(topic, '', { qos: 1, id: 3 }),
  );
  client.send(publish(topic, '', { qos: 2, id: 4 }));
  const headers = async (...types: Parameters<typeof client.take>[0][]) => {
    const all: number[] = [];
    for (const type of types) all.push((await client.take(type)).header);
    return all;
  };
  expect(client.connack?.header).toBe(0x20);
  const types = ['suback', 'pingresp', 'unsuback', 'puback', 'pubrec'] as const;
  expect(await headers(...types)).toEqual([0x90, 0xd0, 0xb0, 0x40, 0x50]);
  client.send(pubrel(4));
  expect(await headers('pubcomp')).toEqual([0x70]);
  const deliveries = await client.takeAll('publish', 2);
  client.send(pubrec(deliveries.find(({ qos }) => qos === 2)?.id ?? 0));
  expect(await headers('pubrel')).toEqual([0x62]);
});

keeps('[MQTT-2.2.2-2]', async (server) => {
  const acknowledgements = [puback(1), pubrec(1), pubcomp(1)];
  for (const bytes of [...acknowledgements, PINGREQ]) await closesOnFlagsOf(server, bytes);
  for (const wrong of misflagged(connect({ id: server.name() }))) {
    expect(await (await server.open()).send(wrong).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.6.1-1]', (server) => closesOnFlagsOf(server, pubrel(1)));

keeps('[MQTT-3.8.1-1]', (server) => closesOnFlagsOf(server, subscribe(1, ['a', 0])));

keeps('[MQTT-3.10.1-1]', (server) => closesOnFlagsOf(server, unsubscribe(1, 'a')));

keeps('[MQTT-3.14.1-1]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  for (const [i, wrong] of misflagged(DISCONNECT).entries()) {
    const client = await server.connect({ will: { topic, payload: `${i}` } });
    await client.send(wrong).closed();
    // It was no DISCONNECT, so there is a will.
    expect((await watcher.receive()).payload).toBe(`${i}`);
  }
});

keeps('[MQTT-3.3.1-4]', async (server) => {
  for (const flags of [0x06, 0x07, 0x0e, 0x0f]) {
    const bytes = publish('a', 'x', { qos: 1 });
    bytes[0] = 0x30 | flags;
    expect(await (await server.connect()).send(bytes).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.8.3-4]', async (server) => {
  for (const options of [3, 4, 0x08, 0x10, 0x20, 0x40, 0x81, 0xff]) {
    const bytes = subscribe(1, ['a', 0], ['b', options]);
    expect(await (await server.connect()).send(bytes).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.8.3-3]', async (server) => {
  for (const bytes of [packet(0x82, Buffer.of(0, 1)), packet(0x82)]) {
    expect(await (await server.connect()).send(bytes).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.10.3-2]', async (server) => {
  for (const bytes of [packet(0xa2, Buffer.of(0, 1)), packet(0xa2)]) {
    expect(await (await server.connect()).send(bytes).closed()).toEqual([]);
  }
});
