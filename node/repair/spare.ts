import type { Members } from '../membership/members.ts';
import { hasMajority } from '../shard/configuration.ts';
import type { Replica } from '../shard/replica.ts';

/**
 * Whether a group can do without a replica now: as its leader and all nodes say, the others that are well have a
 * majority. Two that are built anew at a time would stop the group.
 */
export function canSpare({ identity, members: group }: Replica, members: Members): boolean {
  const heartbeats = members.list().flatMap(({ heartbeat }) => heartbeat ?? []);
  const [report] = heartbeats
    .flatMap(({ leads }) => leads)
    .filter((lead) => lead.group === identity.group)
    .sort((a, b) => (b.term ?? 0) - (a.term ?? 0));
  const suspects = new Set(
    heartbeats
      .flatMap((heartbeat) => heartbeat.suspects)
      .filter((suspect) => suspect.group === identity.group)
      .map(({ replicaId }) => replicaId),
  );
  const well = (report?.replicas ?? []).filter(
    ({ replicaId, node = '', caughtUp }) =>
      caughtUp === true &&
      replicaId !== identity.replicaId &&
      !suspects.has(replicaId) &&
      members.stateOf(node) === 'active',
  );
  return hasMajority(group, new Set(well.map(({ replicaId = 0 }) => replicaId)));
}
