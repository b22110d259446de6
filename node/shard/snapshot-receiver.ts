import type { RangeReplacement, StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import { cluster, decode, encode, kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { LogIndex, ReplicaId } from '../raft/types.ts';
import { withPosition } from './group-position.ts';
import { type RangeChanges, rangeOf } from './range-changes.ts';
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
  readonly onFatal: (error: unknown) => void;
}

/** One snapshot on its way in. */
interface Session {
  readonly replica: Replica;
  readonly from: ReplicaId;
  readonly position: kv.GroupPosition;
  readonly replacement: RangeReplacement;
  nextNumber: number;
  lastHeardMs: number;
  /** What was called last; the next waits for it, so that blocks are added in order. */
  work: Promise<void>;
}

export type SnapshotReply = cluster.SnapshotReply.$Properties;

/** A sender that says nothing for so long has given up. */
const SILENCE_MAX_MS = 15_000;

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
  #session: Session | undefined;

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** The group whose snapshot is on its way in. */
  get group(): number | undefined {
    return this.#session?.replica.identity.group;
  }

  async begin(begin: cluster.SnapshotBegin): Promise<SnapshotReply> {
    const position = begin.position as kv.GroupPosition | null;
    const replica = this.#options.replicaFor(begin.group, begin.toReplica);
    if (replica === undefined || position === null) return REFUSED;
    if (begin.term < replica.raft.term) return REFUSED;
    if (!isNeeded(replica, position)) {
      await this.#options.persist();
      return INSTALLED;
    }
    const running = this.#session;
    if (running !== undefined) {
      if (isSame(running, replica, begin.fromReplica, position.appliedIndex))
        return wanted(running);
      await this.#giveUpIfSilent(running);
      return BUSY;
    }
    if (replica.phase !== 'running' || !replica.isIdle) return BUSY;
    if (!this.#options.ranges.tryAcquire()) return BUSY;
    this.#open(replica, begin.fromReplica, position);
    return { status: SnapshotStatus.SNAPSHOT_WANTED, nextNumber: 0 };
  }

  async blocks(message: cluster.SnapshotBlocks): Promise<SnapshotReply> {
    const session = this.#session;
    const { group, toReplica, index } = message;
    if (session === undefined) return REFUSED;
    const { replica, position } = session;
    const { identity } = replica;
    if (identity.group !== group || identity.replicaId !== toReplica) return REFUSED;
    if (position.appliedIndex !== index) return REFUSED;
    session.lastHeardMs = this.#options.env.clock.monotonicMs();
    const reply = session.work.then(() => this.#take(session, message));
    session.work = reply.then(
      () => {},
      () => {},
    );
    return reply;
  }

  /** The replica is gone, or the node stops. */
  async abandon(replica?: Replica): Promise<void> {
    const session = this.#session;
    if (session === undefined || (replica !== undefined && session.replica !== replica)) return;
    // What is being added or installed comes to its end first: the engine does one thing at a time.
    await session.work;
    await this.#close(session);
  }

  /** Called now and then: a sender may vanish without a word. */
  async expire(): Promise<void> {
    if (this.#session !== undefined) await this.#giveUpIfSilent(this.#session);
  }

  #open(replica: Replica, from: ReplicaId, position: kv.GroupPosition): void {
    replica.startInstalling();
    this.#session = {
      replica,
      from,
      // Its message is gone when it is needed, and so is what its bytes are views of.
      position: copyOf(position),
      replacement: this.#options.engine.replaceRange(rangeOf(replica.identity)),
      nextNumber: 0,
      lastHeardMs: this.#options.env.clock.monotonicMs(),
      work: Promise.resolve(),
    };
  }

  async #take(session: Session, message: cluster.SnapshotBlocks): Promise<SnapshotReply> {
    if (this.#session !== session)
      return session.replica.raft.commitIndex >= message.index ? INSTALLED : REFUSED;
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
      const isUnchanged = !isRestored && error instanceof LsmError && error.code === 'DISK_FULL';
      // Nothing has changed: the node goes on with what it has.
      if (isUnchanged) await this.#close(session);
      else onFatal(error);
      return false;
    }
    this.#session = undefined;
    ranges.release();
    replica.enter('running');
    return true;
  }

  async #giveUpIfSilent(session: Session): Promise<void> {
    const silentMs = this.#options.env.clock.monotonicMs() - session.lastHeardMs;
    if (silentMs > SILENCE_MAX_MS && session.replica.phase === 'installing')
      await this.#close(session);
  }

  async #close(session: Session): Promise<void> {
    if (this.#session !== session) return;
    this.#session = undefined;
    await session.replacement.abandon().catch(() => {});
    this.#options.ranges.release();
    session.replica.enter('running');
  }
}

function isSame(session: Session, replica: Replica, from: ReplicaId, index: LogIndex): boolean {
  return (
    session.replica === replica && session.from === from && session.position.appliedIndex === index
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
