import type { PlacementNode } from './placement.ts';
import { Zones } from './zones.ts';

/** More would make every change of the settings slower and let no likelier set of nodes fail. */
const META_VOTERS_MAX = 5;

interface MetaPlacementInput {
  readonly nodes: readonly PlacementNode[];
  /** Who is in the group now, the dearest first: voters before learners. */
  readonly current: readonly string[];
}

/**
 * The target voters of the meta group: 1 on one or two active nodes, 3 on three or four, 5 on more, spread
 * over zones. Among equals those who are in the group already are taken, so nothing moves without need:
 * once the group is what this says, it says the same again.
 */
export function placeMeta({ nodes, current }: MetaPlacementInput): string[] {
  const active = nodes.filter(({ state }) => state === 'active');
  const zones = new Zones(active);
  const rank = (id: string) => (current.includes(id) ? current.indexOf(id) : current.length);
  const left = active
    .map(({ id }) => id)
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : Number(a > b)));

  const voters: string[] = [];
  while (voters.length < oddAtMost(active.length, META_VOTERS_MAX)) {
    const [next] = zones.leastCrowded(left, voters);
    if (next === undefined) break;
    voters.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return voters;
}

/** The greatest odd number up to both; 0 for no nodes. */
function oddAtMost(count: number, max: number): number {
  const most = Math.min(count, max);
  return most % 2 === 1 || most === 0 ? most : most - 1;
}
