import { describe, expect, it } from 'vitest';
import { type Messenger, Messengers, ordinary } from './messengers.ts';

async function started(nodes = 3, seed = 1) {
  const cluster = new Messengers({ nodes, seed });
  await cluster.startAll();
  return cluster;
}

const topicsOf = ({ got }: Messenger) => got.map(({ message }) => message.topic);
/** Bytes are the same in whatever kind of array. */
const asArrays = ({ message, shared }: Messenger['got'][number]) => {
  const { payload, properties } = message;
  return { ...message, payload: [...payload], properties: [...properties], shared };
};
const member = (group: string, filter: string, clientId: string) => ({ group, filter, clientId });

describe('messages between nodes', () => {
  it('go to every node that wants them, once, as they were', async () => {
    const cluster = await started();
    const [one, two, three] = cluster.nodes as [Messenger, Messenger, Messenger];
    for (const filter of ['a/+', 'a/#', 'a/b']) two.messages.announce(ordinary(filter));
    three.messages.announce(ordinary('c'));
    await cluster.world.resolve('announced', two.messages.announced());
    const sent = one.publish('a/b', {
      ...{ qos: 2, retain: true, payload: Uint8Array.of(0, 255), properties: Uint8Array.of(7) },
      ...{ expiresAtMs: 2 ** 41, from: 'the publisher' },
    });
    await cluster.world.run(50);
    expect(two.got.map(asArrays)).toEqual([{ message: sent, shared: [] }].map(asArrays));
    expect(three.got).toEqual([]);
  });

  it('do not go where nobody wants them any more', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(ordinary('a'));
    two.messages.announce(ordinary('a'));
    two.messages.withdraw(ordinary('a'));
    await cluster.world.run(50);
    one.publish('a');
    await cluster.world.run(50);
    expect(topicsOf(two)).toEqual(['a']);
    two.messages.withdraw(ordinary('a'));
    await cluster.world.run(50);
    one.publish('a');
    await cluster.world.run(50);
    expect(topicsOf(two)).toEqual(['a']);
  });

  it('are wanted by many clients: a node tells it in parts', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    for (let i = 0; i < 40_000; i++) {
      two.messages.announce(ordinary(`plant/of/many/things/${i}/temperature/now`));
    }
    await cluster.world.resolve('announced', two.messages.announced(), 1_010);
    one.publish('plant/of/many/things/37777/temperature/now');
    await cluster.world.run(50);
    expect(two.got).toHaveLength(1);
    cluster.kill(one);
    await cluster.start(one);
    await cluster.world.run(500);
    one.publish('plant/of/many/things/39999/temperature/now');
    await cluster.world.run(50);
    expect(two.got).toHaveLength(2);
  });

  it('leave together: a turn is one envelope', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(ordinary('#'));
    await cluster.world.run(500);
    const before = cluster.network.accepted;
    for (let i = 0; i < 1_000; i++) one.publish(`t${i}`);
    await cluster.world.until('all are there', () => two.got.length === 1_000);
    expect(cluster.network.accepted - before).toBeLessThan(4);
    expect(topicsOf(two)).toEqual(Array.from({ length: 1_000 }, (_, i) => `t${i}`));
  });

  it('that a node dies with are handed back, also those that it had taken just before', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(ordinary('#'));
    await cluster.world.run(50);
    one.publish('long ago');
    await cluster.world.run(4_000);
    one.publish('taken');
    one.publish('qos 0', { qos: 0 });
    await cluster.world.run(100);
    expect(topicsOf(two)).toEqual(['long ago', 'taken', 'qos 0']);
    one.publish('under way');
    cluster.kill(two);
    await cluster.world.run(100);
    expect(one.events.at(-1)).toBe('down 2');
    expect(one.messages.isReachable(two.node)).toBe(false);
    expect(one.undeliveredTo.map(({ delivery }) => delivery.message.topic)).toEqual([
      'taken',
      'under way',
    ]);
    one.publish('to nobody');
    expect(one.undeliveredTo).toHaveLength(2);
  });

  it('that get lost are handed back', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(ordinary('#'));
    await cluster.world.run(50);
    cluster.network.lossRatio = 1;
    one.publish('lost');
    await cluster.world.run(50);
    cluster.network.heal();
    await cluster.world.run(4_000);
    expect(one.undeliveredTo.map(({ delivery }) => delivery.message.topic)).toEqual(['lost']);
    expect(one.events).toEqual(['up 2']);
    expect(two.got).toEqual([]);
  });

  it('wait for a node that does not keep up, and QoS 0 is dropped first', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(ordinary('#'));
    await cluster.world.run(50);
    const payload = new Uint8Array(500_000);
    for (let i = 0; i < 40; i++) one.publish(`t${i}`, { payload, qos: i % 2 === 0 ? 0 : 1 });
    expect(one.messages.queuedBytes).toBeLessThan(9 * 1024 * 1024);
    expect(one.messages.dropped).toBe(20);
    expect(one.undeliveredTo.map(({ delivery }) => delivery.message.topic)).toEqual([
      't1',
      't3',
      't5',
      't7',
    ]);
    await cluster.world.run(500);
    expect(topicsOf(two)).toEqual(Array.from({ length: 16 }, (_, i) => `t${9 + 2 * i}`));
    expect(one.messages.queuedBytes).toBe(0);
  });
});

