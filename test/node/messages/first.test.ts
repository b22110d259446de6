import { expect, it } from 'vitest';
import type { PeerEvents } from '../../../broker/ordinary/peers.ts';
import { NodeMessages } from '../../../node/messages/node-messages.ts';
import { FakeEnv, settled } from '../fake-env.ts';

const NOBODY: PeerEvents = {
  received: () => {},
  undelivered: () => {},
  takenOver: async () => '',
  hinted: () => {},
  unreachable: () => {},
  reachable: () => {},
};

it('does what only one is to do if it is the first of those who are reached, and they are the majority of those who decide', async () => {
  const world = new FakeEnv();
  const names = ['a', 'b', 'c', 'd'];
  const alone = new Set<string>();
  const nodes = new Map<string, NodeMessages>();
  for (const node of names) {
    const messages = new NodeMessages({
      env: world.env,
      own: { node, startCounter: 1 },
      rpc: { call: async () => undefined },
      others: () => names.filter((name) => name !== node),
      deciding: () => ['a', 'b', 'c'],
      send: (to, payload) => {
        if (alone.has(node) || alone.has(to)) return false;
        world.env.yield(() => nodes.get(to)?.receive(node, payload));
        return true;
      },
    });
    nodes.set(node, messages);
    messages.start(NOBODY);
  }
  const firsts = async (...cut: string[]) => {
    alone.clear();
    for (const node of cut) alone.add(node);
    for (let second = 0; second < 6; second += 1) {
      world.pass(1_000);
      for (let turn = 0; turn < 10; turn += 1) {
        world.turn();
        await settled();
      }
    }
    return names.filter((name) => nodes.get(name)?.isFirst);
  };
  expect(await firsts()).toEqual(['a']);
  expect(await firsts('a')).toEqual(['b']);
  expect(await firsts('a', 'd')).toEqual(['b']);
  expect(await firsts('a', 'b')).toEqual([]);
  expect(await firsts()).toEqual(['a']);
});
