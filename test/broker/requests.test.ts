import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unixMsToVersion, versionToUnixMs } from '../../broker/data-plane.ts';
import { puback, publish, subscribe } from '../support/mqtt-frames.ts';
import {
  type Harness,
  type HarnessOptions,
  type RawClient,
  settle,
  startBroker,
} from './harness.ts';

async function allKeys(plane: Harness['plane']): Promise<string[]> {
  const nothing = new Uint8Array(0);
  const query = { prefix: nothing, after: nothing, limit: 1_000, values: false };
  const page = await plane.list(query);
  return page.kind === 'page' ? page.items.map((item) => Buffer.from(item.key).toString()) : [];
}

interface Asker extends Harness {
  readonly client: RawClient;
  ask(topic: string, payload?: string): Promise<Record<string, unknown>>;
}

async function asker(options: HarnessOptions = {}): Promise<Asker> {
  const harness = await startBroker(options);
  const client = await harness.connect({ clientId: 'asker' });
  client.send(subscribe(1, ['dss/reply/me', 1], ['dss/error/me', 0]));
  await client.take('suback');
  let id = 1;
  const ask = async (topic: string, payload = '') => {
    id += 1;
    client.send(publish(topic, payload, { qos: 1, id }));
    const reply = await client.take('publish');
    if (reply.qos === 1) client.send(puback(reply.id));
    expect((await client.take('puback')).id).toBe(id);
    return { on: reply.topic, ...JSON.parse(reply.payload) };
  };
  return { ...harness, client, ask };
}

describe('dss/get', () => {
  it('answers with the value, its version and time', async () => {
    const { plane, ask } = await asker();
    const version = plane.store('/esp/räume 1', '21.5');
    expect(await ask('dss/get//esp/räume 1', '{"id":"q1","consistency":"strong"}')).toEqual({
      on: 'dss/reply/me',
      id: 'q1',
      op: 'get',
      key: '/esp/räume 1',
      ok: true,
      version,
      time: Date.UTC(2024, 0, 1) + 1,
      value: '21.5',
    });
  });

  it('answers with base64 what is not UTF-8', async () => {
    const { plane, ask } = await asker();
    plane.store('a', Buffer.of(0xff, 0x00));
    expect(await ask('dss/get/a')).toMatchObject({ ok: true, base64: '/wA=' });
  });

  it('asks for the nearest replica if it is told so, and shows when the value expires', async () => {
    const { plane, ask } = await asker();
    const version = plane.store('a', '1', 60_000);
    const reply = await ask('dss/get/a', '{"consistency":"eventual"}');
    expect(reply).toMatchObject({ value: '1', expiresAt: versionToUnixMs(version) + 60_000 });
    await ask('dss/get/a');
    await ask('dss/get/a', '{"consistency":"eventual","at":"2024-06-01T00:00:00Z"}');
    await ask('dss/get/a', '{"consistency":"repair"}');
    const at = unixMsToVersion(Date.UTC(2024, 5, 1)) + 4095;
    expect(plane.gets).toEqual([
      ...[{ eventual: true }, { eventual: false }, { eventual: true, at }],
      { eventual: false, repair: true },
    ]);
    const { expiresAt } = reply;
    for (const [topic, request] of [
      ['dss/list', '{"values":true}'],
      ['dss/range', ''],
      ['dss/history/a', ''],
    ] as const) {
      expect(await ask(topic, request)).toMatchObject({ items: [{ version, expiresAt }] });
    }
    plane.expire('a');
    expect(await ask('dss/get/a')).toMatchObject({ error: 'NOT_FOUND' });
  });

  it('says that there is nothing, or that it cannot tell', async () => {
    const { plane, ask } = await asker();
    expect(await ask('dss/get/a', '{"id":7}')).toEqual({
      on: 'dss/reply/me',
      id: 7,
      op: 'get',
      key: 'a',
      ok: false,
      error: 'NOT_FOUND',
    });
    plane.down = true;
    expect(await ask('dss/get/a')).toMatchObject({ ok: false, error: 'UNAVAILABLE' });
    plane.get = () => Promise.reject(new Error('out of order'));
    expect(await ask('dss/get/a')).toMatchObject({ ok: false, error: 'UNAVAILABLE' });
  });

  it('counts what was asked for, and what came of it', async () => {
    const { plane, ask, broker } = await asker();
    plane.store('a', '1');
    await ask('dss/get/a');
    await ask('dss/get/b');
    await ask('dss/get/b');
    await ask('dss/cas/a', '{"if":null,"value":"2"}');
    expect(broker.answerCounts()).toEqual([
      { verb: 'get', outcome: 'ok', count: 1 },
      { verb: 'get', outcome: 'NOT_FOUND', count: 2 },
      { verb: 'cas', outcome: 'VERSION_MISMATCH', count: 1 },
    ]);
    expect(broker.counters().requests).toBe(4);
  });

  it('answers on the topic that the request names, as an ordinary message', async () => {
    const { plane, client, connect } = await asker();
    plane.store('a', '1');
    const other = await connect({ clientId: 'other' });
    other.send(subscribe(1, ['answers/+', 1]));
    await other.take('suback');
    client.send(publish('dss/get/a', '{"reply":"answers/7"}', { qos: 1, id: 9 }));
    expect(await other.take('publish')).toMatchObject({ topic: 'answers/7', qos: 1 });
    expect(await client.all('publish')).toEqual([]);
  });

  it('answers a client that subscribes and asks in one breath', async () => {
    const { plane, connect } = await asker();
    plane.store('a', '1');
    const client = await connect({ clientId: 'hasty' });
    client.send(Buffer.concat([subscribe(1, ['dss/reply/+', 0]), publish('dss/get/a')]));
    expect(JSON.parse((await client.take('publish')).payload)).toMatchObject({ value: '1' });
  });

  it('answers nobody else', async () => {
    const { plane, client, connect } = await asker();
    plane.store('a', '1');
    const other = await connect({ clientId: 'other' });
    other.send(publish('dss/get/a', '', { qos: 1, id: 1 }));
    await other.take('puback');
    expect(await client.all('publish')).toEqual([]);
    expect(await other.all('publish')).toEqual([]);
  });
});

