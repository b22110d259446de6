import { CLIENT_METRICS } from './client-metrics.ts';
import { CLUSTER_METRICS } from './cluster-metrics.ts';
import type { MetricFamily } from './metric.ts';
import { PROCESS_METRICS } from './process-metrics.ts';
import { REPLICATION_METRICS } from './replication-metrics.ts';
import { STORAGE_METRICS } from './storage-metrics.ts';

/** All that `GET /metrics` tells; docs/METRICS.md is written from it. */
export const METRIC_FAMILIES: readonly MetricFamily[] = [
  CLIENT_METRICS,
  REPLICATION_METRICS,
  STORAGE_METRICS,
  CLUSTER_METRICS,
  PROCESS_METRICS,
];
