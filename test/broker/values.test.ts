import { describe, expect, it } from 'vitest';
import {
  puback,
  pubcomp,
  publish,
  pubrec,
  type Received,
  subscribe,
  unsubscribe,
} from '../support/mqtt-frames.ts';
import {
  type Harness,
  type HarnessOptions,
  IDLE_TIMERS,
  type RawClient,
  settle,
  startBroker,
} from './harness.ts';

type Published = Extract<Received, { type: 'publish' }>;

const brief = ({ topic, payload, retain, qos }: Published) =>
  `${topic}=${payload} qos ${qos}${retain ? ' retained' : ''}`;

async function subscribed(
  filters: readonly (readonly [string, number])[],
  stored: Readonly<Record<string, string>> = {},
  options: HarnessOptions = {},
): Promise<Harness & { client: RawClient; codes: readonly number[] }> {
  const harness = await startBroker(options);
  for (const [key, value] of Object.entries(stored)) harness.plane.store(key, value);
  const client = await harness.connect();
  client.send(subscribe(1, ...filters));
  const { codes } = await client.take('suback');
  return { ...harness, client, codes };
}

describe('a subscription to values', () => {
  it('gives the current values retained after its SUBACK, then the changes', async () => {
    const { client, plane } = await subscribed([['dss/value/plant1/#', 0]], {
      'plant1/a': '1',
      'plant1//b': '2',
      plant10: 'no',
      plant1: '3',
    });
    expect((await client.all('publish')).map(brief)).toEqual([
      'dss/value/plant1=3 qos 0 retained',
      'dss/value/plant1//b=2 qos 0 retained',
      'dss/value/plant1/a=1 qos 0 retained',
    ]);
    plane.store('plant1/a', '4');
    plane.store('plant1/a', '');
    expect((await client.all('publish')).map(brief)).toEqual([
      'dss/value/plant1/a=4 qos 0',
      'dss/value/plant1/a= qos 0',
    ]);
  });

  it('says when it has given all current values, to those who ask for that', async () => {
    const filters = [
      ['dss/snapshot/me', 2],
      ['dss/value/plant1/#', 0],
      ['dss/watch/nothing', 0],
    ] as const;
    const { client, codes, plane } = await subscribed(filters, { 'plant1/a': '1', plant1: '2' });
    expect(codes).toEqual([1, 0, 0]);
    const complete = (filter: string) => `dss/snapshot/me={"filter":"${filter}"} qos 1`;
    const told = (await client.all('publish')).map(brief);
    expect(told.filter((text) => !text.includes('nothing'))).toEqual([
      'dss/value/plant1=2 qos 0 retained',
      'dss/value/plant1/a=1 qos 0 retained',
      complete('dss/value/plant1/#'),
    ]);
    expect(told).toContain(complete('dss/watch/nothing'));
    plane.store('plant1/a', '3');
    expect(await client.all('publish')).toHaveLength(1);
    client.send(subscribe(2, ['dss/value/plant1', 0]));
    expect((await client.all('publish')).map(brief)).toEqual([
      'dss/value/plant1=2 qos 0 retained',
      complete('dss/value/plant1'),
    ]);
  });

  it.each(['/esp/temp', 'a//b', 'räume/küche 1', '$x/y'])('carries the key %s', async (key) => {
    const { client } = await subscribed([['dss/value/#', 0]], { [key]: 'v' });
    expect((await client.take('publish')).topic).toBe(`dss/value/${key}`);
  });

  it('grants at most QoS 1, one code per filter, and refuses what is not there to read', async () => {
    const { codes } = await subscribed([
      ['dss/value/a', 2],
      ['dss/value/b', 1],
      ['dss/value/c', 0],
      ['dss/value/a', 2],
      ['dss/reply/me', 2],
      ['dss/put/#', 0],
      ['dss/cluster/#', 1],
      ['$share/g', 1],
      ['#', 2],
      ['other', 2],
    ]);
    expect(codes).toEqual([1, 1, 0, 1, 1, 0x80, 0x80, 0x80, 2, 2]);
  });

  it('delivers at QoS 1 if asked to, whatever the put was', async () => {
    const { client, plane, broker } = await subscribed([['dss/value/#', 2]], { a: '1' });
    const snapshot = await client.take('publish');
    expect(snapshot).toMatchObject({ qos: 1, retain: true });
    plane.store('b', '2');
    const change = await client.take('publish');
    expect(change).toMatchObject({ qos: 1, retain: false, topic: 'dss/value/b' });
    expect(change.id).not.toBe(snapshot.id);
    client.send(puback(change.id), puback(snapshot.id));
    await settle();
    expect(broker.counters().deliveries).toBe(2);
  });

  it('begins afresh when it is repeated, and ends with UNSUBSCRIBE', async () => {
    const { client, plane } = await subscribed([['dss/value/#', 0]], { a: '1' });
    expect(await client.all('publish')).toHaveLength(1);
    client.send(subscribe(2, ['dss/value/#', 0]));
    await client.take('suback');
    expect((await client.all('publish')).map(brief)).toEqual(['dss/value/a=1 qos 0 retained']);
    expect(plane.watches.size).toBe(1);
    client.send(unsubscribe(3, 'dss/value/#'));
    await client.take('unsuback');
    expect(plane.watches.size).toBe(0);
    plane.store('a', '2');
    expect(await client.all('publish')).toEqual([]);
  });

  it('does not begin when it is taken back before the SUBACK', async () => {
    const { connect, plane } = await startBroker();
    const client = await connect();
    client.send(Buffer.concat([subscribe(1, ['dss/value/#', 0]), unsubscribe(2, 'dss/value/#')]));
    await client.take('unsuback');
    await settle();
    expect(plane.watches.size).toBe(0);
  });

  it('comes back with a persistent session, and with a fresh snapshot', async () => {
    const { connect, plane } = await startBroker();
    plane.store('a', '1');
    const first = await connect({ clientId: 'p', clean: false });
    first.send(subscribe(1, ['dss/value/#', 1], ['dss/put/#', 0]));
    await first.take('suback');
    first.cut();
    await settle();
    expect(plane.watches.size).toBe(0);
    plane.store('b', '2');
    const second = await connect({ clientId: 'p', clean: false });
    expect((await second.all('publish')).map(brief)).toEqual([
      'dss/value/a=1 qos 1 retained',
      'dss/value/b=2 qos 1 retained',
    ]);
    second.cut();
    const third = await connect({ clientId: 'p', clean: true });
    expect(await third.all('publish')).toEqual([]);
  });

  it('gives a bridge everything retained, deletes too', async () => {
    const { connect, plane } = await startBroker();
    const bridge = await connect({ level: 0x84 });
    bridge.send(subscribe(1, ['dss/value/#', 0]));
    await bridge.take('suback');
    plane.store('a', '1');
    plane.store('a', '');
    expect((await bridge.all('publish')).map(brief)).toEqual([
      'dss/value/a=1 qos 0 retained',
      'dss/value/a= qos 0 retained',
    ]);
  });

  it('ends with its connection', async () => {
    const { client, plane, time } = await subscribed([
      ['dss/value/#', 0],
      ['#', 1],
    ]);
    expect(plane.watches.size).toBe(2);
    client.cut();
    await settle();
    expect(plane.watches.size).toBe(0);
    expect(time.pending).toBe(IDLE_TIMERS);
  });
});

