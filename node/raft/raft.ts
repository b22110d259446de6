import assert from 'node:assert/strict';
import { advanceCommit } from './commit.ts';
import { isRemovedLeader, reasonToRefuse, stepDown } from './configuration-change.ts';
import { campaign, countVote, hintLeaderUnreachable, tickElection } from './election.ts';
import { ENTRY_OVERHEAD_BYTES, entryBytes } from './entry-window.ts';
import { checkInvariants } from './invariants.ts';
import { answerRead } from './read-index.ts';
import {
  appendAsLeader,
  handleFetched,
  hasCommitToTell,
  hasDueAppends,
  sendDueAppends,
  tellCommit,
} from './replication.ts';
import { becomeFollower } from './roles.ts';
import { RaftState } from './state.ts';
import { step } from './step.ts';
import { askLeader, tickReads } from './step-follower.ts';
import { startReadRound, tickLeader } from './step-leader.ts';
import { startTransfer } from './transfer.ts';
import {
  type Configuration,
  type ConfigurationAt,
  type Entry,
  EntryKind,
  type Fetch,
  type HardState,
  type LogIndex,
  type LogPosition,
  type Message,
  type Proposal,
  type ProposeConfigurationResult,
  type ProposeResult,
  type RaftOptions,
  type RaftStatus,
  type Ready,
  type ReplicaId,
  type Role,
  type Term,
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
    step(this.#state, message);
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
    assert(
      entries.every(({ kind }) => kind !== EntryKind.configuration),
      'configurations go through proposeConfiguration',
    );
    if (state.role !== 'leader') return { kind: 'not-leader', leader: state.leader };
    return this.#append(entries);
  }

  /**
   * Proposes a configuration (Raft §6): one with other learners and the same voters, or a joint one whose
   * `outgoing` are the voters of now; the one that leaves the joint is proposed by whoever leads when that is
   * committed. It counts from now on, so one after the other: refused until the one before is committed.
   */
  proposeConfiguration(data: Uint8Array): ProposeConfigurationResult {
    const state = this.#state;
    if (state.role !== 'leader') return { kind: 'not-leader', leader: state.leader };
    const reason = reasonToRefuse(state, state.options.configurationCodec.read(data));
    if (reason !== undefined) return { kind: 'refused', reason };
    return this.#append([{ kind: EntryKind.configuration, data }]);
  }

  #append(entries: readonly Proposal[]): ProposeResult {
    const state = this.#state;
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    if (!this.#hasRoomFor(bytes)) return { kind: 'busy' };
    const firstIndex = state.log.lastIndex + 1;
    appendAsLeader(state, entries);
    return { kind: 'accepted', firstIndex, term: state.term };
  }

  /** A leader waits for a majority of an entry that was proposed to it. */
  get hasUncommitted(): boolean {
    return this.#state.uncommittedBytes > 0;
  }

  /** Whether a leader would take an entry with so much data now, and is not busy. */
  hasRoomFor(dataBytes: number): boolean {
    return this.#hasRoomFor(dataBytes + ENTRY_OVERHEAD_BYTES);
  }

  #hasRoomFor(bytes: number): boolean {
    const { transfer, uncommittedBytes, options } = this.#state;
    if (transfer !== undefined) return false;
    return uncommittedBytes === 0 || uncommittedBytes + bytes <= options.uncommittedBytesMax;
  }

  /**
   * Hands leadership to another voter. Until that has happened, or an election timeout has passed in vain,
   * proposals are refused as busy. Returns false if this replica does not lead or `to` is no other voter.
   */
  transferLeadership(to: ReplicaId): boolean {
    return startTransfer(this.#state, to);
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
      state.log.configurations.hasNews ||
      state.log.hasCommitted ||
      this.#hasNewTermOrVote ||
      hasDueAppends(state) ||
      isRemovedLeader(state) ||
      (state.hasCommittedInTerm && state.readRounds.hasWaiting) ||
      state.forwardedReads.hasWaiting
    );
  }

  /**
   * A leader's commit index has moved, and there is a follower to whom no entries have taken it along. It costs a
   * message for each, so the host decides whether to wait for entries a little.
   */
  get hasCommitToTell(): boolean {
    return this.#state.role === 'leader' && hasCommitToTell(this.#state);
  }

  /** The next Ready tells the followers what is committed, even if there is nothing else to say. */
  tellCommit(): void {
    tellCommit(this.#state);
  }

  get #hasNewTermOrVote(): boolean {
    const { term, vote } = this.#state;
    return term !== this.#handedHardState.term || vote !== this.#handedHardState.vote;
  }

  /** Takes everything that has come up. What it holds, and in which order it is done: see `Ready`. */
  ready(): Ready {
    const state = this.#state;
    const { log, term, vote } = state;
    const isRemoved = isRemovedLeader(state);
    if (isRemoved) tellCommit(state);
    sendDueAppends(state);
    if (isRemoved) stepDown(state);
    if (state.role === 'leader') startReadRound(state);
    else askLeader(state);
    const entries = log.takeUnpersisted();
    const { entries: committed, fetch } = log.takeCommitted(state.options.committedBytesMax);
    this.#readyNumber += 1;
    this.#inFlight.push({ number: this.#readyNumber, term, vote });
    const drained = state.outbox.drain();
    // Spelled out: V8 copies a spread one property at a time, and this comes for every entry.
    return {
      number: this.#readyNumber,
      hardState: this.#takeHardState(entries.length > 0),
      entries,
      configurations: log.configurations.takeNews(),
      committed,
      fetchCommitted: fetch,
      messages: drained.messages,
      messagesAfterPersist: drained.messagesAfterPersist,
      reads: drained.reads,
      fetches: drained.fetches,
      snapshots: drained.snapshots,
      events: drained.events,
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
      assert(own !== undefined, 'a leader follows itself');
      const isNews = own.match !== state.log.stable;
      own.match = state.log.stable;
      own.next = state.log.lastIndex + 1;
      if (isNews) advanceCommit(state);
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

  /**
   * How the snapshot for a follower (`Ready.snapshots`) has ended. With an index: the follower has installed all
   * up to there, durably. Without: it has failed, and after its next sign of life the follower is asked again.
   * The core sets no time limit; the host must call this for each snapshot that was named, unless this replica
   * has stopped leading in that term or the follower has left the group.
   */
  snapshotFinished(to: ReplicaId, term: Term, index: LogIndex | undefined): void {
    const state = this.#state;
    const progress = state.progress.get(to);
    if (state.role !== 'leader' || term !== state.term || progress?.state !== 'snapshot') return;
    if (index === undefined) {
      progress.snapshotFailed();
      return;
    }
    assert(index <= state.log.commit, 'a snapshot holds what is committed');
    const isNews = progress.accepted(index);
    progress.snapshotSucceeded();
    progress.due = 'news';
    if (isNews) advanceCommit(state);
  }

  /** The snapshot on its way to this follower holds the log up to `index`: what follows is needed after it. */
  pinSnapshot(to: ReplicaId, index: LogIndex): void {
    this.#state.progress.get(to)?.pinSnapshot(index);
  }

  /** Whether a snapshot at this position would bring what this replica does not have in its log. */
  needsSnapshot({ index, term }: LogPosition): boolean {
    const { log } = this.#state;
    return index > log.commit && log.termAt(index) !== term;
  }

  /**
   * The host has installed a snapshot: its state is that after the entry at `position`, durably, and so is a log
   * that is empty after it. `configurations` are those up to there, at least the newest; the next Ready carries
   * them. To be called only while `needsSnapshot(position)`, with no Ready in flight and everything applied that
   * was handed out, and not on a leader.
   */
  restore(position: LogPosition, configurations: readonly ConfigurationAt[]): void {
    const state = this.#state;
    assert(state.role !== 'leader', 'a leader needs no snapshot');
    assert.equal(this.#inFlight.length, 0, 'no Ready is in flight');
    assert((configurations.at(-1)?.index ?? 0) <= position.index, 'configurations of the snapshot');
    state.log.restore(position, configurations);
    // Whoever campaigned did so with another log. And no log is ahead of its replica's term.
    if (state.role !== 'follower' || position.term > state.term) {
      becomeFollower(state, Math.max(state.term, position.term), 0);
    }
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

  /**
   * As `shrinkMemory`, but lets go of what is not applied, too, where it is committed: it is named as
   * `Ready.fetchCommitted` when its turn comes.
   */
  unloadCommitted(bytesMax: number): void {
    this.#state.log.unloadCommitted(bytesMax);
  }

  /** What the entries in memory take, as all limits of the core count it. */
  get memoryBytes(): number {
    return this.#state.log.memoryBytes;
  }

  /**
   * The log now starts after `index`, or after the last applied entry if that is earlier. Followers that still
   * need what is gone get a snapshot.
   */
  compact(index: LogIndex): void {
    this.#state.log.compact(index);
  }

  /**
   * Entries up to here are committed and durable here, and no member that has answered its leader within
   * `releaseTicks`, and no snapshot on its way, is likely to ask for them. That is advice: whoever asks for
   * them nevertheless gets a snapshot.
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
  /** Nothing that is known to be committed waits to be applied. */
  get hasAppliedAll(): boolean {
    return this.#state.log.hasAppliedAll;
  }
  get appliedIndex(): LogIndex {
    return this.#state.log.applied;
  }
  get lastIndex(): LogIndex {
    return this.#state.log.lastIndex;
  }
  /** The newest one in the log, committed or not (Raft §6); nobody at all if there is none. */
  get configuration(): Configuration {
    return this.#state.configuration;
  }
  /** The one in effect at the start of the log and all after it, as far as not compacted away; ascending. */
  get configurations(): readonly ConfigurationAt[] {
    return this.#state.log.configurations.all;
  }
  /** Where the newest configuration is in the log; 0 if there is none. */
  get configurationIndex(): LogIndex {
    return this.#state.log.configurations.newestIndex;
  }
  get isConfigurationCommitted(): boolean {
    return this.#state.isConfigurationCommitted;
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
      configuration,
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
      transferee: this.#state.transfer?.to ?? 0,
      progress: [...progress.values()].map((each) =>
        each.describe(configuration.learners.includes(each.replica)),
      ),
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
