import { describe, expect, it } from 'vitest';
import type { Message } from '../../node/raft/types.ts';
import { encodeConfiguration } from './configurations.ts';
import {
  accepted,
  appendRequest,
  becomeCandidate,
  becomeLeader,
  commitEmptyEntry,
  entry,
  logOf,
  newNode,
  receive,
  settle,
} from './paper-support.ts';

const configurations = [
  { index: 6, term: 2, data: encodeConfiguration({ voters: [1, 2, 3], learners: [4] }) },
];

describe('an installed snapshot', () => {
  it('takes the place of the log; its configurations are written with the next round', () => {
    const node = newNode({ log: logOf([1, 1]), term: 1 });

    node.raft.restore({ index: 9, term: 2 }, configurations);

    expect(node.raft.status()).toMatchObject({
      term: 2,
      logStart: { index: 9, term: 2 },
      appliedIndex: 9,
      commitIndex: 9,
      stableIndex: 9,
      lastIndex: 9,
    });
    expect(node.raft.configuration.learners).toEqual([4]);
    expect(node.raft.hasReady()).toBe(true);
    expect(node.raft.ready()).toMatchObject({ hardState: { term: 2 }, configurations });
    node.raft.checkInvariants();
  });

  it('is of no use to who has it in its log, or knows that it is committed', () => {
    const node = newNode({ log: logOf([1, 1, 2]), term: 2 });
    receive(node, appendRequest({ term: 2, previousIndex: 3, previousTerm: 2, commit: 1 }));

    const isNeeded = (index: number, term: number) => node.raft.needsSnapshot({ index, term });

    expect(isNeeded(1, 1)).toBe(false);
    expect(isNeeded(3, 2)).toBe(false);
    expect(isNeeded(3, 3)).toBe(true);
    expect(isNeeded(4, 2)).toBe(true);
    // What follows in the log may be acknowledged, and somebody may count on it.
    expect(() => node.raft.restore({ index: 3, term: 2 }, [])).toThrow(/has the entry/);
    expect(() => node.raft.restore({ index: 1, term: 1 }, [])).toThrow(/not known to be committed/);
  });

  it('waits for Readies in flight, and does not meet a leader', () => {
    const busy = newNode({ log: logOf([1]), term: 1 });
    busy.raft.step({ ...appendRequest({ entries: [entry(1, 1)] }), to: 1 } as Message);
    busy.raft.ready();
    expect(() => busy.raft.restore({ index: 9, term: 2 }, [])).toThrow(/in flight/);

    const leader = newNode({});
    becomeLeader(leader);
    expect(() => leader.raft.restore({ index: 9, term: 2 }, [])).toThrow(/leader/);
  });

  it('waits for everything that is committed, not only for what was handed out', () => {
    const node = newNode({ limits: { committedBytesMax: 1 } });
    const entries = [entry(1, 1), entry(1, 2)];
    node.raft.step({ ...appendRequest({ entries, commit: 2 }), to: 1 } as Message);
    node.processReady();
    node.persist();
    node.processReady();
    expect(node.raft.appliedIndex).toBe(1);
    expect(node.raft.hasAppliedAll).toBe(false);
    settle(node);
    expect(node.raft.hasAppliedAll).toBe(true);
  });

  it('ends a campaign, which was one with another log', () => {
    const node = newNode({});
    becomeCandidate(node);

    node.raft.restore({ index: 9, term: 1 }, configurations);
    settle(node);

    expect(node.raft.role).toBe('follower');
    expect(node.disk.hardState.term).toBe(1);
  });
});

describe('the end of a snapshot', () => {
  /** A leader whose log starts after 2, and of whom replica 3 needs a snapshot. */
  function leaderWithSnapshot() {
    const node = newNode({});
    commitEmptyEntry(node);
    node.raft.propose([{ kind: 1, data: new Uint8Array(1) }]);
    settle(node);
    receive(node, accepted(2, 1, 2));
    node.flush();
    node.compact(2);
    node.raft.peerUnreachable(3);
    receive(node, { kind: 'heartbeat-response', from: 3, term: 1, context: 0 });
    const refusal = { kind: 'append-response', reject: true, index: 2 } as const;
    receive(node, { ...refusal, from: 3, term: 1, hintIndex: 0, hintTerm: 0 });
    return node;
  }
  const progressOf = ({ raft }: ReturnType<typeof newNode>, id: number) =>
    raft.status().progress.find(({ replica }) => replica === id);

  it('counts as an acknowledgement of everything up to its index', () => {
    const node = leaderWithSnapshot();
    expect(node.snapshots).toEqual([{ to: 3, term: 1 }]);

    node.raft.snapshotFinished(3, 1, 2);

    expect(progressOf(node, 3)).toMatchObject({ state: 'replicate', match: 2, next: 3 });
  });

  it('is ignored for another term and for a replica that needs none', () => {
    const node = leaderWithSnapshot();

    node.raft.snapshotFinished(3, 2, 2);
    node.raft.snapshotFinished(2, 1, undefined);
    node.raft.snapshotFinished(9, 1, 2);

    expect(progressOf(node, 3)?.state).toBe('snapshot');
    expect(progressOf(node, 2)?.state).toBe('replicate');
  });

  it('is not the closing of a connection: that is for the host to say', () => {
    const node = leaderWithSnapshot();

    node.raft.peerUnreachable(3);
    expect(progressOf(node, 3)?.state).toBe('snapshot');
    node.raft.snapshotFinished(3, 1, undefined);

    expect(progressOf(node, 3)).toMatchObject({ state: 'probe', paused: true });
  });
});
