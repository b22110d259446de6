import type { ReportTable } from '../report-table.ts';
import type { BatchesResult } from './batches.ts';
import type { LatencyResult } from './latency.ts';
import type { LongRunResult } from './long-run.ts';
import {
  batchesTables,
  latencyTables,
  longRunTables,
  scaleTables,
  wearTables,
} from './part-reports.ts';
import type { ScaleResult } from './scale.ts';
import type { ThroughputResult } from './throughput.ts';
import { throughputTables } from './throughput-report.ts';
import type { WearResult } from './wear.ts';

/** In the order in which they run. */
export const PARTS = ['throughput', 'batches', 'latency', 'wear', 'scale', 'long'] as const;
export type PartName = (typeof PARTS)[number];

/** The tables of what a part has found. */
export function tablesOf({ part, result }: { part: PartName; result: unknown }): ReportTable[] {
  switch (part) {
    case 'throughput':
      return throughputTables(result as ThroughputResult);
    case 'batches':
      return batchesTables(result as BatchesResult);
    case 'latency':
      return latencyTables(result as LatencyResult);
    case 'wear':
      return wearTables(result as WearResult);
    case 'scale':
      return scaleTables(result as ScaleResult);
    case 'long':
      return longRunTables(result as LongRunResult);
  }
}
