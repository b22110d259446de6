import { describe, expect, it } from 'vitest';
import { type Messenger, Messengers, ordinary } from './messengers.ts';

const SEEDS = [1, 2, 3, 4];
const FILTERS = ['a', 'a/+', 'a/#', 'b', '+/c', '#'];
const TOPICS = ['a', 'a/c', 'b', 'b/c', 'x'];
const STEPS = 300;

/** By the specification's words, for filters as above. */
function matches(filter: string, topic: string): boolean {
  const pattern = filter.replace(/\/#$/, '(/.*)?').replace(/^#$/, '.*').replace(/\+/g, '[^/]*');
  return new RegExp(`^${pattern}$`).test(topic);
}

/** Wanted by every node as long as it runs. */
const ALWAYS = 'always';

interface Promised {
  readonly from: Messenger;
  /** Of the node that it is from. */
  readonly run: number;
  readonly to: Messenger;
  readonly id: string;
}

/** Three nodes, to which everything happens that a network and a power cut can do. */
class Soak {
  readonly cluster: Messengers;
  /** What each node's clients want, in this run of it. */
  readonly wanted = new Map<Messenger, Set<string>>();
  /** Sent at QoS 1 or 2 to a node that was reached, and known to want it. */
  readonly promised: Promised[] = [];
  /** Ids of what each node got, in all its runs. */
  readonly everGot = new Map<Messenger, Set<string>>();

  constructor(seed: number) {
    this.cluster = new Messengers({ nodes: 3, seed });
    for (const node of this.cluster.nodes) {
      const got = new Set<string>();
      const received = node.received.bind(node);
      node.received = (message, shared) => {
        got.add(message.id);
        received(message, shared);
      };
      this.everGot.set(node, got);
    }
  }

  async run(): Promise<void> {
    const { cluster } = this;
    for (const node of cluster.nodes) await this.#start(node);
    await cluster.untilConnected();
    await cluster.world.run(100);
    for (let step = 0; step < STEPS; step++) {
      await this.#step(cluster.random.below(100));
      await cluster.world.run(cluster.random.below(80));
    }
    cluster.network.heal();
    for (const node of cluster.nodes) if (node.life === undefined) await this.#start(node);
    await cluster.untilConnected();
    await cluster.world.run(5_000);
    cluster.nodes.forEach(checkOrder);
  }

  async #step(dice: number): Promise<void> {
    const { random, network, nodes, world } = this.cluster;
    const node = random.pick(nodes);
    const other = random.pick(nodes.filter((each) => each !== node));
    if (dice < 3) network.partition([node.address], [other.address]);
    else if (dice < 6) network.cuts.add(`${node.address}>${other.address}`);
    else if (dice < 9) network.reset(node.address, other.address);
    else if (dice < 11) network.lossRatio = 0.3;
    else if (dice < 14) network.duplicateRatio = 0.3;
    else if (dice < 22) network.heal();
    else if (dice < 24) await world.run(5_000);
    else if (node.life === undefined) await this.#start(node);
    else if (dice < 26) {
      checkOrder(node);
      this.cluster.kill(node);
    } else if (dice < 45) this.#changeInterest(node);
    else this.#publish(node);
  }

  async #start(node: Messenger): Promise<void> {
    await this.cluster.start(node);
    this.wanted.set(node, new Set());
    node.messages.announce(ordinary(ALWAYS));
    node.messages.announce(memberHere(node));
    node.messages.announce({ group: 'all', filter: 'shared', clientId: node.node });
  }

  #changeInterest(node: Messenger): void {
    const wanted = this.wanted.get(node) as Set<string>;
    const filter = this.cluster.random.pick(FILTERS);
    if (wanted.delete(filter)) node.messages.withdraw(ordinary(filter));
    else {
      wanted.add(filter);
      node.messages.announce(ordinary(filter));
    }
  }

  #publish(from: Messenger): void {
    const { random, nodes } = this.cluster;
    for (let count = random.below(5); count >= 0; count--) {
      const qos = random.below(3) as 0 | 1 | 2;
      const { id, topic } = from.publish(random.pick([...TOPICS, ALWAYS, ALWAYS]), { qos });
      if (qos === 0 || topic !== ALWAYS) continue;
      const knowing = nodes.filter((to) => to !== from && knows(from, to));
      for (const to of knowing) this.promised.push({ from, run: from.startCounter, to, id });
    }
  }
}

/** Announced by a node together with `ALWAYS`. */
function memberHere({ node }: Messenger) {
  return { group: `only-${node}`, filter: 'x', clientId: node };
}

/** Whether the one reaches the other, and knows what it wants. */
function knows({ messages }: Messenger, other: Messenger): boolean {
  return messages.memberOf(memberHere(other).group, 'x', '') !== undefined;
}

/** Of one run of a publisher's node nothing comes twice, or after something later. */
function checkOrder({ got }: Messenger): void {
  const last = new Map<string, number>();
  for (const { message, shared } of got) {
    if (shared.length > 0) continue;
    const [node, run, number] = message.id.split(' ');
    const stream = `${node} ${run}`;
    expect(Number(number)).toBeGreaterThan(last.get(stream) ?? 0);
    last.set(stream, Number(number));
  }
}

describe('whatever happens to nodes and network', () => {
  it.each(SEEDS)('messages keep their promises (seed %i)', async (seed) => {
    const soak = new Soak(seed);
    const { cluster, promised, everGot } = soak;
    await soak.run();

    const handedBack = new Set<string>();
    for (const from of cluster.nodes) {
      for (const { node, delivery } of from.undeliveredTo) {
        handedBack.add(`${from.node} ${node} ${delivery.message.id}`);
      }
    }
    for (const { from, run, to, id } of promised) {
      // What a node was about to send when it died is lost with it: its publisher sends it again.
      if (run !== from.startCounter) continue;
      const isSafe = everGot.get(to)?.has(id) || handedBack.has(`${from.node} ${to.node} ${id}`);
      expect(isSafe, `${id} to ${to.node}`).toBe(true);
    }
    expect(promised.length).toBeGreaterThan(50);
    expect(handedBack.size).toBeGreaterThan(0);

    for (const from of cluster.nodes) {
      for (const topic of TOPICS) {
        for (const node of cluster.nodes) node.got = [];
        from.publish(topic);
        await cluster.world.run(50);
        for (const to of cluster.nodes) {
          if (to === from) continue;
          const isWanted = [...(soak.wanted.get(to) ?? [])].some((each) => matches(each, topic));
          expect(to.got.map(({ message }) => message.topic)).toEqual(isWanted ? [topic] : []);
        }
      }
      for (const node of cluster.nodes) node.got = [];
      for (let i = 0; i < 3; i++) from.share('shared');
      await cluster.world.run(50);
      expect(cluster.nodes.map(({ got }) => got.length)).toEqual([1, 1, 1]);
    }
  });
});