describe('dss/list', () => {
  it('pages through the keys of a prefix in whole levels', async () => {
    const { plane, ask } = await asker();
    for (const key of ['p1', 'p1/a', 'p1/b', 'p10', 'q']) plane.store(key, key);
    expect(await ask('dss/list/p1', '{"id":1,"limit":2}')).toEqual({
      on: 'dss/reply/me',
      id: 1,
      op: 'list',
      prefix: 'p1',
      ok: true,
      keys: ['p1', 'p1/a'],
      more: true,
      next: 'p1/a',
    });
    expect(await ask('dss/list/p1', '{"limit":2,"after":"p1/a"}')).toMatchObject({
      keys: ['p1/b'],
      more: false,
      next: null,
    });
    expect(await ask('dss/list')).toMatchObject({ keys: ['p1', 'p1/a', 'p1/b', 'p10', 'q'] });
  });

  it('goes through all keys that were there all the time once, whatever is written in between', async () => {
    const { plane, ask } = await asker();
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 4 });
    const write = fc.record({ key, value: fc.constantFrom('', 'v') });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 20 }),
        fc.array(fc.array(write, { maxLength: 5 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (keys, rounds, limit, reverse) => {
          for (const item of await allKeys(plane)) plane.store(item, '');
          for (const item of keys) plane.store(item, 'v');
          const steady = new Set(keys);
          const seen: string[] = [];
          let after: unknown;
          for (let round = 0; ; round += 1) {
            const request = { limit, reverse, ...(after === undefined ? {} : { after }) };
            const page = await ask('dss/range', JSON.stringify(request));
            seen.push(...(page.items as { key: string }[]).map((item) => item.key));
            if (page.more !== true) break;
            after = page.next;
            for (const { key: written, value } of rounds[round] ?? []) {
              plane.store(written, value);
              if (value === '') steady.delete(written);
            }
          }
          expect(new Set(seen).size).toBe(seen.length);
          for (const item of steady) expect(seen).toContain(item);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('brings values along if asked to, and ends a page before it grows too large', async () => {
    const { plane, ask } = await asker();
    const version = plane.store('a', '1');
    expect(await ask('dss/list', '{"values":true}')).toMatchObject({
      items: [{ key: 'a', version, value: '1' }],
    });
    for (const key of ['b', 'c', 'd']) plane.store(key, 'x'.repeat(600_000));
    expect(await ask('dss/list', '{"values":true}')).toMatchObject({
      items: [{ key: 'a' }, { key: 'b' }],
      more: true,
      next: 'b',
    });
  });
});

describe('what is refused for its own bytes', () => {
  const refused = [
    ['dss/put', 'v', 'INVALID_KEY'],
    ['dss/put/', 'v', 'INVALID_KEY'],
    [`dss/put/${'x'.repeat(1_025)}`, 'v', 'INVALID_KEY'],
    ['dss/get', '', 'INVALID_KEY'],
    ['dss/get/a', '{"id":', 'MALFORMED_JSON'],
    ['dss/get/a', '[1]', 'MALFORMED_JSON'],
    ['dss/get/a', '{"consistency":"maybe"}', 'INVALID_REQUEST'],
    ['dss/get/a', '{"consistency":"repair","at":"2024-06-01T00:00:00Z"}', 'INVALID_REQUEST'],
    ['dss/get/a', '{"at":"yesterday"}', 'INVALID_REQUEST'],
    ['dss/list', '{"limit":"x"}', 'INVALID_REQUEST'],
    ['dss/list', '{"limit":1001}', 'INVALID_REQUEST'],
    ['dss/list', '{"reply":"dss/put/a"}', 'INVALID_REQUEST'],
    ['dss/list', '{"reply":"a/#"}', 'INVALID_REQUEST'],
    ['dss/query/a', '{}', 'NOT_SUPPORTED'],
    ['dss/get/a', '{"id":1e999}', 'INVALID_REQUEST'],
    ['dss/list', '{"after":"\\ud800"}', 'INVALID_REQUEST'],
    ['dss/list', '{"reply":"\\ud800"}', 'INVALID_REQUEST'],
    ['dss/batch', '{}', 'MALFORMED_JSON'],
    ['dss/value/a', 'forged', 'RESERVED_TOPIC'],
    ['dss/reply/me', 'forged', 'RESERVED_TOPIC'],
    ['dss/sys/durability', 'forged', 'RESERVED_TOPIC'],
    ['dss/cluster/c1/node/n1/raft', 'forged', 'RESERVED_TOPIC'],
    ['dss/puts/a', 'v', 'UNKNOWN_VERB'],
  ] as const;

  it.each(refused)('%s %s: %s, acknowledged and reported', async (topic, payload, code) => {
    const { ask, plane, door, broker } = await asker();
    const report = await ask(topic, payload);
    expect(report).toMatchObject({ on: 'dss/error/me', code });
    expect(report.message).toBeTypeOf('string');
    expect(plane.writes).toEqual([]);
    expect(door.messages).toEqual([]);
    expect(broker.counters().refused).toEqual({ [code]: 1 });
  });

  it('says what the request called itself and what is allowed', async () => {
    const { ask } = await asker();
    expect(await ask('dss/list', '{"id":5,"limit":"x"}')).toEqual({
      on: 'dss/error/me',
      code: 'INVALID_REQUEST',
      message: '"limit" must be a whole number from 1 to 1000',
      topic: 'dss/list',
      id: 5,
    });
  });

  it('is acknowledged in its turn', async () => {
    const { client, plane } = await asker();
    plane.hold = true;
    client.send(publish('dss/put/a', '1', { qos: 1, id: 10 }));
    client.send(publish('dss/nonsense', '1', { qos: 1, id: 11 }));
    expect(await client.all('puback')).toEqual([]);
    plane.commitAll();
    expect((await client.all('puback')).map(({ id }) => id)).toEqual([10, 11]);
  });

  it('closes the connection instead if the node is told so', async () => {
    const { client, plane } = await asker({ onInvalid: 'close' });
    plane.hold = true;
    client.send(publish('dss/put/a', '1', { qos: 1, id: 10 }));
    await settle();
    plane.commitAll();
    client.send(publish('dss/nonsense', '1', { qos: 1, id: 11 }));
    await client.untilClosed();
    expect(client.received.filter(({ type }) => type === 'puback')).toEqual([
      { type: 'puback', id: 10 },
    ]);
  });

  it('is listed under dss/sys/refused, at most once a second, and warned about as rarely', async () => {
    const { client, connect, time, events } = await asker();
    const operator = await connect({ clientId: 'operator' });
    operator.send(subscribe(1, ['dss/sys/#', 0]));
    await operator.take('suback');
    for (let i = 0; i < 150; i += 1) client.send(publish(`dss/nonsense/${i}`));
    await settle(200);
    time.advance(0);
    expect(await operator.all('publish')).toHaveLength(1);
    client.send(publish('dss/nonsense/150'));
    await settle();
    time.advance(999);
    expect(await operator.all('publish')).toEqual([]);
    time.advance(1);
    const listed = await operator.take('publish');
    expect(listed.topic).toBe('dss/sys/refused/one');
    const recent = JSON.parse(listed.payload);
    expect(recent).toHaveLength(100);
    expect(recent.at(-1)).toMatchObject({
      code: 'UNKNOWN_VERB',
      topic: 'dss/nonsense/150',
      client: 'asker',
      address: '127.0.0.1:1',
    });
    expect(events.filter(({ name }) => name === 'publish-refused')).toHaveLength(1);
  });
});

describe('ordinary topics', () => {
  it('under $SYS/ are reserved', async () => {
    const { connect, broker } = await asker();
    const watcher = await connect({ clientId: 'w' });
    watcher.send(subscribe(1, ['$SYS/#', 0]));
    await watcher.take('suback');
    await watcher.all('publish');
    const client = await connect();
    client.send(publish('$SYS/x', 'y'));
    await settle();
    expect(await watcher.all('publish')).toEqual([]);
    expect(broker.counters().refused).toEqual({ RESERVED_TOPIC: 1 });
    expect(client.closed).toBe(false);
  });

  it('take a bridge at its word about itself and forget it', async () => {
    const { connect } = await asker();
    const will = { topic: '$SYS/broker/connection/b/state', payload: '0', qos: 1, retain: true };
    const bridge = await connect({ level: 0x84, will });
    bridge.send(publish(will.topic, '1', { qos: 1, id: 1, retain: true }));
    await bridge.take('puback');
    const watcher = await connect({ clientId: 'w' });
    watcher.send(subscribe(1, ['$SYS/broker/connection/#', 0]));
    await watcher.take('suback');
    expect(await watcher.all('publish')).toEqual([]);
    expect(bridge.closed).toBe(false);
  });
});
