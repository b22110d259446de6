import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AedesSessions } from '../../../broker/aedes.ts';
import type { Message } from '../../../broker/ordinary/message.ts';
import type { QueuedMessage, SessionRecord } from '../../../broker/ordinary/store.ts';
import type { SessionOwner } from '../../../broker/sessions.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import { FakePeerNetwork } from '../../support/fake-peers.ts';
import { MemoryMessageStore } from '../../support/memory-message-store.ts';
import {
  type ConnectOptions,
  connect,
  DISCONNECT,
  puback,
  subscribe,
} from '../../support/mqtt-frames.ts';
import { connect5, long } from '../../support/mqtt5-frames.ts';
import { as, FakeUsers } from '../fake-users.ts';
import {
  type Harness,
  type HarnessOptions,
  type RawClient,
  settle,
  startBroker,
} from '../harness.ts';
import { BrokerWorld, openStore, session } from '../stored/store-harness.ts';

/** Two nodes over one store. */
async function cluster(options: HarnessOptions = {}) {
  const network = new FakePeerNetwork();
  const store = new MemoryMessageStore();
  const start = (node: string): Promise<Harness> =>
    startBroker({
      ...options,
      host: { node, startCounter: 1 },
      createPeers: network.join(node),
      createStore: (events) => store.join(events),
    });
  return { one: await start('n1'), two: await start('n2'), network, store };
}

/** Claims of a node take until they are let go. */
function holdClaims(network: FakePeerNetwork, node: string): () => void {
  let letGo = () => {};
  network.claimsHeld.set(node, new Promise((resolve) => (letGo = resolve)));
  return letGo;
}

function message(id: string, qos: 1 | 2 = 1): Message {
  return {
    id,
    topic: 'a',
    payload: Buffer.from(id),
    qos,
    retain: false,
    properties: new Uint8Array(0),
    expiresAtMs: undefined,
    from: 'p',
  };
}

function queued(id: string, packetId = 0): QueuedMessage {
  return {
    message: message(id),
    qos: 1,
    retain: false,
    identifiers: [],
    packetId,
    isReleased: false,
  };
}

/** A client with a session that outlives its connection. */
async function subscribed(node: Harness): Promise<RawClient> {
  const client = await node.connect(PERSISTENT);
  client.send(subscribe(1, ['a', 2]));
  await client.take('suback');
  return client;
}

const PERSISTENT: ConnectOptions = { clientId: 'device', clean: false };

describe('A client that connects again while its session is being looked for', () => {
  it('at the same node: goes on with the later connection alone', async () => {
    const { one, network } = await cluster();
    const letGo = holdClaims(network, 'n1');
    const first = one.open();
    first.send(connect(PERSISTENT));
    await settle();
    network.claimsHeld.clear();
    const second = await one.connect(PERSISTENT);
    letGo();
    await first.untilClosed();
    await settle();
    expect(first.received).toEqual([]);
    expect(second.closed).toBe(false);
  });

  it('at another node: goes on there, and is told so by nothing but the end of the first', async () => {
    const { one, two, network, store } = await cluster();
    const letGo = holdClaims(network, 'n1');
    const first = one.open5();
    first.send(connect5({ clientId: 'device', clean: false }));
    await settle();
    const second = await two.connect(PERSISTENT);
    letGo();
    await first.untilClosed();
    await settle();
    expect(first.received).toEqual([]);
    expect(second.closed).toBe(false);
    expect(store.session('device')?.host?.node).toBe('n2');
  });
});

describe('A client id that another user connects under', () => {
  it('stays whose it is, at whatever node it is, and goes to the other one afterwards', async () => {
    const everything = { read: ['#'], write: ['#'] };
    const authenticator = new FakeUsers({ anna: everything, bob: everything });
    const { one, two, store } = await cluster({ authenticator });
    const anna = await one.connect(as('anna', PERSISTENT));
    anna.send(subscribe(1, ['a', 1]));
    await anna.take('suback');
    const bob = two.open();
    bob.send(connect(as('bob', { clientId: 'device' })));
    expect(await bob.take('connack')).toMatchObject({ code: 2 });
    await bob.untilClosed();
    const bob5 = two.open5();
    bob5.send(connect5({ username: 'bob', password: 'bob', clientId: 'device' }));
    expect(await bob5.take('connack')).toMatchObject({ code: 0x85 });
    expect(two.broker.counters().refused).toMatchObject({ CLIENT_ID_TAKEN: 2 });
    two.time.advance(5_000);
    expect(anna.closed).toBe(false);
    expect(store.session('device')).toMatchObject({ user: 'anna', host: { node: 'n1' } });
    anna.send(DISCONNECT);
    await settle();
    await two.connect(as('bob', { clientId: 'device' }));
    expect(store.session('device')).toBeUndefined();
  });
});

