import { describe, expect, it } from 'vitest';
import { subscribe } from '../support/mqtt-frames.ts';
import { settle, startBroker } from './harness.ts';

describe('a will on one of our topics', () => {
  const leave = async (topic: string, payload: string) => {
    const harness = await startBroker();
    harness.plane.store('lease', 'mine');
    const listener = await harness.connect({ clientId: 'listener' });
    listener.send(subscribe(1, ['answers', 0]));
    await listener.take('suback');
    const die = async () => {
      const client = await harness.connect({ clientId: 'dying', will: { topic, payload } });
      client.cut();
      await settle();
    };
    return { ...harness, listener, die };
  };

  it('may be a batch: all of it is written', async () => {
    const { plane, die, broker } = await leave(
      'dss/batch/dev42',
      '[{"key":"state","value":"offline","ttl":60},{"key":"old","value":1,"time":5}]',
    );
    await die();
    expect(plane.writes.map(({ key, ttlMs }) => [key, ttlMs])).toEqual([
      ['dev42/state', 60_000],
      ['dev42/old', 0],
    ]);
    expect(broker.counters()).toMatchObject({ puts: 2, timesNotBelieved: 1 });
  });

  it('may be a compare-and-set: a lease is given up only by who has it', async () => {
    const { plane, die, listener } = await leave('dss/cas/lease', '{"if":1,"delete":true}');
    await die();
    expect(plane.value('lease')).toBe('mine');
    const get = await plane.get(Buffer.from('lease'));
    const version = get.kind === 'found' ? get.version : 0;
    const second = await leave(
      'dss/cas/lease',
      `{"if":${version},"delete":true,"reply":"answers"}`,
    );
    await second.die();
    expect(second.plane.value('lease')).toBeUndefined();
    expect(JSON.parse((await second.listener.take('publish')).payload)).toMatchObject({ ok: true });
    expect(await listener.all('publish')).toEqual([]);
  });

  it.each([
    ['dss/put/a', 'v'],
    ['dss/batch', '[{"key":"a","value":1}]'],
    ['dss/cas/a', '{"if":null,"value":1}'],
  ])('on %s is reported when the storage is full', async (topic, payload) => {
    const { plane, die, broker, events } = await leave(topic, payload);
    plane.full = true;
    await die();
    expect(broker.counters()).toMatchObject({ putsFailed: 1, refused: { STORAGE_FULL: 1 } });
    const refused = events.find(({ name }) => name === 'publish-refused');
    expect(refused?.data).toMatchObject({ topic, client: 'dying', address: 'will' });
  });

  it.each([
    ['dss/cas/a', '{"if":'],
    ['dss/batch', '[{"key":7}]'],
    ['dss/query/a', ''],
  ])('on %s that can never be valid is reported', async (topic, payload) => {
    const { die, broker, events } = await leave(topic, payload);
    await die();
    expect(Object.values(broker.counters().refused)).toEqual([1]);
    expect(events.find(({ name }) => name === 'publish-refused')?.data).toMatchObject({ topic });
  });

  it('that is under way when the broker closes is forgotten', async () => {
    const { plane, die, broker } = await leave('dss/put/a', 'v');
    plane.hold = true;
    await die();
    expect(plane.held).toHaveLength(1);
    await broker.close();
    expect(plane.held).toEqual([]);
  });
});
