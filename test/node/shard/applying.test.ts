import { describe, expect, it } from 'vitest';
import { type Entry, EntryKind, type Message } from '../../../node/raft/types.ts';
import type { GroupMessage } from '../../../node/shard/outgoing-messages.ts';
import type { Replica } from '../../../node/shard/replica.ts';
import { firstState, OWN, openNode } from './local-node.ts';

const ENTRIES = 64;
const ENTRY_BYTES = 64 * 1024;

const MEMBERS = {
  voters: [1, 2].map((replicaId) => ({ replicaId, node: nodeOf(replicaId) })),
  nextReplicaId: 3,
};

describe('A replica whose engine has no room', () => {
  it('takes part in its group, and holds in memory no more than a little of what it has not applied', async () => {
    const node = await openNode(undefined, [firstState(1, 1, MEMBERS)]);
    const [replica] = [...node.groups.host.replicas()] as [Replica];
    const { waitForRoom } = node.engine;
    let makeRoom = () => {};
    const room = new Promise<void>((resolve) => {
      makeRoom = resolve;
    });
    node.engine.waitForRoom = () => room;

    for (let index = 2; index < 2 + ENTRIES; index++) {
      node.groups.host.receive(nodeOf(2), [append(1, index)]);
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

  it('goes on reading from its log while others always have something to apply', async () => {
    const logged = Array.from({ length: ENTRIES }, (_, i) => entryAt(2 + i));
    const hardState = { term: 1, vote: 0, commit: 1 + ENTRIES };
    const states = [1, 2, 3].map((group) =>
      firstState(group, 1, MEMBERS, group === 1 ? { hardState } : {}),
    );
    const node = await openNode(undefined, states, new Map([[1, logged]]));
    const [replica] = [...node.groups.host.replicas()] as [Replica];
    const waiting: (() => void)[] = [];
    let hasWaited = false;
    node.engine.waitForRoom = () => {
      if (hasWaited) {
        hasWaited = false;
        return undefined;
      }
      return new Promise((resolve) => {
        waiting.push(() => {
          hasWaited = true;
          resolve();
        });
      });
    };
    for (let step = 0; step < 10 * ENTRIES && replica.state.appliedIndex <= ENTRIES; step++) {
      const index = 2 + Math.floor(step / 2);
      node.groups.host.receive(nodeOf(2), [append(2 + (step % 2), index, 16)]);
      await node.settle();
      expect(waiting).toHaveLength(1);
      waiting.pop()?.();
    }
    expect(replica.state.appliedIndex).toBe(1 + ENTRIES);
    node.groups.host.stop();
  });
});

function nodeOf(replicaId: number): string {
  return replicaId === 1 ? OWN : 'leader';
}

function entryAt(index: number, bytes = ENTRY_BYTES): Entry {
  return { index, term: 1, kind: EntryKind.empty, data: new Uint8Array(bytes) };
}

function append(group: number, index: number, bytes = ENTRY_BYTES): GroupMessage {
  const message: Message = {
    ...{ kind: 'append-request', from: 2, to: 1, term: 1 },
    ...{ previousIndex: index - 1, previousTerm: 1, commit: index, releasedIndex: 0 },
    entries: [entryAt(index, bytes)],
  };
  return { group, message };
}
