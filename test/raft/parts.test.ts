import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryWindow, entryBytes } from '../../node/raft/entry-window.ts';
import { Progress } from '../../node/raft/progress.ts';
import { quorumValue, voteResult } from '../../node/raft/quorum.ts';
import { TermRuns } from '../../node/raft/term-runs.ts';
import type { Configuration } from '../../node/raft/types.ts';
import { Disk } from './disk.ts';
import {
  accepted,
  appendRequest,
  becomeLeader,
  entry,
  logOf,
  newNode,
  ofKind,
  receive,
  settle,
  voteRequest,
} from './paper-support.ts';

const configurations = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 }),
  )
  .map(([voters, outgoing]): Configuration => ({ voters, outgoing, learners: [] }));

describe('quorum', () => {
  const isMajority = (voters: readonly number[], has: (id: number) => boolean) =>
    voters.filter(has).length * 2 > voters.length;

  it('reaches what more than half of each set of voters has reached, and nothing higher', () => {
    fc.assert(
      fc.property(
        configurations,
        fc.array(fc.nat(9), { minLength: 8, maxLength: 8 }),
        (configuration, reached) => {
          fc.pre(configuration.voters.length > 0);
          const value = quorumValue(configuration, (id) => reached[id] ?? 0);
          const holds = (least: number) =>
            isMajority(configuration.voters, (id) => (reached[id] ?? 0) >= least) &&
            (configuration.outgoing.length === 0 ||
              isMajority(configuration.outgoing, (id) => (reached[id] ?? 0) >= least));
          expect(holds(value)).toBe(true);
          expect(holds(value + 1)).toBe(false);
        },
      ),
    );
  });

  it('is never won and lost at once, and pending only while somebody has not answered', () => {
    const votes = fc.array(fc.option(fc.boolean(), { nil: undefined }), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(configurations, votes, (configuration, answers) => {
        fc.pre(configuration.voters.length > 0);
        const result = voteResult(configuration, (id) => answers[id]);
        const best = voteResult(configuration, (id) => answers[id] ?? true);
        const worst = voteResult(configuration, (id) => answers[id] ?? false);
        expect(best).not.toBe('pending');
        expect(worst).not.toBe('pending');
        expect(result).toBe(best === worst ? best : 'pending');
      }),
    );
  });

  it('of nobody decides nothing', () => {
    const nobody = { voters: [], outgoing: [], learners: [1] };
    expect(quorumValue(nobody, () => 7)).toBe(0);
    expect(voteResult(nobody, () => true)).toBe('lost');
  });
});

describe('term runs', () => {
  it('are the terms of a log, whatever is appended, cut off and compacted', () => {
    const operations = fc.array(
      fc.tuple(fc.constantFrom('append', 'append', 'append', 'truncate', 'compact'), fc.nat(20)),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(operations, (steps) => {
        const runs = new TermRuns({ index: 3, term: 1 }, 3, []);
        const model = new Disk();
        model.start = { index: 3, term: 1 };
        for (const [name, amount] of steps) {
          const within = model.start.index + (amount % (model.lastIndex - model.start.index + 1));
          if (name === 'append') {
            const term = runs.lastTerm + (amount % 3 === 0 ? 1 : 0);
            runs.append(term);
            model.sync({ hardState: undefined, entries: [entry(term, model.lastIndex + 1)] });
          } else if (name === 'truncate') {
            runs.truncateAfter(within);
            model.truncateAfter(within);
          } else {
            runs.compact(within);
            model.compact(within);
          }
          runs.checkInvariants();
          for (let index = 0; index <= model.lastIndex + 1; index++) {
            expect(runs.termAt(index)).toBe(model.termAt(index));
          }
        }
      }),
    );
  });

  it('find where logs may agree: never past the place, and past no entry of an older term', () => {
    const terms = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(terms, fc.nat(14), fc.nat(6), (unsorted, index, term) => {
        const log = logOf([...unsorted].sort((a, b) => a - b));
        const runs = new TermRuns({ index: 0, term: 0 }, 0, []);
        for (const each of log) runs.append(each.term);
        const found = runs.agreeAt(index, term);
        const candidates = log.filter((each) => each.index <= index && each.term <= term);
        expect(found.index).toBe(candidates.at(-1)?.index ?? 0);
        expect(found.term).toBe(candidates.at(-1)?.term ?? 0);
      }),
    );
  });
});

