import assert from 'node:assert/strict';
import { Outbox } from './outbox.ts';
import { Progress } from './progress.ts';
import { isVoterOf, membersOf } from './quorum.ts';
import { RaftLog } from './raft-log.ts';
import { ForwardedReads, ReadRounds } from './read-index.ts';
import type { Configuration, LogIndex, RaftOptions, ReplicaId, Role, Term } from './types.ts';

/**
 * Everything a replica knows, shared by the functions of its roles and seen by nobody else. `term`, `vote`,
 * `role` and `leader` change in roles.ts only (and `vote` when a vote is granted, in election.ts).
 */
export class RaftState {
  readonly id: ReplicaId;
  readonly options: RaftOptions;
  readonly log: RaftLog;
  readonly outbox = new Outbox();

  term: Term;
  /** Who got this replica's vote in `term`; 0: nobody yet. */
  vote: ReplicaId;
  role: Role = 'follower';
  /** The leader of `term` as far as known; 0: unknown. */
  leader: ReplicaId = 0;

  /** Since the last sign of the leader, the last vote granted or, on a leader, the last check of its quorum. */
  electionElapsedTicks = 0;
  /** Redrawn at every change of role or term, so that two candidates do not collide for ever (Raft §5.2). */
  electionDeadlineTicks = 0;
  /** The connection to the leader is closed: its silence is no longer trusted to be short. */
  leaderUnreachable = false;

  /** Candidates: the answers so far. */
  readonly votes = new Map<ReplicaId, boolean>();

  /** Leaders: one for each member, and for the leader itself, which may be none any more. */
  readonly progress = new Map<ReplicaId, Progress>();
  heartbeatElapsedTicks = 0;
  /** Leaders: the index of the empty entry that opened the term, and the size of what follows uncommitted. */
  termFirstIndex: LogIndex = 0;
  uncommittedBytes = 0;
  readonly readRounds = new ReadRounds();
  /** Leaders: who is to be the next, for how long that has been tried, and with which log it was told so. */
  transfer: { readonly to: ReplicaId; elapsedTicks: number; toldAt: LogIndex } | undefined;

  readonly forwardedReads: ForwardedReads;
  /** The highest releasedIndex that a leader has told or this replica has computed as one. */
  releasedIndex: LogIndex = 0;

  constructor(options: RaftOptions) {
    assertOptions(options);
    this.id = options.replicaId;
    this.options = options;
    this.term = options.hardState.term;
    this.vote = options.hardState.vote;
    this.log = new RaftLog({ ...options, commit: options.hardState.commit });
    this.forwardedReads = new ForwardedReads(options.randomBelow(2 ** 30) * 2 ** 20);
    assert(this.term >= this.log.lastTerm, 'a term is durable before entries of it');
  }

  /** A leader of this term exists and has spoken recently (Raft §4.2.3 of the dissertation). */
  get hearsLeader(): boolean {
    if (this.role === 'leader') return true;
    return (
      this.leader !== 0 &&
      !this.leaderUnreachable &&
      this.electionElapsedTicks < this.options.electionTicks
    );
  }

  /** The newest of the log, committed or not (Raft §6). */
  get configuration(): Configuration {
    return this.log.configurations.newest;
  }

  get isConfigurationCommitted(): boolean {
    return this.log.configurations.newestIndex <= this.log.commit;
  }

  get isVoter(): boolean {
    return isVoterOf(this.configuration, this.id);
  }

  /**
   * A voter that the newest configuration leaves out may still be needed until that is committed: others may lack
   * it, and then they cannot do without this replica's vote, which they do not get, as its log is longer than
   * theirs (dissertation §4.2.2).
   */
  get mayCampaign(): boolean {
    if (this.isVoter) return true;
    return !this.isConfigurationCommitted && isVoterOf(this.log.configurations.previous, this.id);
  }

  /** An entry of this leader's own term is committed, so its commit index is up to date (§6.4 there). */
  get hasCommittedInTerm(): boolean {
    return this.role === 'leader' && this.log.commit >= this.termFirstIndex;
  }

  /**
   * Up to here the log of every member that answers, learners included, holds the leader's entries durably, and
   * so does every snapshot on its way. A member that has been silent for long is not waited for: a snapshot
   * brings it back. So this is advice about what is likely to be asked for, and no promise.
   */
  updateReleasedIndex(): LogIndex {
    if (this.role !== 'leader') return this.releasedIndex;
    const { log, options } = this;
    let index = log.stable;
    for (const progress of this.progress.values()) {
      if (progress.replica === this.id) continue;
      index = Math.min(index, progress.neededAfter(options.releaseTicks, log.applied));
    }
    this.releasedIndex = Math.max(this.releasedIndex, index);
    return this.releasedIndex;
  }

  /** Leaders: follows the members of the newest configuration. Newcomers are first sent what is at `next`. */
  followMembers(next: LogIndex): void {
    const members = new Set([...membersOf(this.configuration), this.id]);
    for (const replica of this.progress.keys()) {
      if (!members.has(replica)) this.progress.delete(replica);
    }
    for (const replica of members) {
      if (!this.progress.has(replica)) this.progress.set(replica, new Progress(replica, next));
    }
  }
}

function assertOptions(options: RaftOptions): void {
  const { replicaId, heartbeatTicks, electionTicks } = options;
  assert(Number.isSafeInteger(replicaId) && replicaId > 0, 'a replica id is a positive integer');
  assert(heartbeatTicks >= 1 && electionTicks > heartbeatTicks, 'an election waits for heartbeats');
  for (const limit of [
    options.appendBytesMax,
    options.inflightBytesMax,
    options.uncommittedBytesMax,
    options.committedBytesMax,
    options.releaseTicks,
  ]) {
    assert(limit > 0, 'limits are positive');
  }
}
