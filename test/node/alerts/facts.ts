import type { AlertFacts, NodeFacts, OwnFacts } from '../../../node/alerts/facts.ts';

const GIB = 1024 ** 3;

/** A node that is well. */
export function nodeFacts(name: string, changes: Partial<NodeFacts> = {}): NodeFacts {
  return {
    ...{ name, isFailed: false, isStorageFull: false },
    ...{ storageUsedBytes: GIB, storageMaxBytes: 10 * GIB },
    ...{ diskUsedBytes: 20 * GIB, diskTotalBytes: 100 * GIB },
    ...{ memoryBytes: GIB / 10, memoryMaxBytes: GIB },
    ...{ loopDelayP99Ms: 2, commitP99Ms: 5, clockAheadMs: 3 },
    ...changes,
  };
}

/** A cluster of three that is well, as n1 sees it. */
export function clusterFacts({
  own = {},
  ...changes
}: Partial<Omit<AlertFacts, 'own'>> & { readonly own?: Partial<OwnFacts> } = {}): AlertFacts {
  return {
    nodes: ['n1', 'n2', 'n3'].map((name) => nodeFacts(name)),
    groups: [0, 1, 2].map((group) => ({ group, isLed: true, replicas: 3 })),
    replicasWanted: 3,
    links: [],
    ...changes,
    own: {
      ...{ node: 'n1', suspects: [], halted: [], damaged: [], differing: [] },
      ...{ droppedPerMinute: 0, fights: [] },
      ...own,
    },
  };
}
