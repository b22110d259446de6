/** What a group is now, as its leader told it last (DESIGN §5 ▣, Who are the replicas). */
export interface GroupTruth {
  readonly group: number;
  readonly configurationIndex: number;
  readonly term: number;
  /** The leader's node. */
  readonly leader: string;
  /** The configuration is joint, or not committed yet: it takes no other change before that is over. */
  readonly isChanging: boolean;
  readonly replicas: readonly ReplicaTruth[];
  /** Of the group's tables, estimated. */
  readonly bytes: number;
}

export interface ReplicaTruth {
  readonly replicaId: number;
  readonly node: string;
  /** `outgoing`: a voter of the configuration that is being left, and of that alone. */
  readonly role: 'voter' | 'outgoing' | 'learner';
  readonly caughtUp: boolean;
  /** A snapshot is on its way to it. */
  readonly installing: boolean;
  /** Its node does not trust it. */
  readonly isSuspect: boolean;
}

/** The nodes that should hold a group. */
export interface GroupTarget {
  readonly group: number;
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

export function nodesWithRole(truth: GroupTruth, role: ReplicaTruth['role']): string[] {
  return truth.replicas.filter((replica) => replica.role === role).map(({ node }) => node);
}

export function replicaOn(truth: GroupTruth, node: string): ReplicaTruth | undefined {
  return truth.replicas.find((replica) => replica.node === node);
}

/** Whether the group is what it should be, whoever leads it. */
export function isReached(truth: GroupTruth, target: GroupTarget): boolean {
  return (
    !truth.isChanging &&
    truth.replicas.every(({ isSuspect }) => !isSuspect) &&
    sameNodes(nodesWithRole(truth, 'voter'), target.voters) &&
    sameNodes(nodesWithRole(truth, 'learner'), target.learners)
  );
}

export function sameNodes(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
