import { describe, expect, it } from 'vitest';
import { FakePeerNetwork } from '../../support/fake-peers.ts';
import { MemoryMessageStore } from '../../support/memory-message-store.ts';
import {
  type ConnectOptions,
  connect,
  DISCONNECT,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
} from '../../support/mqtt-frames.ts';
import { type Harness, type RawClient, settle, startBroker } from '../harness.ts';

/** Three nodes over one store. */
async function cluster(): Promise<{
  readonly nodes: readonly [Harness, Harness, Harness];
  readonly network: FakePeerNetwork;
  readonly store: MemoryMessageStore;
}> {
  const network = new FakePeerNetwork();
  const store = new MemoryMessageStore();
  const start = (node: string) =>
    startBroker({
      host: { node, startCounter: 1 },
      createPeers: network.join(node),
      createStore: (events) => store.join(events),
    });
  return { nodes: [await start('n1'), await start('n2'), await start('n3')], network, store };
}

const PERSISTENT: ConnectOptions = { clientId: 'device', clean: false };

async function subscribed(
  node: Harness,
  filters: readonly (readonly [string, number])[],
  options: ConnectOptions = PERSISTENT,
): Promise<RawClient> {
  const client = await node.connect(options);
  client.send(subscribe(1, ...filters));
  await client.take('suback');
  return client;
}

async function publishFrom(node: Harness, ...messages: readonly Buffer[]): Promise<void> {
  const client = await node.connect({ clientId: 'publisher' });
  client.send(...messages);
  await settle();
  client.send(DISCONNECT);
  await client.untilClosed();
}

const texts = (packets: readonly { readonly payload: string }[]) =>
  packets.map(({ payload }) => payload);

describe('A message', () => {
  it('reaches subscribers at every node, once, with the QoS of each', async () => {
    const { nodes } = await cluster();
    const clients = await Promise.all(
      nodes.map((node, i) =>
        subscribed(
          node,
          [
            ['house/#', i as 0 | 1 | 2],
            ['house/+', 0],
          ],
          { clientId: `c${i}` },
        ),
      ),
    );
    await publishFrom(nodes[0], publish('house/a', 'on', { qos: 2, id: 1 }), pubrel(1));
    for (const [i, client] of clients.entries()) {
      expect(await client.all('publish')).toMatchObject([{ payload: 'on', qos: i, retain: false }]);
    }
  });

  it('stays in order for each publisher', async () => {
    const { nodes } = await cluster();
    const client = await subscribed(nodes[1], [['a/#', 1]]);
    const numbers = Array.from({ length: 50 }, (_, i) => String(i));
    await publishFrom(
      nodes[0],
      ...numbers.map((n, i) => publish('a/b', n, { qos: i % 2, id: i + 1 })),
    );
    expect(texts(await client.all('publish'))).toEqual(numbers);
  });

  it('that is retained is there for who subscribes later, at any node', async () => {
    const { nodes } = await cluster();
    await publishFrom(nodes[0], publish('a/x', 'kept', { retain: true, qos: 1 }));
    const client = await subscribed(nodes[2], [['a/+', 1]]);
    expect(await client.all('publish')).toMatchObject([{ payload: 'kept', retain: true, qos: 1 }]);
    await publishFrom(nodes[1], publish('a/x', '', { retain: true }));
    const later = await subscribed(nodes[0], [['a/+', 1]], { clientId: 'later' });
    expect(await later.all('publish')).toEqual([]);
  });
});

