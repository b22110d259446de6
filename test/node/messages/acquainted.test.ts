import { describe, expect, it } from 'vitest';
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

/** Nodes `a` and `b`, of which `b` is heard when `isThere` says so. */
function two() {
  const world = new FakeEnv();
  let isThere = false;
  const nodes = new Map<string, NodeMessages>();
  const names = ['a', 'b'];
  for (const node of names) {
    const messages = new NodeMessages({
      env: world.env,
      own: { node, startCounter: 1 },
      rpc: { call: async () => undefined },
      others: () => names.filter((name) => name !== node),
      deciding: () => names,
      send: (to, payload) => {
        if (isThere) world.env.yield(() => nodes.get(to)?.receive(node, payload));
        return isThere;
      },
    });
    nodes.set(node, messages);
    messages.start(NOBODY);
  }
  const pass = async (ms: number) => {
    world.pass(ms);
    for (let turn = 0; turn < 10; turn += 1) {
      world.turn();
      await settled();
    }
  };
  const state = { isAcquainted: false };
  const ask = () => {
    const acquainted = nodes.get('a')?.acquainted();
    void acquainted?.then(() => {
      state.isAcquainted = true;
    });
  };
  return { pass, state, ask, appear: () => (isThere = true) };
}

describe('a node that has just started', () => {
  it('is acquainted when all others have said what they want', async () => {
    const { pass, state, ask, appear } = two();
    await pass(600);
    ask();
    appear();
    await pass(399);
    expect(state.isAcquainted).toBe(false);
    await pass(1);
    expect(state.isAcquainted).toBe(true);
  });

  it('waits no longer than a second for those that are not there', async () => {
    const { pass, state, ask } = two();
    ask();
    await pass(999);
    expect(state.isAcquainted).toBe(false);
    await pass(1);
    expect(state.isAcquainted).toBe(true);
  });
});
