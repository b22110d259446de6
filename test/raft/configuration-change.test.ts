import { describe, expect, it } from 'vitest';
import { EntryKind, type Message } from '../../node/raft/types.ts';
import {
  decodeConfiguration,
  encodeConfiguration,
  type TestConfiguration,
} from './configurations.ts';
import {
  accepted,
  appendRequest,
  becomeLeader,
  commitEmptyEntry,
  electionTicks,
  entry,
  newNode,
  ofKind,
  receive,
  settle,
  tick,
  voteRequest,
  write,
} from './paper-support.ts';
import { TestNode } from './test-node.ts';

function configurationEntry(
  term: number,
  index: number,
  configuration: Partial<TestConfiguration>,
) {
  const data = encodeConfiguration(configuration);
  return { term, index, kind: EntryKind.configuration, data };
}

/** The leader of 1 2 3, with its empty entry committed, has proposed that 4 and 5 take the place of 2 and 3. */
function leaderOfJoint(): TestNode {
  const node = newNode({});
  commitEmptyEntry(node);
  const joint = encodeConfiguration({ voters: [1, 4, 5], outgoing: [1, 2, 3] });
  expect(node.raft.proposeConfiguration(joint).kind).toBe('accepted');
  settle(node);
  return node;
}

describe('a replica that knows no configuration', () => {
  const newcomer = () => new TestNode({ id: 4, configuration: undefined, randomBelow: () => 0 });

  it('never campaigns, whoever tells it to', () => {
    const node = newcomer();

    expect(tick(node, 50)).toEqual([]);
    node.raft.campaign();
    expect(receive(node, { kind: 'timeout-now', from: 1, term: 1 })).toEqual([]);

    expect(node.raft.role).toBe('follower');
    expect(node.raft.configuration).toEqual({ voters: [], outgoing: [], learners: [] });
    expect(node.raft.configurationIndex).toBe(0);
  });

  it('refuses appends, so that the leader sees what it needs, and votes if it is asked', () => {
    const node = newcomer();

    const answers = receive(node, appendRequest({ previousIndex: 7, previousTerm: 1 }));
    expect(answers).toMatchObject([{ kind: 'append-response', reject: true, hintIndex: 0 }]);

    const vote = receive(newcomer(), voteRequest({ term: 2 }));
    expect(vote).toMatchObject([{ kind: 'vote-response', reject: false }]);
  });
});