describe('filters that begin with a wildcard', () => {
  it.each(['#', 'dss/#', '+/cluster/#', '+/+/#', 'dss/+/+'])(
    '%s sees no requests, answers, errors or cluster traffic',
    async (filter) => {
      const { client, connect, broker, plane } = await subscribed([[filter, 1]]);
      const other = await connect({ clientId: 'other' });
      other.send(subscribe(1, ['dss/reply/me', 0], ['dss/error/me', 0]));
      await other.take('suback');
      const node = await connect({ clientId: 'n2', username: 'dss-node/n2', password: 'secret' });
      node.send(publish('dss/cluster/c1/x', 'secret'));
      other.send(
        publish('dss/put/a', '1', { retain: true }),
        publish('dss/get/a', '{"id":1}'),
        publish('dss/list'),
        publish('dss/nonsense/x', 'y'),
        publish('dss/cluster/x', 'forged', { retain: true }),
        publish('dss/sys/x', 'forged', { retain: true }),
        publish('x/cluster/y', 'ordinary', { qos: 1, id: 9 }),
      );
      await other.take('puback');
      broker.publishSystem('durability', { copies: 1 });
      await settle();
      const topics = new Set((await client.all('publish')).map(({ topic }) => topic));
      const allowed = new Set(['dss/value/a', 'dss/sys/durability', 'x/cluster/y']);
      for (const topic of topics) expect(allowed).toContain(topic);
      if (filter === '#') expect(topics).toEqual(allowed);
      if (filter === 'dss/#')
        expect(topics).toEqual(new Set(['dss/value/a', 'dss/sys/durability']));
      if (filter === '+/cluster/#') expect(topics).toEqual(new Set(['x/cluster/y']));
      expect(plane.value('a')).toBe('1');
    },
  );

  it('find values and dss/sys retained', async () => {
    const { connect, broker, plane } = await startBroker();
    plane.store('a', '1');
    broker.publishSystem('durability', { copies: 1 });
    await settle();
    const client = await connect();
    client.send(subscribe(1, ['#', 2]));
    expect((await client.take('suback')).codes).toEqual([2]);
    expect(new Set((await client.all('publish')).map(brief))).toEqual(
      new Set(['dss/sys/durability={"copies":1} qos 0 retained', 'dss/value/a=1 qos 1 retained']),
    );
  });
});

