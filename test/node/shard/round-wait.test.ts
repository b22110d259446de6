import { describe, expect, it } from 'vitest';
import { type Entry, EntryKind, type Message } from '../../../node/raft/types.ts';
import { FakeEnv } from '../fake-env.ts';
import { firstState, type LocalNode, OWN, openNode } from './local-node.ts';

const MEMBERS = {
  voters: [
    { replicaId: 1, node: OWN },
    { replicaId: 2, node: 'second' },
  ],
  nextReplicaId: 3,
};
const WAIT = { roundsMaxWaitMs: 20 };

describe('a round that may wait (rounds.maxWaitMs)', () => {
  it('takes what comes meanwhile, and nothing is promised before it is synced', async () => {
    const node = await openFollower(WAIT);
    append(node, 1, entry(2));
    await node.settle();
    node.fake.pass(19);
    append(node, 2, entry(2));
    await node.settle();
    expect(promises(node)).toEqual([]);
    const { rounds } = node.log.statistics();
    node.fake.pass(1);
    await node.settle();
    expect(promises(node)).toEqual([1, 2]);
    expect(node.log.statistics().rounds).toBe(rounds + 1);
  });

  it('lets every round wait anew', async () => {
    const node = await openFollower(WAIT);
    append(node, 1, entry(2));
    await node.settle();
    node.fake.pass(20);
    await node.settle();
    append(node, 2, entry(2));
    await node.settle();
    expect(promises(node)).toEqual([1]);
    node.fake.pass(20);
    await node.settle();
    expect(promises(node)).toEqual([1, 2]);
  });

  it('does not wait when it is full', async () => {
    const node = await openFollower(WAIT);
    append(node, 1, entry(2, 32 * 1024));
    await node.settle();
    expect(promises(node)).toEqual([]);
    append(node, 2, entry(2, 32 * 1024));
    await node.settle();
    expect(promises(node)).toEqual([1, 2]);
  });

  it('does not wait where somebody needs what is staged to be durable', async () => {
    const node = await openFollower(WAIT);
    append(node, 1, entry(2));
    await node.settle();
    const persisted = node.groups.host.persist();
    await node.settle();
    await persisted;
    expect(promises(node)).toEqual([1]);
    expect(node.fatal).toEqual([]);
  });

  it('never begins once the node has stopped', async () => {
    const node = await openFollower(WAIT);
    append(node, 1, entry(2));
    await node.settle();
    const { rounds } = node.log.statistics();
    node.groups.stop();
    node.fake.pass(1_000);
    await node.settle();
    expect(node.log.statistics().rounds).toBe(rounds);
  });
});

it('does not wait if nothing is said', async () => {
  const node = await openFollower({});
  append(node, 1, entry(2));
  await node.settle();
  expect(promises(node)).toEqual([1]);
});

/** Both groups have heard of their leader already, and that is in their log. */
async function openFollower(options: { readonly roundsMaxWaitMs?: number }): Promise<LocalNode> {
  const states = [firstState(1, 1, MEMBERS), firstState(2, 1, MEMBERS)];
  const node = await openNode(new FakeEnv(), states, new Map(), options);
  await node.settle();
  return node;
}

function entry(index: number, bytes = 10): Entry {
  return { index, term: 1, kind: EntryKind.empty, data: new Uint8Array(bytes) };
}

function append({ groups }: LocalNode, group: number, entry: Entry): void {
  const previous = { previousIndex: entry.index - 1, previousTerm: 1 };
  const message: Message = {
    ...{ kind: 'append-request', from: 2, to: 1, term: 1, commit: 1, releasedIndex: 0 },
    ...previous,
    entries: [entry],
  };
  groups.host.receive('second', [{ group, message }]);
}

/** The groups whose entry this node has said to have. */
function promises({ sent }: LocalNode): number[] {
  return sent
    .filter(({ message: { message } }) => message.kind === 'append-response' && message.index > 1)
    .map(({ message: { group } }) => group)
    .sort();
}
