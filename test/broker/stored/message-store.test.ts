import { describe, expect, it } from 'vitest';
import { ownerOf, queuePrefix, tableKey } from '../../../broker/reserved-keys.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import {
  BrokerWorld,
  message,
  openStore,
  queued,
  retainedTexts,
  session,
  textsOf,
  WALL_CLOCK_START_MS,
} from './store-harness.ts';

/** Two nodes on one store. */
function openTwo() {
  const world = new BrokerWorld();
  const dataPlane = new FakeDataPlane();
  return { world, dataPlane, one: openStore(world, dataPlane), two: openStore(world, dataPlane) };
}

const HERE = { node: 'n1', startCounter: 1 };
const ELSEWHERE = { node: 'n2', startCounter: 1 };

describe('what was there when a node starts', () => {
  it('is known when all of it was told, or is not waited for any longer', async () => {
    const { world, dataPlane, one } = openTwo();
    one.store.retain(message('a', 'x'));
    await world.pass();
    const late = openStore(world, dataPlane);
    let found: string[] | undefined;
    void late.store.known.then(() => (found = retainedTexts(late.store)));
    expect(found).toBeUndefined();
    await world.pass();
    expect(found).toEqual(['a=x']);

    const silent = new FakeDataPlane();
    silent.watch = () => ({ position: () => new Map(), close: () => {} });
    const alone = openStore(world, silent);
    let isKnown = false;
    void alone.store.known.then(() => (isKnown = true));
    await world.pass(7_900);
    expect(isKnown).toBe(false);
    await world.pass(200);
    expect(isKnown).toBe(true);
  });
});

describe('a retained message', () => {
  it('is seen at once where it was published, and elsewhere when it is stored', async () => {
    const { world, one, two } = openTwo();
    one.store.retain(message('a/b', 'x'));
    expect(retainedTexts(one.store, 'a/+')).toEqual(['a/b=x']);
    expect(retainedTexts(two.store)).toEqual([]);
    await world.pass();
    expect(retainedTexts(two.store)).toEqual(['a/b=x']);
    two.store.retain(message('a/b', ''));
    await world.pass();
    expect(retainedTexts(one.store)).toEqual([]);
  });

  it('is not hidden by what the store tells of earlier ones', async () => {
    const { world, dataPlane, store } = openStore();
    dataPlane.hold = true;
    store.retain(message('t', 'old'));
    await world.pass();
    store.retain(message('t', 'new'));
    dataPlane.commitAll();
    expect(retainedTexts(store)).toEqual(['t=new']);
    await world.pass();
    dataPlane.commitAll();
    expect(retainedTexts(store)).toEqual(['t=new']);
  });

  it('is that which was stored last when two nodes take one at once', async () => {
    const { world, dataPlane, one, two } = openTwo();
    dataPlane.hold = true;
    one.store.retain(message('t', '1'));
    two.store.retain(message('t', '2'));
    await world.pass();
    const [first, second] = dataPlane.held;
    dataPlane.commit(second);
    dataPlane.commit(first);
    expect(retainedTexts(one.store)).toEqual(['t=1']);
    expect(retainedTexts(two.store)).toEqual(['t=1']);
  });

  it('is not given any more when it has expired, stored or not', async () => {
    const { world, dataPlane, store } = openStore();
    store.retain(message('t', 'x', { expiresAtMs: WALL_CLOCK_START_MS + 1_000 }));
    await world.pass(400);
    expect(dataPlane.writes[0]?.ttlMs).toBe(1_000);
    expect(retainedTexts(store)).toEqual(['t=x']);
    await world.pass(600);
    expect(retainedTexts(store)).toEqual([]);
  });

  it('that cannot be read is reported and left out', async () => {
    const { world, dataPlane, store } = openStore();
    dataPlane.store(tableKey('retained', ownerOf('t')), Uint8Array.of(0xff));
    await world.pass();
    expect(retainedTexts(store)).toEqual([]);
    expect(world.events.map(({ name }) => name)).toEqual(['stored-message-unreadable']);
  });
});

