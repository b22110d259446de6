import type { BalancerLimits } from './balancer.ts';
import type { BalancerNode } from './nodes.ts';
import { Nodes } from './nodes.ts';
import type { Step } from './step.ts';
import { type GroupTruth, type ReplicaTruth, replicaOn } from './truth.ts';

/**
 * How many replicas are being filled, on each node and in all. Those on nodes that cannot be reached, or
 * have no room, are not: they wait without holding up anybody else.
 */
export class Receivers {
  readonly #nodes: Nodes;
  readonly #limits: BalancerLimits;
  readonly #receiving = new Map<string, number>();
  /** Full nodes that one of their replicas is being replaced on. */
  readonly #replacing = new Set<string>();

  constructor(input: {
    readonly truths: readonly GroupTruth[];
    readonly underWay: readonly Step[];
    readonly nodes: readonly BalancerNode[];
    readonly limits: BalancerLimits;
  }) {
    this.#nodes = new Nodes(input.nodes);
    this.#limits = input.limits;
    for (const { replicas } of input.truths) {
      for (const replica of replicas) if (isBeingFilled(replica)) this.#count(replica.node);
    }
    for (const step of input.underWay) {
      const truth = input.truths.find(({ group }) => group === step.group);
      for (const node of receiversOf(step)) {
        const replica = truth === undefined ? undefined : replicaOn(truth, node);
        if (replica === undefined || !isBeingFilled(replica)) this.#count(node);
      }
    }
  }

  /** Whether a new replica may be given to the node at all. */
  canReceive(node: string): boolean {
    return this.#canBeSent(node) && !this.#nodes.isFull(node);
  }

  /**
   * Whether one that is on the node may be replaced. A full node may do so with one at a time: what it has of that one goes
   * when the new one comes, and it may be just what keeps the node full.
   */
  canReplace(node: string): boolean {
    return this.#canBeSent(node) && !this.#replacing.has(node);
  }

  #canBeSent(node: string): boolean {
    return this.#nodes.isActive(node) && this.#nodes.isHealthy(node);
  }

  /** Counts one more replica on the node, unless that were too many. */
  take(node: string): boolean {
    const { receivingPerNodeMax, receivingMax } = this.#limits;
    const total = [...this.#receiving.values()].reduce((sum, count) => sum + count, 0);
    const isRoom = (this.#receiving.get(node) ?? 0) < receivingPerNodeMax && total < receivingMax;
    if (!isRoom || !this.canReceive(node)) return false;
    this.#count(node);
    return true;
  }

  /** As `take`, of one in whose place another one comes. */
  takeInPlace(node: string): boolean {
    if (!this.#nodes.isFull(node)) return this.take(node);
    if (!this.canReplace(node)) return false;
    this.#replacing.add(node);
    return true;
  }

  #count(node: string): void {
    if (this.#nodes.isFull(node)) this.#replacing.add(node);
    if (this.canReceive(node)) this.#receiving.set(node, (this.#receiving.get(node) ?? 0) + 1);
  }
}

/** A voter that lags a little is not; one that replaces a suspect starts from nothing. */
export function isBeingFilled({ role, caughtUp, installing }: ReplicaTruth): boolean {
  return !caughtUp && (role === 'learner' || installing);
}

function receiversOf(step: Step): readonly string[] {
  if (step.kind === 'learners') return step.added;
  return step.kind === 'replace-suspect' ? [step.node] : [];
}