describe('A subscription', () => {
  it('that the session layer asks for after the connection has ended does not begin', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    class Sessions extends AedesSessions {
      override attach(stream: Duplex, owner: SessionOwner): void {
        super.attach(stream, {
          mayGrant: (filter) => held.then(() => owner.mayGrant(filter)),
        });
      }
    }
    const network = new FakePeerNetwork();
    const node = await startBroker({
      createPeers: network.join('n1'),
      createSessions: (events) => new Sessions('n1', events),
    });
    const client = await node.connect({ clientId: 'device' });
    client.send(subscribe(1, ['a', 1]));
    await settle();
    client.cut();
    await settle();
    letGo();
    await settle();
    expect(network.nodes.get('n1')?.interest).toEqual([]);
  });
});

describe('What the store says late of a client that is connected', () => {
  it('by a node that was cut off is put right', async () => {
    const { one, store } = await cluster();
    const client = await subscribed(one);
    const record = store.session('device') as SessionRecord;
    await store.saveSession({ ...record, host: undefined, subscriptions: [] });
    one.time.advance(1_000);
    expect(store.session('device')).toEqual(record);
    store.endSession('device');
    one.time.advance(1_000);
    expect(store.session('device')).toEqual(record);
    expect(client.closed).toBe(false);
  });

  it('ends its connection if it is connected at another node now', async () => {
    const { one, store } = await cluster();
    const client = await subscribed(one);
    const record = store.session('device') as SessionRecord;
    await store.saveSession({ ...record, host: { node: 'n2', startCounter: 1 } });
    one.time.advance(1_000);
    await client.untilClosed();
  });

  it('ends a session that it does not have any more', async () => {
    const { one, store } = await cluster();
    (await subscribed(one)).send(DISCONNECT);
    await settle();
    const record = store.session('device') as SessionRecord;
    await one.connect({ clientId: 'device' });
    await store.saveSession(record);
    one.time.advance(1_000);
    expect(store.session('device')).toBeUndefined();
  });
});

describe('A hint', () => {
  it('comes when the store has what it hints at', async () => {
    const { one, two, network, store } = await cluster();
    (await subscribed(one)).send(DISCONNECT);
    await settle();
    let stored = () => {};
    store.storing = new Promise((resolve) => (stored = resolve));
    // It arrives where the client was a moment ago.
    network.nodes.get('n1')?.events.received(message('late'), []);
    const [kept] = await store.queued('device');
    store.dequeue('device', 'late');
    const client = await two.connect(PERSISTENT);
    await settle();
    two.time.advance(60_000);
    expect(await client.all('publish')).toEqual([]);
    store.enqueue('device', kept as QueuedMessage);
    stored();
    await settle();
    expect(await client.all('publish')).toMatchObject([{ payload: 'late' }]);
  });

  it('to what has come live brings it no second time, now or later', async () => {
    const { one, network, store } = await cluster();
    const client = await subscribed(one);
    const peers = network.nodes.get('n1')?.events;
    for (const id of ['acknowledged', 'under way']) peers?.received(message(id), []);
    const [first, second] = await client.all('publish');
    client.send(puback(first?.id ?? 0));
    await settle();
    for (const id of ['acknowledged', 'under way']) store.enqueue('device', queued(id));
    peers?.hinted('device');
    one.time.advance(100);
    expect(await client.all('publish')).toEqual([]);
    client.send(puback(second?.id ?? 0));
    await settle();
    expect(await store.queued('device')).toEqual([]);
  });

  it('to what the client has, under a packet id that is in use again, brings it nothing', async () => {
    const { one, network, store } = await cluster();
    const client = await subscribed(one);
    const peers = network.nodes.get('n1')?.events;
    peers?.received(message('live'), []);
    const [live] = await client.all('publish');
    store.enqueue('device', { ...queued('kept', live?.id), qos: 2, isReleased: true });
    peers?.hinted('device');
    one.time.advance(100);
    expect(await client.all('publish')).toEqual([]);
    expect(client.received).toEqual([]);
    expect(await store.queued('device')).toEqual([]);
  });
});

