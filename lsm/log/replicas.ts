import { crc32c } from '../hash/crc32c.ts';
import { putU53 } from './format.ts';
import type { Recovery } from './recovery.ts';
import type { Round } from './round-reader.ts';

interface Replica {
  readonly group: number;
  readonly replicaId: number;
}

const REPLICA_BYTES = 12;

/** What every round says of the replicas of its log (`lsm/FORMAT.md#round-header`). */
export function replicasChecksum(replicas: Iterable<Replica>): number {
  const sorted = [...replicas].sort((one, other) => one.group - other.group);
  const bytes = new Uint8Array(sorted.length * REPLICA_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [ordinal, { group, replicaId }] of sorted.entries()) {
    view.setUint32(ordinal * REPLICA_BYTES, group, true);
    putU53(view, ordinal * REPLICA_BYTES + 4, replicaId);
  }
  return crc32c(bytes);
}

/**
 * Whether the replicas that were found are not those that the newest round means. Then the only round that named one
 * cannot be read: it would be taken for a replica that was never here, free of what it has promised.
 */
export function areReplicasLost(
  { newest, replicasLost }: Pick<Recovery, 'newest' | 'replicasLost'>,
  replicas: readonly Replica[],
): boolean {
  return replicasLost || (newest !== undefined && !areAllFound(replicas, newest));
}

function areAllFound(replicas: readonly Replica[], newest: Round): boolean {
  const found = new Map(replicas.map((replica) => [replica.group, replica]));
  // Its own may count for nothing, as it is torn; but its checksum has them in it.
  for (const section of newest.sections) found.set(section.group, section);
  return replicasChecksum(found.values()) === newest.replicasChecksum;
}
