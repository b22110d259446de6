import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';

/**
 * The replicas of this node that serve now: none that has halted, is about to leave this node, or takes over a
 * snapshot. What is proposed to such a one may never be decided.
 */
export function servingReplicas(host: ShardHost): Replica[] {
  return [...host.replicas()].filter((each) => host.replica(each.identity.group) === each);
}
