import assert from 'node:assert/strict';
import {
  campaign,
  countVote,
  handleVoteRequest,
  hintLeaderUnreachable,
  tickElection,
} from './election.ts';
import { entryBytes } from './entry-window.ts';
import { checkInvariants } from './invariants.ts';
import { answerRead } from './read-index.ts';
import {
  advanceCommit,
  appendAsLeader,
  handleFetched,
  hasDueAppends,
  sendDueAppends,
} from './replication.ts';
import { becomeFollower } from './roles.ts';
import { RaftState } from './state.ts';
import { askLeader, stepFollower, tickReads } from './step-follower.ts';
import { startReadRound, stepLeader, tickLeader } from './step-leader.ts';
import type {
  Entry,
  Fetch,
  HardState,
  LogIndex,
  LogPosition,
  Message,
  Proposal,
  ProposeResult,
  RaftOptions,
  RaftStatus,
  Ready,
  ReplicaId,
  Role,
  Term,
} from './types.ts';

/**
 * One replica of one Raft group, as a state machine without I/O, clock or randomness of its own. The host puts
 * in messages, ticks, proposals and reads, takes out a `Ready`, carries out what it says in the order that is
 * written there, and reports back with `persisted`, `applied` and `fetched`. Several Readies may be in flight
 * before the first is persisted. No method ever waits.
 */
export class Raft {
  readonly #state: RaftState;
  #readyNumber = 0;
  /** The hard state of the newest Ready that carried one. */
  #handedHardState: HardState;
  /** Readies in flight, oldest first, with the term and vote that are durable once they are persisted. */
  readonly #inFlight: { readonly number: number; readonly term: Term; readonly vote: ReplicaId }[] =
    [];

