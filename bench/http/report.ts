import { formatTable } from '../../clients/cli/table.ts';
import type { ContenderName, Operation } from './contenders.ts';
import { type HttpResult, type HttpRound, type HttpTurn, OPERATIONS } from './http.ts';

const columns = [
  { title: 'ROUND' },
  { title: 'OPERATION' },
  { title: 'CONTENDER' },
  ...['ANSWERS/S', '× ETCD', 'P50 MS', 'P99 MS', 'CPU µs/ANSWER', 'FAILED', 'LOAD CPU'].map(
    (title) => ({ title, right: true }),
  ),
];

const NAMES: readonly ContenderName[] = ['dss', 'etcd'];

export function formatHttp(result: HttpResult): string {
  const { machine, workload, etcdVersion, rounds, loadAverageBefore } = result;
  const rows = rounds.flatMap((round, i) =>
    OPERATIONS.flatMap((operation) =>
      NAMES.flatMap((name) => rowOf(`${i + 1}`, operation, name, round)),
    ),
  );
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}; load average before: ${loadAverageBefore.toFixed(2)}`,
    `Three DSS nodes${etcdVersion === null ? '' : ` and three of ${etcdVersion}`}; ${workload.connections} connections, ${workload.valueBytes}-byte values, ${workload.keys} keys, ${workload.seconds} s each.`,
    formatTable(columns, rows),
    ...OPERATIONS.map((operation) => summaryOf(operation, rounds)),
  ].join('\n\n');
}

function rowOf(
  title: string,
  operation: Operation,
  name: ContenderName,
  round: HttpRound,
): string[][] {
  const turn: HttpTurn | undefined = round[name]?.[operation];
  if (turn === undefined) return [];
  const ratio = ratioOf(operation, round);
  return [
    [
      title,
      operation,
      name,
      turn.perSecond.toFixed(0),
      name === 'dss' && Number.isFinite(ratio) ? ratio.toFixed(2) : '-',
      turn.p50Ms.toFixed(1),
      turn.p99Ms.toFixed(1),
      turn.cpuMicrosPerAnswer.toFixed(0),
      String(turn.failures),
      `${(turn.loadCpuShare * 100).toFixed(0)} %`,
    ],
  ];
}

function summaryOf(operation: Operation, rounds: readonly HttpRound[]): string {
  const ratios = rounds.map((round) => ratioOf(operation, round)).filter(Number.isFinite);
  if (ratios.length === 0) return `${operation}: nothing to compare with`;
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return `${operation}: ${median(ratios).toFixed(2)} × etcd (median of the rounds; ${least.toFixed(2)} to ${most.toFixed(2)})`;
}

function ratioOf(operation: Operation, { dss, etcd }: HttpRound): number {
  return (dss?.[operation].perSecond ?? Number.NaN) / (etcd?.[operation].perSecond ?? Number.NaN);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
