import assert from 'node:assert/strict';
import type { Stages } from '../../broker/stages.ts';
import type { kv } from '../../protos/index.ts';
import { Raft } from '../raft/raft.ts';
import type { Entry, RaftEvent, RaftOptions, ReadState, ReplicaId } from '../raft/types.ts';
import type { ConditionalResult } from './condition.ts';
import {
  decodeMembers,
  encodeStored,
  type GroupMembers,
  isGone,
  NO_MEMBERS,
  type Place,
  placesOf,
  storedFromProto,
} from './configuration.ts';
import type { ForwardedBatch } from './entry.ts';
import { stateOf } from './group-state.ts';
import { ProposalQueue, type ProposedLog, type WaitingBatch } from './proposal-queue.ts';
import type { AppliedSection, StateMachine } from './state-machine.ts';
import { baseVersion } from './version.ts';
import { WatchFeed } from './watch-feed.ts';

/** What became of a batch that was handed to a replica. Node ids name where to try instead. */
export type ForwardOutcome =
  | {
      readonly kind: 'committed';
      /** 0: it was in already, and what it came to is not known any more. */
      readonly baseVersion: number;
      /** Of its conditional writes, if it has any. */
      readonly results?: readonly ConditionalResult[];
    }
  | { readonly kind: 'not-leader'; readonly leader: string | undefined }
  | { readonly kind: 'out-of-order'; readonly expectedNumber: number }
  | { readonly kind: 'busy' }
  | { readonly kind: 'bad-batch' };

export interface ReplicaIdentity {
  readonly group: number;
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly replicaId: ReplicaId;
}

/**
 * `installing`: a snapshot is being received, and nothing is applied meanwhile. `held`: nothing reaches the replica,
 * which is about to be changed from outside its log. `gone`: it was removed or cannot be trusted, and stays so.
 */
export type ReplicaPhase = 'running' | 'installing' | 'held' | 'gone';

const SEEN: ForwardOutcome = { kind: 'committed', baseVersion: 0 };

interface Waiter {
  readonly startCounter: number;
  readonly number: number;
  readonly done: (outcome: ForwardOutcome) => void;
}

/** A configuration's data, read. */
interface KnownMembers {
  readonly data: Uint8Array | undefined;
  readonly members: GroupMembers;
  readonly nodes: ReadonlyMap<ReplicaId, string>;
}

/** Somebody who proposed an entry of the shard's own. */
interface RecordWaiter {
  readonly term: number;
  readonly resolve: (outcome: RecordOutcome) => void;
}

/** `applied`: and whether it changed anything; `unknown`: it may have been, or still be. */
export type RecordOutcome = { readonly kind: 'applied' | 'ineffective' | 'unknown' | 'not-leader' };

interface AppliedWaiter {
  readonly index: number;
  readonly deadlineMs: number;
  readonly resolve: (isApplied: boolean) => void;
}

interface PendingRead {
  readonly deadlineMs: number;
  readonly resolve: (index: number | undefined) => void;
}

/** One replica of one group: its Raft core, its state machine, and those who wait for either. */
export class Replica {
  readonly identity: ReplicaIdentity;
  readonly raft: Raft;
  readonly state: StateMachine;
  readonly feed = new WatchFeed();
  /** Committed entries that wait for their turn to be applied. */
  readonly applyQueue: Entry[] = [];
  /** Readies whose round is not synced yet. */
  roundsPending = 0;
  /** Of the newest snapshot that was installed here; 0: none. */
  snapshotIndex: number;
  /** A suspect in whose place it is, as long as the group may not have agreed to that; 0: none. */
  displaces: ReplicaId;
  /** That this replica has begun. */
  elections = 0;
  /** Set when an entry cannot be understood: the group stops here until the node is upgraded. */
  halted: string | undefined;
  /** It halted because a table that an entry depends on is damaged. */
  isHaltedByDamage = false;
  /** Replicas that the newest configuration here does not know yet, by those of their messages that came in. */
  readonly strangers = new Map<ReplicaId, string>();
  #phase: ReplicaPhase = 'running';
  #newest: KnownMembers = { data: undefined, members: NO_MEMBERS, nodes: new Map() };
  readonly #nowMs: () => number;
  readonly #monotonicMs: () => number;
  readonly #stages: Stages | undefined;
  /** As leader: the streams and the highest version of the whole log, committed or not. */
  #proposed: ProposedLog | undefined;
  readonly #queue = new ProposalQueue();
  readonly #waiters = new Map<string, Waiter[]>();
  /** By the index of the entry. */
  readonly #recordWaiters = new Map<number, RecordWaiter>();
  #nextReads: PendingRead[] = [];
  readonly #reads = new Map<number, PendingRead[]>();
  #readToken = 0;
  #appliedWaiters: AppliedWaiter[] = [];

