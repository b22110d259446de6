import { expect } from 'vitest';
import { disconnect5, packet } from '../packets.ts';
import { type Server, v5 } from '../suite.ts';

const keeps = v5('v5/wills');
const KEPT = { sessionExpiry: 1_000 };

async function watch(server: Server, options = 0) {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic, options);
  return { topic, watcher };
}

keeps('[MQTT-3.1.2-7]', async (server) => {
  const { topic, watcher } = await watch(server);
  const will = { topic, payload: 'delayed', properties: { willDelay: 2 } };
  const client = await server.connect({ properties: KEPT, will });
  client.cut();
  expect(await watcher.ping()).toEqual([]);
  await server.pass(2_500);
  expect((await watcher.receive()).payload).toBe('delayed');
});

keeps('[MQTT-3.1.2-8]', async (server) => {
  const { topic, watcher } = await watch(server);
  const id = server.name();
  (await server.connect({ will: { topic, payload: 'cut' } })).cut();
  expect((await watcher.receive()).payload).toBe('cut');
  const rude = await server.connect({ will: { topic, payload: 'rude' } });
  await rude.send(packet(0x00)).closed();
  expect((await watcher.receive()).payload).toBe('rude');
  const willing = await server.connect({ will: { topic, payload: 'with will' } });
  await willing.leave(disconnect5(0x04));
  expect((await watcher.receive()).payload).toBe('with will');
  // The session ends before the delay does.
  const delay = { willDelay: 500 };
  (await server.connect({ will: { topic, payload: 'session over', properties: delay } })).cut();
  expect((await watcher.receive()).payload).toBe('session over');
  const will = { topic, payload: 'taken over' };
  await server.connect({ id, will });
  await server.connect({ id });
  expect((await watcher.receive()).payload).toBe('taken over');
});

keeps('[MQTT-3.1.2-10]', async (server) => {
  const { topic, watcher } = await watch(server);
  const id = server.name();
  const kept = { id, clean: false, properties: KEPT };
  (await server.connect({ ...kept, will: { topic, payload: 'first' } })).cut();
  expect((await watcher.receive()).payload).toBe('first');
  (await server.connect(kept)).cut();
  await (await server.connect({ ...kept, will: { topic, payload: 'second' } })).leave();
  (await server.connect({ ...kept, will: { topic, payload: 'third' } })).cut();
  expect((await watcher.receive()).payload).toBe('third');
});

keeps('[MQTT-3.1.2-14]', async (server) => {
  const { topic, watcher } = await watch(server);
  (await server.connect({ will: { topic, payload: 'will' } })).cut();
  await watcher.receive();
  const late = await server.connect();
  await late.subscribe(topic);
  await late.publish(topic, 'marker');
  expect((await late.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.1.2-15]', async (server) => {
  const { topic, watcher } = await watch(server);
  (await server.connect({ will: { topic, payload: 'will', retain: true } })).cut();
  await watcher.receive();
  const late = await server.connect();
  await late.subscribe(topic);
  expect(await late.receive()).toMatchObject({ payload: 'will', retain: true });
});

keeps('[MQTT-3.1.3-9]', async (server) => {
  const { topic, watcher } = await watch(server);
  const id = server.name();
  const will = { topic, payload: 'never', properties: { willDelay: 2 } };
  (await server.connect({ id, properties: KEPT, will })).cut();
  await server.pass(500);
  await server.connect({ id, clean: false, properties: KEPT });
  await server.pass(3_000);
  await watcher.publish(topic, 'marker');
  expect((await watcher.receive()).payload).toBe('marker');
});

keeps('[MQTT-3.1.3-10]', async (server) => {
  const { topic, watcher } = await watch(server);
  const user = [
    ['b', '1'],
    ['a', '2'],
    ['b', '3'],
    ['a', ''],
  ] as const;
  const properties = { user, contentType: 'text', responseTopic: 'r', correlationData: 'c' };
  (await server.connect({ will: { topic, payload: 'x', properties } })).cut();
  expect((await watcher.receive()).properties).toEqual({ ...properties });
});

keeps('[MQTT-3.14.4-3]', async (server) => {
  const { topic, watcher } = await watch(server);
  await (await server.connect({ will: { topic, payload: 'never' } })).leave();
  const said = await server.connect({ will: { topic, payload: 'never' } });
  await said.leave(disconnect5(0x00));
  (await server.connect({ will: { topic, payload: 'marker' } })).cut();
  expect((await watcher.receive()).payload).toBe('marker');
});