describe('overlapping subscriptions', () => {
  it('never take a key back', async () => {
    const { client, plane } = await subscribed([
      ['dss/value/#', 0],
      ['dss/value/a', 0],
    ]);
    plane.store('a', 'old');
    plane.store('a', 'new');
    await client.all('publish');
    const version = plane.store('a', 'newest');
    const late = { key: Buffer.from('a'), time: version, deleted: false };
    plane.deliver(plane.watchOf('a'), {
      ...late,
      value: Buffer.from('old'),
      version: version - 4096,
      snapshot: true,
    });
    expect(new Set((await client.all('publish')).map(({ payload }) => payload))).toEqual(
      new Set(['newest']),
    );
  });
});

describe('a subscriber that does not keep up', () => {
  it('gets the newest value of each key and never an older one after it', async () => {
    const { client, plane, broker } = await subscribed([['dss/value/#', 0]]);
    client.stopReading();
    const filler = 'x'.repeat(50_000);
    for (let i = 0; i < 50; i += 1) {
      plane.store('a', `${i} ${filler}`);
      plane.store('b', `${i} ${filler}`);
      await settle(1);
    }
    expect(broker.counters().deliveriesConflated).toBeGreaterThan(50);
    client.goOnReading();
    const seen = (await client.all('publish')).map(({ topic, payload }) => [
      topic,
      Number.parseInt(payload, 10),
    ]);
    for (const key of ['a', 'b']) {
      const values = seen
        .filter(([topic]) => topic === `dss/value/${key}`)
        .map(([, value]) => value);
      expect(values).toEqual([...values].sort((x, y) => Number(x) - Number(y)));
      expect(values.at(-1)).toBe(49);
      expect(values.length).toBeLessThan(50);
    }
  });

  it.each([0, 1])('holds its snapshot back at QoS %i', async (qos) => {
    const { connect, plane } = await startBroker({ limits: { inflightDeliveriesMax: 10 } });
    for (let i = 0; i < 200; i += 1) plane.store(`k${i}`, 'x'.repeat(10_000));
    const client = await connect();
    client.stopReading();
    client.send(subscribe(1, ['dss/value/#', qos]));
    await settle(50);
    expect(plane.snapshotItems).toBeLessThan(30);
    client.goOnReading();
    const keys = new Set<string>();
    while (keys.size < 200) {
      const { topic, id } = await client.take('publish');
      keys.add(topic);
      if (qos === 1) client.send(puback(id));
    }
    expect(plane.snapshotItems).toBe(200);
  });

  it('gets one copy for several subscriptions, at the highest QoS of them', async () => {
    const { client, plane } = await subscribed(
      [
        ['dss/value/#', 1],
        ['dss/value/a', 0],
      ],
      {},
      { limits: { inflightDeliveriesMax: 1 } },
    );
    plane.store('b', 'fills the window');
    const first = await client.take('publish');
    plane.store('a', '1');
    client.send(puback(first.id));
    expect((await client.all('publish')).map(brief)).toEqual(['dss/value/a=1 qos 1']);
  });

  it('has at most so many QoS 1 deliveries unacknowledged', async () => {
    const { client, plane } = await subscribed(
      [['dss/value/#', 1]],
      {},
      {
        limits: { inflightDeliveriesMax: 3 },
      },
    );
    for (let i = 0; i < 10; i += 1) plane.store(`k${i}`, 'v');
    const first = await client.all('publish');
    expect(first).toHaveLength(3);
    plane.store('k9', 'newer');
    for (const { id } of first) client.send(puback(id));
    expect(await client.all('publish')).toHaveLength(3);
    client.send(...Array.from({ length: 10 }, (_, i) => puback(1 + i)));
    await settle();
    const rest = await client.all('publish');
    expect(rest.at(-1)).toMatchObject({ topic: 'dss/value/k9', payload: 'newer' });
  });

  it('is disconnected when too much waits for it', async () => {
    const { client, plane, broker, events } = await subscribed(
      [['dss/value/#', 0]],
      {},
      {
        limits: { outboxBytesMax: 100_000 },
      },
    );
    client.stopReading();
    for (let i = 0; i < 100; i += 1) plane.store(`k${i}`, 'x'.repeat(10_000));
    await settle();
    expect(broker.counters()).toMatchObject({ slowSubscribers: 1, connections: 0 });
    expect(events.map(({ name }) => name)).toContain('slow-subscriber');
    expect(plane.watches.size).toBe(0);
  });
});