describe('A session that has moved', () => {
  it('gets what the node that it has left did not take', async () => {
    const { one, two, network } = await cluster();
    await subscribed(one);
    network.nodes.delete('n1');
    const client = await two.connect(PERSISTENT);
    await settle();
    network.nodes.get('n2')?.events.undelivered('n1', [{ message: message('x'), shared: [] }]);
    expect(await client.all('publish')).toMatchObject([{ payload: 'x' }]);
  });

  it('and begun anew is not given what the former one wanted', async () => {
    const { one, two, network, store } = await cluster();
    (await subscribed(one)).send(DISCONNECT);
    await settle();
    await two.connect({ clientId: 'device' });
    network.nodes.get('n1')?.events.received(message('x'), []);
    expect(await store.queued('device')).toEqual([]);
  });
});

describe('A clean session', () => {
  it('leaves nothing of an earlier one, though its node does not know the sessions yet', async () => {
    const world = new BrokerWorld();
    const dataPlane = new FakeDataPlane();
    const before = openStore(world, dataPlane);
    void before.store.saveSession(session('device', { user: '' }));
    before.store.enqueue('device', queued('old'));
    await world.pass();
    dataPlane.watch = () => ({ position: () => new Map(), close: () => {} });
    const createStore = () => openStore(world, dataPlane).store;
    const node = await startBroker({ createStore }, { clock: world.env.clock });
    const client = node.open5();
    client.send(connect5({ clientId: 'device', props: [long(0x11, 60)] }));
    await world.pass(10_000);
    expect(await client.take('connack')).toMatchObject({ session: false });
    client.cut();
    await world.pass(10_000);
    const again = node.open();
    again.send(connect(PERSISTENT));
    await world.pass(10_000);
    expect(await again.take('connack')).toMatchObject({ session: true });
    expect(await again.all('publish')).toEqual([]);
  });
});

describe('What was queued and is sent', () => {
  it('is known by its packet id if the node is killed', async () => {
    const { one, store } = await cluster();
    (await subscribed(one)).send(DISCONNECT);
    await settle();
    store.enqueue('device', queued('x'));
    const client = await one.connect(PERSISTENT);
    const [sent] = await client.all('publish');
    for (let i = 0; i < 2; i++) one.time.advance(1_000);
    expect(await store.queued('device')).toMatchObject([{ packetId: sent?.id }]);
  });
});

