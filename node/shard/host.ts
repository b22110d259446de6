import { isCorruption } from '../../lsm/corruption.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { Env } from '../env.ts';
import {
  type Entry,
  EntryKind,
  type Message,
  type RaftEvent,
  type Ready,
  type ReplicaId,
  type Term,
} from '../raft/types.ts';
import { Applying } from './applying.ts';
import { decodeMembers, isGone, placesOf } from './configuration.ts';
import type { LocalGroups } from './local-groups.ts';
import { LoggedEntries } from './logged-entries.ts';
import { type GroupMessage, OutgoingMessages } from './outgoing-messages.ts';
import type { Replica } from './replica.ts';
import { RoundWait } from './round-wait.ts';
import { Standstill } from './standstill.ts';

export interface ShardHostOptions {
  readonly env: Env;
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly groups: LocalGroups;
  /** How long a round of the log may wait for more writes; 0: never. */
  readonly roundsMaxWaitMs: number;
  /** Hands one turn's messages for one node to the transport, which may lose them. */
  readonly send: (node: string, messages: readonly GroupMessage[]) => void;
  /** What a group's core reports; called within a turn. */
  readonly onRaftEvent: (replica: Replica, event: RaftEvent) => void;
  /** A leader or a candidate asks a replica that this node does not have: makes it, if it was just added. */
  readonly onUnknown: (node: string, group: number, replicaId: ReplicaId) => Replica | undefined;
  /** A leader would append to a replica that takes over a snapshot, which does not hear of it. */
  readonly onAppendWhileInstalling: (replica: Replica, term: Term) => void;
  /** A follower needs what is no longer in the log. */
  readonly onSnapshotNeeded: (replica: Replica, to: ReplicaId, term: Term) => void;
  /** The group has applied that this replica is not one of it any more. */
  readonly onRemoved: (replica: Replica) => void;
  /** The group's configuration is another one, for good. */
  readonly onConfigured: (replica: Replica) => void;
  /** A checksum entry has just been applied, and nothing after it. */
  readonly onChecksum: (replica: Replica, entry: Entry) => void;
  /** It applies nothing more here. */
  readonly onHalted: (replica: Replica) => void;
  /** The log or the engine has failed: nothing more may count, the node must restart. */
  readonly onFatal: (error: Error) => void;
}

/**
 * Drives all Raft groups of a node over its one log. One turn reads all input, steps it, gives each group at
 * most one tick, and then does what `#drain` says.
 */
export class ShardHost {
  readonly #options: ShardHostOptions;
  readonly #groups: LocalGroups;
  readonly #dirty = new Set<Replica>();
  #inbox: { readonly node: string; readonly messages: readonly GroupMessage[] }[] = [];
  readonly #outgoing = new OutgoingMessages();
  /** What counts, and who is told, when the next round is durable. */
  #gathering: Gathered[] = [];
  #persisting: (() => void)[] = [];
  readonly #roundWait: RoundWait;
  /** Batches wait for what the log is at. */
  readonly #queued = new Set<Replica>();
  /** Leaders that have committed and not told it, in the round before the one in flight and since then. */
  #commitsDue = new Set<Replica>();
  #commitsNew = new Set<Replica>();
  #roundInFlight = false;
  readonly #standstill = new Standstill();
  readonly #applying: Applying;
  readonly #logged: LoggedEntries;
  #turnScheduled = false;
  #tickDue = false;
  #running = false;
  #stopped = false;

