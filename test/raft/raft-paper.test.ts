import { describe, expect, it } from 'vitest';
import {
  accepted,
  appendRequest,
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  commitEmptyEntry,
  electionTicks,
  entry,
  exchange,
  logOf,
  newNode,
  ofKind,
  propose,
  receive,
  settle,
  tick,
  voteRequest,
} from './paper-support.ts';
import type { TestNode } from './test-node.ts';

/**
 * One test for each claim of "In Search of an Understandable Consensus Algorithm" (extended version) and, as
 * "diss.", of Ongaro's dissertation. Each test has three parts: a beginning, what happens, what must be seen.
 */

describe('§5.1 terms', () => {
  it.each([
    ['follower', becomeFollower],
    ['candidate', (node: TestNode) => becomeCandidate(node)],
    ['leader', (node: TestNode) => becomeLeader(node)],
  ])('a %s whose term is smaller takes the larger one and is a follower', (_, begin) => {
    const node = newNode({});
    begin(node);

    receive(node, appendRequest({ term: 7 }));

    expect(node.raft.term).toBe(7);
    expect(node.raft.role).toBe('follower');
    expect(node.raft.leader).toBe(2);
    expect(node.disk.hardState).toMatchObject({ term: 7, vote: 0 });
  });

  it('a request with a stale term changes nothing; its sender learns the term', () => {
    const node = newNode({ term: 5 });

    const answers = receive(node, appendRequest({ term: 4, entries: [entry(4, 1)], commit: 1 }));

    expect(node.raft.status()).toMatchObject({ term: 5, leader: 0, lastIndex: 0, commitIndex: 0 });
    expect(answers).toMatchObject([{ kind: 'append-response', term: 5, reject: true }]);
  });

  it('a stale answer counts for nothing', () => {
    const node = newNode({});
    becomeLeader(node);
    propose(node);

    receive(node, accepted(2, node.raft.term - 1, node.raft.lastIndex));

    expect(node.raft.commitIndex).toBe(0);
  });
});

