import { describe, expect, it } from 'vitest';
import type { Message } from '../../node/raft/types.ts';
import {
  accepted,
  appendRequest,
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  commitEmptyEntry,
  electionTicks,
  entry,
  logOf,
  newNode,
  ofKind,
  receive,
  settle,
  tick,
  voteRequest,
  write,
} from './paper-support.ts';
import type { TestNode } from './test-node.ts';

/** The claims about safety, persistence and what the dissertation adds; as raft-paper.test.ts. */

describe('§5.4 safety', () => {
  it('a request for a vote tells about the log of the candidate (§5.4.1)', () => {
    const node = newNode({ log: logOf([1, 2, 2]), term: 2 });

    const sent = becomeCandidate(node);

    expect(ofKind(sent, 'vote-request')).toMatchObject([
      { to: 2, term: 3, lastIndex: 3, lastTerm: 2 },
      { to: 3, term: 3, lastIndex: 3, lastTerm: 2 },
    ]);
  });

  it.each([
    // [the voter's log, the candidate's last term and index, granted]
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1, 1], 1, 1, false],
    [[1], 2, 1, true],
    [[1, 1], 2, 1, true],
    [[2], 1, 1, false],
    [[2], 1, 2, false],
    [[1, 2], 2, 1, false],
  ])(
    'a voter with the log %j votes for one that ends with term %i at %i: %s (§5.4.1)',
    (terms, lastTerm, lastIndex, granted) => {
      for (const kind of ['vote-request', 'pre-vote-request'] as const) {
        const node = newNode({ log: logOf(terms), term: 2 });

        const answers = receive(node, voteRequest({ kind, term: 3, lastIndex, lastTerm }));

        expect(answers).toMatchObject([{ reject: !granted }]);
      }
    },
  );

  it('a leader commits no entry of an earlier term by counting copies (§5.4.2)', () => {
    const node = newNode({ log: logOf([1, 2]), term: 2 });
    becomeLeader(node);

    receive(node, accepted(2, 3, 1));
    receive(node, accepted(2, 3, 2));
    receive(node, accepted(3, 3, 2));
    expect(node.raft.commitIndex).toBe(0);
    receive(node, accepted(2, 3, 3));

    expect(node.raft.commitIndex).toBe(3);
  });

  it('a committed entry is not looked at again when an old request comes (§5.4.3)', () => {
    const node = newNode({});
    const entries = [entry(1, 1), entry(1, 2), entry(1, 3)];
    receive(node, appendRequest({ entries, commit: 3 }));

    const answers = receive(node, appendRequest({ entries: entries.slice(0, 1) }));

    expect(answers).toMatchObject([{ reject: false, index: 3 }]);
    expect(node.raft.lastIndex).toBe(3);
  });

  it('requests are idempotent: one that comes twice changes nothing the second time (§5.5)', () => {
    const node = newNode({});
    const request = appendRequest({ entries: [entry(1, 1), entry(1, 2)], commit: 1 });

    const first = receive(node, request);
    const second = receive(node, request);

    expect(second).toEqual(first);
    expect(node.applied.length).toBe(1);
  });
});

