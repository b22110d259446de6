import assert from 'node:assert/strict';
import {
  type Configuration,
  type Entry,
  EntryKind,
  type LogIndex,
  type Message,
  type Ready,
  type ReplicaId,
  type Term,
} from '../../node/raft/types.ts';
import { decodeConfiguration, type TestConfiguration } from './configurations.ts';
import type { TestNode } from './test-node.ts';

interface Committed {
  readonly term: Term;
  /** The term of the replica that first knew. Leaders of this and later terms have the entry. */
  readonly knownInTerm: Term;
}

function votersOf({ voters, outgoing }: TestConfiguration): readonly ReplicaId[] {
  return [...voters, ...outgoing];
}

/**
 * The properties of Raft's figure 3, and what durability and reads promise, across all replicas. Majorities are
 * counted here in their own way, not by the core.
 */
export class Checkers {
  readonly #nodes: readonly TestNode[];
  readonly #leaders = new Map<Term, ReplicaId>();
  readonly #votes = new Map<string, ReplicaId>();
  /** By term/index: what was ever written there, and after which term. */
  readonly #written = new Map<string, string>();
  readonly #committed: (Committed | undefined)[] = [];
  /** The state after each index. */
  readonly #states: (string | undefined)[] = [];
  readonly #nextToApply = new Map<ReplicaId, LogIndex>();
  readonly #knownCommit = new Map<ReplicaId, LogIndex>();
  /** In effect before what is being checked: a configuration may be replaced by the commit that it decides. */
  readonly #configurations = new Map<ReplicaId, Configuration>();
  readonly #reads = new Map<number, LogIndex>();
  #maxCommit: LogIndex = 0;

  /** `nodes` may grow and shrink later. */
  constructor(nodes: readonly TestNode[]) {
    this.#nodes = nodes;
    for (const node of nodes) this.onStart(node);
  }

  /** A replica has begun a life, its first or another one. */
  onStart(node: TestNode): void {
    node.onApply = (entry) => this.#onApply(node, entry);
    this.onInstalled(node);
    this.#configurations.set(node.id, node.raft.configuration);
    const { disk, raft } = node;
    const entries = disk.read(disk.start.index + 1, disk.lastIndex);
    const newest = entries.findLast(({ kind }) => kind === EntryKind.configuration);
    const isNewest = newest === undefined || newest.index === raft.configurationIndex;
    assert(isNewest, `${node.id} has forgotten configuration ${newest?.index}`);
  }

  /** Its state is another one now, up to where it says that it has applied. */
  onInstalled({ id, raft }: TestNode): void {
    this.#nextToApply.set(id, raft.appliedIndex + 1);
    this.#knownCommit.set(id, raft.appliedIndex);
    const { index, term } = raft.logStart;
    const committed = this.#committed[index];
    assert(committed === undefined || committed.term === term, `${id} starts after what never was`);
  }

  /** After everything that happens to a node. */
  check(node: TestNode): void {
    node.raft.checkInvariants();
    this.#checkCommit(node);
    this.#checkLeader(node);
    this.#checkReleasable(node);
    this.#configurations.set(node.id, node.raft.configuration);
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
    const ofNewest = raft.configurations.slice(raft.isConfigurationCommitted ? -1 : -2);
    const voters = ofNewest.map(({ data }) => decodeConfiguration(data)).flatMap(votersOf);
    assert(voters.includes(id), `leader ${id} is no voter, and was none before`);
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
      this.#checkDurable(id, index, term);
    }
    this.#knownCommit.set(id, raft.commitIndex);
    this.#maxCommit = Math.max(this.#maxCommit, raft.commitIndex);
  }

  /** On a majority of the voters, and while they change, of the old ones, too (§6). */
  #checkDurable(leader: ReplicaId, index: LogIndex, term: Term): void {
    const configuration = this.#configurations.get(leader);
    for (const voters of [configuration?.voters ?? [], configuration?.outgoing ?? []]) {
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
  }

  /** What leaves as a promise is on the disk of its sender. */
  onSend({ disk }: TestNode, message: Message): void {
    if (message.kind === 'vote-request') this.#onVote(message.from, message.term, message.from);
    if (message.kind === 'vote-response' && !message.reject) {
      this.#onVote(message.from, message.term, message.to);
    }
    if (message.kind === 'append-response' && !message.reject) {
      // A later leader may have cut it off before its sync: that is as if it had been synced and then cut off.
      const isPast = disk.hardState.term > message.term;
      const isDurable = isPast || disk.lastIndex >= message.index;
      assert(isDurable, `${message.index} is acknowledged before it is durable`);
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

  /** State machine safety: the same state after an index everywhere; each entry once, in order, durable here. */
  #onApply({ id, disk, state }: TestNode, entry: Entry): void {
    const { term, index } = entry;
    assert.equal(index, this.#nextToApply.get(id), 'applied in order, each entry once');
    this.#nextToApply.set(id, index + 1);
    assert.equal(disk.termAt(index), term, 'applied before it is durable here');
    const known = this.#states[index];
    assert(known === undefined || known === state, `${id} has another state after ${index}`);
    this.#states[index] = state;
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

  /** Nothing is offered for release that is not committed and durable here. */
  #checkReleasable({ id, raft, disk }: TestNode): void {
    const { commitIndex } = raft;
    const isHere = raft.releasableIndex <= Math.min(commitIndex, disk.lastIndex);
    assert(isHere, `${id} would release what it must keep`);
  }
}
