import type { ReplicaId } from '../../node/raft/types.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Snapshot, TestNode } from './test-node.ts';

/** A snapshot on its way, or, when it is installed or lost, the news of that on its way back. */
interface Shipment {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly term: number;
  readonly snapshot: Snapshot;
  outcome?: { readonly index: number | undefined };
}

/** What the hosts do about snapshots: each step of each at a time of its own, and any may fail. */
export class SnapshotTraffic {
  readonly #random: SeededRandom;
  readonly #nodeOf: (id: ReplicaId) => TestNode | undefined;
  #shipments: Shipment[] = [];

  constructor(random: SeededRandom, nodeOf: (id: ReplicaId) => TestNode | undefined) {
    this.#random = random;
    this.#nodeOf = nodeOf;
  }

  /** Makes the snapshot that a follower of this node has needed for longest. */
  begin(node: TestNode): void {
    const taken = node.takeSnapshot();
    if (taken === undefined) return;
    const { needed, snapshot } = taken;
    this.#shipments.push({ from: node.id, to: needed.to, term: needed.term, snapshot });
  }

  /** One shipment gets on. Returns the node at which it has been installed, if it has been. */
  advance(): TestNode | undefined {
    if (this.#shipments.length === 0) return undefined;
    const at = this.#random.below(this.#shipments.length);
    const shipment = this.#shipments[at] as Shipment;
    if (shipment.outcome !== undefined) {
      this.#shipments.splice(at, 1);
      this.#report(shipment);
      return undefined;
    }
    const node = this.#nodeOf(shipment.to);
    if (node === undefined || this.#random.chance(0.2)) {
      shipment.outcome = { index: undefined };
      return undefined;
    }
    // The host waits for its disk before it touches the log.
    if (node.inFlight.length > 0) return undefined;
    const before = node.raft.logStart;
    shipment.outcome = { index: node.install(shipment.snapshot) };
    return node.raft.logStart === before ? undefined : node;
  }

  /** Nothing is lost any more; what is on its way has failed. */
  failAll(): void {
    const shipments = this.#shipments;
    this.#shipments = [];
    for (const shipment of shipments) this.#report({ ...shipment, outcome: { index: undefined } });
  }

  get isEmpty(): boolean {
    return this.#shipments.length === 0;
  }

  #report({ from, to, term, outcome }: Shipment): void {
    this.#nodeOf(from)?.raft.snapshotFinished(to, term, outcome?.index);
  }
}