describe('§5 figure 2, persistence: answers leave after stable storage is updated', () => {
  const requests: [string, Parameters<typeof receive>[1]][] = [
    ['a vote', voteRequest({ term: 1 })],
    ['an acknowledgement', appendRequest({ entries: [entry(1, 1)] })],
  ];
  it.each(requests)('%s', (_, request) => {
    const node = newNode({});

    node.raft.step({ ...request, to: 1 } as Message);
    const { messages } = node.processReady();
    expect(messages).toEqual([]);

    expect(node.persist()).toMatchObject([{ to: 2, term: 1, reject: false }]);
  });

  it('an acknowledgement of entries that are still on their way to the disk', () => {
    const node = newNode({});
    const request = { ...appendRequest({ entries: [entry(1, 1)] }), to: 1 } as Message;
    node.raft.step(request);
    node.processReady();

    node.raft.step(request);
    expect(node.processReady().messages).toEqual([]);

    // Both leave with the first sync.
    expect(node.persist()).toMatchObject([{ index: 1 }, { index: 1 }]);
  });

  it('a candidate asks nobody, and does not count itself, before its vote is durable', () => {
    const node = newNode({ count: 1 });
    for (let i = 0; i < electionTicks; i++) node.raft.tick();

    expect(node.processReady().messages).toEqual([]);
    expect(node.raft.role).toBe('candidate');
    node.persist();

    expect(node.raft.role).toBe('leader');
  });

  it('a leader sends while it writes, and counts itself when it has written (diss. §10.2.1)', () => {
    const node = newNode({});
    commitEmptyEntry(node);
    node.raft.propose([write]);

    const { messages } = node.processReady();
    expect(ofKind(messages, 'append-request').length).toBe(2);
    node.raft.step({ ...accepted(2, 1, 2), to: 1 } as Message);
    expect(node.raft.commitIndex).toBe(1);
    node.persist();

    expect(node.raft.commitIndex).toBe(2);
  });

  it('a majority without the leader commits, and the leader applies after its own sync', () => {
    const node = newNode({});
    commitEmptyEntry(node);
    node.raft.propose([write]);
    node.processReady();

    for (const from of [2, 3]) node.raft.step({ ...accepted(from, 1, 2), to: 1 } as Message);
    node.processReady();
    expect(node.raft.commitIndex).toBe(2);
    expect(node.applied.length).toBe(1);
    settle(node);

    expect(node.applied.length).toBe(2);
  });
});

describe('§8 and the dissertation', () => {
  it('a leader begins its term with an empty entry (§8)', () => {
    const node = newNode({ log: logOf([1]), term: 1 });

    const sent = becomeLeader(node);

    expect(ofKind(sent, 'append-request')[0]?.entries).toMatchObject([
      { term: 2, index: 2, kind: 0 },
    ]);
  });

  it('a read waits for the word of a majority, and for an entry of the term (diss. §6.4)', () => {
    const node = newNode({});
    becomeLeader(node);
    node.raft.readIndex(1);
    settle(node);
    expect(node.raft.commitIndex).toBe(0);

    const beats = ofKind(receive(node, accepted(2, 1, 1)), 'heartbeat-request');
    expect(node.reads).toEqual([]);
    const context = beats[0]?.context ?? 0;
    receive(node, { kind: 'heartbeat-response', from: 2, term: 1, context });

    expect(node.reads).toEqual([{ token: 1, index: 1 }]);
  });

  it('an answer to an earlier heartbeat confirms no read (diss. §6.4)', () => {
    const node = newNode({});
    commitEmptyEntry(node);
    const [before] = ofKind(tick(node, 1), 'heartbeat-request');

    node.raft.readIndex(1);
    settle(node);
    receive(node, { kind: 'heartbeat-response', from: 2, term: 1, context: before?.context ?? 0 });

    expect(node.reads).toEqual([]);
  });

  it('a leader that hears no majority for an election timeout steps down (diss. §6.2)', () => {
    const node = newNode({});
    becomeLeader(node);

    tick(node, electionTicks);

    expect(node.raft.role).toBe('follower');
    expect(node.raft.leader).toBe(0);
  });

  it('whoever hears a leader ignores requests for votes (diss. §4.2.3)', () => {
    for (const begin of [becomeFollower, (node: TestNode) => becomeLeader(node)]) {
      const node = newNode({});
      begin(node);

      const request = voteRequest({ from: 3, term: 9, lastIndex: 9, lastTerm: 8 });
      expect(receive(node, request)).toEqual([]);

      expect(node.raft.term).toBe(1);
    }
  });

  it('a pre-vote costs neither a term nor a vote (diss. §9.6)', () => {
    const candidate = newNode({ term: 1 });
    const voter = newNode({ id: 2, term: 1 });

    const requests = ofKind(tick(candidate, electionTicks), 'pre-vote-request');
    const answers = requests.slice(0, 1).flatMap((request) => receive(voter, request));

    expect(answers).toMatchObject([{ kind: 'pre-vote-response', term: 2, reject: false }]);
    expect(candidate.disk.hardState).toMatchObject({ term: 1, vote: 0 });
    expect(voter.disk.hardState).toMatchObject({ term: 1, vote: 0 });
  });
});
