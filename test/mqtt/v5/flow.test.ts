import { expect } from 'vitest';
import { puback, pubcomp, publish, pubrec, subscribe5 } from '../packets.ts';
import { type Server, v5 } from '../suite.ts';

const keeps = v5('v5/flow');

/** A subscriber with so small a window, and ten messages for it at alternating QoS 1 and 2. */
async function narrow(server: Server, receiveMaximum: number) {
  const topic = server.name();
  const client = await server.connect({ properties: { receiveMaximum } });
  await client.subscribe(topic, 2);
  const publisher = await server.connect();
  for (let i = 0; i < 10; i += 1) await publisher.publish(topic, `${i}`, { qos: 1 + (i % 2) });
  return { topic, client, publisher };
}

keeps('[MQTT-3.3.4-9]', async (server) => {
  const { client } = await narrow(server, 3);
  const underWay = await client.takeAll('publish', 3);
  expect(await client.ping()).toEqual([]);
  // PUBACK makes room, PUBREC does not, PUBCOMP does.
  let next = 3;
  for (const { id, qos } of underWay) {
    if (qos === 1) {
      client.send(puback(id));
    } else {
      client.send(pubrec(id));
      await client.take('pubrel');
      expect(await client.ping()).toEqual([]);
      client.send(pubcomp(id));
    }
    expect((await client.take('publish')).payload).toBe(`${next}`);
    expect(await client.ping()).toEqual([]);
    next += 1;
  }
});

keeps('[MQTT-3.3.4-10]', async (server) => {
  const { topic, client } = await narrow(server, 1);
  await client.take('publish');
  client.send(subscribe5(9, {}, [`${topic}/other`, 0]));
  expect((await client.next()).type).toBe('suback');
  client.send(publish(`${topic}/nobody`, 'x', { version: 5, qos: 1, id: 99 }));
  expect((await client.next()).type).toBe('puback');
});

keeps('[MQTT-4.9.0-1]', async (server) => {
  for (const receiveMaximum of [1, 2, 7]) {
    const { client } = await narrow(server, receiveMaximum);
    expect(await client.takeAll('publish', receiveMaximum)).toHaveLength(receiveMaximum);
    expect(await client.ping()).toEqual([]);
  }
});

keeps('[MQTT-4.9.0-2]', async (server) => {
  const { topic, client, publisher } = await narrow(server, 1);
  const received: string[] = [];
  for (let i = 0; i < 10; i += 1) {
    const { id, qos, payload } = await client.take('publish');
    received.push(payload);
    expect(await client.ping()).toEqual([]);
    if (qos === 1) {
      client.send(puback(id));
    } else {
      // A PUBREC of 0x80 or more ends the delivery and gives the quota back.
      client.send(pubrec(id, 0x80));
    }
  }
  expect(received).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  await publisher.publish(topic, 'last');
  expect((await client.take('publish')).payload).toBe('last');
});

/** QoS 0 has no quota: it may pass, and everything else is answered. */
keeps('[MQTT-4.9.0-3]', async (server) => {
  const { client } = await narrow(server, 1);
  await client.take('publish');
  const other = server.name();
  expect(await client.subscribe(other, 0)).toEqual([0]);
  await client.publish(other, 'x', { qos: 2 });
  expect(await client.take('publish')).toMatchObject({ topic: other, qos: 0 });
  expect(await client.ping()).toEqual([]);
});