describe('which nodes are reached', () => {
  it('is known on both sides of a cut that goes one way only', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    cluster.network.cuts.add(`${one.address}>${two.address}`);
    await cluster.world.run(6_000);
    expect([one.events.at(-1), two.events.at(-1)]).toEqual(['down 2', 'down 1']);
    cluster.network.heal();
    await cluster.untilConnected();
    expect(one.events).toEqual(['up 2', 'down 2', 'up 2']);
    expect(one.messages.startCounterOf(two.node)).toBe(1);
  });

  it('is unknown as long as a connection is gone, and again when it is there', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(ordinary('a'));
    await cluster.world.run(50);
    cluster.network.reset(one.address, two.address);
    await cluster.world.run(5);
    expect(one.messages.isReachable(two.node)).toBe(false);
    await cluster.untilConnected();
    one.publish('a');
    await cluster.world.run(50);
    expect(topicsOf(two)).toEqual(['a']);
  });

  it('is not said by what a node heard before the connection was gone', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(ordinary('a'));
    await cluster.world.run(50);
    one.publish('a');
    await cluster.world.until('it is there', () => two.got.length === 1);
    cluster.network.cuts.add(`${one.address}>${two.address}`);
    cluster.network.reset(one.address, two.address);
    await cluster.world.run(500);
    expect(one.events).toEqual(['up 2', 'down 2']);
  });

  it('a stop of this process is not a silence of the others', async () => {
    const cluster = await started(2);
    const [one] = cluster.nodes as [Messenger];
    one.life?.pause();
    await cluster.world.run(2_500);
    one.life?.resume();
    await cluster.world.run(2_000);
    expect(one.events).toEqual(['up 2']);
  });

  it('a node that has started again is another one, and wants what it says then', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(ordinary('a'));
    await cluster.world.run(50);
    cluster.kill(two);
    await cluster.start(two);
    two.messages.announce(ordinary('b'));
    await cluster.untilConnected();
    await cluster.world.run(100);
    expect(one.messages.startCounterOf(two.node)).toBe(2);
    for (const topic of ['a', 'b']) one.publish(topic);
    await cluster.world.run(50);
    expect(topicsOf(two)).toEqual(['b']);
  });

  it('what a node wanted is kept for a while, and forgotten when it is removed', async () => {
    const cluster = await started(3);
    const [one, two, three] = cluster.nodes as [Messenger, Messenger, Messenger];
    for (const each of [two, three]) each.messages.announce(member('g', 'f', each.node));
    await cluster.world.run(50);
    const wanted = () => [0, 1, 2, 3].map((i) => one.messages.memberOf('g', 'f', `key ${i}`));
    expect(new Set(wanted())).toEqual(new Set([two.node, three.node]));
    cluster.members.pop();
    await cluster.world.run(2_000);
    expect(new Set(wanted())).toEqual(new Set([two.node]));
    expect(one.events.at(-1)).toBe('down 3');
    expect(one.messages.isReachable(three.node)).toBe(false);
  });
});

