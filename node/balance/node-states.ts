import type { NodeState } from '../ring/placement.ts';
import type { GroupTruth } from './truth.ts';

export interface WatchedNode {
  readonly node: string;
  readonly state: NodeState;
  /** It was heard lately. */
  readonly isHealthy: boolean;
  /** How long this leader of meta has known it to be failed. */
  readonly failedForMs: number;
}

export interface StateChange {
  readonly node: string;
  readonly state: NodeState;
}

/**
 * What the node table should say, given who is heard and what the groups are:
 *
 * - who joins is active as soon as it is heard;
 * - who has failed for `deadAfterMs` is dead, as long as most nodes are alive, every group has a leader, and others can
 *   take its place. A group without a leader may need just that node, and whoever is dead never comes back;
 * - who leaves or is dead is gone when no group has a replica there. That takes word of every group.
 */
export function stateChanges(input: {
  readonly nodes: readonly WatchedNode[];
  readonly truths: readonly GroupTruth[];
  readonly groupCount: number;
  readonly replicationFactor: number;
  readonly deadAfterMs: number;
}): StateChange[] {
  const { nodes, truths, groupCount, replicationFactor, deadAfterMs } = input;
  const healthy = new Set(nodes.filter(({ isHealthy }) => isHealthy).map(({ node }) => node));
  const areAllLed =
    truths.length === groupCount && truths.every(({ leader }) => healthy.has(leader));
  const holders = new Set(truths.flatMap(({ replicas }) => replicas.map(({ node }) => node)));
  const expected = nodes.filter(({ state }) => state !== 'dead' && state !== 'gone');
  const alive = expected.filter(({ isHealthy }) => isHealthy);
  const isMajority = 2 * alive.length > expected.length;
  const staying = alive.filter(({ state }) => state !== 'leaving');
  const isReplaceable = staying.length >= replicationFactor;

  return nodes.flatMap(({ node, state, isHealthy, failedForMs }): StateChange[] => {
    if (state === 'gone') return [];
    if (state === 'joining' && isHealthy) return [{ node, state: 'active' }];
    if (state === 'leaving' || state === 'dead') {
      if (areAllLed && !holders.has(node)) return [{ node, state: 'gone' }];
    }
    const isLost = state !== 'dead' && failedForMs >= deadAfterMs;
    const mayGo = isReplaceable || state === 'leaving';
    return isLost && isMajority && areAllLed && mayGo ? [{ node, state: 'dead' }] : [];
  });
}
