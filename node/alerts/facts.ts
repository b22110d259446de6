/** What a node knows of itself and of the cluster at one time, as far as it may worry somebody. */
export interface AlertFacts {
  readonly nodes: readonly NodeFacts[];
  readonly groups: readonly GroupFacts[];
  /** On so many nodes each group should be. */
  readonly replicasWanted: number;
  readonly own: OwnFacts;
  readonly links: readonly LinkFacts[];
}

/** A node that takes part; figures are undefined while nobody knows them. */
export interface NodeFacts {
  readonly name: string;
  /** Nothing is heard of it any more: what it said last counts no longer. */
  readonly isFailed: boolean;
  readonly isStorageFull: boolean;
  readonly storageUsedBytes: number | undefined;
  /** 0: no budget; so with memory. */
  readonly storageMaxBytes: number;
  readonly diskUsedBytes: number | undefined;
  readonly diskTotalBytes: number;
  readonly memoryBytes: number | undefined;
  readonly memoryMaxBytes: number;
  readonly loopDelayP99Ms: number | undefined;
  readonly commitP99Ms: number | undefined;
  /** Its clock against that of this node. */
  readonly clockAheadMs: number | undefined;
}

export interface GroupFacts {
  readonly group: number;
  readonly isLed: boolean;
  /** On nodes that are heard, and trust theirs. */
  readonly replicas: number;
}

/** What nobody but this node can know. */
export interface OwnFacts {
  /** Its name. */
  readonly node: string;
  readonly suspects: readonly GroupProblem[];
  readonly halted: readonly GroupProblem[];
  readonly damaged: readonly GroupProblem[];
  /** With a sentence for each. */
  readonly differing: readonly { readonly group: number; readonly message: string }[];
  readonly droppedPerMinute: number;
  readonly fights: readonly { readonly clientId: string; readonly message: string }[];
}

export interface GroupProblem {
  readonly group: number;
  /** Part of a sentence. */
  readonly reason: string;
}

/** A source or sink that should be connected, and is not. */
export interface LinkFacts {
  readonly name: string;
  readonly message: string;
}
