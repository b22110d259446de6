import { describe, expect, it } from 'vitest';
import { EntryKind, type Message } from '../../../node/raft/types.ts';
import { firstState, OWN, openNode } from './local-node.ts';

const ENTRIES = 64;
const ENTRY_BYTES = 64 * 1024;

describe('A replica whose engine has no room', () => {
  it('takes part in its group, and holds in memory no more than a little of what it has not applied', async () => {
    const members = { voters: [1, 2].map((replicaId) => ({ replicaId, node: nodeOf(replicaId) })) };
    const node = await openNode(undefined, [firstState(1, 1, { ...members, nextReplicaId: 3 })]);
    const [replica] = node.groups.host.replicas();
    if (replica === undefined) throw new Error('there is one');
    let makeRoom = () => {};
    const room = new Promise<void>((resolve) => {
      makeRoom = resolve;
    });
    const { waitForRoom } = node.engine;
    node.engine.waitForRoom = () => room;

    for (let index = 2; index < 2 + ENTRIES; index++) {
      node.groups.host.receive(nodeOf(2), [{ group: 1, message: append(index) }]);
      await node.settle();
    }

    const answers = node.sent.map(({ message: { message } }) => message);
    expect(answers.at(-1)).toMatchObject({ kind: 'append-response', index: 1 + ENTRIES });
    expect(replica.state.appliedIndex).toBe(1);
    expect(replica.raft.memoryBytes).toBeLessThan(8 * ENTRY_BYTES);
    expect(replica.applyQueue.length).toBeLessThanOrEqual(16);

    node.engine.waitForRoom = waitForRoom;
    makeRoom();
    await node.settle();
    expect(replica.state.appliedIndex).toBe(1 + ENTRIES);
    expect(node.fatal).toEqual([]);
  });
});

function nodeOf(replicaId: number): string {
  return replicaId === 1 ? OWN : 'leader';
}

function append(index: number): Message {
  const data = new Uint8Array(ENTRY_BYTES);
  return {
    ...{ kind: 'append-request', from: 2, to: 1, term: 1 },
    ...{ previousIndex: index - 1, previousTerm: 1, commit: index, releasedIndex: 0 },
    entries: [{ index, term: 1, kind: EntryKind.empty, data }],
  };
}