describe('what is larger than a value may be', () => {
  it('is not stored, takes the place of what it was to replace, and is reported', async () => {
    const limits = { queuedBytesMax: 4 * 1024 * 1024 };
    const { world, dataPlane, store } = openStore(undefined, undefined, limits);
    const large = 'x'.repeat(1024 * 1024);
    store.retain(message('t', 'small'));
    store.retain(message('t', large));
    expect(retainedTexts(store)).toEqual([]);
    expect(store.enqueue('c', queued(large, { id: 'large' }))).toBe(false);
    const subscriptions = Array.from({ length: 2 }, (_, i) => ({
      filter: large + i,
      qos: 1 as const,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
      identifier: 0,
    }));
    await store.saveSession(session('c', { subscriptions }));
    expect(store.session('c')?.subscriptions).toEqual(subscriptions);
    await world.pass();
    expect(dataPlane.value(tableKey('retained', ownerOf('t')))).toBeUndefined();
    expect(dataPlane.value(tableKey('session', ownerOf('c')))).toBeUndefined();
    expect(store.dropped).toBe(3);
    expect(world.events.map(({ name }) => name)).toEqual([
      'message-too-large-to-store',
      'message-too-large-to-store',
    ]);
  });
});

describe('a store that closes', () => {
  it('waits until everything is stored, for a second at most', async () => {
    const { world, dataPlane, store } = openStore();
    store.retain(message('t', 'x'));
    const closing = store.close();
    await world.pass();
    await closing;
    expect(dataPlane.value(tableKey('retained', ownerOf('t')))).toBeDefined();
    const other = openStore(world, dataPlane);
    dataPlane.hold = true;
    other.store.retain(message('t', 'y'));
    let isClosed = false;
    void other.store.close().then(() => {
      isClosed = true;
    });
    await world.pass(900);
    expect(isClosed).toBe(false);
    await world.pass(100);
    expect(isClosed).toBe(true);
  });
});

describe('a session', () => {
  it('is known on all nodes, which are told once of every change', async () => {
    const { world, one, two } = openTwo();
    await world.pass();
    const away = session('c', { subscriptions: [] });
    const saving = one.store.saveSession(away);
    expect(one.store.session('c')).toEqual(away);
    await world.pass();
    await saving;
    expect([...two.store.sessions()]).toEqual([away]);
    two.store.endSession('c');
    await world.pass();
    expect([...one.store.sessions()]).toEqual([]);
    for (const { changes } of [one, two]) {
      expect(changes).toEqual([
        ['c', away],
        ['c', undefined],
      ]);
    }
  });

  it('is loaded as the store has it, though the watch has not told of it yet', async () => {
    const { world, dataPlane, one, two } = openTwo();
    await world.pass();
    dataPlane.watches.clear();
    void one.store.saveSession(session('c'));
    await world.pass();
    expect(two.store.session('c')).toBeUndefined();
    expect(await two.store.loadSession('c', () => true)).toEqual(session('c'));
    one.store.endSession('c');
    await world.pass();
    expect(await two.store.loadSession('c', () => true)).toBeUndefined();
  });

  it('is not taken for a new one by a node that does not know the sessions yet', async () => {
    const { world, dataPlane, one } = openTwo();
    void one.store.saveSession(session('c'));
    await world.pass();
    let began = () => {};
    const { watch } = dataPlane;
    dataPlane.watch = (filter, watcher) => {
      began = () => void watch.call(dataPlane, filter, watcher);
      return { position: () => new Map(), close: () => {} };
    };
    dataPlane.down = true;
    const { store } = openStore(world, dataPlane);
    const loaded: unknown[] = [];
    void store.loadSession('c', () => true).then((record) => loaded.push(record));
    const gone: unknown[] = [];
    void store.loadSession('c', () => false).then((record) => gone.push(record));
    await world.pass(5_000);
    expect([loaded, gone]).toEqual([[], [undefined]]);
    began();
    await world.pass(1_000);
    expect(loaded).toEqual([session('c')]);
  });

  it('keeps nobody waiting for longer than a second without a quorum', async () => {
    const { world, dataPlane, store } = openStore();
    await world.pass();
    dataPlane.hold = true;
    dataPlane.get = () => new Promise(() => {});
    const outcomes: string[] = [];
    void store.saveSession(session('c')).then(() => outcomes.push('saved'));
    void store.loadSession('other', () => true).then(() => outcomes.push('loaded'));
    await world.pass(900);
    expect(outcomes).toEqual([]);
    await world.pass(100);
    expect(outcomes.sort()).toEqual(['loaded', 'saved']);
  });

  it('ends by itself when it has been away for long enough', async () => {
    const { world, dataPlane, store } = openStore();
    void store.saveSession(session('c', { expirySeconds: 60 }));
    void store.saveSession(session('here', { expirySeconds: 60, host: HERE }));
    await world.pass();
    expect(dataPlane.writes.map(({ ttlMs }) => ttlMs)).toEqual([60_000, 0]);
    await world.pass(60_000);
    expect(store.session('c')).toBeUndefined();
    expect([...store.sessions()].map(({ clientId }) => clientId)).toEqual(['here']);
  });
});