describe('§5.2 leader election', () => {
  it('servers begin as followers', () => {
    expect(newNode({ term: 3, vote: 1 }).raft.role).toBe('follower');
  });

  it('a leader sends heartbeats to all, again and again', () => {
    const node = newNode({ limits: { heartbeatTicks: 2 } });
    becomeLeader(node);

    const sent = [tick(node, 1), tick(node, 1), tick(node, 1), tick(node, 1)];

    const receivers = sent.map((each) => ofKind(each, 'heartbeat-request').map(({ to }) => to));
    expect(receivers).toEqual([[], [2, 3], [], [2, 3]]);
  });

  it('a follower that hears nothing for an election timeout begins an election', () => {
    const node = newNode({ term: 1 });

    const quiet = tick(node, electionTicks - 1);
    expect(quiet).toEqual([]);
    const sent = becomeCandidate(node);

    // It increments its term, votes for itself and asks all others.
    expect(node.raft.term).toBe(2);
    expect(node.disk.hardState).toMatchObject({ term: 2, vote: 1 });
    expect(ofKind(sent, 'vote-request').map(({ to, term }) => [to, term])).toEqual([
      [2, 2],
      [3, 2],
    ]);
  });

  it('a follower stays one as long as it hears a leader', () => {
    const node = newNode({});

    for (let i = 0; i < 10; i++) {
      tick(node, electionTicks - 1);
      receive(node, appendRequest({}));
    }

    expect(node.raft.role).toBe('follower');
  });

  it.each([
    [1, [], 'leader'],
    [3, [true], 'leader'],
    [3, [], 'candidate'],
    [3, [false], 'candidate'],
    [3, [false, false], 'follower'],
    [5, [true, true], 'leader'],
    [5, [true], 'candidate'],
    [5, [true, false, false], 'candidate'],
    [5, [true, false, false, false], 'follower'],
  ] as const)(
    'of %i voters and with the answers %j to its request, it is a %s',
    (count, votes, role) => {
      const node = newNode({ count });
      becomeCandidate(node, count);
      const { term } = node.raft;

      votes.forEach((vote, i) => {
        receive(node, { kind: 'vote-response', from: i + 2, term, reject: !vote });
      });

      expect(node.raft.role).toBe(role);
    },
  );

  it('one voter cannot vote twice for a candidate', () => {
    const node = newNode({ count: 5 });
    becomeCandidate(node, 5);
    const { term } = node.raft;

    for (let i = 0; i < 3; i++)
      receive(node, { kind: 'vote-response', from: 2, term, reject: false });

    expect(node.raft.role).toBe('candidate');
  });

  it.each([
    [0, 1, true],
    [0, 2, true],
    [1, 1, true],
    [2, 2, true],
    [1, 2, false],
    [2, 1, false],
  ])(
    'having voted for %i in this term, it gives candidate %i its vote: %s',
    (vote, from, granted) => {
      const node = newNode({ id: 3, term: 1, vote });

      const answers = receive(node, voteRequest({ from, term: 1 }));

      expect(answers).toMatchObject([{ kind: 'vote-response', term: 1, reject: !granted }]);
      expect(node.disk.hardState.vote).toBe(granted ? from : vote);
    },
  );

  it.each([0, 1])(
    'a candidate that hears a leader of its term or a later one (+%i) follows it',
    (later) => {
      const node = newNode({});
      becomeCandidate(node);
      const term = node.raft.term + later;

      receive(node, appendRequest({ term }));

      expect(node.raft.status()).toMatchObject({ role: 'follower', term, leader: 2 });
    },
  );

  it('a candidate without a majority begins a new election in a new term after its timeout', () => {
    const node = newNode({});
    becomeCandidate(node);
    const { term } = node.raft;

    becomeCandidate(node);

    expect(node.raft.role).toBe('candidate');
    expect(node.raft.term).toBe(term + 1);
  });

  it('election timeouts are spread over [timeout, 2 × timeout) and drawn anew each time', () => {
    let draw = 0;
    const node = newNode({ randomBelow: (bound) => draw++ % bound });
    const seen = new Set<number>();

    for (let i = 0; i < 4 * electionTicks; i++) {
      receive(node, appendRequest({ term: node.raft.term + 1, from: 2 + (i % 2) }));
      let ticks = 0;
      while (node.raft.role === 'follower') {
        tick(node, 1);
        ticks += 1;
      }
      seen.add(ticks);
    }

    expect([...seen].sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9]);
  });
});

