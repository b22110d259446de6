import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';

const READ_INDEX_DEADLINE_MS = 2_000;
/** A replica that is further behind than this sends its readers to another one. */
export const APPLY_DEADLINE_MS = 2_000;
/** Of one try at another node, which may need both of the above. */
export const CONFIRMED_CALL_DEADLINE_MS = READ_INDEX_DEADLINE_MS + APPLY_DEADLINE_MS + 500;

/** Waits until this replica has applied everything that was acknowledged before the call. */
export async function confirmRead(host: ShardHost, replica: Replica): Promise<boolean> {
  const confirmed = replica.readIndex(READ_INDEX_DEADLINE_MS);
  host.touch(replica);
  const index = await confirmed;
  if (index === undefined) return false;
  return replica.whenApplied(index, APPLY_DEADLINE_MS);
}