describe('packet ids', () => {
  it('are shared by values and ordinary messages without a collision', async () => {
    const { client, connect, plane } = await subscribed([
      ['dss/value/#', 1],
      ['plain/#', 1],
      ['two', 2],
    ]);
    const other = await connect({ clientId: 'other' });
    const inFlight = new Set<number>();
    for (let round = 0; round < 30; round += 1) {
      plane.store(`k${round}`, 'v');
      other.send(publish(`plain/${round}`, 'p', { qos: 1, id: round + 1 }));
      const arrived = await client.all('publish');
      for (const { id, qos } of arrived) {
        expect(qos).toBe(1);
        expect(inFlight.has(id)).toBe(false);
        inFlight.add(id);
      }
      if (round % 3 === 2) {
        for (const id of inFlight) client.send(puback(id));
        inFlight.clear();
      }
    }
    other.send(publish('two', 'exactly once', { qos: 2, id: 100 }));
    const { id } = await client.take('publish');
    client.send(pubrec(id));
    expect((await client.take('pubrel')).id).toBe(id);
    client.send(pubcomp(id));
    await settle();
    expect(client.closed).toBe(false);
  });

  it('are given to values and ordinary messages alike, and come free again', async () => {
    const { client, connect, plane } = await subscribed([
      ['dss/value/#', 1],
      ['plain', 1],
    ]);
    plane.store('a', '1');
    const value = await client.take('publish');
    const other = await connect({ clientId: 'other' });
    other.send(publish('plain', 'p', { qos: 1, id: 1 }));
    const plain = await client.take('publish');
    expect([value.topic, plain.topic]).toEqual(['dss/value/a', 'plain']);
    expect(plain.id).not.toBe(value.id);
    client.send(puback(plain.id), puback(value.id));
    await settle();
    plane.store('a', '2');
    expect((await client.take('publish')).payload).toBe('2');
  });
});