describe('§5.3 log replication', () => {
  it('a leader appends to its own log and asks all others in parallel to do the same', () => {
    const node = newNode({});
    commitEmptyEntry(node);

    const sent = propose(node);

    expect(node.disk.at(2)).toMatchObject({ term: 1, index: 2 });
    const requests = ofKind(sent, 'append-request');
    expect(requests.map(({ to }) => to)).toEqual([2, 3]);
    expect(requests[0]).toMatchObject({
      previousIndex: 1,
      previousTerm: 1,
      entries: [{ index: 2 }],
    });
  });

  it.each([
    [1, [], true],
    [3, [], false],
    [3, [2], true],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [4, 5], true],
  ])(
    'of %i replicas and acknowledged by %j and itself, an entry is committed: %s',
    (count, by, committed) => {
      const node = newNode({ count });
      becomeLeader(node, count);
      propose(node);

      for (const from of by) receive(node, accepted(from, 1, 2));

      expect(node.raft.commitIndex).toBe(committed ? 2 : 0);
      expect(node.applied.length).toBe(committed ? 2 : 0);
    },
  );

  it('the same answer twice is one answer', () => {
    const node = newNode({ count: 5 });
    becomeLeader(node, 5);

    receive(node, accepted(2, 1, 1));
    receive(node, accepted(2, 1, 1));

    expect(node.raft.commitIndex).toBe(0);
  });

  it('committing an entry commits all before it, those of earlier leaders included', () => {
    const node = newNode({ log: logOf([1, 1, 2]), term: 2 });
    becomeLeader(node);

    receive(node, accepted(2, 3, 4));

    expect(node.applied.map(({ term, index }) => [term, index])).toEqual([
      [1, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
  });

  it('a leader tells its commit index in later requests, heartbeats included', () => {
    const node = newNode({});
    commitEmptyEntry(node);

    const appends = ofKind(propose(node), 'append-request');
    const beats = ofKind(tick(node, 1), 'heartbeat-request');

    expect(appends.map(({ commit }) => commit)).toEqual([1, 1]);
    // Node 3 has not said that it has the entry.
    expect(beats.map(({ to, commit }) => [to, commit])).toEqual([
      [2, 1],
      [3, 0],
    ]);
  });

  it('a follower applies what it learns to be committed, in the order of the log', () => {
    const node = newNode({});
    const entries = [entry(1, 1, 'a'), entry(1, 2, 'b'), entry(1, 3, 'c')];

    receive(node, appendRequest({ entries, commit: 2 }));
    expect(node.applied).toEqual(entries.slice(0, 2));
    receive(node, {
      kind: 'heartbeat-request',
      from: 2,
      term: 1,
      commit: 3,
      releasedIndex: 0,
      context: 0,
    });

    expect(node.applied).toEqual(entries);
  });

  it('a follower takes a commit index for no more than it has of this leader', () => {
    const node = newNode({ log: logOf([1, 1, 1]), term: 1 });

    receive(node, appendRequest({ term: 2, previousIndex: 1, previousTerm: 1, commit: 3 }));

    expect(node.raft.commitIndex).toBe(1);
  });

  it.each([
    // [previous index, previous term, agrees]
    [0, 0, true],
    [1, 1, true],
    [2, 2, true],
    [2, 1, false],
    [1, 2, false],
    [3, 3, false],
  ])(
    'with the log 1 2, it agrees to append after index %i of term %i: %s',
    (index, term, agrees) => {
      const node = newNode({ log: logOf([1, 2]), term: 2 });

      const answers = receive(
        node,
        appendRequest({ term: 3, previousIndex: index, previousTerm: term }),
      );

      expect(answers).toMatchObject([{ kind: 'append-response', reject: !agrees, index }]);
    },
  );

  it.each([
    // [after index, term there, entries' terms, the log then]
    [2, 2, [3], [1, 2, 3]],
    [1, 1, [3, 4], [1, 3, 4]],
    [0, 0, [1], [1, 2]],
    [0, 0, [3], [3]],
    [1, 1, [2], [1, 2]],
  ])(
    'after %i (term %i) the entries %j make the log 1 2 into %j',
    (index, term, terms, expected) => {
      const node = newNode({ log: logOf([1, 2]), term: 2 });
      const entries = terms.map((each, i) => entry(each, index + 1 + i));

      receive(node, appendRequest({ term: 4, previousIndex: index, previousTerm: term, entries }));

      const log = node.disk.read(1, node.disk.lastIndex);
      expect(log.map((each) => each.term)).toEqual(expected);
      expect(node.raft.lastIndex).toBe(expected.length);
    },
  );

  it.each([
    ['a', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['b', [1, 1, 1, 4]],
    ['c', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['d', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['e', [1, 1, 1, 4, 4, 4, 4]],
    ['f', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('a leader brings the log of figure 7 (%s) into agreement with its own', (_, terms) => {
    const leader = newNode({ id: 1, log: logOf([1, 1, 1, 4, 4, 5, 5, 6, 6, 6]), term: 7 });
    const follower = newNode({ id: 2, log: logOf(terms), term: 7 });
    // Node 3 gives its vote: a follower whose log is more up to date than the leader's gave it none.
    becomeCandidate(leader);
    leader.raft.step({ kind: 'vote-response', from: 3, to: 1, term: 8, reject: false });

    exchange([leader, follower], settle(leader));

    expect(leader.raft.term).toBe(8);
    const expected = leader.disk.read(1, 11);
    expect(expected.map(({ term }) => term)).toEqual([1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8]);
    expect(follower.disk.read(1, 12)).toEqual(expected);
    expect(follower.applied).toEqual(expected);
  });

  it('a leader never overwrites or deletes entries of its own log', () => {
    const log = logOf([1, 1]);
    const node = newNode({ log, term: 1 });

    becomeLeader(node);
    propose(node);

    expect(node.disk.read(1, 2)).toEqual(log);
  });
});