describe('entry window', () => {
  it('holds the entries between its ends, whatever is pushed and released', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -6, max: 6 }), { maxLength: 50 }), (steps) => {
        const window = new EntryWindow(1);
        let model: number[] = [];
        for (const step of steps) {
          const last = window.lastIndex;
          if (step > 0) {
            for (let i = 1; i <= step; i++) window.push(entry(1, last + i));
            model.push(...Array.from({ length: step }, (_, i) => last + 1 + i));
          } else if (step % 2 === 0) {
            const upTo = window.firstIndex - 1 - step;
            window.release(upTo);
            model = model.filter((index) => index > upTo);
          } else {
            window.truncateAfter(last + step);
            model = model.filter((index) => index <= last + step);
          }
          const indexes = window.slice(window.firstIndex, window.lastIndex, Infinity);
          expect(indexes.map(({ index }) => index)).toEqual(model);
        }
      }),
    );
  });

  it('gives as much as the bytes allow, but at least one entry', () => {
    const window = new EntryWindow(1);
    for (let index = 1; index <= 4; index++) window.push(entry(1, index, 'x'.repeat(10)));
    const bytes = entryBytes(window.at(1));
    expect(window.slice(1, 4, 1).length).toBe(1);
    expect(window.slice(1, 4, 2 * bytes).length).toBe(2);
    expect(window.slice(1, 4, 3 * bytes - 1).length).toBe(2);
    expect(window.slice(2, 4, Infinity).length).toBe(3);
  });
});

describe('progress', () => {
  it('falls back to what is known to match when an append is refused, and ignores old refusals', () => {
    const progress = new Progress(2, 5);
    progress.sent(4, 0, 0);
    expect(progress.isPaused).toBe(true);
    expect(progress.refused(9, 1)).toBe(false);
    expect(progress.refused(4, 2)).toBe(true);
    expect(progress.next).toBe(3);
    progress.accepted(3);
    expect(progress).toMatchObject({ state: 'replicate', match: 3, next: 4 });
    progress.sent(7, 100, 0);
    expect(progress.refused(3, 0)).toBe(false);
    expect(progress.refused(7, 5)).toBe(true);
    expect(progress).toMatchObject({ state: 'probe', match: 3, next: 4 });
  });

  it('lets a window of bytes fill and drain; an empty one admits an entry of any size', () => {
    const progress = new Progress(2, 1);
    progress.accepted(0);
    expect(progress.admits(1000, 100)).toBe(true);
    progress.sent(1, 60, 0);
    expect(progress.admits(40, 100)).toBe(true);
    expect(progress.admits(41, 100)).toBe(false);
    progress.sent(2, 40, 0);
    expect(progress.budgetBytes(50, 100)).toBe(0);
    progress.accepted(1);
    expect(progress.budgetBytes(50, 100)).toBe(50);
  });
});

describe('proposals', () => {
  const write = (size: number) => ({ kind: 1, data: new Uint8Array(size) });

  it('are refused by a follower, who names the leader', () => {
    const node = newNode({});
    expect(node.raft.propose([write(1)])).toEqual({ kind: 'not-leader', leader: 0 });
    receive(node, {
      kind: 'heartbeat-request',
      from: 3,
      term: 1,
      commit: 0,
      releasedIndex: 0,
      context: 0,
    });
    expect(node.raft.propose([write(1)])).toEqual({ kind: 'not-leader', leader: 3 });
  });

  it('are refused when too much is uncommitted, but one is always taken', () => {
    const node = newNode({ limits: { uncommittedBytesMax: 100 } });
    becomeLeader(node);
    receive(node, accepted(2, 1, 1));

    expect(node.raft.propose([write(500), write(500)])).toEqual({
      kind: 'accepted',
      firstIndex: 2,
      term: 1,
    });
    expect(node.raft.propose([write(1)])).toEqual({ kind: 'busy' });
    settle(node);
    receive(node, accepted(2, 1, 3));

    expect(node.raft.status().uncommittedBytes).toBe(0);
    expect(node.raft.propose([write(1)]).kind).toBe('accepted');
  });
});

describe('committed entries', () => {
  it('are handed out within the byte limit, the next when the last are applied', () => {
    const node = newNode({ count: 1, limits: { committedBytesMax: 1 } });
    becomeLeader(node, 1);
    const { raft } = node;
    raft.propose([1, 2, 3].map(() => ({ kind: 1, data: new Uint8Array(9) })));
    const { number } = raft.ready();
    raft.persisted(number);

    const first = raft.ready();
    expect(first.committed.map(({ index }) => index)).toEqual([2]);
    expect(raft.ready().committed).toEqual([]);
    raft.applied(2);
    expect(raft.hasReady()).toBe(true);

    expect(raft.ready().committed.map(({ index }) => index)).toEqual([3]);
  });

  it('come from the log after a restart, one range at a time', () => {
    const node = newNode({ count: 1, log: logOf([1, 1, 1]), term: 1 });
    node.disk.hardState = { term: 1, vote: 1, commit: 2 };
    node.restart();
    const { raft } = node;

    const first = raft.ready();
    expect(first.fetchCommitted).toEqual({ firstIndex: 1, lastIndex: 2 });
    raft.applied(1);
    const second = raft.ready();
    expect(second.fetchCommitted).toBeUndefined();
    raft.applied(2);
    expect(raft.hasReady()).toBe(false);
    raft.persisted(first.number);
    raft.persisted(second.number);
    becomeLeader(node, 1);

    expect(node.applied.map(({ index }) => index)).toEqual([3, 4]);
    expect(raft.appliedIndex).toBe(4);
  });
});

