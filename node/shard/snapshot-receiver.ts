import { isDiskFull } from '../../lsm/disk-full.ts';
import type { RangeReplacement, StorageEngine } from '../../lsm/engine.ts';
import { cluster, decode, encode, kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { ReplicaId, Term } from '../raft/types.ts';
import { withPosition } from './group-position.ts';
import { isInterrupted, type RangeChanges, rangeOf } from './range-changes.ts';
import type { Replica } from './replica.ts';

const { SnapshotStatus } = cluster;

export interface SnapshotReceiverOptions {
  readonly env: Env;
  readonly engine: StorageEngine;
  readonly ranges: RangeChanges;
  /** The replica that is to be brought up to date; made if the group has just added it. */
  readonly replicaFor: (group: number, replicaId: ReplicaId) => Replica | undefined;
  /** Resolves when nothing of the replica is being synced or applied. */
  readonly whenIdle: (replica: Replica) => Promise<void>;
  /** Resolves when what the log was given is durable. */
  readonly persist: () => Promise<void>;
  /** Begins the replica's log anew after the snapshot; resolves when that is durable. */
  readonly restart: (replica: Replica) => Promise<void>;
  /** A snapshot was given up, and what the replica held before it is gone. */
  readonly onEmptied: (replica: Replica) => void;
  readonly onFatal: (error: unknown) => void;
}

/** Whom a block is for, in which transfer. */
interface Addressee {
  readonly replica: Replica;
  readonly transfer: number;
}

/** One snapshot on its way in. */
interface Session extends Addressee {
  readonly from: ReplicaId;
  readonly term: Term;
  readonly position: kv.GroupPosition;
  readonly replacement: RangeReplacement;
  nextNumber: number;
  lastHeardMs: number;
  isInstalled: boolean;
  /** What was asked for last; the next waits for it, as the engine does one thing at a time. */
  work: Promise<void>;
}

export type SnapshotReply = cluster.SnapshotReply.$Properties;

/** A sender that says nothing for so long has given up. */
const SILENCE_MAX_MS = 15_000;
/** So late an append may come that was sent before the snapshot. To believe one that is later costs another snapshot. */
const LATE_APPEND_MS = 1_000;

const BUSY: SnapshotReply = { status: SnapshotStatus.SNAPSHOT_BUSY };
const REFUSED: SnapshotReply = { status: SnapshotStatus.SNAPSHOT_REFUSED };
const INSTALLED: SnapshotReply = { status: SnapshotStatus.SNAPSHOT_INSTALLED };

/**
 * Takes the state of a group from its leader (DESIGN §5 ▣, Snapshots). Blocks are written to tables as they come;
 * nothing is seen of them before the last, when one edit puts them into the place of what the shard held here. From
 * then on the tables are ahead of the log until that is begun anew; recovery knows how to end what a crash cuts off.
 */
export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  /** Under way, by group. */
  readonly #sessions = new Map<number, Session>();
  /** The newest of each group that came to its end: the answer to its last blocks may be lost, and asked for again. */
  readonly #installed = new Map<number, Addressee>();

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  async begin(begin: cluster.SnapshotBegin): Promise<SnapshotReply> {
    const position = begin.position as kv.GroupPosition | null;
    const replica = this.#options.replicaFor(begin.group, begin.toReplica);
    if (replica === undefined || position === null) return REFUSED;
    if (begin.term < replica.raft.term) return REFUSED;
    const running = this.#sessions.get(begin.group);
    if (running?.replica === replica) {
      if (isSame(running, begin)) return wanted(running);
      await (isOutdatedBy(running, begin) ? this.#end(running) : this.#giveUpIfSilent(running));
      return BUSY;
    }
    if (replica.phase !== 'running') return BUSY;
    if (!isNeeded(replica, position)) {
      await this.#options.persist();
      return INSTALLED;
    }
    if (!replica.isIdle) return BUSY;
    if (!this.#options.ranges.tryAcquire()) {
      await this.expire();
      return BUSY;
    }
    this.#open(replica, begin, position);
    return { status: SnapshotStatus.SNAPSHOT_WANTED, nextNumber: 0 };
  }

  async blocks(message: cluster.SnapshotBlocks): Promise<SnapshotReply> {
    const session = this.#sessions.get(message.group);
    if (session === undefined || !isFor(session, message)) {
      const installed = this.#installed.get(message.group);
      return installed !== undefined && isFor(installed, message) ? INSTALLED : REFUSED;
    }
    session.lastHeardMs = this.#options.env.clock.monotonicMs();
    return this.#inTurn(session, () => this.#take(session, message));
  }

  /**
   * The leader of `term` wants to send entries: of an earlier leader's snapshot there is nothing more to come. Nor of its
   * own, as it sends none to whom it sends a snapshot, unless that was on its way for long.
   */
  leaderAppends(replica: Replica, term: Term): void {
    const session = this.#sessions.get(replica.identity.group);
    if (session?.replica !== replica || session.term > term) return;
    if (session.term < term || this.#silentMs(session) > LATE_APPEND_MS) void this.#end(session);
  }

  /** The replica is gone. */
  async abandon(replica: Replica): Promise<void> {
    const session = this.#sessions.get(replica.identity.group);
    if (session?.replica === replica) await this.#end(session);
  }

  /** Called now and then: a sender may vanish without a word. */
  async expire(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    await Promise.all(sessions.map((session) => this.#giveUpIfSilent(session)));
  }

  #open(replica: Replica, begin: cluster.SnapshotBegin, position: kv.GroupPosition): void {
    replica.startInstalling();
    this.#sessions.set(begin.group, {
      replica,
      from: begin.fromReplica,
      term: begin.term,
      transfer: begin.transfer,
      // Its message is gone when it is needed, and so is what its bytes are views of.
      position: copyOf(position),
      replacement: this.#options.engine.replaceRange(rangeOf(replica.identity)),
      nextNumber: 0,
      lastHeardMs: this.#options.env.clock.monotonicMs(),
      isInstalled: false,
      work: Promise.resolve(),
    });
  }

  /** Once what was asked for before is done. */
  #inTurn<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const done = session.work.then(work);
    session.work = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  async #take(session: Session, message: cluster.SnapshotBlocks): Promise<SnapshotReply> {
    if (!this.#isOpen(session)) return session.isInstalled ? INSTALLED : REFUSED;
    if (message.number > session.nextNumber) return wanted(session);
    try {
      if (message.number === session.nextNumber && !message.last) {
        for (const block of message.blocks) await session.replacement.add(block);
        session.nextNumber += 1;
      }
      if (!message.last || message.number !== session.nextNumber) return wanted(session);
    } catch {
      // A block that broke on the way, or a disk that is full: nothing has changed here.
      await this.#close(session);
      return REFUSED;
    }
    return (await this.#install(session)) ? INSTALLED : REFUSED;
  }

  async #install(session: Session): Promise<boolean> {
    const { replica, position, replacement } = session;
    const { whenIdle, restart, ranges, onFatal } = this.#options;
    replica.enter('held');
    await whenIdle(replica);
    // Meanwhile it may have been elected, or have heard of more from a log that turned out to be long enough.
    if (replica.phase === 'gone' || !isNeeded(replica, position)) {
      await this.#close(session);
      return false;
    }
    const { group, replicaId } = replica.identity;
    const installed = { ...position, replicaId, snapshotIndex: position.appliedIndex };
    let isRestored = false;
    try {
      await replacement.commit((flushed) => {
        isRestored = true;
        replica.restore(installed);
        return withPosition(flushed, group, installed);
      });
      await restart(replica);
    } catch (error) {
      // A full disk has changed nothing, unless it was met at the very last.
      if (isDiskFull(error) && !isRestored) await this.#close(session);
      else onFatal(error);
      return false;
    }
    session.isInstalled = true;
    this.#installed.set(group, { replica, transfer: session.transfer });
    this.#sessions.delete(group);
    ranges.release();
    replica.enter('running');
    return true;
  }

  async #giveUpIfSilent(session: Session): Promise<void> {
    if (this.#silentMs(session) > SILENCE_MAX_MS) await this.#end(session);
  }

  #silentMs({ lastHeardMs }: Session): number {
    return this.#options.env.clock.monotonicMs() - lastHeardMs;
  }

  #isOpen(session: Session): boolean {
    return this.#sessions.get(session.replica.identity.group) === session;
  }

  #end(session: Session): Promise<void> {
    return this.#inTurn(session, () => this.#close(session));
  }

  async #close(session: Session): Promise<void> {
    if (!this.#isOpen(session)) return;
    const { replica, replacement } = session;
    await replacement.abandon().catch(() => {});
    this.#sessions.delete(replica.identity.group);
    this.#options.ranges.release();
    if (this.#hasLost(replica)) this.#options.onEmptied(replica);
    replica.enter('running');
  }

  /** An engine that cannot replace a range in one step leaves nothing where it was interrupted. */
  #hasLost({ identity, phase, state }: Replica): boolean {
    if (phase === 'gone' || state.appliedIndex === 0) return false;
    return isInterrupted(this.#options.engine, rangeOf(identity));
  }
}

function isSame({ from, transfer }: Session, begin: cluster.SnapshotBegin): boolean {
  return from === begin.fromReplica && transfer === begin.transfer;
}

/** Whoever sends what is coming in has begun again, or leads no more. */
function isOutdatedBy({ from, term, transfer }: Session, begin: cluster.SnapshotBegin): boolean {
  return begin.term > term || (from === begin.fromReplica && begin.transfer > transfer);
}

function isFor({ replica, transfer }: Addressee, message: cluster.SnapshotBlocks): boolean {
  const { group, replicaId } = replica.identity;
  return (
    group === message.group && replicaId === message.toReplica && transfer === message.transfer
  );
}

/** Not where the log leads further, or the same way: then appends are enough. */
function isNeeded({ raft }: Replica, position: kv.GroupPosition): boolean {
  return raft.needsSnapshot({ index: position.appliedIndex, term: position.appliedTerm });
}

function wanted(session: Session): SnapshotReply {
  return { status: SnapshotStatus.SNAPSHOT_WANTED, nextNumber: session.nextNumber };
}

function copyOf(position: kv.GroupPosition): kv.GroupPosition {
  return decode(kv.GroupPosition, encode(kv.GroupPosition, position));
}