describe('A persistent session', () => {
  it('is kept while its client is away, whatever node the message comes to', async () => {
    const { nodes } = await cluster();
    (
      await subscribed(nodes[0], [
        ['a', 1],
        ['b', 0],
      ])
    ).send(DISCONNECT);
    await settle();
    await publishFrom(nodes[0], publish('a', '1', { qos: 1 }));
    await publishFrom(nodes[2], publish('a', '2', { qos: 2, id: 9 }), pubrel(9));
    await publishFrom(nodes[1], publish('a', 'at QoS 0'), publish('b', 'to QoS 0', { qos: 1 }));
    const client = await nodes[1].connect(PERSISTENT);
    expect(texts(await client.all('publish'))).toEqual(['1', '2']);
  });

  it('goes with its client to another node, with what was not acknowledged', async () => {
    const { nodes } = await cluster();
    const client = await subscribed(nodes[0], [['a', 2]]);
    await publishFrom(
      nodes[1],
      publish('a', 'sent', { qos: 1, id: 1 }),
      publish('a', 'received', { qos: 2, id: 2 }),
      publish('a', 'done', { qos: 1, id: 3 }),
      pubrel(2),
    );
    const packets = await client.all('publish');
    const [sent, received, done] = ['sent', 'received', 'done'].map((text) =>
      packets.find(({ payload }) => payload === text),
    );
    client.send(puback(done?.id ?? 0), pubrec(received?.id ?? 0));
    await client.take('pubrel');
    const again = nodes[2].open();
    again.send(connect(PERSISTENT));
    expect(await again.take('connack')).toMatchObject({ session: true, code: 0 });
    await client.untilClosed();
    expect(await again.all('publish')).toMatchObject([{ payload: 'sent', id: sent?.id }]);
    expect((await again.take('pubrel')).id).toBe(received?.id);
    again.send(pubcomp(received?.id ?? 0), puback(sent?.id ?? 0));
    await settle();
    again.cut();
    await settle();
    expect(await (await nodes[0].connect(PERSISTENT)).all('publish')).toEqual([]);
  });

  it('ends with a clean one, and is not there again after that', async () => {
    const { nodes } = await cluster();
    (await subscribed(nodes[0], [['a', 1]])).cut();
    await settle();
    (await nodes[1].connect({ ...PERSISTENT, clean: true })).cut();
    await settle();
    await publishFrom(nodes[0], publish('a', 'x', { qos: 1 }));
    const client = nodes[2].open();
    client.send(connect(PERSISTENT));
    expect(await client.take('connack')).toMatchObject({ session: false });
    expect(await client.all('publish')).toEqual([]);
  });

  it('forgets what it has unsubscribed from', async () => {
    const { nodes } = await cluster();
    const client = await subscribed(nodes[0], [
      ['a', 1],
      ['b', 1],
    ]);
    client.send(unsubscribe(2, 'a'));
    await client.take('unsuback');
    client.cut();
    await settle();
    await publishFrom(
      nodes[1],
      publish('a', 'no', { qos: 1 }),
      publish('b', 'yes', { qos: 1, id: 2 }),
    );
    expect(texts(await (await nodes[2].connect(PERSISTENT)).all('publish'))).toEqual(['yes']);
  });

  it('of a node that died goes on at another one', async () => {
    const { nodes, network } = await cluster();
    await subscribed(nodes[0], [['a', 1]]);
    network.cut('n1');
    await publishFrom(nodes[1], publish('a', 'kept', { qos: 1 }));
    const client = await nodes[2].connect(PERSISTENT);
    expect(texts(await client.all('publish'))).toEqual(['kept']);
  });

  it('keeps what other nodes send while they do not know yet that its client has gone', async () => {
    const { nodes, network } = await cluster();
    const client = await subscribed(nodes[0], [['a', 1]]);
    client.cut();
    await settle();
    const message = {
      id: 'late',
      topic: 'a',
      payload: Buffer.from('late'),
      qos: 1,
      retain: false,
      properties: new Uint8Array(0),
      expiresAtMs: undefined,
      from: 'p',
    } as const;
    network.nodes.get('n1')?.events.received(message, []);
    const back = await nodes[1].connect(PERSISTENT);
    expect(texts(await back.all('publish'))).toEqual(['late']);
  });
});

describe('A client of a node that has just started', () => {
  it('is let in when the node knows who is away', async () => {
    const { nodes, store } = await cluster();
    let tell = () => {};
    store.known = new Promise((resolve) => {
      tell = resolve;
    });
    let isIn = false;
    const connecting = nodes[0].connect().then(() => {
      isIn = true;
    });
    await settle();
    expect(isIn).toBe(false);
    tell();
    await connecting;
  });
});

