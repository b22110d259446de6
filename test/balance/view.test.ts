import { expect, it } from 'vitest';
import type { BalanceEvent } from '../../node/balance/event-log.ts';
import type { Move } from '../../node/balance/moves.ts';
import type { Rebalancer } from '../../node/balance/rebalancer.ts';
import { BalanceView } from '../../node/balance/view.ts';
import { cluster, decode, encode } from '../../protos/index.ts';

const nameOf = (node: string) => node.replace('node-', 'n');
const move: Move & { msLeft: number | undefined } = {
  ...{ group: 3, reason: 'balance', from: ['node-1'], to: ['node-4'], bytes: 10 },
  ...{ detectedAtMs: 5, decidedAtMs: undefined, msLeft: undefined },
};
const event = (atMs: number): BalanceEvent => {
  return { atMs, kind: 'node-state', message: `at ${atMs}`, node: 'node-2' };
};

/** Three nodes: the first leads meta, the second did so before, the third does not answer. */
function views(): BalanceView[] {
  const rebalancers = [
    { moves: () => [move], events: () => [event(30), event(40)] },
    { moves: () => [], events: () => [event(10), event(20)] },
  ] as unknown as Rebalancer[];
  const all: BalanceView[] = rebalancers.map(
    (rebalancer, index) =>
      new BalanceView({
        ...{ rebalancer, nameOf },
        others: () => ['0', '1', '2'].filter((node) => node !== String(index)),
        call: async (node, body) => {
          expect(body.balanceRequest).toBeDefined();
          const balanceReply = all[Number(node)]?.serve();
          if (balanceReply === undefined) return undefined;
          return decode(cluster.Rpc, encode(cluster.Rpc, { id: 1, balanceReply }));
        },
      }),
  );
  return all;
}

it('shows the same on every node: moves of the one that balances, events of all in order', async () => {
  for (const view of views()) {
    expect(await view.moves()).toEqual({
      moves: [
        {
          ...{ group: 3, reason: 'balance', state: 'waiting', from: ['n1'], to: ['n4'], bytes: 10 },
          ...{ detectedAtMs: 5, decidedAtMs: null, msLeft: null },
        },
      ],
    });
    const { events } = await view.events();
    expect(events.map(({ atMs }) => atMs)).toEqual([10, 20, 30, 40]);
    expect(events[0]).toEqual({ ...event(10), node: 'n2' });
  }
});