describe('hard state', () => {
  it('is not written for a new commit index alone', () => {
    const node = newNode({});
    receive(node, appendRequest({ entries: [entry(1, 1)] }));
    node.raft.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 1,
      commit: 1,
      releasedIndex: 0,
      context: 0,
    });

    const ready = node.raft.ready();

    expect(ready.committed.length).toBe(1);
    expect(ready.hardState).toBeUndefined();
  });
});

describe('late answers', () => {
  it('to a question asked before a restart are not taken for one asked after it', () => {
    let draw = 1;
    const node = newNode({ randomBelow: (bound) => draw++ % bound });
    const hearLeader = () =>
      receive(node, {
        kind: 'heartbeat-request',
        from: 2,
        term: 1,
        commit: 0,
        releasedIndex: 0,
        context: 0,
      });
    hearLeader();
    node.raft.readIndex(1);
    const [before] = ofKind(settle(node), 'read-index-request');
    node.restart();
    hearLeader();
    node.raft.readIndex(2);
    const [after] = ofKind(settle(node), 'read-index-request');

    const answer = {
      kind: 'read-index-response',
      from: 2,
      term: 1,
      index: 0,
      reject: false,
    } as const;
    receive(node, { ...answer, context: before?.context ?? 0 });
    expect(node.reads).toEqual([]);
    receive(node, { ...answer, context: after?.context ?? 0 });

    expect(node.reads).toEqual([{ token: 2, index: 0 }]);
  });

  it('of the host, to a fetch of an earlier term, are not sent', () => {
    const node = newNode({ log: logOf([1, 1, 1]), term: 1 });
    becomeLeader(node);
    const refusal = { kind: 'append-response', reject: true, index: 3 } as const;
    node.raft.step({ ...refusal, from: 3, to: 1, term: 2, hintIndex: 1, hintTerm: 1 });
    const [fetch] = node.raft.ready().fetches;
    assert(fetch !== undefined);
    expect(fetch).toEqual({ to: 3, firstIndex: 2, lastIndex: 3, term: 2 });

    node.raft.fetched({ ...fetch, term: 1 }, node.disk.read(2, 3));
    expect(node.raft.ready().messages).toEqual([]);
    node.raft.fetched(fetch, node.disk.read(2, 3));

    expect(node.raft.ready().messages).toMatchObject([{ to: 3, previousIndex: 1, term: 2 }]);
  });
});

describe('releasable entries', () => {
  it('are those of all voters, as far as this replica is known to have the same', () => {
    const learner = newNode({ id: 4, log: logOf([1, 1, 1]), term: 1 });
    const beat = {
      kind: 'heartbeat-request',
      from: 2,
      term: 3,
      releasedIndex: 3,
      context: 0,
    } as const;

    receive(learner, { ...beat, commit: 0 });
    expect(learner.raft.releasableIndex).toBe(0);
    receive(learner, { ...beat, commit: 2 });

    expect(learner.raft.releasableIndex).toBe(2);
  });

  it('wait for the slowest voter', () => {
    const node = newNode({});
    becomeLeader(node);
    node.raft.propose([{ kind: 1, data: new Uint8Array(1) }]);
    settle(node);

    receive(node, accepted(2, 1, 2));
    expect(node.raft.releasableIndex).toBe(0);
    receive(node, accepted(3, 1, 1));

    expect(node.raft.releasableIndex).toBe(1);
  });
});

describe('messages of strangers', () => {
  it('count for nothing, unless they ask for what a newer configuration may entitle them to', () => {
    const node = newNode({});
    becomeLeader(node);
    receive(node, accepted(9, 1, 1));
    receive(node, { kind: 'read-index-request', from: 9, term: 1, context: 1 });
    expect(node.raft.commitIndex).toBe(0);
    expect(node.raft.hasReady()).toBe(false);

    const request = voteRequest({ from: 9, term: 2 });
    const answers = receive(newNode({ id: 2 }), request);

    expect(answers).toMatchObject([{ kind: 'vote-response', to: 9, reject: false }]);
  });
});