  constructor(options: RaftOptions) {
    this.#state = new RaftState(options);
    this.#handedHardState = options.hardState;
    becomeFollower(this.#state, options.hardState.term, 0);
  }

  /**
   * The only way in for messages. They may be lost, doubled, late and in any order. The host has dropped those
   * for another replica id. A sender outside the configuration may be a leader or a candidate of a newer one,
   * so its requests are answered (dissertation §4.1); its votes and acknowledgements count for nothing.
   */
  step(message: Message): void {
    const state = this.#state;
    assert.equal(message.to, state.id, 'a message for this replica');
    assert(message.from !== state.id, 'a replica does not write to itself');
    assert(Number.isSafeInteger(message.term), 'a term is a safe integer');
    const isVoteRequest = message.kind === 'vote-request' || message.kind === 'pre-vote-request';
    if (message.term > state.term) {
      // A replica that was cut off must not disturb a group that has a leader (dissertation §4.2.3).
      if (isVoteRequest && state.hearsLeader) return;
      if (raisesTerm(message)) {
        const isFromLeader =
          message.kind === 'append-request' || message.kind === 'heartbeat-request';
        becomeFollower(state, message.term, isFromLeader ? message.from : 0);
      }
    } else if (message.term < state.term) {
      answerStale(state, message);
      return;
    }
    if (isVoteRequest) handleVoteRequest(state, message);
    else if (state.role === 'leader') stepLeader(state, message);
    else stepFollower(state, message);
  }

  /** One unit of time passes; how long it is, is the host's business. */
  tick(): void {
    const state = this.#state;
    if (state.role === 'leader') {
      tickLeader(state);
    } else {
      tickReads(state);
      tickElection(state);
    }
  }

  /** Asks for an election now, through pre-vote. Does nothing on a leader or a replica that does not vote. */
  campaign(): void {
    campaign(this.#state);
  }

  /** Appends entries to the log, in order, all of them or none. They are accepted, not yet committed. */
  propose(entries: readonly Proposal[]): ProposeResult {
    const state = this.#state;
    assert(entries.length > 0, 'a proposal has an entry');
    if (state.role !== 'leader') return { kind: 'not-leader', leader: state.leader };
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    const isTailEmpty = state.uncommittedBytes === 0;
    if (!isTailEmpty && state.uncommittedBytes + bytes > state.options.uncommittedBytesMax) {
      return { kind: 'busy' };
    }
    const firstIndex = state.log.lastIndex + 1;
    appendAsLeader(state, entries);
    return { kind: 'accepted', firstIndex, term: state.term };
  }

  /**
   * Asks for an index up to which a linearizable read must wait. The answer is a ReadState with this token in a
   * later Ready: exactly one for each call, refused if there is no leader or it is lost meanwhile.
   */
  readIndex(token: number): void {
    const state = this.#state;
    if (state.role === 'leader') state.readRounds.add({ kind: 'local', token });
    else if (state.leader !== 0) state.forwardedReads.add(token);
    else answerRead(state, { kind: 'local', token }, undefined);
  }

  /**
   * The transport says that the connection to this replica is closed. A leader stops sending appends to it until
   * it answers a heartbeat; a follower whose leader it was campaigns soon.
   */
  peerUnreachable(replica: ReplicaId): void {
    const state = this.#state;
    if (state.role === 'leader' && replica !== state.id) state.progress.get(replica)?.unreachable();
    else if (state.role === 'follower' && replica === state.leader) hintLeaderUnreachable(state);
  }

  /** Whether `ready` has something to say. */
  hasReady(): boolean {
    const state = this.#state;
    return (
      !state.outbox.isEmpty ||
      state.log.hasUnpersisted ||
      state.log.hasCommitted ||
      this.#hasNewTermOrVote ||
      hasDueAppends(state) ||
      (state.hasCommittedInTerm && state.readRounds.hasWaiting) ||
      state.forwardedReads.hasWaiting
    );
  }

  get #hasNewTermOrVote(): boolean {
    const { term, vote } = this.#state;
    return term !== this.#handedHardState.term || vote !== this.#handedHardState.vote;
  }

  /** Takes everything that has come up. What it holds, and in which order it is done: see `Ready`. */
  ready(): Ready {
    const state = this.#state;
    const { log, term, vote } = state;
    sendDueAppends(state);
    if (state.role === 'leader') startReadRound(state);
    else askLeader(state);
    const entries = log.takeUnpersisted();
    const { entries: committed, fetch } = log.takeCommitted(state.options.committedBytesMax);
    this.#readyNumber += 1;
    this.#inFlight.push({ number: this.#readyNumber, term, vote });
    return {
      number: this.#readyNumber,
      hardState: this.#takeHardState(entries.length > 0),
      entries,
      committed,
      fetchCommitted: fetch,
      ...state.outbox.drain(),
    };
  }

  /** A new commit index alone is not worth a round: after a restart the leader tells it again. */
  #takeHardState(hasEntries: boolean): HardState | undefined {
    const { term, vote, log } = this.#state;
    const hasNewCommit = log.commit !== this.#handedHardState.commit;
    if (!this.#hasNewTermOrVote && !(hasEntries && hasNewCommit)) return undefined;
    this.#handedHardState = { term, vote, commit: log.commit };
    return this.#handedHardState;
  }

  /**
   * The round with the Ready of this number is synced, and so are all before it. Only now does this replica's
   * own log count towards a majority, and its own vote for itself.
   */
  persisted(number: number): void {
    const state = this.#state;
    const round = this.#inFlight.shift();
    assert(round !== undefined && round.number === number, 'Readies are persisted in their order');
    state.log.persisted();
    if (state.role === 'leader') {
      const own = state.progress.get(state.id);
      assert(own !== undefined, 'a leader is a voter');
      own.match = state.log.stable;
      own.next = state.log.lastIndex + 1;
      advanceCommit(state);
    } else if (state.role === 'candidate' && round.term === state.term) {
      assert.equal(round.vote, state.id, 'a candidate votes for itself as it begins its term');
      if (!state.votes.has(state.id)) countVote(state, state.id, true);
    }
  }

  /** The host has applied the entries up to `index`, of those it was handed. */
  applied(index: LogIndex): void {
    this.#state.log.appliedTo(index);
  }

  /**
   * The answer to a `Fetch`: entries from its firstIndex on, at least one, as many as the host likes to read at
   * once. None if they could not be read; the core asks again after the follower's next sign of life.
   */
  fetched(fetch: Fetch, entries: readonly Entry[]): void {
    handleFetched(this.#state, fetch, entries);
  }

  /** The bytes of entries up to here may leave memory, as far as they are applied and durable. */
  releaseMemory(upTo: LogIndex): void {
    this.#state.log.releaseMemory(upTo);
  }

  /**
   * Lets the oldest entries leave memory, as far as they are applied and durable, until no more than `bytesMax`
   * are left: followers who still need them get them from the host's log.
   */
  shrinkMemory(bytesMax: number): void {
    this.#state.log.shrinkMemory(bytesMax);
  }

  /** What the entries in memory take, as all limits of the core count it. */
  get memoryBytes(): number {
    return this.#state.log.memoryBytes;
  }

  /** The log now starts after `index`, or after the last applied entry if that is earlier. */
  compact(index: LogIndex): void {
    this.#state.log.compact(index);
  }

  /**
   * No voter will ever ask for entries up to here, and this replica has the same ones durably itself: they are
   * at or before its commit index, which an index heard from the leader alone does not tell a learner.
   */
  get releasableIndex(): LogIndex {
    const { log } = this.#state;
    return Math.min(this.#state.updateReleasedIndex(), log.stable, log.commit);
  }

  get leader(): ReplicaId {
    return this.#state.leader;
  }
  get term(): Term {
    return this.#state.term;
  }
  get role(): Role {
    return this.#state.role;
  }
  get commitIndex(): LogIndex {
    return this.#state.log.commit;
  }
  get appliedIndex(): LogIndex {
    return this.#state.log.applied;
  }
  get lastIndex(): LogIndex {
    return this.#state.log.lastIndex;
  }
  /** The log holds the entries after this position. */
  get logStart(): LogPosition {
    return this.#state.log.start;
  }

  /** The term of the entry at `index`; undefined before the start of the log and after its end. */
  termAt(index: LogIndex): Term | undefined {
    return this.#state.log.termAt(index);
  }

  status(): RaftStatus {
    const {
      id: replicaId,
      role,
      term,
      vote,
      leader,
      log,
      uncommittedBytes,
      progress,
    } = this.#state;
    return {
      replicaId,
      role,
      term,
      vote,
      leader,
      logStart: log.start,
      appliedIndex: log.applied,
      commitIndex: log.commit,
      stableIndex: log.stable,
      lastIndex: log.lastIndex,
      releasableIndex: this.releasableIndex,
      uncommittedBytes,
      progress: [...progress.values()].map((each) => each.describe()),
    };
  }

  /** Asserts everything that must hold between two calls. For tests and the simulator, after each of them. */
  checkInvariants(): void {
    checkInvariants(this.#state);
    const newest = this.#inFlight.at(-1);
    assert(
      newest === undefined || newest.number === this.#readyNumber,
      'Readies have their numbers in order',
    );
    assert(
      this.#handedHardState.commit <= this.#state.log.commit,
      'a commit index is not taken back',
    );
  }
}

/** Pre-votes speak of a term that nobody is in yet; only a refusal tells of one that somebody is. */
function raisesTerm(message: Message): boolean {
  if (message.kind === 'pre-vote-request') return false;
  return message.kind !== 'pre-vote-response' || message.reject;
}

/**
 * A message of an earlier term is dropped, but two senders are told of this one. A leader: this replica may have
 * campaigned while it was cut off, and as it ignores the leader now, and stickiness its campaign, only a
 * new election brings it back. One who asks for a pre-vote: it would ask for ever.
 */
function answerStale(state: RaftState, message: Message): void {
  const { id: from, term, outbox } = state;
  const to = message.from;
  if (message.kind === 'append-request' || message.kind === 'heartbeat-request') {
    const refusal = { reject: true, index: 0, hintIndex: 0, hintTerm: 0 };
    outbox.send({ kind: 'append-response', from, to, term, ...refusal });
  } else if (message.kind === 'pre-vote-request') {
    outbox.send({ kind: 'pre-vote-response', from, to, term, reject: true });
  }
}