describe('a will that waits', () => {
  it('is kept for whoever publishes it though its session is over, and then goes', async () => {
    const { world, dataPlane, store } = openStore();
    const will = {
      message: { ...message('status', 'gone'), id: undefined },
      expirySeconds: undefined,
      delaySeconds: 60,
    };
    void store.saveSession(session('c', { expirySeconds: 60, will }));
    await world.pass();
    expect(dataPlane.writes.map(({ ttlMs }) => ttlMs)).toEqual([120_000]);
    await world.pass(60_000);
    expect(store.session('c')).toBeUndefined();
    store.willIsLeft('c');
    await world.pass();
    expect(dataPlane.writes.map(({ value }) => value.length)).toEqual([expect.any(Number), 0]);
    store.willIsLeft('c');
    await world.pass();
    expect(dataPlane.writes).toHaveLength(2);
  });
});

describe('the queue of a session', () => {
  it('is given in the order in which it was stored, whoever put what into it', async () => {
    const { world, one, two } = openTwo();
    for (const [store, text] of [
      [one, 'a'],
      [two, 'b'],
      [one, 'c'],
    ] as const) {
      store.store.enqueue('c', queued(text));
      await world.pass();
    }
    expect(textsOf(await two.store.queued('c'))).toEqual(['a', 'b', 'c']);
  });

  it('holds a message once, at its first place, with what was said last', async () => {
    const { world, store } = openStore();
    for (const text of ['a', 'b']) store.enqueue('c', queued(text));
    await world.pass();
    await store.queued('c');
    store.enqueue('c', { ...queued('a'), packetId: 7 });
    for (let times = 0; times < 2; times++) {
      const read = await store.queued('c');
      expect(textsOf(read)).toEqual(['a', 'b']);
      expect(read.map(({ packetId }) => packetId)).toEqual([7, 0]);
      await world.pass();
    }
  });

  it('shows what is not stored yet, and not what is being taken out', async () => {
    const { world, dataPlane, store } = openStore();
    for (const text of ['a', 'b']) store.enqueue('c', queued(text));
    await world.pass();
    await store.queued('c');
    dataPlane.hold = true;
    store.dequeue('c', queued('a').message.id);
    store.enqueue('c', queued('d'));
    expect(textsOf(await store.queued('c'))).toEqual(['b', 'd']);
    const reading = store.queued('c');
    store.enqueue('c', queued('e'));
    expect(textsOf(await reading)).toEqual(['b', 'd', 'e']);
  });

  it('loses nothing that is stored while it is read', async () => {
    const { world, dataPlane, store } = openStore();
    const list = dataPlane.list.bind(dataPlane);
    let letGo = () => {};
    dataPlane.list = async (query) => {
      const before = await list(query);
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
      return before;
    };
    const reading = store.queued('c');
    await world.pass();
    store.enqueue('c', queued('a'));
    await world.pass();
    letGo();
    expect(textsOf(await reading)).toEqual(['a']);
  });

  it('is full at its limits, and takes more when it has been read elsewhere', async () => {
    const world = new BrokerWorld();
    const { store, dataPlane } = openStore(world, new FakeDataPlane(), { queuedMessagesMax: 2 });
    void store.saveSession(session('c'));
    expect(['a', 'b', 'b', 'd'].map((text) => store.enqueue('c', queued(text)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(store.dropped).toBe(1);
    await world.pass();
    const other = openStore(world, dataPlane);
    void other.store.saveSession(session('c', { host: ELSEWHERE }));
    await world.pass();
    expect(store.enqueue('c', queued('e'))).toBe(true);
  });

  it('is bounded in bytes', () => {
    const { store } = openStore(undefined, undefined, { queuedBytesMax: 1_000 });
    expect(store.enqueue('c', queued('x'.repeat(900), { id: 'x' }))).toBe(true);
    expect(store.enqueue('c', queued('y'.repeat(900), { id: 'y' }))).toBe(false);
  });

  it('has room again for what is taken out', async () => {
    const { world, store } = openStore(undefined, undefined, { queuedMessagesMax: 1 });
    store.enqueue('c', queued('a'));
    await world.pass();
    await store.queued('c');
    expect(store.enqueue('c', queued('b'))).toBe(false);
    store.dequeue('c', queued('a').message.id);
    expect(store.enqueue('c', queued('b'))).toBe(true);
  });

  it('of a client that is connected loses what the client has acknowledged, and has its room back', async () => {
    const { world, store } = openStore(undefined, undefined, { queuedMessagesMax: 1 });
    void store.saveSession(session('c', { host: HERE }));
    for (const text of ['a', 'b', 'c']) {
      expect(store.enqueue('c', queued(text))).toBe(true);
      await world.pass();
      store.dequeue('c', queued(text).message.id);
      await world.pass();
    }
    expect(textsOf(await store.queued('c'))).toEqual([]);
  });

  it('keeps no message longer than that, its session or two weeks last', async () => {
    const { world, dataPlane, store } = openStore();
    void store.saveSession(session('short', { expirySeconds: 60 }));
    store.enqueue('c', queued('a'));
    store.enqueue('c', queued('b', { expiresAtMs: WALL_CLOCK_START_MS + 5_000 }));
    store.enqueue('short', queued('a'));
    await world.pass();
    const ttls = dataPlane.writes.slice(1).map(({ ttlMs }) => ttlMs);
    expect(ttls.sort((a, b) => a - b)).toEqual([5_000, 60_000, 14 * 24 * 3_600_000]);
    await world.pass(5_000);
    expect(textsOf(await store.queued('c'))).toEqual(['a']);
  });

  it('stores nothing for what was never queued', async () => {
    const { world, dataPlane, store } = openStore();
    store.dequeue('c', 'n1-1-1');
    await world.pass();
    expect(dataPlane.writes).toEqual([]);
  });

  it('is stored when the store has all that was done to it', async () => {
    const { world, dataPlane, store } = openStore();
    await world.pass();
    await store.queueStored('c');
    dataPlane.hold = true;
    store.enqueue('c', queued('one'));
    const told: string[] = [];
    void store.queueStored('c').then(() => told.push('stored'));
    await world.pass(60_000);
    expect(told).toEqual([]);
    store.enqueue('c', queued('one'));
    dataPlane.commitAll();
    await world.pass();
    expect(told).toEqual([]);
    dataPlane.commitAll();
    await world.pass();
    expect(told).toEqual(['stored']);
    store.enqueue('c', queued('two'));
    void store.queueStored('c').then(() => told.push('over'));
    store.endSession('c');
    await world.pass();
    expect(told).toEqual(['stored', 'over']);
  });

  it('ends with its session: what is queued later belongs to the next one', async () => {
    const { world, dataPlane, store } = openStore();
    void store.saveSession(session('c'));
    store.enqueue('c', queued('old'));
    await world.pass();
    store.enqueue('c', queued('not stored yet'));
    store.endSession('c');
    void store.saveSession(session('c', { user: 'next' }));
    store.enqueue('c', queued('new'));
    expect(textsOf(await store.queued('c'))).toEqual(['new']);
    await world.pass(5_000);
    expect(store.session('c')?.user).toBe('next');
    const prefix = queuePrefix(ownerOf('c'));
    const left = ['old', 'not stored yet', 'new'].filter((text) => {
      return dataPlane.value(`${prefix}/${queued(text).message.id}`) !== undefined;
    });
    expect(left).toEqual(['new']);
    expect(textsOf(await store.queued('c'))).toEqual(['new']);
  });

  it('is given from memory while the store does not answer, and it is said when that does', async () => {
    const { world, dataPlane, one, two } = openTwo();
    one.store.enqueue('c', queued('stored'));
    await world.pass();
    dataPlane.down = true;
    dataPlane.hold = true;
    two.store.enqueue('c', queued('here'));
    const reading = two.store.queued('c');
    await world.pass(1_000);
    expect(textsOf(await reading)).toEqual(['here']);
    expect(two.readable).toEqual([]);
    dataPlane.down = false;
    await world.pass(1_000);
    expect(two.readable).toEqual(['c']);
    expect(textsOf(await two.store.queued('c'))).toEqual(['stored', 'here']);
  });
});
