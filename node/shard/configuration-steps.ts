import { cluster } from '../../protos/index.ts';
import type { ReplicaId } from '../raft/types.ts';
import { encodeMembers, type Place, placesOf } from './configuration.ts';
import { type ChangePlan, planChange, planReplacement } from './configuration-change.ts';
import type { Replica } from './replica.ts';

const { ConfigurationStatus, ReplicaRole } = cluster;

/** So few entries behind, a replica is as good as up to date: the rest follows within a round trip. */
const LAG_MAX = 256;
/** Every tick has a heartbeat: whoever answers none for so long is not counted on. */
const SILENT_TICKS_MAX = 10;

/**
 * Carries out one step that the balancer asks of the leader of a group. It counts only if the group is still as the
 * balancer saw it: the index of its configuration tells (DESIGN §5 ▣, Who are the replicas).
 */
export function serveConfigurationRequest(
  replica: Replica | undefined,
  request: cluster.ConfigurationRequest,
): cluster.ConfigurationReply.$Properties {
  if (replica?.raft.role !== 'leader') {
    const leaderNode = replica?.leaderNode ?? '';
    return { status: ConfigurationStatus.CONFIGURATION_NOT_LEADER, leaderNode };
  }
  const { raft } = replica;
  const { configurationIndex } = raft;
  const changed = { status: ConfigurationStatus.CONFIGURATION_CHANGED, configurationIndex };
  const notReady = { status: ConfigurationStatus.CONFIGURATION_NOT_READY, configurationIndex };
  const isBusy = !raft.isConfigurationCommitted || replica.members.outgoing.length > 0;
  if (request.configurationIndex !== configurationIndex || isBusy) return changed;
  if (request.transferTo !== '')
    return isTransferred(replica, request.transferTo) ? done(replica) : notReady;
  const plan = request.replaceSuspect
    ? planReplacement(replica.members, request.suspect, raft.term)
    : planChange(replica.members, request, raft.term);
  if (plan.kind === 'none') return done(replica);
  if (!isReady(replica, plan)) return notReady;
  const result = raft.proposeConfiguration(encodeMembers(plan.members));
  return result.kind === 'accepted' ? done(replica) : notReady;
}

function isReady(
  replica: Replica,
  plan: ChangePlan,
): plan is Extract<ChangePlan, { readonly kind: 'change' }> {
  if (plan.kind !== 'change') return false;
  const near = nearReplicas(replica);
  const { voters } = plan.members;
  // Else the group could not commit the entry that ends the change.
  const isLive = voters.filter(({ replicaId }) => near.has(replicaId)).length > voters.length / 2;
  return isLive && plan.newVoters.every(({ replicaId }) => near.has(replicaId));
}

function isTransferred(replica: Replica, node: string): boolean {
  const to = replica.members.voters.find((place) => place.node === node);
  return to !== undefined && replica.raft.transferLeadership(to.replicaId);
}

function done({ raft }: Replica): cluster.ConfigurationReply.$Properties {
  const { configurationIndex } = raft;
  return { status: ConfigurationStatus.CONFIGURATION_PROPOSED, configurationIndex };
}

/** Those that are at most a little behind this leader, and were heard not long ago; itself among them. */
export function nearReplicas({ raft, identity }: Replica): Set<ReplicaId> {
  const { progress, commitIndex } = raft.status();
  const isNear = ({ state, match, silentTicks }: (typeof progress)[number]) =>
    state === 'replicate' && match + LAG_MAX >= commitIndex && silentTicks < SILENT_TICKS_MAX;
  return new Set([identity.replicaId, ...progress.filter(isNear).map(({ replica }) => replica)]);
}

/** Who is in the group and how far they are, as its leader tells everybody in its heartbeats. */
export function reportOf(replica: Replica, bytes: number): cluster.Lead.$Properties {
  const { members, raft, identity } = replica;
  const { voters, outgoing, learners, nextReplicaId } = members;
  const near = nearReplicas(replica);
  const installing = new Set(
    raft
      .status()
      .progress.filter(({ state }) => state === 'snapshot')
      .map(({ replica: id }) => id),
  );
  const isOf = (places: readonly Place[], id: ReplicaId) =>
    places.some(({ replicaId }) => replicaId === id);
  const roleOf = (id: ReplicaId) => {
    if (isOf(voters, id)) return ReplicaRole.VOTER;
    return isOf(outgoing, id) ? ReplicaRole.OUTGOING : ReplicaRole.LEARNER;
  };
  return {
    group: identity.group,
    term: raft.term,
    configurationIndex: raft.configurationIndex,
    committed: raft.isConfigurationCommitted,
    nextReplicaId,
    bytes,
    replicas: placesOf({ ...members, voters, outgoing, learners }).map(({ replicaId, node }) => ({
      replicaId,
      node,
      role: roleOf(replicaId),
      caughtUp: near.has(replicaId),
      installing: installing.has(replicaId),
    })),
  };
}
