import type { NodeStatus } from './status-document.ts';

const NOTHING_SAID = {
  ...{ uptimeMs: null, memoryBytes: null, diskUsedBytes: null, diskFreeBytes: null },
  ...{ publishesPerSecond: null, putsPerSecond: null, commitP99Ms: null, loopDelayP99Ms: null },
  connections: null,
} as const;

/** A node as it is now: what one that is not heard any more has said of itself last is not how it is. */
export function asHeard(node: NodeStatus): NodeStatus {
  const isHeard = node.state !== 'failed' && node.state !== 'dead';
  return isHeard ? node : { ...node, ...NOTHING_SAID };
}
