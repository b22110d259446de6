import { expect } from 'vitest';
import type { Client } from '../client.ts';
import { puback } from '../packets.ts';
import { type Server, v5 } from '../suite.ts';
import { MALFORMED } from './ending.ts';

const keeps = v5('v5/shared');
const KEPT = { sessionExpiry: 1_000 };

async function refuses(server: Server, filters: readonly string[]): Promise<void> {
  for (const filter of filters) {
    const codes = await (await server.connect()).subscribe(filter, 1).catch(() => [MALFORMED]);
    expect(codes[0]).toBeGreaterThanOrEqual(0x80);
  }
}

keeps('[MQTT-4.8.2-1]', (server) => refuses(server, ['$share//a', '$share/', '$share//']));

keeps('[MQTT-4.8.2-2]', async (server) => {
  await refuses(server, ['$share/g', '$share/g/', '$share/+/a', '$share/#', '$share/g#/a']);
  const topic = server.name();
  const member = await server.connect();
  expect(await member.subscribe(`$share/a group/${topic}/+`, 1)).toEqual([1]);
  await member.publish(`${topic}/a`, 'x');
  expect((await member.receive()).topic).toBe(`${topic}/a`);
});

/** Two members of a group; each also has a topic of its own, by which it is seen that nothing else came. */
async function group(server: Server) {
  const [topic, ...ids] = [server.name(), server.name(), server.name()];
  const join = async (id: string, clean: boolean, sessionExpiry = KEPT.sessionExpiry) => {
    const member = await server.connect({ id, clean, properties: { sessionExpiry } });
    if (clean)
      await member.subscribe([
        [`$share/g/${topic}`, 2],
        [id, 1],
      ]);
    return member;
  };
  const publisher = await server.connect();
  const members = await Promise.all(ids.map((id) => join(id, true)));
  const nothingFor = async (id: string, member: Client) => {
    await publisher.publish(id, 'marker');
    expect((await member.receive()).payload).toBe('marker');
  };
  /** Publishes one message and says who got it. */
  const send = async (qos: number) => {
    await publisher.publish(topic, 'shared', { qos });
    await Promise.all(ids.map((id) => publisher.publish(id, 'marker', { qos: 1 })));
    const first = await Promise.all(members.map((member) => member.take('publish')));
    const chosen = first.findIndex(({ payload }) => payload === 'shared');
    const marker = await members[chosen]?.take('publish');
    for (const [i, message] of first.entries()) {
      const id = i === chosen ? marker?.id : message.id;
      members[i]?.send(puback(id ?? 0));
    }
    expect(marker?.payload).toBe('marker');
    return { chosen, message: first[chosen] };
  };
  return { topic, ids, members, join, publisher, nothingFor, send };
}

keeps('[MQTT-4.8.2-3]', async (server) => {
  const topic = server.name();
  for (const granted of [0, 1, 2]) {
    const member = await server.connect();
    await member.subscribe(`$share/group ${granted}/${topic}`, granted);
    for (const published of [0, 1, 2]) {
      await member.publish(topic, 'x', { qos: published });
      expect((await member.receive()).qos).toBe(Math.min(granted, published));
    }
    await member.leave();
  }
});

keeps('[MQTT-4.8.2-4]', async (server) => {
  const { ids, members, join, nothingFor, send } = await group(server);
  const { chosen, message } = await send(2);
  const other = 1 - chosen;
  members[chosen]?.cut();
  await nothingFor(ids[other] as string, members[other] as Client);
  const back = await join(ids[chosen] as string, false);
  expect(await back.receive()).toMatchObject({ payload: 'shared', id: message?.id, qos: 2 });
});

keeps('[MQTT-4.8.2-5]', async (server) => {
  const { ids, members, join, nothingFor, send } = await group(server);
  const { chosen } = await send(2);
  const other = 1 - chosen;
  members[chosen]?.cut();
  await join(ids[chosen] as string, true, 0);
  await nothingFor(ids[other] as string, members[other] as Client);
});

keeps('[MQTT-4.8.2-6]', async (server) => {
  const { ids, members, nothingFor, send } = await group(server);
  const { chosen, message } = await send(1);
  members[chosen]?.send(puback(message?.id ?? 0, 0x80));
  for (const [i, member] of members.entries()) await nothingFor(ids[i] as string, member);
});