describe('the configuration in effect', () => {
  it('is the newest in the log, and its host writes it with the entries that it comes with', () => {
    const node = newNode({});
    const learner = configurationEntry(1, 1, { voters: [1, 2, 3], learners: [4] });
    node.raft.step({ ...appendRequest({ entries: [learner] }), to: 1 } as Message);

    const ready = node.raft.ready();
    expect(ready.entries.length).toBe(1);
    expect(ready.configurations?.map(({ index, term }) => [term, index])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(node.raft.configuration.learners).toEqual([4]);
    expect(node.raft.isConfigurationCommitted).toBe(false);
    expect(node.raft.ready().configurations).toBeUndefined();
  });

  it('is that of before when the entry is overwritten, also for the host', () => {
    const node = newNode({});
    const learner = configurationEntry(1, 1, { voters: [1, 2, 3], learners: [4] });
    receive(node, appendRequest({ entries: [learner] }));
    expect(node.disk.configurations.length).toBe(2);

    receive(node, appendRequest({ term: 2, from: 3, entries: [entry(2, 1)] }));

    expect(node.raft.configuration.learners).toEqual([]);
    expect(node.disk.configurations.map(({ index }) => index)).toEqual([0]);
  });

  it('survives a restart, and what is before the one at the start of the log is forgotten', () => {
    const node = newNode({});
    const entries = [4, 5, 6].map((id, i) =>
      configurationEntry(1, i + 1, { voters: [1, 2, 3], learners: [id] }),
    );
    receive(node, appendRequest({ entries, commit: 3 }));
    node.flush();
    node.compact(2);
    expect(node.raft.configurations.map(({ index }) => index)).toEqual([2, 3]);

    node.restart();

    expect(node.raft.configurations.map(({ index }) => index)).toEqual([2, 3]);
    expect(node.raft.configuration.learners).toEqual([6]);
  });
});

describe('a proposal of a configuration', () => {
  it('is for proposeConfiguration, and nothing else is', () => {
    const node = newNode({});
    const data = encodeConfiguration({ voters: [1, 2, 3] });

    expect(() => node.raft.propose([{ kind: EntryKind.configuration, data }])).toThrow(
      /proposeConfiguration/,
    );
    expect(node.raft.proposeConfiguration(data)).toEqual({ kind: 'not-leader', leader: 0 });
  });

  it.each<[string, Partial<TestConfiguration>]>([
    ['other voters without a joint configuration', { voters: [1, 2] }],
    ['outgoing voters that are not the current ones', { voters: [1, 2], outgoing: [1, 2] }],
    ['no voters', { outgoing: [1, 2, 3] }],
    ['a learner that votes', { voters: [1, 2, 3], learners: [3] }],
    ['a learner that is outgoing', { voters: [1, 2], outgoing: [1, 2, 3], learners: [3] }],
    ['somebody twice', { voters: [1, 2, 3], learners: [4, 4] }],
  ])('is refused with %s', (_, configuration) => {
    const node = newNode({});
    commitEmptyEntry(node);

    const result = node.raft.proposeConfiguration(encodeConfiguration(configuration));

    expect(result.kind).toBe('refused');
    expect(node.raft.lastIndex).toBe(1);
  });

  it('is refused before the leader has committed an entry of its term', () => {
    const node = newNode({});
    becomeLeader(node);
    const data = encodeConfiguration({ voters: [1, 2, 3], learners: [4] });
    expect(node.raft.proposeConfiguration(data).kind).toBe('refused');

    receive(node, accepted(2, 1, 1));

    expect(node.raft.proposeConfiguration(data).kind).toBe('accepted');
    expect(node.raft.proposeConfiguration(data).kind).toBe('refused');
  });
});

describe('§6 while two majorities must agree', () => {
  it('an entry is committed by both', () => {
    const node = leaderOfJoint();

    receive(node, accepted(2, 1, 2));
    receive(node, accepted(3, 1, 2));
    expect(node.raft.commitIndex).toBe(1);
    receive(node, accepted(4, 1, 2));

    expect(node.raft.commitIndex).toBe(2);
    expect(decodeConfiguration(node.raft.configurations.at(-1)?.data as Uint8Array)).toMatchObject({
      voters: [1, 4, 5],
      outgoing: [],
    });
  });

  it('a read is confirmed by both', () => {
    const node = leaderOfJoint();
    node.raft.readIndex(7);
    const [beat] = ofKind(settle(node), 'heartbeat-request');
    const answer = { kind: 'heartbeat-response', term: 1, context: beat?.context ?? 0 } as const;

    receive(node, { ...answer, from: 2 });
    expect(node.reads).toEqual([]);
    receive(node, { ...answer, from: 5 });

    expect(node.reads).toEqual([{ token: 7, index: 1 }]);
  });

  it('a leader needs to hear from both, and newcomers are given the time to answer', () => {
    const node = leaderOfJoint();
    const hear = (...from: number[]) => {
      for (const each of from) receive(node, accepted(each, 1, 1));
    };

    hear(2);
    tick(node, electionTicks);
    expect(node.raft.role).toBe('leader');
    hear(2, 3);
    tick(node, electionTicks);

    expect(node.raft.role).toBe('follower');
  });

  it('a candidate needs the votes of both', () => {
    const node = newNode({});
    const joint = configurationEntry(1, 1, { voters: [1, 4, 5], outgoing: [1, 2, 3] });
    receive(node, appendRequest({ entries: [joint] }));
    const vote = (kind: 'pre-vote-response' | 'vote-response', from: number) =>
      receive(node, { kind, from, term: 2, reject: false });

    const requests = ofKind(tick(node, electionTicks), 'pre-vote-request');
    expect(requests.map(({ to }) => to)).toEqual([4, 5, 2, 3]);
    vote('pre-vote-response', 2);
    vote('pre-vote-response', 3);
    expect(node.raft.role).toBe('pre-candidate');
    vote('pre-vote-response', 4);
    expect(node.raft.role).toBe('candidate');
    vote('vote-response', 4);
    vote('vote-response', 5);
    expect(node.raft.role).toBe('candidate');
    vote('vote-response', 3);

    expect(node.raft.role).toBe('leader');
  });
});

describe('a full window', () => {
  it('towards a follower whose answer was lost opens again, though what follows must be fetched', () => {
    const node = newNode({ limits: { inflightBytesMax: 100, appendBytesMax: 100 } });
    commitEmptyEntry(node);
    node.raft.propose([write, { kind: 1, data: new Uint8Array(80) }]);
    settle(node);
    receive(node, accepted(2, 1, 3));
    node.raft.releaseMemory(3);

    // Node 3 has the small entry, but its answer is lost. The large one does not fit beside it.
    const sent = receive(node, { kind: 'heartbeat-response', from: 3, term: 1, context: 0 });

    const appends = ofKind(sent, 'append-request').filter(({ to }) => to === 3);
    expect(appends).toMatchObject([{ previousIndex: 2, entries: [] }]);
    expect(node.fetches).toEqual([]);
    const then = ofKind(receive(node, accepted(3, 1, 2)), 'append-request');
    expect(then.map(({ entries }) => entries.length)).toEqual([1]);
  });
});
