import assert from 'node:assert/strict';
import { tokenOf } from './slots.ts';

/** How often a node of weight 1 stands on the ring. */
const VNODES_PER_WEIGHT = 150;
const TOKEN_COUNT = 2 ** 32;

export interface RingNode {
  readonly id: string;
  /** Share of the data against other nodes; above 0, usually 1. */
  readonly weight: number;
}

/**
 * Consistent hashing with virtual nodes (Karger et al. 1997; DeCandia et al., *Dynamo*, 2007, 4.2): every
 * node stands on the circle of tokens many times, and what starts at a token belongs to the nodes that are
 * met first clockwise from there.
 *
 * With as few starts as there are shards, plain distances leave much to luck: some node is met early from
 * a third more starts than another. So each node's distances are *evened*: ranked among themselves and
 * replaced by the quantiles of the exponential distribution that distances on a ring of this many vnodes
 * follow. Every node is then near to as many starts as any other of its weight. A node's distances depend
 * on nothing but itself and the starts, so a node that comes or goes changes nothing between the others.
 *
 * Vnode `i` of a node is at the token of the UTF-8 bytes `<node id>#<i>`, `i` in decimal. Every node must
 * compute the same ring, also from version to version.
 */
export class Ring {
  readonly #starts: readonly number[];
  readonly #nodes: readonly { readonly id: string; readonly distances: readonly number[] }[];

  /** `starts`: the tokens that will be asked about, each once. */
  constructor(nodes: readonly RingNode[], starts: readonly number[]) {
    assert(new Set(nodes.map(({ id }) => id)).size === nodes.length, 'a node is listed twice');
    assert(new Set(starts).size === starts.length, 'a start is listed twice');
    this.#starts = starts;
    this.#nodes = nodes.map((node) => ({ id: node.id, distances: evenedDistances(node, starts) }));
  }

  /** Every node once, the nearest clockwise first. */
  clockwiseFrom(start: number): string[] {
    const at = this.#starts.indexOf(start);
    assert(at >= 0, `the ring was not made for start ${start}`);
    return this.#nodes
      .map(({ id, distances }) => ({ id, distance: distances[at] as number }))
      .sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id);
  }
}

/** By index of `starts`. */
function evenedDistances(node: RingNode, starts: readonly number[]): number[] {
  const tokens = vnodeTokens(node);
  const nearestFirst = starts
    .map((start, index) => ({ index, distance: distanceToNext(tokens, start) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index);

  const evened = new Array<number>(starts.length);
  for (const [rank, { index, distance }] of nearestFirst.entries()) {
    // The raw distance stays in as the fraction of a rank, which keeps nodes of equal rank apart.
    const quantile = (rank + distance / TOKEN_COUNT) / starts.length;
    evened[index] = -Math.log1p(-quantile) / node.weight;
  }
  return evened;
}

function vnodeTokens({ id, weight }: RingNode): number[] {
  assert(Number.isFinite(weight) && weight > 0, `weight of node ${id}: ${weight}`);
  const encoder = new TextEncoder();
  const count = Math.max(1, Math.round(VNODES_PER_WEIGHT * weight));
  return Array.from({ length: count }, (_, index) => {
    const label = encoder.encode(`${id}#${index}`);
    return tokenOf(label, 0, label.length);
  }).sort((a, b) => a - b);
}

/** How far it is clockwise from `start` to the first of the ascending `tokens`. */
function distanceToNext(tokens: readonly number[], start: number): number {
  const next = tokens.find((token) => token >= start);
  return next === undefined ? (tokens[0] as number) + TOKEN_COUNT - start : next - start;
}
