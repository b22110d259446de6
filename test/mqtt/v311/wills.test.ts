import { expect } from 'vitest';
import { field, uint16 } from '../fields.ts';
import { connect, packet } from '../packets.ts';
import { v311 } from '../suite.ts';

const keeps = v311();

keeps('[MQTT-3.1.2-8]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  (await server.connect({ will: { topic, payload: 'cut' } })).cut();
  expect(await watcher.receive()).toMatchObject({ topic, payload: 'cut' });
  const rude = await server.connect({ will: { topic, payload: 'protocol error' } });
  await rude.send(packet(0x00)).closed();
  expect((await watcher.receive()).payload).toBe('protocol error');
  const id = server.name();
  await server.connect({ id, will: { topic, payload: 'taken over' } });
  await server.connect({ id });
  expect((await watcher.receive()).payload).toBe('taken over');
});

keeps('[MQTT-3.1.2-9]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic, 2);
  for (const qos of [0, 1, 2] as const) {
    (await server.connect({ will: { topic, payload: 'x', qos, retain: true } })).cut();
    expect((await watcher.receive()).qos).toBe(qos);
  }
  const late = await server.connect();
  await late.subscribe(topic, 2);
  expect(await late.receive()).toMatchObject({ payload: 'x', qos: 2, retain: true });
  for (const fields of [[], ['topic']]) {
    const parts = ['id', ...fields].map(field);
    const bytes = packet(0x10, field('MQTT'), Buffer.of(4, 6), uint16(0), ...parts);
    expect(await (await server.open()).send(bytes).closed()).toEqual([]);
  }
});

keeps('[MQTT-3.1.2-10]', async (server) => {
  const topic = server.name();
  const id = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  (await server.connect({ id, clean: false, will: { topic, payload: 'first' } })).cut();
  expect((await watcher.receive()).payload).toBe('first');
  (await server.connect({ id, clean: false })).cut();
  await (await server.connect({ id, clean: false, will: { topic, payload: 'second' } })).leave();
  (await server.connect({ id, clean: false, will: { topic, payload: 'third' } })).cut();
  expect((await watcher.receive()).payload).toBe('third');
});

keeps('[MQTT-3.1.2-12]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe('#');
  const live = async () => {
    for (;;) {
      const { payload, retain } = await watcher.receive();
      if (!retain) return payload;
    }
  };
  const quiet = await server.open();
  quiet.send(connect({ id: server.name() }));
  await quiet.take('connack');
  quiet.cut();
  (await server.connect({ will: { topic, payload: 'marker' } })).cut();
  expect(await live()).toBe('marker');
});

keeps('[MQTT-3.1.2-16]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.publish(topic, 'kept', { retain: true });
  await watcher.subscribe(topic);
  await watcher.receive();
  (await server.connect({ will: { topic, payload: 'will', retain: false } })).cut();
  expect(await watcher.receive()).toMatchObject({ payload: 'will', retain: false });
  const late = await server.connect();
  await late.subscribe(topic);
  expect(await late.receive()).toMatchObject({ payload: 'kept', retain: true });
});

keeps('[MQTT-3.1.2-17]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  (await server.connect({ will: { topic, payload: 'will', retain: true } })).cut();
  expect(await watcher.receive()).toMatchObject({ payload: 'will', retain: false });
  const late = await server.connect();
  await late.subscribe(topic);
  expect(await late.receive()).toMatchObject({ payload: 'will', retain: true });
});

keeps('[MQTT-3.14.4-3]', async (server) => {
  const topic = server.name();
  const watcher = await server.connect();
  await watcher.subscribe(topic);
  await (await server.connect({ will: { topic, payload: 'never' } })).leave();
  (await server.connect({ will: { topic, payload: 'marker' } })).cut();
  expect((await watcher.receive()).payload).toBe('marker');
});
