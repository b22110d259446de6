import { cluster, encode, kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { EntryKind, type LogIndex, type ReplicaId } from '../raft/types.ts';
import { type Place, placesOf } from '../shard/configuration.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';
import type { Call } from '../transport/rpc.ts';
import { servingReplicas } from '../upkeep/serving-replicas.ts';
import { type Comparison, compareReplicas, type Digest } from './comparison.ts';
import { STATE_PART } from './digest.ts';
import { type Digests, isDigestOf } from './digests.ts';
import { isDue } from './schedule.ts';

export interface VerifierOptions {
  readonly env: Env;
  readonly own: string;
  readonly host: ShardHost;
  readonly digests: Digests;
  /** Each group is compared once in so long by itself; 0: never. */
  readonly periodMs: number;
  readonly call: Call;
  /** The replicas of a group were compared at this index. */
  readonly onCompared: (replica: Replica, index: LogIndex, comparison: Comparison) => void;
}

/** How far the comparison of a group's replicas is, or what came of it. Times are wall clock; 0: not yet. */
export interface Verification {
  readonly group: number;
  readonly state: 'waiting' | 'running' | 'equal' | 'different' | 'cut-off';
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly index: LogIndex;
  readonly comparison: Comparison | undefined;
  /** What the leader holds; history, deletions and the index of expiries are counted, too. */
  readonly entries: number;
  readonly bytes: number;
}

const TICK_MS = 5_000;
const POLL_MS = 500;
const CALL_DEADLINE_MS = 2_000;
/** A node that does not answer for so long is left out. */
const SILENCE_MAX_MS = 30_000;
const ID_BOUND = 2 ** 31;

const { ChecksumStatus } = cluster;

/**
 * Compares the replicas of the groups that this node leads, one group after the other: proposes a checksum entry,
 * asks every replica what it found there, and tells what came of it. By itself once in each period.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  /** The last of each group. */
  readonly #verifications = new Map<number, Verification>();
  readonly #waiting: number[] = [];
  readonly #startedAtMs: number;
  #isRunning = false;
  #cancel: () => void = () => {};
  #isStopped = false;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#startedAtMs = options.env.clock.nowMs();
  }

  start(): void {
    const { env, periodMs } = this.#options;
    if (periodMs > 0) this.#cancel = env.timers.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#cancel();
    this.#isStopped = true;
  }

  /** What this node has compared, or is about to. */
  list(): Verification[] {
    return [...this.#verifications.values()];
  }

  /** Has the replicas of a group compared. Returns whether this node leads it. */
  request(group: number): boolean {
    if (this.#leading(group) === undefined) return false;
    const { state } = this.#verifications.get(group) ?? {};
    if (state === 'waiting' || state === 'running') return true;
    const startedAtMs = this.#options.env.clock.nowMs();
    this.#note(group, { ...NOTHING_KNOWN, group, state: 'waiting', startedAtMs });
    this.#waiting.push(group);
    if (!this.#isRunning) void this.#run();
    return true;
  }

  #tick(): void {
    const { env, host, digests, periodMs } = this.#options;
    const nowMs = env.clock.nowMs();
    for (const { identity, raft, members } of servingReplicas(host)) {
      if (raft.role !== 'leader' || placesOf(members).length < 2) continue;
      const lastMs = Math.max(digests.of(identity.group)?.appliedAtMs ?? 0, this.#startedAtMs);
      if (isDue(identity.group, { nowMs, lastMs, periodMs })) this.request(identity.group);
    }
  }

  #leading(group: number): Replica | undefined {
    const replica = this.#isStopped ? undefined : this.#options.host.replica(group);
    return replica?.raft.role === 'leader' ? replica : undefined;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let group = this.#waiting.shift(); group !== undefined; group = this.#waiting.shift()) {
      this.#change(group, { state: 'running' });
      const isCompared = await this.#verify(group);
      const endedAtMs = this.#options.env.clock.nowMs();
      this.#change(group, { endedAtMs, ...(isCompared ? {} : { state: 'cut-off' }) });
    }
    this.#isRunning = false;
  }

  /** Whether it could be seen through. */
  async #verify(group: number): Promise<boolean> {
    const replica = this.#leading(group);
    const index = replica && (await this.#propose(replica));
    if (replica === undefined || index === undefined) return false;
    this.#change(group, { index });
    const { members } = replica;
    const found = await this.#gather(replica, index, placesOf(members));
    if (found === undefined) return false;
    const comparison = compareReplicas(members, found);
    const own = found.get(replica.identity.replicaId)?.filter(({ slot }) => slot !== STATE_PART);
    this.#change(group, {
      comparison,
      entries: own?.reduce((sum, { entries }) => sum + entries, 0) ?? 0,
      bytes: own?.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0,
    });
    if (comparison.slots.length === 0 && !comparison.isDecided) return false;
    this.#change(group, { state: comparison.slots.length > 0 ? 'different' : 'equal' });
    this.#options.onCompared(replica, index, comparison);
    return true;
  }

  /** Resolves with the index of the entry when it is applied here. */
  async #propose(replica: Replica): Promise<LogIndex | undefined> {
    const { env, host, digests } = this.#options;
    const { group, firstSlot, slotCount } = replica.identity;
    const id = env.random.below(ID_BOUND);
    const range = { from: firstSlot, to: firstSlot + slotCount };
    const proposal = replica.proposeRecord(EntryKind.checksum, (version) =>
      encode(kv.ChecksumRecord, { format: 1, version, id, ...range }),
    );
    host.touch(replica);
    await proposal;
    const digest = digests.of(group);
    return digest?.id === id ? digest.index : undefined;
  }

  /** What each replica found, without those that cannot say; undefined: this one cannot, or does not lead any more. */
  async #gather(
    replica: Replica,
    index: LogIndex,
    places: readonly Place[],
  ): Promise<Map<ReplicaId, Digest> | undefined> {
    const { clock, timers } = this.#options.env;
    const { group, replicaId: own } = replica.identity;
    const found = new Map<ReplicaId, Digest>();
    const asked = new Map(places.map((place) => [place, clock.monotonicMs()]));
    while (asked.size > 0) {
      if (this.#leading(group) !== replica) return undefined;
      await Promise.all(
        [...asked].map(async ([place, heardAtMs]) => {
          const answer = await this.#ask(group, place, index);
          const nowMs = clock.monotonicMs();
          if (answer === 'pending') asked.set(place, nowMs);
          else if (answer !== undefined || nowMs - heardAtMs > SILENCE_MAX_MS) asked.delete(place);
          if (Array.isArray(answer)) found.set(place.replicaId, answer);
        }),
      );
      if (asked.size > 0) await new Promise<void>((resolve) => timers.after(POLL_MS, resolve));
    }
    return found.has(own) ? found : undefined;
  }

  /** Undefined: no answer. */
  async #ask(
    group: number,
    { replicaId, node }: Place,
    index: LogIndex,
  ): Promise<Digest | 'pending' | 'unknown' | undefined> {
    const { own, call } = this.#options;
    const query = { group, replicaId, index };
    const body = { checksumQuery: query };
    const report =
      node === own
        ? this.report(query)
        : (await call(node, body, CALL_DEADLINE_MS))?.checksumReport;
    if (report == null) return undefined;
    if (report.status === ChecksumStatus.CHECKSUM_PENDING) return 'pending';
    if (report.status !== ChecksumStatus.CHECKSUM_DONE) return 'unknown';
    return (report.parts ?? []).map(({ slot = 0, crc = 0, entries = 0, bytes = 0 }) => {
      return { slot, crc, entries, bytes };
    });
  }

  /** The other side of `#ask`. */
  report(query: cluster.ChecksumQuery.$Properties): cluster.ChecksumReport.$Properties {
    const { group = 0, replicaId = 0, index = 0 } = query;
    const digest = this.#options.digests.of(group);
    const replica = this.#options.host.replica(group);
    if (isDigestOf(digest, replicaId, index)) {
      const { outcome } = digest;
      if (outcome.kind === 'done')
        return { status: ChecksumStatus.CHECKSUM_DONE, parts: [...outcome.parts] };
      if (outcome.kind === 'pending') return { status: ChecksumStatus.CHECKSUM_PENDING };
    } else if (replica?.identity.replicaId === replicaId && replica.state.appliedIndex < index) {
      return { status: ChecksumStatus.CHECKSUM_PENDING };
    }
    return { status: ChecksumStatus.CHECKSUM_UNKNOWN };
  }

  #change(group: number, change: Partial<Verification>): void {
    const known = this.#verifications.get(group);
    if (known !== undefined) this.#note(group, { ...known, ...change });
  }

  #note(group: number, verification: Verification): void {
    this.#verifications.set(group, verification);
  }
}

const NOTHING_KNOWN = { endedAtMs: 0, index: 0, comparison: undefined, entries: 0, bytes: 0 };
