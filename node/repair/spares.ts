import type { cluster } from '../../protos/index.ts';
import type { Clock } from '../env.ts';
import type { Members } from '../membership/members.ts';
import type { ReplicaId } from '../raft/types.ts';
import { hasMajority, placesOf } from '../shard/configuration.ts';
import { nearReplicas } from '../shard/configuration-steps.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';
import type { Call } from '../transport/rpc.ts';

export interface SparesOptions {
  readonly clock: Clock;
  readonly own: string;
  readonly host: ShardHost;
  readonly members: Members;
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
    const { own, call } = this.#options;
    const { group, replicaId } = identity;
    const leader = this.#leaderOf(group);
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
    const granted = this.#grantedIn(leader.identity.group);
    const well = this.#wellIn(leader).filter((id) => id !== replicaId && !granted.has(id));
    if (!hasMajority(leader.members, new Set(well))) return false;
    granted.set(replicaId, this.#options.clock.monotonicMs());
    return true;
  }

  #wellIn(leader: Replica): ReplicaId[] {
    const { members } = this.#options;
    const { group } = leader.identity;
    const suspects = members
      .list()
      .flatMap(({ heartbeat }) => heartbeat?.suspects ?? [])
      .filter((suspect) => suspect.group === group)
      .map(({ replicaId }) => replicaId);
    const near = nearReplicas(leader);
    return placesOf(leader.members)
      .filter(({ node, replicaId }) => near.has(replicaId) && members.stateOf(node) === 'active')
      .map(({ replicaId }) => replicaId)
      .filter((replicaId) => !suspects.includes(replicaId));
  }

  #grantedIn(group: number): Map<ReplicaId, number> {
    const nowMs = this.#options.clock.monotonicMs();
    const known = [...(this.#granted.get(group) ?? [])];
    const granted = new Map(known.filter(([, sinceMs]) => nowMs - sinceMs < GRANT_MS));
    this.#granted.set(group, granted);
    return granted;
  }

  /** As heartbeats say: a replica that has halted hears of no other leader. */
  #leaderOf(group: number): string | undefined {
    const [newest] = this.#options.members
      .list()
      .flatMap(({ node, heartbeat }) => (heartbeat?.leads ?? []).map((lead) => ({ node, lead })))
      .filter(({ lead }) => lead.group === group)
      .sort((a, b) => (b.lead.term ?? 0) - (a.lead.term ?? 0));
    return newest?.node;
  }
}
