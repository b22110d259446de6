import type { AlertStatus } from '../alert-document.ts';
import { asHeard } from '../heard.ts';
import type { NodeStatus, StatusDocument } from '../status-document.ts';
import { formatTime } from '../time.ts';

/** What `dss top` shows of one moment, and prints with `--json`. */
export interface Picture {
  /** RFC 3339, by the clock of this machine. */
  readonly time: string;
  readonly seenBy: string;
  readonly cluster: StatusDocument['cluster'];
  /** Of all nodes that are heard: sums, and of latencies the worst. */
  readonly totals: {
    readonly publishesPerSecond: number;
    readonly putsPerSecond: number;
    readonly connections: number;
    readonly commitP99Ms: number | null;
    readonly loopDelayP99Ms: number | null;
  };
  readonly shards: {
    readonly count: number;
    readonly leaderless: readonly number[];
    /** How many each node leads. */
    readonly leaders: Readonly<Record<string, number>>;
  };
  readonly nodes: readonly NodeStatus[];
  readonly alerts: readonly AlertStatus[];
}

export function pictureOf(status: StatusDocument, nowMs: number): Picture {
  const { node, cluster, alerts } = status;
  const nodes = status.nodes.map(asHeard);
  const shards = status.shards.filter(({ kind }) => kind === 'shard');
  const leaders: Record<string, number> = Object.fromEntries(nodes.map(({ name }) => [name, 0]));
  for (const { leader } of shards) {
    if (leader !== null) leaders[leader] = (leaders[leader] ?? 0) + 1;
  }
  return {
    time: formatTime(nowMs),
    seenBy: node.name,
    cluster,
    totals: {
      publishesPerSecond: sum(nodes.map(({ publishesPerSecond }) => publishesPerSecond)),
      putsPerSecond: sum(nodes.map(({ putsPerSecond }) => putsPerSecond)),
      connections: sum(nodes.map(({ connections }) => connections)),
      commitP99Ms: worst(nodes.map(({ commitP99Ms }) => commitP99Ms)),
      loopDelayP99Ms: worst(nodes.map(({ loopDelayP99Ms }) => loopDelayP99Ms)),
    },
    shards: {
      count: shards.length,
      leaderless: shards.filter(({ leader }) => leader === null).map(({ group }) => group),
      leaders,
    },
    nodes,
    alerts,
  };
}

function sum(numbers: readonly (number | null)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
}

function worst(numbers: readonly (number | null)[]): number | null {
  const known = numbers.flatMap((number) => number ?? []);
  return known.length === 0 ? null : Math.max(...known);
}