  constructor(options: {
    readonly identity: ReplicaIdentity;
    readonly raft: RaftOptions;
    readonly state: StateMachine;
    readonly snapshotIndex: number;
    readonly displaces: ReplicaId;
    readonly nowMs: () => number;
    readonly monotonicMs: () => number;
    readonly stages?: Stages | undefined;
  }) {
    this.identity = options.identity;
    this.raft = new Raft(options.raft);
    this.state = options.state;
    this.snapshotIndex = options.snapshotIndex;
    this.displaces = options.displaces;
    this.#nowMs = options.nowMs;
    this.#monotonicMs = options.monotonicMs;
    this.#stages = options.stages;
  }

  get phase(): ReplicaPhase {
    return this.#phase;
  }

  /** Nothing brings back one that is gone. */
  enter(phase: ReplicaPhase): void {
    if (this.#phase !== 'gone') this.#phase = phase;
  }

  /** Whether messages and ticks reach its core. */
  get isReachable(): boolean {
    return this.halted === undefined && (this.#phase === 'running' || this.#phase === 'installing');
  }

  /** By the newest configuration in the log, committed or not (Raft §6). */
  get members(): GroupMembers {
    return this.#who().members;
  }

  /** Whether this id never counts again. A configuration that is not committed does not say: it may be cut off. */
  isGone(replicaId: ReplicaId): boolean {
    const { configurations, commitIndex } = this.raft;
    const committed = configurations.findLast(({ index }) => index <= commitIndex);
    return committed !== undefined && isGone(decodeMembers(committed.data), replicaId);
  }

  nodeOf(replicaId: ReplicaId): string | undefined {
    return this.#who().nodes.get(replicaId) ?? this.strangers.get(replicaId);
  }

  get leaderNode(): string | undefined {
    return this.nodeOf(this.raft.leader);
  }

  /** Whether it may answer for its group: it has content, and nothing stands in the way. */
  get isServing(): boolean {
    const hasContent = this.state.appliedIndex > 0;
    return this.halted === undefined && this.phase === 'running' && hasContent;
  }

  get mayApply(): boolean {
    return this.halted === undefined && this.phase === 'running';
  }

  /** What the node keeps of the group beside its log. `suspect`: why this replica cannot be trusted any more. */
  storedConfiguration(suspect?: string): Uint8Array {
    const { firstSlot, slotCount } = this.identity;
    const { configurations } = this.raft;
    const { displaces } = this;
    const shard = { firstSlot, slotCount };
    return encodeStored({ ...shard, configurations, removed: false, suspect, displaces });
  }

  /** Everything that is known to be committed is applied, and nothing waits for a sync. */
  get isIdle(): boolean {
    return this.roundsPending === 0 && this.raft.hasAppliedAll;
  }

  /**
   * Takes a batch that is to be proposed with the next `proposeQueued`. `done` is called once, when the batch is
   * applied here, or when this replica can no longer say.
   */
  propose(batch: ForwardedBatch, done: (outcome: ForwardOutcome) => void): void {
    if (this.#leading() === undefined) done({ kind: 'not-leader', leader: this.leaderNode });
    else this.#queue.add({ batch, done });
  }

  get hasQueued(): boolean {
    return !this.#queue.isEmpty;
  }

  /** What is queued waits for the entry before to be committed, unless it is long. */
  get mayPropose(): boolean {
    return this.#queue.isLong || !this.raft.hasUncommitted;
  }

  proposeQueued(): void {
    const proposed = this.#leading();
    if (proposed === undefined) {
      this.#queue.refuse({ kind: 'not-leader', leader: this.leaderNode });
    } else {
      this.#queue.propose(this.raft, proposed, this.#nowMs(), (waiting) => this.#await(waiting));
    }
  }

  /** What a leader's next entry would be numbered with; undefined: this replica cannot propose now. */
  nextVersion(): number | undefined {
    const proposed = this.#leading();
    return proposed && baseVersion(this.#nowMs(), proposed.highestVersion);
  }

  /**
   * Proposes an entry that is not a batch: rules, a watermark, settings. Its record carries one version, which
   * is the shard's highest then.
   */
  proposeRecord(kind: number, record: (version: number) => Uint8Array): Promise<RecordOutcome> {
    const version = this.nextVersion();
    if (version === undefined) return Promise.resolve({ kind: 'not-leader' });
    const result = this.raft.propose([{ kind, data: record(version) }]);
    if (result.kind !== 'accepted') return Promise.resolve({ kind: 'not-leader' });
    if (this.#proposed !== undefined) this.#proposed.highestVersion = version;
    return new Promise((resolve) =>
      this.#recordWaiters.set(result.firstIndex, { term: result.term, resolve }),
    );
  }

  /** The index that must be applied before a read is linearizable; `undefined`: could not be confirmed. */
  readIndex(timeoutMs: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      this.#nextReads.push({ deadlineMs: this.#monotonicMs() + timeoutMs, resolve });
    });
  }

  /** Reads that came in during one turn share one confirmation. */
  issueReads(): boolean {
    if (this.#nextReads.length === 0) return false;
    this.#readToken += 1;
    this.#reads.set(this.#readToken, this.#nextReads);
    this.#nextReads = [];
    this.raft.readIndex(this.#readToken);
    return true;
  }

  finishReads(states: readonly ReadState[]): void {
    for (const { token, index } of states) {
      const reads = this.#reads.get(token);
      this.#reads.delete(token);
      for (const read of reads ?? []) read.resolve(index);
    }
  }

  expireReads(nowMs: number): void {
    for (const [token, reads] of this.#reads) {
      if ((reads[0] as PendingRead).deadlineMs > nowMs) continue;
      this.#reads.delete(token);
      for (const read of reads) read.resolve(undefined);
    }
    this.#settleAppliedWaiters((waiter) => waiter.deadlineMs <= nowMs);
  }

  /** Whether the entry at `index` is applied within this time; not if the replica is closed before. */
  whenApplied(index: number, timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (this.state.appliedIndex >= index) return Promise.resolve(true);
    const deadlineMs = this.#monotonicMs() + timeoutMs;
    return new Promise((resolve) => this.#appliedWaiters.push({ index, deadlineMs, resolve }));
  }

  /** What must be read before `apply`; to be asked again after it, until there is nothing. */
  prepare(entry: Entry): Promise<void> | undefined {
    return this.state.prepare(entry, this.feed);
  }

  /** Applies one entry and tells those who wait for it. Returns a sentence if it could not be understood. */
  apply(entry: Entry): string | undefined {
    assert(entry.index === this.state.appliedIndex + 1, 'entries are applied in order');
    const { retention, settings } = this.state;
    const outcome = this.state.apply(entry, this.feed);
    if (outcome.kind === 'halted') {
      this.halted = `entry ${entry.term}/${entry.index} cannot be applied: ${outcome.reason}`;
      this.isHaltedByDamage = outcome.isDamage;
      this.close();
      return this.halted;
    }
    this.#tellWatches(entry.index);
    if (outcome.kind === 'applied') {
      for (const section of outcome.sections) this.#acknowledge(section);
    }
    const hasEffect = retention !== this.state.retention || settings !== this.state.settings;
    this.#settleRecord(entry, hasEffect);
    this.#settleAppliedWaiters(() => false);
    return outcome.kind === 'skipped'
      ? `entry ${entry.term}/${entry.index} was skipped: ${outcome.reason}`
      : undefined;
  }

  #tellWatches(index: number): void {
    const told = this.feed.changesToTell;
    if (told === 0) return;
    const outer = this.#stages?.enter('values');
    this.feed.entryApplied(index);
    this.#stages?.leave(outer);
    this.#stages?.count('values', told);
  }

  onRaftEvents(events: readonly RaftEvent[]): void {
    for (const event of events) {
      if (event.kind !== 'role-changed') continue;
      if (event.role === 'candidate') this.elections += 1;
      if (event.role !== 'leader') this.#stopLeading();
    }
  }

  /** Another voter that has all that is committed is asked to lead. Returns whether there is one. */
  handOver(): boolean {
    if (this.raft.role !== 'leader') return false;
    const { voters } = this.members;
    const { progress, commitIndex } = this.raft.status();
    const candidates = progress
      .filter(({ replica, match }) => this.#isOther(voters, replica) && match >= commitIndex)
      .sort((a, b) => Number(b.active) - Number(a.active) || b.match - a.match);
    const [best] = candidates;
    return best !== undefined && this.raft.transferLeadership(best.replica);
  }

  #isOther(voters: readonly Place[], replicaId: ReplicaId): boolean {
    return (
      replicaId !== this.identity.replicaId && voters.some((each) => each.replicaId === replicaId)
    );
  }

  /** A snapshot is about to come in: until it is installed, or given up, nothing is applied and nobody served. */
  startInstalling(): void {
    assert(this.isIdle, 'what is committed is applied');
    this.enter('installing');
    this.close();
  }

  /** The tables hold another state than the log led to: that of a snapshot. */
  restore(position: kv.GroupPosition.$Properties): void {
    const state = stateOf(position);
    const { configurations } = storedFromProto(position.configuration ?? {});
    this.state.restore(state);
    this.snapshotIndex = state.appliedIndex;
    this.raft.restore({ index: state.appliedIndex, term: state.appliedTerm }, configurations);
  }

  /** Nobody waits for it any more: it has halted or is gone, or the node stops. */
  close(): void {
    this.#stopLeading();
    this.feed.closeAll();
    for (const reads of [...this.#reads.values(), this.#nextReads]) {
      for (const read of reads) read.resolve(undefined);
    }
    this.#reads.clear();
    this.#nextReads = [];
    this.#settleAppliedWaiters(() => true);
  }

  /**
   * A new leader knows the streams and versions of its log only once it has applied the entry that began its
   * term: everything before it is applied then, and nothing was proposed after it.
   */
  #leading(): ProposedLog | undefined {
    if (this.raft.role !== 'leader' || this.halted !== undefined) return undefined;
    if (this.#proposed?.term === this.raft.term) return this.#proposed;
    if (this.raft.termAt(this.state.appliedIndex) !== this.raft.term) return undefined;
    this.#proposed = {
      term: this.raft.term,
      streams: this.state.streams.copy(),
      highestVersion: this.state.highestVersion,
    };
    return this.#proposed;
  }

  #stopLeading(): void {
    this.#proposed = undefined;
    const leader = this.leaderNode;
    const waiters = [...this.#waiters.values()].flat();
    const records = [...this.#recordWaiters.values()];
    this.#waiters.clear();
    this.#recordWaiters.clear();
    this.#queue.refuse({ kind: 'not-leader', leader });
    for (const { resolve } of records) resolve({ kind: 'unknown' });
    for (const waiter of waiters) waiter.done({ kind: 'not-leader', leader });
  }

  #await({ batch, done }: WaitingBatch): void {
    const verdict = this.state.streams.judge(batch.node, batch.startCounter, batch.number);
    if (verdict.kind === 'seen') return done(SEEN);
    const waiters = this.#waiters.get(batch.node) ?? [];
    waiters.push({ startCounter: batch.startCounter, number: batch.number, done });
    this.#waiters.set(batch.node, waiters);
  }

  #settleRecord(entry: Entry, hasEffect: boolean): void {
    const waiter = this.#recordWaiters.get(entry.index);
    if (waiter === undefined) return;
    this.#recordWaiters.delete(entry.index);
    if (waiter.term !== entry.term) waiter.resolve({ kind: 'unknown' });
    else waiter.resolve({ kind: hasEffect ? 'applied' : 'ineffective' });
  }

  #acknowledge({ section, results }: AppliedSection): void {
    const { node, startCounter, number, baseVersion: base } = section;
    const waiters = this.#waiters.get(node);
    if (waiters === undefined) return;
    // A section that came too early in its stream was skipped: nothing of it is stored.
    if (this.state.streams.judge(node, startCounter, number).kind !== 'seen') return;
    const rest: Waiter[] = [];
    for (const waiter of waiters) {
      if (waiter.startCounter !== startCounter || waiter.number > number) rest.push(waiter);
      else if (waiter.number < number || results === undefined) waiter.done(SEEN);
      else waiter.done({ kind: 'committed', baseVersion: base, results });
    }
    if (rest.length === 0) this.#waiters.delete(node);
    else this.#waiters.set(node, rest);
  }

  #who(): KnownMembers {
    const data = this.raft.configurations.at(-1)?.data;
    if (data !== this.#newest.data) {
      const members = data === undefined ? NO_MEMBERS : decodeMembers(data);
      const nodes = new Map(placesOf(members).map(({ replicaId, node }) => [replicaId, node]));
      this.#newest = { data, members, nodes };
    }
    return this.#newest;
  }

  /** Tells those who wait for an entry that is applied by now, and those who are to wait no longer. */
  #settleAppliedWaiters(givesUp: (waiter: AppliedWaiter) => boolean): void {
    if (this.#appliedWaiters.length === 0) return;
    const waiting = this.#appliedWaiters;
    this.#appliedWaiters = [];
    for (const waiter of waiting) {
      const isApplied = waiter.index <= this.state.appliedIndex;
      if (isApplied || givesUp(waiter)) waiter.resolve(isApplied);
      else this.#appliedWaiters.push(waiter);
    }
  }
}
