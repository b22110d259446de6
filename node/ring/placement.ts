import assert from 'node:assert/strict';
import { assignEvenly } from './assign-evenly.ts';
import { Ring } from './ring.ts';
import { type Shard, slotStartToken } from './slots.ts';

/** Replicas on a node stay within this much of its fair number, rounded up (DESIGN §4). */
const LOAD_PERCENT_MAX = 110;

export type NodeState = 'joining' | 'active' | 'leaving' | 'dead';

/** What the placement needs to know of a row of the node table. */
export interface PlacementNode {
  readonly id: string;
  /** Share of the data against other nodes; above 0, usually 1. */
  readonly weight: number;
  /** A node that is `leaving` or `dead` is given nothing. */
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
 * as the replication factor asks for or, with fewer nodes, as there are nodes.
 */
export function placeReplicas(input: PlacementInput): ShardPlacement[] {
  const { replicationFactor } = input;
  assert(Number.isInteger(replicationFactor) && replicationFactor >= 1);
  const nodes = input.nodes.filter(({ state }) => state !== 'leaving' && state !== 'dead');
  const shards = input.shards.toSorted((a, b) => a.firstSlot - b.firstSlot);
  const replicas = walk(nodes, shards, Math.min(replicationFactor, nodes.length));

  // Voters are odd in number: an even one adds a node that can fail and no failure that is survived.
  const learners = replicas.map((ids) => (ids.length % 2 === 0 ? ids.toReversed() : []));
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

/**
 * The node that should lead each shard, by group: one of its voters, the first if that is as good, so that
 * the nodes lead equally many to within one wherever the placement of voters permits. Shards without
 * voters are left out.
 */
export function spreadLeaders(placement: readonly ShardPlacement[]): Map<number, string> {
  const shards = placement.toSorted((a, b) => a.group - b.group);
  const leaders = assignEvenly(shards.map(({ voters }) => voters));
  return new Map(
    shards.flatMap(({ group }, index) => {
      const leader = leaders[index];
      return leader === undefined ? [] : [[group, leader] as const];
    }),
  );
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

  return starts.map((start) => {
    const order = ring.clockwiseFrom(start);
    // Late in the walk there may be too few nodes with room: the least burdened of the full ones help out.
    const full = order.filter(isFull).sort((a, b) => load(a) - load(b));
    const chosen = [...order.filter((id) => !isFull(id)), ...full].slice(0, replicaCount);
    for (const id of chosen) replicasOn.set(id, (replicasOn.get(id) ?? 0) + 1);
    return chosen;
  });
}

/**
 * How many replicas each node would hold if they could be divided at will: by weight, but no more than one
 * of each shard. What such a limit leaves over is divided among the others.
 */
function fairShares(
  nodes: readonly PlacementNode[],
  shardCount: number,
  replicaCount: number,
): Map<string, number> {
  const heaviestFirst = nodes.toSorted((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
  const shares = new Map<string, number>();
  let replicasLeft = shardCount * replicaCount;
  let weightLeft = heaviestFirst.reduce((sum, { weight }) => sum + weight, 0);
  for (const { id, weight } of heaviestFirst) {
    const share = Math.min(shardCount, (replicasLeft * weight) / weightLeft);
    shares.set(id, share);
    replicasLeft -= share;
    weightLeft -= weight;
  }
  return shares;
}