  constructor(options: ShardHostOptions) {
    this.#options = options;
    this.#groups = options.groups;
    this.#roundWait = new RoundWait({
      timers: options.env.timers,
      maxWaitMs: options.roundsMaxWaitMs,
      stagedBytes: () => options.log.stagedBytes,
      onOver: () => this.#schedule(),
    });
    this.#applying = new Applying({
      engine: options.engine,
      stages: options.env.stages,
      onEntry: (replica, entry, complaint) => {
        this.#report(replica, complaint);
        this.#note(replica, entry);
      },
      onApplied: (replica) => this.touch(replica),
      onFailed: (error) => this.#fail(error),
    });
    this.#logged = new LoggedEntries({
      log: options.log,
      applying: this.#applying,
      isStopped: () => this.#stopped,
      onFetched: (replica) => this.touch(replica),
      onFailed: (error) => void this.#unreadable(error),
    });
  }

  /** Until this is called the node neither votes, acknowledges nor serves (DESIGN §5 ▣, Identity). */
  start(): void {
    this.#running = true;
    for (const replica of this.#groups.replicas()) this.#dirty.add(replica);
    this.#schedule();
  }

  /** The local replica, if it may serve. */
  replica(group: number): Replica | undefined {
    if (!this.#running || this.#stopped) return undefined;
    const replica = this.#groups.get(group);
    return replica?.isServing ? replica : undefined;
  }

  replicas(): IterableIterator<Replica> {
    return this.#groups.replicas();
  }

  receive(node: string, messages: readonly GroupMessage[]): void {
    if (!this.#running || this.#stopped) return;
    this.#inbox.push({ node, messages });
    this.#schedule();
  }

  tick(): void {
    if (!this.#running || this.#stopped) return;
    this.#tickDue = true;
    this.#schedule();
  }

  /** Something was proposed to, or asked of, this replica: look at it in the coming turn. */
  touch(replica: Replica): void {
    this.#dirty.add(replica);
    this.#schedule();
  }

  /** A node's connections closed: followers of its leaders need not wait for a timeout. */
  nodeUnreachable(node: string): void {
    if (!this.#running || this.#stopped) return;
    for (const replica of this.#groups.replicas()) {
      for (const place of placesOf(replica.members)) {
        if (place.node !== node || place.replicaId === replica.identity.replicaId) continue;
        replica.raft.peerUnreachable(place.replicaId);
        this.#dirty.add(replica);
      }
    }
    this.#schedule();
  }

  /** Nothing more is stepped, synced, applied or acknowledged. */
  stop(): void {
    this.#stopped = true;
    this.#roundWait.end();
    this.#applying.stop();
    for (const replica of this.#groups.replicas()) replica.close();
  }

  #schedule(): void {
    if (this.#turnScheduled || this.#stopped) return;
    this.#turnScheduled = true;
    this.#options.env.yield(() => {
      this.#turnScheduled = false;
      const outer = this.#options.env.stages?.enter('replicate');
      if (!this.#stopped) this.#turn();
      this.#options.env.stages?.leave(outer);
    });
  }

  #turn(): void {
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const { node, messages } of inbox) {
      for (const { group, message } of messages) this.#step(node, group, message);
    }
    if (this.#tickDue) this.#tickAll();
    this.#drain();
  }

  /**
   * A message counts only to the replica that is here, and from one that is in its group, or that the group may have
   * been given since (DESIGN §5 ▣): never from one that is gone.
   */
  #step(node: string, group: number, message: Message): void {
    const replica = this.#addressee(node, group, message);
    if (replica === undefined || !replica.isReachable) return;
    const sender = replica.nodeOf(message.from);
    if (sender === undefined) {
      // A leader that is being removed leads until the configuration without it is committed (Raft §6).
      const leads = message.from === replica.raft.leader && message.term === replica.raft.term;
      if (replica.isGone(message.from) && !leads) return;
      replica.strangers.set(message.from, node);
    } else if (sender !== node) {
      return;
    }
    this.#dirty.add(replica);
    if (replica.phase !== 'installing') replica.raft.step(message);
    else if (message.kind === 'append-request')
      this.#options.onAppendWhileInstalling(replica, message.term);
    else replica.raft.step(whileInstalling(message));
  }

  #addressee(node: string, group: number, message: Message): Replica | undefined {
    const replica = this.#groups.get(group);
    if (replica?.identity.replicaId === message.to) return replica;
    return isRequest(message) ? this.#options.onUnknown(node, group, message.to) : undefined;
  }

  #tickAll(): void {
    this.#tickDue = false;
    const nowMs = this.#options.env.clock.monotonicMs();
    for (const replica of this.#groups.replicas()) {
      if (!replica.isReachable) continue;
      replica.raft.tick();
      replica.expireReads(nowMs);
      const isStuck = this.#standstill.isFoundAt(replica, nowMs);
      if (isStuck && replica.raft.role === 'leader') replica.handOver();
      this.#dirty.add(replica);
    }
  }

  /**
   * The durability rule (DESIGN §5 ▣): persist, then send, then apply, then acknowledge.
   *
   * - `messages` promise nothing and leave at once: the leader sends while it syncs (Raft §10.2.1).
   * - Hard state and entries join the log's next round. What promises them (votes, append acknowledgements)
   *   leaves when that round is synced, and only then the core counts this replica itself (`persisted`).
   * - `committed` holds only what this replica has itself synced. It is applied, and applying acknowledges.
   */
  #drain(): void {
    for (const replica of this.#dirty) {
      if (replica.phase === 'held') continue;
      this.#dirty.delete(replica);
      if (replica.phase === 'gone') continue;
      this.#propose(replica);
      replica.issueReads();
      while (replica.raft.hasReady()) this.#take(replica, replica.raft.ready());
      if (replica.raft.hasCommitToTell) this.#commitsNew.add(replica);
      if (replica.applyQueue.length > 0) this.#applying.add(replica);
    }
    if (!this.#roundInFlight && !this.#wantsRound) this.#tellCommits();
    this.#outgoing.flush(this.#options.send);
    if (!this.#roundInFlight && this.#isRoundDue()) void this.#syncRound();
    void this.#applying.run();
  }

  /**
   * While a round is being synced nothing that is proposed could be synced here, and while a group's last entry is
   * not committed the next one would only be its smaller neighbour: what is queued waits, and goes into one entry
   * with what comes meanwhile. On an idle node nothing waits.
   */
  #propose(replica: Replica): void {
    if (!replica.hasQueued) return;
    if (!replica.mayPropose || this.#roundInFlight) {
      this.#queued.add(replica);
      return;
    }
    const { stages } = this.#options.env;
    const outer = stages?.enter('propose');
    replica.proposeQueued();
    stages?.leave(outer);
  }

  /**
   * The followers learn what is committed with the next entries. Where none follow soon they are told so: on an idle
   * node at once, else when a whole round has gone by.
   */
  #tellCommits(): void {
    for (const replicas of [this.#commitsDue, this.#commitsNew]) {
      for (const replica of replicas) this.#tellCommit(replica);
      replicas.clear();
    }
  }

  #tellCommit(replica: Replica): void {
    if (replica.phase === 'held' || replica.phase === 'gone' || !replica.raft.hasCommitToTell)
      return;
    replica.raft.tellCommit();
    while (replica.raft.hasReady()) this.#take(replica, replica.raft.ready());
  }

  #take(replica: Replica, ready: Ready): void {
    replica.onRaftEvents(ready.events);
    for (const event of ready.events) this.#options.onRaftEvent(replica, event);
    this.#outgoing.post(replica, ready.messages);
    const needsRound = ready.hardState !== undefined || ready.entries.length > 0;
    if (ready.configurations !== undefined) {
      const { log } = this.#options;
      log.setConfiguration(replica.identity.group, replica.storedConfiguration());
    }
    if (needsRound) {
      this.#options.log.stage(replica.identity.group, ready.hardState, ready.entries);
    }
    if (needsRound || replica.roundsPending > 0) {
      replica.roundsPending += 1;
      this.#gathering.push({ replica, ready });
      this.#roundWait.begin();
    } else {
      this.#persisted(replica, ready);
    }
    for (const entry of ready.committed) replica.applyQueue.push(entry);
    if (ready.fetchCommitted !== undefined) void this.#logged.apply(replica, ready.fetchCommitted);
    for (const fetch of ready.fetches) void this.#logged.fetch(replica, fetch);
    for (const { to, term } of ready.snapshots) this.#options.onSnapshotNeeded(replica, to, term);
    replica.finishReads(ready.reads);
  }

  #persisted(replica: Replica, ready: Ready): void {
    if (replica.phase !== 'gone') this.#outgoing.post(replica, ready.messagesAfterPersist);
    replica.raft.persisted(ready.number);
    this.#dirty.add(replica);
  }

  /** Resolves when all that is staged in the log is durable. */
  persist(): Promise<void> {
    return new Promise((resolve) => {
      this.#persisting.push(resolve);
      this.#roundWait.hurry();
      this.#schedule();
    });
  }

  /** Resolves when nothing of a replica is being synced or applied, now that nothing new reaches it. */
  async whenIdle(replica: Replica): Promise<void> {
    while (replica.roundsPending > 0 && !this.#stopped) await this.persist();
    await this.#applying.whenIdle(replica);
  }

  /** What only keeps its order behind an earlier round has nothing to write, and so nothing to wait for. */
  #isRoundDue(): boolean {
    if (!this.#wantsRound) return false;
    return this.#roundWait.isOver || !this.#options.log.hasStaged;
  }

  /**
   * One round after the other; while one is being synced the next gathers. What it promises leaves when it is
   * synced; the next begins with the turn after that, so that it has what has come in by then.
   */
  async #syncRound(): Promise<void> {
    this.#roundInFlight = true;
    try {
      const round = this.#gathering;
      const waiting = this.#persisting;
      this.#gathering = [];
      this.#persisting = [];
      this.#roundWait.end();
      if (this.#options.log.hasStaged) await this.#commitRound();
      if (this.#stopped) return;
      const outer = this.#options.env.stages?.enter('commit');
      for (const { replica, ready } of round) {
        replica.roundsPending -= 1;
        this.#persisted(replica, ready);
      }
      for (const isDurable of waiting) isDurable();
      this.#drain();
      this.#options.env.stages?.leave(outer);
    } catch (error) {
      // A failed write or fsync is never retried: what reached the disk is unknown.
      this.#fail(error);
    } finally {
      this.#roundInFlight = false;
    }
    this.#roundEnded();
  }

  async #commitRound(): Promise<void> {
    const { log, env } = this.#options;
    const { stages, clock } = env;
    const outer = stages?.enter('append');
    const synced = log.commitRound();
    stages?.leave(outer);
    const startedMs = clock.monotonicMs();
    this.#standstill.roundBegins(startedMs);
    await synced;
    this.#standstill.roundEnds();
    stages?.add('sync', clock.monotonicMs() - startedMs);
  }

  get #wantsRound(): boolean {
    return this.#gathering.length + this.#persisting.length > 0;
  }

  #roundEnded(): void {
    const due = this.#commitsDue;
    this.#commitsDue = this.#commitsNew;
    this.#commitsNew = new Set();
    for (const replica of due) this.#tellCommit(replica);
    for (const replica of this.#queued) this.#dirty.add(replica);
    this.#queued.clear();
    this.#schedule();
  }

  #note(replica: Replica, entry: Entry): void {
    if (replica.halted !== undefined) return;
    if (entry.kind === EntryKind.checksum) this.#options.onChecksum(replica, entry);
    if (entry.kind !== EntryKind.configuration) return;
    // Its id was given before that configuration, which does not name it: so it was removed.
    const isRemoved = isGone(decodeMembers(entry.data), replica.identity.replicaId);
    if (isRemoved) this.#options.onRemoved(replica);
    else this.#options.onConfigured(replica);
  }

  #report(replica: Replica, complaint: string | undefined): void {
    if (complaint === undefined) return;
    if (replica.halted !== undefined) this.#options.onHalted(replica);
    this.#options.env.events.emit({
      level: 'error',
      name: replica.halted === undefined ? 'entry-skipped' : 'group-halted',
      message: `group ${replica.identity.group}: ${complaint}`,
      data: { group: replica.identity.group },
    });
  }

  /**
   * The log does not give back what was written: the next start finds what that is, and distrusts the replicas that have
   * lost it. Only a round that a later one declares synced can be found damaged (`lsm/FORMAT.md#rules-for-reading`).
   */
  async #unreadable(error: unknown): Promise<void> {
    if (isCorruption(error)) await this.persist();
    this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
  }
}

/** A Ready of a replica, in the log's next round. */
interface Gathered {
  readonly replica: Replica;
  readonly ready: Ready;
}

/** Whether it comes from a leader or a candidate, who counts on the replica that it is for. */
function isRequest({ kind }: Message): boolean {
  switch (kind) {
    case 'append-request':
    case 'heartbeat-request':
    case 'vote-request':
    case 'pre-vote-request':
      return true;
    default:
      return false;
  }
}

/**
 * A replica that takes over a snapshot hears that there is a leader, and may vote for another. It appends nothing, and
 * learns of no commit, so that it has nothing to apply.
 */
function whileInstalling(message: Message): Message {
  return message.kind === 'heartbeat-request' ? { ...message, commit: 0 } : message;
}
