import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { Env } from '../env.ts';
import type { Fetch, Message, RaftEvent, Ready } from '../raft/types.ts';
import type { Replica } from './replica.ts';

/** One group's message on its way to or from another node. */
export interface GroupMessage {
  readonly group: number;
  readonly message: Message;
}

export interface ShardHostOptions {
  readonly env: Env;
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly replicas: readonly Replica[];
  /** Hands one turn's messages for one node to the transport, which may lose them. */
  readonly send: (node: string, messages: readonly GroupMessage[]) => void;
  /** What a group's core reports; called within a turn. */
  readonly onRaftEvent: (replica: Replica, event: RaftEvent) => void;
  /** The log or the engine has failed: nothing more may count, the node must restart. */
  readonly onFatal: (error: Error) => void;
}

const FETCH_BYTES_MAX = 1024 * 1024;
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** Entries that everybody has stay in memory up to here, so that a follower a little behind needs no disk. */
const CACHED_ENTRIES_MAX = 256;
/** And of each group no more than this: while a node is away nobody's entries are what everybody has. */
const CACHED_BYTES_MAX = 256 * 1024;

/**
 * Drives all Raft groups of a node over its one log. One turn reads all input, steps it, gives each group at
 * most one tick, and then does what `#drain` says.
 */
export class ShardHost {
  readonly #options: ShardHostOptions;
  readonly #replicas = new Map<number, Replica>();
  readonly #dirty = new Set<Replica>();
  #inbox: { readonly node: string; readonly messages: readonly GroupMessage[] }[] = [];
  #outbox = new Map<string, GroupMessage[]>();
  /** Readies that the next round makes durable. */
  #gathering: { readonly replica: Replica; readonly ready: Ready }[] = [];
  #syncing = false;
  #applying = false;
  #turnScheduled = false;
  #tickDue = false;
  #running = false;
  #stopped = false;

  constructor(options: ShardHostOptions) {
    this.#options = options;
    for (const replica of options.replicas) this.#replicas.set(replica.identity.group, replica);
  }

