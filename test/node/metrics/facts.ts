import { zeroCounters } from '../../../broker/counters.ts';
import type { MemberFacts, MetricFacts } from '../../../node/metrics/facts.ts';
import { LatencyHistogram } from '../../../node/metrics/latency-histogram.ts';

/** What a node that has hardly done anything would say of itself. */
export function factsOf(changes: Partial<MemberFacts> = {}): MetricFacts {
  return {
    node: { id: 'abc', name: 'n1', version: '1.2.3' },
    broker: {
      counters: { ...zeroCounters(), puts: 7, refused: { NOT_ALLOWED: 2 } },
      answers: [{ verb: 'get', outcome: 'NOT_FOUND', count: 3 }],
      ...{ clientsConnected: 4, clientsDisconnected: 5, subscriptions: 6, retainedMessages: 0 },
      ...{ messagesWaiting: 0, isStoreReplicated: true },
    },
    runtime: {
      ...{ startedAtMs: 1_500, residentBytes: 1, heapUsedBytes: 2, externalBytes: 3 },
      ...{ memoryMaxBytes: 0, cpuUserSeconds: 1, cpuSystemSeconds: 2 },
      ...{ mainThreadCpuSeconds: undefined, loopBusySeconds: 3 },
      loopDelayMs: { p50: 1, p99: 20, max: 300 },
    },
    member: { ...member(), ...changes },
  };
}

function member(): MemberFacts {
  const engine = {
    ...{ memtableBytes: 1, frozenMemtables: 0, tableCount: 3, tableBytes: 30 },
    ...{ flushedBytes: 0, compactedBytes: 0, droppedEntries: 0, stalls: 0 },
    ...{ filesPerLevel: [1, 2], bytesPerLevel: [10, 20] },
    ...{ blockCacheBytes: 0, blockCacheHits: 0, blockCacheMisses: 0 },
    ...{ filterChecks: 0, filterSkips: 0 },
  };
  const group = { term: 3, commitIndex: 9, appliedIndex: 7, elections: 1, isHalted: false };
  return {
    ...{ zone: 'hall "A"', engineName: 'lsm', writeQueueBytes: 0, watches: 0, suspects: 0 },
    commits: { counts: new LatencyHistogram().counts(), sum: 0 },
    groups: [{ ...group, group: 1, role: 'leader' }],
    timesClamped: 0,
    log: { rounds: 1, syncs: 1, bytesWritten: 8, segments: 1, bytesOnDisk: 8, stagedBytes: 0 },
    engine,
    storage: { usedBytes: 38, maxBytes: 0, isFull: false },
    disk: { usedBytes: 1, totalBytes: 2 },
    cluster: { nodes: [], durability: { copies: 2, replicas: 3 } },
    ...{ shardsWithoutLeader: 0, clocksSkewed: 0, alerts: [], moves: { waiting: 0, moving: 1 } },
    snapshots: { underWay: 0, installed: 1, failed: 0, sentBytes: 100 },
    incidents: new Map([['replica-suspect', 1]]),
    peers: { queuedBytes: 0, dropped: 0 },
    rules: [{ name: 'tasmota', messages: 3, stored: 2, deleted: 0 }],
    links: [{ name: 'roof', isConnected: true, messages: 1, ignored: 0 }],
  };
}
