import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../node/raft/types.ts';
import { SeededRandom } from '../support/random.ts';
import { settle, write } from './paper-support.ts';
import { TestNode } from './test-node.ts';

/**
 * Links that are cut in one direction. Who is not heard steps down (check-quorum), who hears nobody cannot disturb
 * (pre-vote, stickiness): together they keep a group live as long as some majority can talk to each other.
 */
class OneWayGroup {
  readonly nodes: TestNode[];
  readonly #cut = new Set<string>();
  #network: Message[] = [];

  constructor(count: number, random: SeededRandom) {
    const voters = Array.from({ length: count }, (_, i) => i + 1);
    const configuration = { voters, outgoing: [], learners: [] };
    const randomBelow = (bound: number) => random.below(bound);
    this.nodes = voters.map((id) => new TestNode({ id, configuration, randomBelow }));
  }

  cut(from: number, to: number): void {
    this.#cut.add(`${from}→${to}`);
  }

  elect(id: number): void {
    const node = this.nodes[id - 1] as TestNode;
    node.raft.campaign();
    this.#exchange();
    assert.equal(node.raft.role, 'leader');
  }

  /** Time passes, and everybody who thinks that it leads proposes something. */
  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      for (const { raft } of this.nodes) {
        raft.tick();
        raft.propose([write]);
      }
      this.#exchange();
    }
  }

  get commitIndex(): number {
    return Math.max(...this.nodes.map(({ raft }) => raft.commitIndex));
  }

  /** The newest term that somebody leads in. */
  get term(): number {
    return Math.max(...this.nodes.map(({ raft }) => (raft.role === 'leader' ? raft.term : 0)));
  }

  #exchange(): void {
    do {
      const messages = this.#network;
      this.#network = [];
      for (const message of messages) {
        if (this.#cut.has(`${message.from}→${message.to}`)) continue;
        (this.nodes[message.to - 1] as TestNode).raft.step(message);
      }
      for (const node of this.nodes) this.#network.push(...settle(node));
    } while (this.#network.length > 0);
  }
}

const pairs = (count: number) => {
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  return ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => [from, to] as const));
};

/** The group makes progress again after the links are cut, and goes on doing so. */
function expectLive(group: OneWayGroup): void {
  group.run(30);
  for (let window = 0; window < 2; window++) {
    const before = group.commitIndex;
    group.run(10);
    expect(group.commitIndex).toBeGreaterThan(before);
  }
}

describe('a group with links that are cut in one direction', () => {
  it.each([1, 2, 3])(
    'of three goes on under one leader if it is one link (leader %i)',
    (leader) => {
      for (const [from, to] of pairs(3)) {
        const group = new OneWayGroup(3, new SeededRandom(from * 10 + to));
        group.elect(leader);
        group.cut(from, to);

        expectLive(group);
        const { term } = group;
        group.run(60);

        expect(group.term, `${from}→${to}`).toBe(term);
      }
    },
  );

  it('of three is live whatever links are cut, as long as two can talk to each other', () => {
    const links = pairs(3);
    for (let mask = 0; mask < 1 << links.length; mask++) {
      const cut = links.filter((_, i) => mask & (1 << i));
      const isOpen = (a: number, b: number) => !cut.some(([from, to]) => from === a && to === b);
      if (!links.some(([a, b]) => isOpen(a, b) && isOpen(b, a))) continue;
      for (const leader of [1, 2, 3]) {
        const group = new OneWayGroup(3, new SeededRandom(mask));
        group.elect(leader);
        for (const [from, to] of cut) group.cut(from, to);

        expectLive(group);
      }
    }
  });

  it('of five is live whatever links are cut, as long as three can talk to each other', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new SeededRandom(seed);
      const group = new OneWayGroup(5, random);
      group.elect(1 + random.below(5));
      for (const [from, to] of pairs(5)) {
        if ((from > 3 || to > 3) && random.chance(0.5)) group.cut(from, to);
      }

      expectLive(group);
    }
  });
});