  /** Until this is called the node neither votes, acknowledges nor serves (DESIGN §5 ▣, Identity). */
  start(): void {
    this.#running = true;
    for (const replica of this.#replicas.values()) this.#dirty.add(replica);
    this.#schedule();
  }

  /** The local replica, if it may serve: not one that has halted at an entry it does not know. */
  replica(group: number): Replica | undefined {
    if (!this.#running || this.#stopped) return undefined;
    const replica = this.#replicas.get(group);
    return replica?.halted === undefined ? replica : undefined;
  }

  replicas(): IterableIterator<Replica> {
    return this.#replicas.values();
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
    for (const replica of this.#replicas.values()) {
      for (const [replicaId, holder] of replica.identity.members) {
        if (holder !== node || replicaId === replica.identity.replicaId) continue;
        replica.raft.peerUnreachable(replicaId);
        this.#dirty.add(replica);
      }
    }
    this.#schedule();
  }

  /** Nothing more is stepped, synced, applied or acknowledged. */
  stop(): void {
    this.#stopped = true;
    for (const replica of this.#replicas.values()) replica.close();
  }

  #schedule(): void {
    if (this.#turnScheduled || this.#stopped) return;
    this.#turnScheduled = true;
    this.#options.env.yield(() => {
      this.#turnScheduled = false;
      if (!this.#stopped) this.#turn();
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

  /** A message counts only from and to the replicas that the group's configuration names (DESIGN §5 ▣). */
  #step(node: string, group: number, message: Message): void {
    const replica = this.#replicas.get(group);
    if (replica === undefined || replica.halted !== undefined) return;
    const { replicaId, members } = replica.identity;
    if (message.to !== replicaId || members.get(message.from) !== node) return;
    replica.raft.step(message);
    this.#dirty.add(replica);
  }

  #tickAll(): void {
    this.#tickDue = false;
    const nowMs = this.#options.env.clock.monotonicMs();
    for (const replica of this.#replicas.values()) {
      if (replica.halted !== undefined) continue;
      replica.raft.tick();
      replica.expireReads(nowMs);
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
      replica.issueReads();
      while (replica.raft.hasReady()) this.#take(replica, replica.raft.ready());
    }
    this.#dirty.clear();
    this.#flushOutbox();
    if (!this.#syncing && this.#gathering.length > 0) void this.#syncRounds();
    if (!this.#applying) void this.#applyCommitted();
  }

  #take(replica: Replica, ready: Ready): void {
    replica.onRaftEvents(ready.events);
    for (const event of ready.events) this.#options.onRaftEvent(replica, event);
    this.#post(replica, ready.messages);
    const needsRound = ready.hardState !== undefined || ready.entries.length > 0;
    if (needsRound) {
      this.#options.log.stage(replica.identity.group, ready.hardState, ready.entries);
    }
    if (needsRound || replica.roundsPending > 0) {
      replica.roundsPending += 1;
      this.#gathering.push({ replica, ready });
    } else {
      this.#persisted(replica, ready);
    }
    for (const entry of ready.committed) replica.applyQueue.push(entry);
    if (ready.fetchCommitted !== undefined)
      void this.#fetchCommitted(replica, ready.fetchCommitted);
    for (const fetch of ready.fetches) void this.#fetch(replica, fetch);
    for (const { to, term } of ready.snapshots) replica.raft.snapshotFinished(to, term, undefined);
    replica.finishReads(ready.reads);
  }

  #persisted(replica: Replica, ready: Ready): void {
    this.#post(replica, ready.messagesAfterPersist);
    replica.raft.persisted(ready.number);
    this.#dirty.add(replica);
  }

  /** One round after the other; while one is being synced the next gathers. */
  async #syncRounds(): Promise<void> {
    this.#syncing = true;
    try {
      while (this.#gathering.length > 0 && !this.#stopped) {
        const round = this.#gathering;
        this.#gathering = [];
        if (this.#options.log.hasStaged) await this.#options.log.commitRound();
        if (this.#stopped) return;
        for (const { replica, ready } of round) {
          replica.roundsPending -= 1;
          this.#persisted(replica, ready);
        }
        this.#syncing = true;
        this.#drain();
      }
    } catch (error) {
      // A failed write or fsync is never retried: what reached the disk is unknown.
      this.#fail(error);
    } finally {
      this.#syncing = false;
    }
  }

  async #applyCommitted(): Promise<void> {
    this.#applying = true;
    try {
      for (let again = true; again && !this.#stopped; ) {
        again = false;
        for (const replica of this.#replicas.values()) {
          if (replica.applyQueue.length === 0 || replica.halted !== undefined) continue;
          await this.#applyQueueOf(replica);
          again = true;
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#applying = false;
    }
  }

  async #applyQueueOf(replica: Replica): Promise<void> {
    const { engine } = this.#options;
    let applied = 0;
    const queue = replica.applyQueue;
    while (applied < queue.length && replica.halted === undefined && !this.#stopped) {
      const room = engine.waitForRoom();
      if (room !== undefined) await room;
      const entry = queue[applied] as (typeof queue)[number];
      for (let read = replica.prepare(entry); read; read = replica.prepare(entry)) await read;
      if (this.#stopped) return;
      applied += 1;
      this.#report(replica, replica.apply(entry));
    }
    queue.splice(0, applied);
    const { appliedIndex } = replica.state;
    replica.raft.applied(appliedIndex);
    replica.raft.releaseMemory(
      Math.min(
        appliedIndex,
        Math.max(replica.raft.releasableIndex, appliedIndex - CACHED_ENTRIES_MAX),
      ),
    );
    replica.raft.shrinkMemory(CACHED_BYTES_MAX);
    this.touch(replica);
  }

  #report(replica: Replica, complaint: string | undefined): void {
    if (complaint === undefined) return;
    this.#options.env.events.emit({
      level: 'error',
      name: replica.halted === undefined ? 'entry-skipped' : 'group-halted',
      message: `group ${replica.identity.group}: ${complaint}`,
      data: { group: replica.identity.group },
    });
  }

  /** After a restart: committed entries whose bytes are only in the log. */
  async #fetchCommitted(
    replica: Replica,
    range: { readonly firstIndex: number; readonly lastIndex: number },
  ): Promise<void> {
    try {
      let next = range.firstIndex;
      while (next <= range.lastIndex && !this.#stopped) {
        const entries = await this.#options.log.read(
          replica.identity.group,
          next,
          range.lastIndex,
          FETCH_BYTES_MAX,
        );
        if (entries.length === 0) throw new Error(`committed entry ${next} is not in the log`);
        replica.applyQueue.push(...entries);
        next += entries.length;
        if (!this.#applying) await this.#applyCommitted();
        else await replica.whenApplied(next - 1);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A follower needs entries that are no longer in memory. */
  async #fetch(replica: Replica, fetch: Fetch): Promise<void> {
    try {
      const { group } = replica.identity;
      const entries = await this.#options.log.read(
        group,
        fetch.firstIndex,
        fetch.lastIndex,
        FETCH_BYTES_MAX,
      );
      if (this.#stopped) return;
      replica.raft.fetched(fetch, entries);
      this.touch(replica);
    } catch (error) {
      this.#fail(error);
    }
  }

  #post(replica: Replica, messages: readonly Message[]): void {
    for (const message of messages) {
      const node = replica.identity.members.get(message.to);
      if (node === undefined) continue;
      const queue = this.#outbox.get(node);
      const item = { group: replica.identity.group, message };
      if (queue === undefined) this.#outbox.set(node, [item]);
      else queue.push(item);
    }
  }

  /** One message per peer and turn; beats and votes before appends, so that bulk never delays an election. */
  #flushOutbox(): void {
    if (this.#outbox.size === 0) return;
    const outbox = this.#outbox;
    this.#outbox = new Map();
    for (const [node, messages] of outbox) {
      const control = messages.filter(({ message }) => message.kind !== 'append-request');
      const appends = messages.filter(({ message }) => message.kind === 'append-request');
      for (const part of splitByBytes([...control, ...appends])) this.#options.send(node, part);
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Messages of at most 1 MiB, or one append. */
function* splitByBytes(messages: readonly GroupMessage[]): Generator<GroupMessage[]> {
  let part: GroupMessage[] = [];
  let partBytes = 0;
  for (const item of messages) {
    const bytes = messageBytes(item.message);
    if (part.length > 0 && partBytes + bytes > MESSAGE_BYTES_MAX) {
      yield part;
      part = [];
      partBytes = 0;
    }
    part.push(item);
    partBytes += bytes;
  }
  if (part.length > 0) yield part;
}

function messageBytes(message: Message): number {
  if (message.kind !== 'append-request') return 64;
  return message.entries.reduce((sum, entry) => sum + entry.data.length + 16, 64);
}
