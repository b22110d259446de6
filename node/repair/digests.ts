import type { EngineSnapshot, StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import { decode, kv, ProtocolError } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { Entry, LogIndex, ReplicaId } from '../raft/types.ts';
import type { Retention } from '../retention/retention.ts';
import type { Replica, ReplicaIdentity } from '../shard/replica.ts';
import { type DigestPart, digestSlots, digestState } from './digest.ts';

/** What a replica is doing, or has found, at a checksum entry. */
export interface ReplicaDigest {
  readonly identity: ReplicaIdentity;
  readonly index: LogIndex;
  /** By which the leader that proposed the entry knows it. */
  readonly id: number;
  /** Wall clock. */
  readonly appliedAtMs: number;
  readonly outcome:
    | { readonly kind: 'pending' }
    | { readonly kind: 'done'; readonly parts: readonly DigestPart[] }
    /** A table that is damaged, a newer entry, or the end of the replica. */
    | { readonly kind: 'failed' };
}

interface Job {
  readonly replica: Replica;
  readonly snapshot: EngineSnapshot;
  readonly retention: Retention;
  readonly state: DigestPart;
  readonly from: number;
  readonly to: number;
  readonly digest: ReplicaDigest;
}

/** Each holds on to tables that compaction would free: more than these only wait for their turn. */
const JOBS_MAX = 8;

/**
 * Digests this node's replicas at the checksum entries of their logs (DESIGN §5 ▣): what there is to see is held in
 * the moment the entry is applied, and read afterwards, slowly and one group after the other.
 */
export class Digests {
  readonly #env: Env;
  readonly #engine: StorageEngine;
  readonly #bytesPerSecond: number;
  /** The newest of each group. */
  readonly #digests = new Map<number, ReplicaDigest>();
  #jobs: Job[] = [];
  /** The first of them; or one that has been given up, and reads on to its next pause. */
  #running: Job | undefined;
  #isStopped = false;

  constructor(options: {
    readonly env: Env;
    readonly engine: StorageEngine;
    readonly bytesPerSecond: number;
  }) {
    this.#env = options.env;
    this.#engine = options.engine;
    this.#bytesPerSecond = options.bytesPerSecond;
  }

  of(group: number): ReplicaDigest | undefined {
    return this.#digests.get(group);
  }

  /** To be called when the entry is applied, before anything else is. */
  take(replica: Replica, entry: Entry): void {
    const { identity, state } = replica;
    const record = recordOf(entry);
    if (record === undefined || this.#isStopped) return;
    const { firstSlot, slotCount, group } = identity;
    const digest: ReplicaDigest = {
      identity,
      index: entry.index,
      id: record.id,
      appliedAtMs: this.#env.clock.nowMs(),
      outcome: { kind: 'pending' },
    };
    const superseded = this.#jobs.find((job) => job.digest === this.#digests.get(group));
    if (superseded !== undefined) this.#end(superseded, { kind: 'failed' });
    this.#digests.set(group, digest);
    this.#jobs.push({
      replica,
      snapshot: this.#engine.snapshot(),
      retention: state.retention,
      state: digestState(state),
      from: Math.max(record.from, firstSlot),
      to: Math.min(record.to, firstSlot + slotCount),
      digest,
    });
    const [, oldestWaiting] = this.#jobs;
    if (this.#jobs.length > JOBS_MAX && oldestWaiting !== undefined) {
      this.#end(oldestWaiting, { kind: 'failed' });
    }
    if (this.#running === undefined) void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    for (const job of [...this.#jobs]) this.#end(job, { kind: 'failed' });
  }

  async #run(): Promise<void> {
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      this.#running = job;
      const outcome = await this.#read(job);
      job.snapshot.close();
      this.#end(job, outcome);
    }
    this.#running = undefined;
  }

  async #read(job: Job): Promise<ReplicaDigest['outcome']> {
    try {
      const parts = await digestSlots(job.snapshot, job, (bytes) => this.#pause(job, bytes));
      return { kind: 'done', parts: [...parts, job.state] };
    } catch (error) {
      // What is damaged was reported by the engine, which may also be closed by now.
      if (error instanceof LsmError || error instanceof GivenUp) return { kind: 'failed' };
      throw error;
    }
  }

  async #pause(job: Job, bytes: number): Promise<void> {
    const ms = Math.ceil((bytes * 1_000) / this.#bytesPerSecond);
    await new Promise<void>((resolve) => this.#env.timers.after(ms, resolve));
    if (!this.#jobs.includes(job) || job.replica.phase === 'gone') throw new GivenUp();
  }

  #end(job: Job, outcome: ReplicaDigest['outcome']): void {
    if (!this.#jobs.includes(job)) return;
    this.#jobs = this.#jobs.filter((each) => each !== job);
    if (job !== this.#running) job.snapshot.close();
    const { group } = job.digest.identity;
    if (this.#digests.get(group) === job.digest)
      this.#digests.set(group, { ...job.digest, outcome });
  }
}

class GivenUp extends Error {}

/** What a replica answers that is asked for its digest at an index. */
export function isDigestOf(
  digest: ReplicaDigest | undefined,
  replicaId: ReplicaId,
  index: LogIndex,
): digest is ReplicaDigest {
  return digest?.identity.replicaId === replicaId && digest.index === index;
}

/** Undefined: it does not parse; then it was skipped by all. */
function recordOf(entry: Entry): kv.ChecksumRecord | undefined {
  try {
    return decode(kv.ChecksumRecord, entry.data);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
