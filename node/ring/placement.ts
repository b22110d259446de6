import assert from 'node:assert/strict';
import { assignEvenly } from './assign-evenly.ts';
import { Ring } from './ring.ts';
import { type Shard, slotStartToken } from './slots.ts';
import { Zones } from './zones.ts';

/** Replicas on a node stay within this much of its fair number, rounded up (DESIGN §4). */
const LOAD_PERCENT_MAX = 110;

export type NodeState = 'joining' | 'active' | 'leaving' | 'dead' | 'gone';

/** What the placement needs to know of a row of the node table. */
export interface PlacementNode {
  readonly id: string;
  /** Share of the data against other nodes; above 0, usually 1. */
  readonly weight: number;
  /** What may fail as one, such as a room or a power supply. Nodes that name none share one. */
  readonly zone?: string;
  /** Only `active` nodes are given anything. */
  readonly state: NodeState;
}

interface PlacementInput {
  readonly nodes: readonly PlacementNode[];
  readonly shards: readonly Shard[];
  readonly replicationFactor: number;
}

/** The node ids that should hold a shard, each in the order of preference. */
export interface ShardPlacement {
  readonly group: number;
  /** An odd number, or none when there is no node. */
  readonly voters: readonly string[];
  /** One when the number of replicas is even, else none. */
  readonly learners: readonly string[];
}

/**
 * The target replicas of every shard, in token order: a pure function of the node table, so every node
 * comes to the same answer, in whatever order it lists nodes and shards. Each shard gets as many replicas
 * as the replication factor asks for or, with fewer nodes, as there are nodes, in different zones as far
 * as the shares of the nodes permit.
 */
export function placeReplicas(input: PlacementInput): ShardPlacement[] {
  const { replicationFactor } = input;
  assert(Number.isInteger(replicationFactor) && replicationFactor >= 1);
  const nodes = input.nodes.filter(({ state }) => state === 'active');
  const shards = input.shards.toSorted((a, b) => a.firstSlot - b.firstSlot);
  const replicas = walk(nodes, shards, Math.min(replicationFactor, nodes.length));

  // Voters are odd in number: an even one adds a node that can fail and no failure that is survived.
  const zones = new Zones(nodes);
  const learners = replicas.map((ids) =>
    ids.length % 2 === 0 ? zones.mostCrowded(ids).toReversed() : [],
  );
  const learnerOf = assignEvenly(learners);
  return shards.map(({ group }, index) => {
    const ids = replicas[index] ?? [];
    const learner = learnerOf[index];
    return {
      group,
      voters: ids.filter((id) => id !== learner),
      learners: learner === undefined ? [] : [learner],
    };
  });
}

/** Bounded loads after Mirrokni, Thorup and Zadimoghaddam, *Consistent Hashing with Bounded Loads*, 2018. */
function walk(
  nodes: readonly PlacementNode[],
  shards: readonly Shard[],
  replicaCount: number,
): string[][] {
  const starts = shards.map(({ firstSlot }) => slotStartToken(firstSlot));
  const ring = new Ring(nodes, starts);
  const shares = fairShares(nodes, shards.length, replicaCount);
  const replicasOn = new Map(nodes.map(({ id }) => [id, 0]));
  const load = (id: string) => (replicasOn.get(id) ?? 0) / (shares.get(id) ?? 1);
  const isFull = (id: string) =>
    (replicasOn.get(id) ?? 0) >= Math.ceil(((shares.get(id) ?? 0) * LOAD_PERCENT_MAX) / 100);
  const zones = new Zones(nodes);

  return starts.map((start) => {
    const order = ring.clockwiseFrom(start);
    const chosen: string[] = [];
    while (chosen.length < replicaCount) {
      const left = order.filter((id) => !chosen.includes(id));
      const withRoom = left.filter((id) => !isFull(id));
      // Late in the walk there may be too few nodes with room: the least burdened full one helps out.
      const [next] =
        withRoom.length > 0
          ? zones.leastCrowded(withRoom, chosen)
          : left.sort((a, b) => load(a) - load(b));
      assert(next !== undefined, 'no more replicas are placed than there are nodes');
      chosen.push(next);
      replicasOn.set(next, (replicasOn.get(next) ?? 0) + 1);
    }
    return chosen;
  });
}

/**
 * How many replicas each node would hold if they could be divided at will: by weight, but no more than one
 * of each shard, and no more in a zone than replicas that are spread over the zones leave to it.
 */
function fairShares(
  nodes: readonly PlacementNode[],
  shardCount: number,
  replicaCount: number,
): Map<string, number> {
  const zones = new Map<string, PlacementNode[]>();
  for (const node of nodes) {
    const { zone = '' } = node;
    zones.set(zone, [...(zones.get(zone) ?? []), node]);
  }
  const sizes = [...zones.values()].map((members) => members.length);
  let perZone = 1;
  while (sizes.reduce((sum, size) => sum + Math.min(size, perZone), 0) < replicaCount) perZone += 1;

  const zoneShares = divide(
    shardCount * replicaCount,
    [...zones].map(([id, members]) => ({
      id,
      weight: members.reduce((sum, { weight }) => sum + weight, 0),
      max: Math.min(members.length, perZone) * shardCount,
    })),
  );
  const shares = [...zones].flatMap(([zone, members]) => [
    ...divide(
      zoneShares.get(zone) ?? 0,
      members.map(({ id, weight }) => ({ id, weight, max: shardCount })),
    ),
  ]);
  return new Map(shares);
}

/** Divides `total` by weight. What somebody's `max` leaves over is divided among the others. */
function divide(
  total: number,
  parts: readonly { readonly id: string; readonly weight: number; readonly max: number }[],
): Map<string, number> {
  const firstToBeFull = parts.toSorted(
    (a, b) => b.weight / b.max - a.weight / a.max || (a.id < b.id ? -1 : 1),
  );
  const shares = new Map<string, number>();
  let left = total;
  let weightLeft = parts.reduce((sum, { weight }) => sum + weight, 0);
  for (const { id, weight, max } of firstToBeFull) {
    const share = Math.min(max, (left * weight) / weightLeft);
    shares.set(id, share);
    left -= share;
    weightLeft -= weight;
  }
  return shares;
}
