import { placeMeta } from '../ring/meta-placement.ts';
import type { PlacementNode, ShardPlacement } from '../ring/placement.ts';
import { metaGroup } from '../ring/slots.ts';
import { type GroupTarget, type GroupTruth, nodesWithRole } from './truth.ts';

/**
 * Who should hold each group that is known of: the placement of shards, meta, and what is owed to the dead.
 * Without any node to place on there is no target: everything stays where it is.
 */
export function groupTargets(input: {
  readonly nodes: readonly PlacementNode[];
  /** What `placeReplicas` makes of the same nodes. */
  readonly placement: readonly ShardPlacement[];
  readonly truths: readonly GroupTruth[];
}): Map<number, GroupTarget> {
  const { nodes, placement, truths } = input;
  const placed = new Map<number, GroupTarget>(placement.map((target) => [target.group, target]));
  const meta = truths.find(({ group }) => group === metaGroup);
  if (meta !== undefined) placed.set(metaGroup, metaTarget(nodes, meta));
  return new Map(
    truths.flatMap((truth) => {
      const target = placed.get(truth.group);
      return target === undefined || target.voters.length === 0
        ? []
        : [[truth.group, withDeadKept(target, truth, nodes)]];
    }),
  );
}

function metaTarget(nodes: readonly PlacementNode[], meta: GroupTruth): GroupTarget {
  const current = [...nodesWithRole(meta, 'voter'), ...nodesWithRole(meta, 'learner')];
  const voters = placeMeta({ nodes, current });
  const others = nodes.filter(({ id, state }) => state === 'active' && !voters.includes(id));
  // The second of two nodes has a warm copy, as of a shard (DESIGN §4 ▣).
  const learners = voters.length === 1 ? others.map(({ id }) => id) : [];
  return { group: metaGroup, voters, learners };
}

/**
 * A group of three is never made smaller because somebody died, only because somebody was told to leave:
 * when two nodes are left to place on, one dead voter stays the third. It costs nothing, since the other
 * two are a majority, and keeps an acknowledgement worth two copies.
 */
function withDeadKept(
  target: GroupTarget,
  truth: GroupTruth,
  nodes: readonly PlacementNode[],
): GroupTarget {
  const inState = (state: PlacementNode['state']) =>
    nodes.filter((node) => node.state === state).map(({ id }) => id);
  const active = inState('active');
  const dead = inState('dead');
  const voters = nodesWithRole(truth, 'voter');
  const [kept] = voters.filter((node) => dead.includes(node)).sort();
  if (active.length !== 2 || voters.length < 3 || kept === undefined) return target;
  return { group: target.group, voters: [...active.sort(), kept], learners: [] };
}
