import type { cluster } from '../../protos/index.ts';
import type { Clock } from '../env.ts';
import type { ReplicaId } from '../raft/types.ts';
import { canDoWithout, type Place } from '../shard/configuration.ts';
import { nearReplicas } from '../shard/configuration-steps.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';
import type { Call } from '../transport/rpc.ts';

export interface SparesOptions {
  readonly clock: Clock;
  readonly own: string;
  readonly host: ShardHost;
  /** By what other nodes say, too: a replica that has halted hears of no later leader. */
  readonly leaderOf: (group: number) => string | undefined;
  /** Whether a replica takes part, as far as its node can be heard. */
  readonly isWell: (group: number, place: Place) => boolean;
  readonly call: Call;
}

const CALL_DEADLINE_MS = 2_000;
/** Whoever may leave does so within the deadline of the call, and its leader notices its silence soon after. */
const GRANT_MS = 10_000;

/**
 * Whether a group can do without a replica now. Its leader says so, to one after the other: several that find damage at
 * the same time, as when all of them read everything to be compared, would leave the group without a majority.
 */
export class Spares {
  readonly #options: SparesOptions;
  /** When they were told that they may leave. */
  readonly #granted = new Map<number, Map<ReplicaId, number>>();

  constructor(options: SparesOptions) {
    this.#options = options;
  }

  /** False, too, where no leader answers. */
  async mayLeave({ identity, raft }: Replica): Promise<boolean> {
    const { own, leaderOf, call } = this.#options;
    const { group, replicaId } = identity;
    const leader = leaderOf(group);
    if (leader === undefined) return false;
    const spareRequest = { group, replicaId };
    const reply =
      leader === own
        ? this.serve(spareRequest)
        : (await call(leader, { spareRequest }, CALL_DEADLINE_MS))?.spareReply;
    // A leader of a later term may count on this replica, but only if that has answered it, and so is in its term.
    return reply?.granted === true && (reply.term ?? 0) >= raft.term;
  }

  /** The other side. */
  serve({
    group = 0,
    replicaId = 0,
  }: cluster.SpareRequest.$Properties): cluster.SpareReply.$Properties {
    const leader = this.#options.host.replica(group);
    if (leader?.raft.role !== 'leader') return {};
    return { granted: this.grant(leader, replicaId), term: leader.raft.term };
  }

  /** For the leader of a group, which is here. */
  grant(leader: Replica, replicaId: ReplicaId): boolean {
    const { group } = leader.identity;
    const granted = this.#grantedIn(group);
    const near = nearReplicas(leader);
    const isCountedOn = (place: Place) =>
      near.has(place.replicaId) &&
      !granted.has(place.replicaId) &&
      this.#options.isWell(group, place);
    if (!canDoWithout(leader.members, replicaId, isCountedOn)) return false;
    granted.set(replicaId, this.#options.clock.monotonicMs());
    return true;
  }

  #grantedIn(group: number): Map<ReplicaId, number> {
    const nowMs = this.#options.clock.monotonicMs();
    const known = [...(this.#granted.get(group) ?? [])];
    const granted = new Map(known.filter(([, sinceMs]) => nowMs - sinceMs < GRANT_MS));
    this.#granted.set(group, granted);
    return granted;
  }
}
