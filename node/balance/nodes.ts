import type { NodeState } from '../ring/placement.ts';

/** What the balancer needs to know of a node. */
export interface BalancerNode {
  readonly id: string;
  readonly state: NodeState;
  /** It was heard lately. */
  readonly isHealthy: boolean;
  /** It takes no more data. */
  readonly isFull: boolean;
}

/** The node table by id. A node that is not in the table is as good as gone. */
export class Nodes {
  readonly #nodes: ReadonlyMap<string, BalancerNode>;

  constructor(nodes: readonly BalancerNode[]) {
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
  }

  isHealthy(id: string): boolean {
    return !this.isLost(id) && this.#nodes.get(id)?.isHealthy === true;
  }

  isLost(id: string): boolean {
    const state = this.#nodes.get(id)?.state ?? 'gone';
    return state === 'dead' || state === 'gone';
  }

  isActive(id: string): boolean {
    return this.#nodes.get(id)?.state === 'active';
  }

  isLeaving(id: string): boolean {
    return this.#nodes.get(id)?.state === 'leaving';
  }

  isFull(id: string): boolean {
    return this.#nodes.get(id)?.isFull === true;
  }
}
