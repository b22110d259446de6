import assert from 'node:assert/strict';
import type {
  Configuration,
  Entry,
  LogIndex,
  Message,
  Ready,
  ReplicaId,
  Term,
} from '../../node/raft/types.ts';
import type { TestNode } from './test-node.ts';

interface Committed {
  readonly term: Term;
  /** The term of the replica that first knew. Leaders of this and later terms have the entry. */
  readonly knownInTerm: Term;
}

/** The properties of Raft's figure 3, and what durability and reads promise, across all replicas. */
export class Checkers {
  readonly #nodes: readonly TestNode[];
  readonly #configuration: Configuration;
  readonly #leaders = new Map<Term, ReplicaId>();
  readonly #votes = new Map<string, ReplicaId>();
  /** By term/index: what was ever written there, and after which term. */
  readonly #written = new Map<string, string>();
  readonly #committed: (Committed | undefined)[] = [];
  readonly #applied: (string | undefined)[] = [];
  readonly #nextToApply = new Map<ReplicaId, LogIndex>();
  readonly #knownCommit = new Map<ReplicaId, LogIndex>();
  readonly #reads = new Map<number, LogIndex>();
  #maxCommit: LogIndex = 0;

  constructor(nodes: readonly TestNode[], configuration: Configuration) {
    this.#nodes = nodes;
    this.#configuration = configuration;
    for (const node of nodes) {
      node.onApply = (entry) => this.#onApply(node, entry);
      this.onRestart(node);
    }
  }

  onRestart(node: TestNode): void {
    this.#nextToApply.set(node.id, node.raft.appliedIndex + 1);
    this.#knownCommit.set(node.id, node.raft.appliedIndex);
  }

  /** After everything that happens to a node. */
  check(node: TestNode): void {
    node.raft.checkInvariants();
    this.#checkCommit(node);
    this.#checkLeader(node);
  }

  /** Election safety, and leader completeness (§5.4): the log of a leader has all that was committed before. */
  #checkLeader({ id, raft }: TestNode): void {
    if (raft.role !== 'leader') return;
    const known = this.#leaders.get(raft.term);
    assert(
      known === undefined || known === id,
      `two leaders in term ${raft.term}: ${known}, ${id}`,
    );
    if (known === id) return;
    this.#leaders.set(raft.term, id);
    this.#committed.forEach((entry, index) => {
      if (entry === undefined || index < raft.logStart.index || entry.knownInTerm > raft.term)
        return;
      assert.equal(raft.termAt(index), entry.term, `leader ${id} lacks committed ${index}`);
    });
  }

  /** What somebody knows to be committed is durable on a quorum, and the same for all. */
  #checkCommit(node: TestNode): void {
    const { id, raft } = node;
    const from = Math.max(this.#knownCommit.get(id) ?? 0, raft.logStart.index);
    for (let index = from + 1; index <= raft.commitIndex; index++) {
      const term = raft.termAt(index) as Term;
      const before = this.#committed[index];
      assert(before === undefined || before.term === term, `index ${index} is committed twice`);
      if (before !== undefined) continue;
      this.#committed[index] = { term, knownInTerm: raft.term };
      this.#checkDurable(index, term);
    }
    this.#knownCommit.set(id, raft.commitIndex);
    this.#maxCommit = Math.max(this.#maxCommit, raft.commitIndex);
  }

  #checkDurable(index: LogIndex, term: Term): void {
    for (const voters of [this.#configuration.voters, this.#configuration.outgoing]) {
      const holders = this.#nodes.filter(
        ({ id, disk }) =>
          voters.includes(id) && (index < disk.start.index || disk.termAt(index) === term),
      );
      const isMajority = voters.length === 0 || holders.length * 2 > voters.length;
      assert(isMajority, `committed ${term}/${index} is durable on ${holders.length} only`);
    }
  }

  /** Log matching (§5.3): a term and an index name one entry, and one predecessor. */
  onReady(node: TestNode, ready: Ready): void {
    for (const { term, index, data } of ready.entries) {
      const position = `${term}/${index}`;
      const content = `${[...data]} after ${node.raft.termAt(index - 1)}`;
      const before = this.#written.get(position);
      // The predecessor's term is forgotten with the log before it.
      if (node.raft.termAt(index - 1) === undefined) continue;
      assert(before === undefined || before === content, `${position} is two entries`);
      this.#written.set(position, content);
    }
    this.#checkReads(ready);
    this.#checkReleasable(node);
  }

  /** What leaves as a promise is on the disk of its sender. */
  onSend({ disk }: TestNode, message: Message): void {
    if (message.kind === 'vote-request') this.#onVote(message.from, message.term, message.from);
    if (message.kind === 'vote-response' && !message.reject) {
      this.#onVote(message.from, message.term, message.to);
    }
    if (message.kind === 'append-response' && !message.reject) {
      assert(
        disk.lastIndex >= message.index,
        `${message.index} is acknowledged before it is durable`,
      );
    }
    if (message.kind === 'vote-response' && !message.reject) {
      assert(disk.hardState.term >= message.term, 'a vote is sent before it is durable');
    }
    if (message.kind === 'vote-request') {
      assert(disk.hardState.term >= message.term, 'a candidacy is sent before it is durable');
    }
  }

  /** One vote per term (§5.2), before and after a restart. */
  #onVote(voter: ReplicaId, term: Term, candidate: ReplicaId): void {
    const ballot = `${voter} in ${term}`;
    const before = this.#votes.get(ballot);
    assert(
      before === undefined || before === candidate,
      `${ballot} votes for ${before}, ${candidate}`,
    );
    this.#votes.set(ballot, candidate);
  }

  /** State machine safety: the same entry at an index everywhere, in order, durable here, each once. */
  #onApply({ id, disk }: TestNode, entry: Entry): void {
    const { term, index, data } = entry;
    assert.equal(index, this.#nextToApply.get(id), 'applied in order, each entry once');
    this.#nextToApply.set(id, index + 1);
    assert.equal(disk.termAt(index), term, 'applied before it is durable here');
    const content = `${term}/${index} ${[...data]}`;
    assert(this.#applied[index] === undefined || this.#applied[index] === content);
    this.#applied[index] = content;
  }

  /** A read sees everything that anybody knew to be committed when it was asked. */
  onRead(token: number): void {
    this.#reads.set(token, this.#maxCommit);
  }

  #checkReads({ reads }: Ready): void {
    for (const { token, index } of reads) {
      const floor = this.#reads.get(token);
      assert(floor !== undefined, `read ${token} is answered twice or was never asked`);
      this.#reads.delete(token);
      assert(index === undefined || index >= floor, `read at ${index}, but ${floor} was committed`);
    }
  }

  /** Every voter holds what is said to be releasable. */
  #checkReleasable({ raft }: TestNode): void {
    const index = raft.releasableIndex;
    if (index <= raft.logStart.index) return;
    for (const { id, disk } of this.#nodes) {
      if (!this.#configuration.voters.includes(id) || index < disk.start.index) continue;
      assert.equal(disk.termAt(index), raft.termAt(index), `${id} lacks releasable ${index}`);
    }
  }
}
