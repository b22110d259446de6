import { cluster } from '../../protos/index.ts';
import type { GroupReport, Place, PlaceRole, RelayedRow } from './shard-map.ts';

/** Rows of the map to and from their protobuf form (`protos/cluster.proto`). */

const { ReplicaRole } = cluster;

const ROLES: Readonly<Record<PlaceRole, cluster.ReplicaRole>> = {
  voter: ReplicaRole.VOTER,
  outgoing: ReplicaRole.OUTGOING,
  learner: ReplicaRole.LEARNER,
};

/** Nothing, of a group that does not exist. */
export function rowToWire(row: RelayedRow | undefined): { row?: cluster.MapRow.$Properties } {
  if (row === undefined) return {};
  const { leader, configuration } = row;
  const wire = {
    leaderNode: leader?.node ?? '',
    leaderTerm: leader?.term ?? 0,
    configurationIndex: configuration.index,
    configurationTerm: configuration.term,
    replicas: configuration.places.map(({ node, role }) => ({ node, role: ROLES[role] })),
  };
  return { row: wire };
}

export function rowFromWire(row: cluster.MapRow.$Properties): RelayedRow {
  const { leaderNode = '', leaderTerm = 0, configurationIndex = 0, configurationTerm = 0 } = row;
  return {
    leader: leaderNode === '' ? undefined : { node: leaderNode, term: leaderTerm },
    configuration: {
      index: configurationIndex,
      term: configurationTerm,
      places: placesOf(row.replicas ?? []),
    },
  };
}

/** What `node` says in its heartbeat of a group that it leads. */
export function reportOfLead(node: string, lead: cluster.Lead.$Properties): GroupReport {
  const { term = 0, configurationIndex: index = 0, replicas = [] } = lead;
  const leader = { node, term };
  if (replicas.length === 0) return leader;
  return { ...leader, configuration: { index, places: placesOf(replicas) } };
}

/** A role that this version does not know decides nothing here. */
function placesOf(replicas: readonly cluster.ReplicaReport.$Properties[]): Place[] {
  return replicas.map(({ node = '', role }) => {
    if (role === ReplicaRole.VOTER) return { node, role: 'voter' };
    return { node, role: role === ReplicaRole.OUTGOING ? 'outgoing' : 'learner' };
  });
}