describe('A client id', () => {
  it('is in use at one node at a time: the later connection stays', async () => {
    const { nodes } = await cluster();
    const first = await nodes[0].connect({ clientId: 'device' });
    const second = await nodes[1].connect({ clientId: 'device' });
    await first.untilClosed();
    const third = await nodes[1].connect({ clientId: 'device' });
    await second.untilClosed();
    expect(third.closed).toBe(false);
  });
});

describe('A will', () => {
  const will = { topic: 'status', payload: 'gone', qos: 1 };

  it('is published when the client is lost, not when it says goodbye', async () => {
    const { nodes } = await cluster();
    const watcher = await subscribed(nodes[1], [['status', 1]], { clientId: 'watcher' });
    (await nodes[0].connect({ clientId: 'polite', will })).send(DISCONNECT);
    await settle();
    expect(await watcher.all('publish')).toEqual([]);
    (await nodes[0].connect({ clientId: 'lost', will })).cut();
    expect(texts(await watcher.all('publish'))).toEqual(['gone']);
  });

  it('of the clients of a node that died is published once, by another one', async () => {
    const { nodes, network } = await cluster();
    const watcher = await subscribed(nodes[1], [['status', 1]], { clientId: 'watcher' });
    await nodes[0].connect({ clientId: 'lost', will });
    network.cut('n1');
    for (const { time } of nodes) time.advance(15_000);
    expect(texts(await watcher.all('publish'))).toEqual(['gone']);
  });
});

describe('A shared subscription', () => {
  it('gives each message to one member, at any node', async () => {
    const { nodes } = await cluster();
    const members = await Promise.all(
      nodes.map((node, i) => subscribed(node, [['$share/g/jobs/#', 1]], { clientId: `w${i}` })),
    );
    const jobs = Array.from({ length: 30 }, (_, i) => String(i));
    await publishFrom(
      nodes[0],
      ...jobs.map((job, i) => publish('jobs/x', job, { qos: 1, id: i + 1 })),
    );
    const done = await Promise.all(members.map(async (each) => texts(await each.all('publish'))));
    expect(done.flat().sort()).toEqual(jobs.sort());
    for (const each of done) expect(each.length).toBeGreaterThan(0);
  });

  it('of values gives each change of a key to one member', async () => {
    const { nodes } = await cluster();
    const [node] = nodes;
    const members = await Promise.all(
      ['w1', 'w2'].map((clientId) => subscribed(node, [['$share/g/dss/value/#', 1]], { clientId })),
    );
    for (const key of ['a', 'b', 'c', 'd', 'a', 'b']) node.plane.store(key, 'x');
    const topics = await Promise.all(
      members.map(async (each) => (await each.all('publish')).map(({ topic }) => topic)),
    );
    expect(topics.flat().sort()).toEqual(
      ['a', 'a', 'b', 'b', 'c', 'd'].map((key) => `dss/value/${key}`),
    );
    expect(topics[0]?.filter((topic) => topics[1]?.includes(topic))).toEqual([]);
  });
});

describe('A QoS 2 message', () => {
  it('that was received is not published again when its client resends it to another node', async () => {
    const { nodes } = await cluster();
    const watcher = await subscribed(nodes[1], [['a', 2]], { clientId: 'watcher' });
    const client = await nodes[0].connect(PERSISTENT);
    client.send(
      publish('a', 'once', { qos: 2, id: 7 }),
      publish('dss/put/k', 'once', { qos: 2, id: 8 }),
    );
    await client.take('pubrec');
    await client.take('pubrec');
    client.cut();
    await settle();
    const again = await nodes[2].connect(PERSISTENT);
    again.send(
      publish('a', 'once', { qos: 2, id: 7, dup: true }),
      publish('dss/put/k', 'once', { qos: 2, id: 8, dup: true }),
      pubrel(7),
      pubrel(8),
    );
    expect((await again.all('pubrec')).map(({ id }) => id)).toEqual([7, 8]);
    expect((await again.all('pubcomp')).map(({ id }) => id)).toEqual([7, 8]);
    expect(nodes[2].plane.value('k')).toBeUndefined();
    expect(texts(await watcher.all('publish'))).toEqual(['once']);
    again.send(publish('a', 'another', { qos: 2, id: 7 }));
    expect(texts(await watcher.all('publish'))).toEqual(['another']);
  });
});