describe('shared subscriptions', () => {
  it('give each message to one member, in turn over all nodes', async () => {
    const cluster = await started();
    const [one, two, three] = cluster.nodes as [Messenger, Messenger, Messenger];
    for (const each of cluster.nodes) each.messages.announce(member('g', 'a/#', each.node));
    one.messages.announce(member('h', 'a/b', 'alone'));
    await cluster.world.run(50);
    for (let i = 0; i < 9; i++) two.share('a/b');
    await cluster.world.run(50);
    for (const each of cluster.nodes) {
      const picked = each.got.filter(({ shared }) => shared.some(({ group }) => group === 'g'));
      expect(picked).toHaveLength(3);
    }
    const alone = one.got.filter(({ shared }) =>
      shared.some(({ clientId }) => clientId === 'alone'),
    );
    expect(alone).toHaveLength(9);
    expect(three.got[0]?.shared).toEqual([member('g', 'a/#', three.node)]);
  });

  it('pass over members that cannot be reached', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    for (const each of cluster.nodes) each.messages.announce(member('g', 'a', each.node));
    await cluster.world.run(50);
    cluster.kill(two);
    await cluster.world.run(50);
    for (let i = 0; i < 4; i++) one.share('a');
    expect(one.got).toHaveLength(4);
    expect(one.messages.memberOf('g', 'a', 'any key')).toBe(one.node);
  });

  it('have a successor for a member that has gone, and at QoS 1 for one whose node has', async () => {
    const cluster = await started();
    const [one, two, three] = cluster.nodes as [Messenger, Messenger, Messenger];
    two.messages.announce(member('g', 'a', 'two'));
    await cluster.world.run(50);
    three.messages.announce(member('g', 'a', 'three'));
    await cluster.world.run(50);
    two.messages.withdraw(member('g', 'a', 'two'));
    one.share('a');
    one.share('a');
    await cluster.world.run(50);
    expect([two.got.length, three.got.length]).toEqual([0, 2]);

    two.messages.announce(member('g', 'a', 'two'));
    // What two had taken may have died with it for so long.
    await cluster.world.run(4_000);
    for (let i = 0; i < 4; i++) one.share('a');
    cluster.kill(two);
    await cluster.world.run(50);
    expect(three.got).toHaveLength(6);
    expect(one.undeliveredTo).toEqual([]);
  });

  it('hand back what no member is left for', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(member('g', 'a', 'two'));
    await cluster.world.run(50);
    two.messages.withdraw(member('g', 'a', 'two'));
    one.share('a');
    one.share('a', { qos: 0 });
    await cluster.world.run(50);
    expect(two.undeliveredTo.map(({ node, delivery }) => [node, delivery.shared])).toEqual([
      [two.node, [member('g', 'a', 'two')]],
    ]);
    expect(two.messages.dropped).toBe(1);
  });

  it('hand back what the node of the only member has no room for', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.messages.announce(member('g', 'a', 'two'));
    await cluster.world.run(50);
    const payload = new Uint8Array(1_000_000);
    for (let i = 0; i < 10; i++) one.share('a', { payload });
    expect(one.undeliveredTo.map(({ delivery }) => delivery.message.id)).toEqual(
      one.published.slice(0, 2).map(({ id }) => id),
    );
    await cluster.world.run(500);
    expect(two.got).toHaveLength(8);
  });

  it('give everything of a key to the same member, whichever node is asked', async () => {
    const cluster = await started();
    const ids = ['a', 'b', 'c', 'd', 'e'];
    for (const [i, id] of ids.entries()) {
      cluster.node(i % 3).messages.announce(member('g', 'dss/value/#', id));
    }
    await cluster.world.run(50);
    const keys = Array.from({ length: 500 }, (_, i) => `line/${i}`);
    const picks = cluster.nodes.map(({ messages }) =>
      keys.map((key) => messages.memberOf('g', 'dss/value/#', key)),
    );
    expect(picks[1]).toEqual(picks[0]);
    expect(picks[2]).toEqual(picks[0]);
    for (const id of ids) {
      const share = picks[0]?.filter((pick) => pick === id).length ?? 0;
      expect(share).toBeGreaterThan(60);
    }
    cluster.node(0).messages.withdraw(member('g', 'dss/value/#', 'a'));
    for (const [i, key] of keys.entries()) {
      const before = picks[0]?.[i];
      const now = cluster.node(0).messages.memberOf('g', 'dss/value/#', key);
      if (before === 'a') expect(now).not.toBe('a');
      else expect(now).toBe(before);
    }
    expect(cluster.node(0).messages.memberOf('other', 'dss/value/#', 'line/1')).toBeUndefined();
  });
});