describe('A node that cannot be reached', () => {
  const will = {
    message: {
      topic: 'a',
      payload: Buffer.from('gone'),
      qos: 1,
      retain: false,
      properties: new Uint8Array(0),
      from: 'lost',
    },
    expirySeconds: undefined,
    delaySeconds: 0,
  } as const;
  const record = (node: string): SessionRecord => ({
    clientId: 'lost',
    user: '',
    host: { node, startCounter: 1 },
    expirySeconds: 60,
    awaySinceMs: 0,
    subscriptions: [],
    receivedIds: [],
    will,
  });

  it('is not dead while it comes back now and then', async () => {
    const { one, two, network, store } = await cluster();
    const watcher = await subscribed(one);
    await store.saveSession(record('n2'));
    const pass = (ms: number) => {
      for (const { time } of [one, two]) time.advance(ms);
    };
    network.cut('n2')();
    pass(10_000);
    network.cut('n2');
    pass(10_000);
    expect(await watcher.all('publish')).toEqual([]);
    pass(5_000);
    expect(await watcher.all('publish')).toMatchObject([{ payload: 'gone' }]);
  });

  it('and was not heard since this one has started is dead in the end, too', async () => {
    const { one, store } = await cluster();
    const watcher = await subscribed(one);
    await store.saveSession(record('n9'));
    one.time.advance(14_000);
    expect(await watcher.all('publish')).toEqual([]);
    one.time.advance(1_000);
    expect(await watcher.all('publish')).toMatchObject([{ payload: 'gone' }]);
    expect(store.session('lost')).toMatchObject({ host: undefined, will: undefined });
  });

  it('and is said to have a client, though it has died, has its records put right, however late', async () => {
    const { one, network, store } = await cluster();
    const watcher = await subscribed(one);
    network.cut('n2');
    one.time.advance(60_000);
    await store.saveSession(record('n2'));
    one.time.advance(14_000);
    expect(await watcher.all('publish')).toEqual([]);
    one.time.advance(1_000);
    expect(await watcher.all('publish')).toMatchObject([{ payload: 'gone' }]);
    expect(store.session('lost')).toMatchObject({ host: undefined, will: undefined });
  });

  it('is not dead just because another one is back sooner', async () => {
    const { one, network, store } = await cluster();
    const watcher = await subscribed(one);
    await store.saveSession(record('n3'));
    const reunite = network.cut('n2');
    network.cut('n3');
    network.isFirst = false;
    one.time.advance(60_000);
    network.isFirst = true;
    reunite();
    one.time.advance(4_000);
    expect(await watcher.all('publish')).toEqual([]);
    one.time.advance(1_000);
    expect(await watcher.all('publish')).toMatchObject([{ payload: 'gone' }]);
  });

  it('leaves wills that wait as long as their clients wanted', async () => {
    const { one, store } = await cluster();
    const watcher = await subscribed(one);
    await store.saveSession({ ...record('n9'), will: { ...will, delaySeconds: 30 } });
    one.time.advance(15_000);
    expect(await watcher.all('publish')).toEqual([]);
    one.time.advance(30_000);
    expect(await watcher.all('publish')).toMatchObject([{ payload: 'gone' }]);
    expect(store.session('lost')).toMatchObject({ will: undefined });
  });
});

describe('A will that waits', () => {
  const lost = {
    ...{ clientId: 'lost', props: [long(0x11, 60)] },
    will: { topic: 'a', payload: 'gone', qos: 1, props: [long(0x18, 10)] },
  };

  it('is published once, where its client was lost', async () => {
    const { one, two, store } = await cluster();
    const watcher = await subscribed(two);
    (await one.connect5(lost)).cut();
    await settle();
    const pass = (ms: number) => {
      for (const { time } of [one, two]) time.advance(ms);
    };
    pass(9_000);
    expect(await watcher.all('publish')).toEqual([]);
    pass(1_000);
    expect(await watcher.all('publish')).toMatchObject([{ payload: 'gone' }]);
    expect(store.session('lost')).toMatchObject({ host: undefined, will: undefined });
    pass(30_000);
    expect(await watcher.all('publish')).toEqual([]);
  });

  it('is published by another node if that one is not there any more', async () => {
    const { one, two, network } = await cluster();
    const watcher = await subscribed(two);
    (await one.connect5(lost)).cut();
    await settle();
    network.cut('n1');
    two.time.advance(14_000);
    expect(await watcher.all('publish')).toEqual([]);
    two.time.advance(1_000);
    expect(await watcher.all('publish')).toMatchObject([{ payload: 'gone' }]);
    two.time.advance(30_000);
    expect(await watcher.all('publish')).toEqual([]);
  });

  it('is not published if its client is back at another node', async () => {
    const { one, two, network } = await cluster();
    const watcher = await subscribed(two);
    (await one.connect5(lost)).cut();
    await settle();
    network.cut('n1');
    await two.connect5({ clientId: 'lost', clean: false, props: [long(0x11, 60)] });
    two.time.advance(60_000);
    expect(await watcher.all('publish')).toEqual([]);
  });
});

it('A session that goes on without outliving its connection is over with that', async () => {
  const { one, two } = await cluster();
  (await subscribed(one)).send(DISCONNECT);
  await settle();
  const client = two.open5();
  client.send(connect5({ clientId: 'device', clean: false }));
  expect(await client.take('connack')).toMatchObject({ session: true });
  client.cut();
  await settle();
  const again = one.open();
  again.send(connect(PERSISTENT));
  expect(await again.take('connack')).toMatchObject({ session: false });
});
