import type { AnswerCount } from '../../broker/answer-counts.ts';
import type { BrokerCounters } from '../../broker/broker.ts';
import type { RuleCounts } from '../../broker/ingest-rules/rule-counters.ts';
import type { BrokerFacts } from '../../broker/sys-topics.ts';
import type { EngineStatistics } from '../../lsm/engine.ts';
import type { LogStatistics } from '../../lsm/log/types.ts';
import type { ActiveNode } from '../active-node.ts';
import type { Role } from '../raft/types.ts';
import { describeSystem, liveLeader, type SystemFacts } from '../status.ts';
import type { Buckets } from './metric.ts';

/** What a node has counted and what it is now: read when somebody asks for metrics. */
export interface MetricFacts {
  readonly node: { readonly id: string; readonly name: string; readonly version: string };
  readonly broker: BrokerMetricFacts;
  readonly runtime: ProcessFacts;
  /** Undefined until the node has joined its cluster. */
  readonly member: MemberFacts | undefined;
}

interface BrokerMetricFacts extends BrokerFacts {
  readonly counters: BrokerCounters;
  readonly answers: readonly AnswerCount[];
}

/** What the machine and the runtime say. */
export interface ProcessFacts {
  readonly startedAtMs: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly memoryMaxBytes: number;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  /** Undefined where the system does not tell. */
  readonly mainThreadCpuSeconds: number | undefined;
  readonly loopBusySeconds: number;
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface MemberFacts {
  readonly zone: string;
  readonly engineName: string;
  readonly commits: Buckets;
  readonly writeQueueBytes: number;
  readonly watches: number;
  readonly groups: readonly GroupFacts[];
  readonly suspects: number;
  readonly timesClamped: number;
  readonly log: LogStatistics & { readonly stagedBytes: number };
  readonly engine: EngineStatistics;
  readonly storage: {
    readonly usedBytes: number;
    readonly maxBytes: number;
    readonly isFull: boolean;
  };
  readonly disk: { readonly usedBytes: number; readonly totalBytes: number };
  readonly cluster: Pick<SystemFacts, 'nodes' | 'durability'>;
  readonly shardsWithoutLeader: number;
  readonly clocksSkewed: number;
  readonly alerts: ReturnType<ActiveNode['alerts']['byRule']>;
  readonly moves: { readonly waiting: number; readonly moving: number };
  readonly snapshots: {
    readonly underWay: number;
    readonly installed: number;
    readonly failed: number;
    readonly sentBytes: number;
  };
  readonly incidents: ReadonlyMap<string, number>;
  readonly peers: { readonly queuedBytes: number; readonly dropped: number };
  readonly rules: readonly Pick<RuleCounts, 'name' | 'messages' | 'stored' | 'deleted'>[];
  readonly links: readonly LinkFacts[];
}

export interface GroupFacts {
  readonly group: number;
  readonly role: Role;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly elections: number;
  readonly isHalted: boolean;
}

interface LinkFacts {
  readonly name: string;
  readonly isConnected: boolean;
  readonly messages: number;
  readonly ignored: number;
}

/** What a member of a cluster says of itself. */
export function memberFacts(
  active: ActiveNode,
  node: { readonly id: string; readonly engineName: string },
  ingestCounts: (rule: string) => RuleCounts,
): MemberFacts {
  const { dataPlane, log, engine, members, rebalancer, repairs, groups, messages } = active;
  const heartbeat = members.heartbeatOf(node.id);
  const replicas = [...active.host.replicas()];
  const moving = rebalancer.moves().filter(({ decidedAtMs }) => decidedAtMs !== undefined).length;
  return {
    zone: members.rowOf(node.id)?.zone ?? '',
    engineName: node.engineName,
    commits: {
      counts: dataPlane.commitLatency.counts(),
      sum: dataPlane.commitLatency.sumMs / 1_000,
    },
    writeQueueBytes: dataPlane.queuedBytes,
    watches: active.watches.openCount,
    groups: replicas.map(({ identity, raft, state, elections, halted }) => ({
      ...{ group: identity.group, role: raft.role, term: raft.term, elections },
      ...{ commitIndex: raft.commitIndex, appliedIndex: state.appliedIndex },
      isHalted: halted !== undefined,
    })),
    suspects: active.suspects.length,
    timesClamped: replicas.reduce((sum, { state }) => sum + state.clampedTimes, 0),
    log: { ...log.statistics(), stagedBytes: log.stagedBytes },
    engine: engine.statistics(),
    storage: active.storage,
    disk: {
      usedBytes: heartbeat?.diskUsedBytes ?? 0,
      totalBytes: heartbeat?.diskTotalBytes ?? 0,
    },
    cluster: describeSystem(active),
    shardsWithoutLeader: active.map
      .rows()
      .filter(({ group }) => liveLeader(active, group) === undefined).length,
    clocksSkewed: members.skewed().length,
    alerts: active.alerts.byRule(),
    moves: { moving, waiting: rebalancer.moves().length - moving },
    snapshots: groups.sender.counts,
    incidents: repairs.incidents.counts,
    peers: { queuedBytes: messages.queuedBytes, dropped: messages.dropped },
    rules: active.settings.current.ingest.map(({ name }) => ingestCounts(name)),
    links: (heartbeat?.links ?? []).map(({ name, connected, messages: taken, ignored }) => ({
      ...{ name: name ?? '', isConnected: connected === true },
      ...{ messages: taken ?? 0, ignored: ignored ?? 0 },
    })),
  };
}