describe('a client that connects somewhere else', () => {
  it('is let go by all others before it is told so', async () => {
    const cluster = await started();
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    await cluster.world.resolve('connects', one.connect('c', 1_000));
    await cluster.world.resolve('connects', two.connect('c', 2_000), 100);
    expect([one.clients.has('c'), two.clients.has('c')]).toEqual([false, true]);
    // A clock that is wrong does not keep it there.
    await cluster.world.resolve('connects', one.connect('c', 0), 100);
    expect([one.clients.has('c'), two.clients.has('c')]).toEqual([true, false]);
  });

  it('waits a second at most for nodes that do not answer', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.takenOver = () => new Promise(() => {});
    await cluster.world.resolve('connects', one.connect('c', 1), 1_010);
    cluster.kill(two);
    await cluster.world.run(50);
    await cluster.world.resolve('connects', one.connect('c', 1), 1);
  });

  it('is not kept waiting by a node that fails to let go', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    two.takenOver = async () => {
      throw new Error('it hangs');
    };
    await cluster.world.resolve('connects', one.connect('c', 1), 100);
    expect(cluster.world.log.map(({ name }) => name)).toEqual(['takeover-failed']);
  });

  it('of another user is left where it is, and two at once to who came first', async () => {
    const cluster = await started();
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    await cluster.world.resolve('connects', one.connect('c', 1_000, 'anna'));
    const refused = two.connect('c', 2_000, 'bob');
    expect(await cluster.world.resolve('connects', refused, 100)).toBe(false);
    expect([one.clients.has('c'), two.clients.has('c')]).toEqual([true, false]);
    for (const [early, late, isFirst] of [
      [1, 2, true],
      [2, 1, false],
    ] as const) {
      const both = Promise.all([one.connect('d', early, 'anna'), two.connect('d', late, 'bob')]);
      const outcomes = await cluster.world.resolve('both connect', both, 1_010);
      expect(outcomes).toEqual([isFirst, !isFirst]);
      for (const each of [one, two]) each.clients.delete('d');
    }
  });

  it('at two nodes at once stays where it came later', async () => {
    const cluster = await started();
    const [one, two, three] = cluster.nodes as [Messenger, Messenger, Messenger];
    for (const [early, late, winner] of [
      [1, 2, two],
      [2, 1, one],
      [1, 1, two],
    ] as const) {
      const both = [one.connect('c', early), two.connect('c', late)];
      await cluster.world.resolve('both connect', Promise.all(both), 1_010);
      const holders = [one, two, three].filter(({ clients }) => clients.has('c'));
      expect(holders).toEqual([winner]);
      for (const each of [one, two]) each.clients.clear();
    }
  });

  it('again and again raises an alert that names both addresses', async () => {
    const cluster = await started(2);
    const [one, two] = cluster.nodes as [Messenger, Messenger];
    const connect = (i: number) =>
      cluster.world.resolve('connects', cluster.node(i % 2).connect('a/+', i));
    for (let i = 0; i < 11; i++) await connect(i);
    expect(one.messages.fights()).toEqual([]);
    await connect(11);
    for (const { messages, node } of [one, two]) {
      const [fight] = messages.fights();
      expect(fight?.clientId).toBe('a/+');
      expect(fight?.message).toContain(`a/+@${one.node}`);
      expect(fight?.message).toContain(`a/+@${two.node}`);
      const warnings = cluster.world.log.filter(
        (event) => event.node === node && event.name === 'client-id-fought-over',
      );
      expect(warnings).toHaveLength(1);
    }
    await cluster.world.run(61_000);
    expect(one.messages.fights()).toEqual([]);
  });
});

it('a hint is repeated until it is heard', async () => {
  const cluster = await started(2);
  const [one, two] = cluster.nodes as [Messenger, Messenger];
  cluster.network.lossRatio = 1;
  one.messages.hint(two.node, 'c');
  one.messages.hint(two.node, 'c');
  await cluster.world.run(500);
  cluster.network.lossRatio = 0;
  await cluster.world.run(1_500);
  expect(two.events).toEqual(['up 1', 'hint c', 'hint c']);
});
