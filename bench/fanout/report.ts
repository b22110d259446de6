import { formatBytes, formatTable } from '../../clients/cli/table.ts';
import { nameOf } from './cells.ts';
import type { Contender } from './contenders.ts';
import type { Crowd } from './crowd.ts';
import type { CellRounds, FanoutResult } from './fanout.ts';
import type { Flood } from './flood.ts';
import type { CellResult } from './run-cell.ts';

const NAMES: readonly Contender['name'][] = ['dss', 'dss value', 'aedes', 'mosquitto'];

const columns = [
  { title: 'CELL' },
  { title: 'BROKER' },
  ...[
    'DELIVERIES/S',
    '× MOSQUITTO',
    'P50 MS',
    'P99 MS',
    'PING P99 MS',
    'CPU µs/DELIVERY',
    'MEMORY',
    'MISSING',
    'OUT OF ORDER',
    'SENDERS CPU',
    'RECEIVERS CPU',
  ].map((title) => ({ title, right: true })),
];

export function formatFanout(result: FanoutResult): string {
  const { machine, times, versions, one, across, flood, crowd } = result;
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
    `DSS, ${versions.join(', ')}; ${times.seconds} s each, medians of the rounds.`,
    ...(one === undefined ? [] : [formatCells('One node:', one)]),
    ...(across === undefined
      ? []
      : [formatCells('Three nodes of ours, subscribers at the two without publishers:', across)]),
    ...(flood === undefined ? [] : [formatFlood(flood)]),
    ...(crowd === undefined ? [] : [formatCrowd(crowd)]),
  ].join('\n\n');
}

function formatCells(title: string, cells: readonly CellRounds[]): string {
  return [title, formatTable(columns, cells.flatMap(rowsOf))].join('\n');
}

function rowsOf({ cell, rounds }: CellRounds): string[][] {
  return NAMES.flatMap((name) => {
    const ours = rounds.flatMap((round) => round[name] ?? []);
    if (ours.length === 0) return [];
    const ratios = rounds.map(
      (round) =>
        (round[name]?.perSecond ?? Number.NaN) / (round.mosquitto?.perSecond ?? Number.NaN),
    );
    const of = (pick: (each: CellResult) => number) => median(ours.map(pick));
    const sum = (pick: (each: CellResult) => number) =>
      ours.reduce((total, each) => total + pick(each), 0);
    const ratio = median(ratios);
    return [
      [
        nameOf(cell),
        name,
        whole(of((each) => each.perSecond)),
        Number.isNaN(ratio) ? '-' : ratio.toFixed(2),
        of((each) => each.p50Ms).toFixed(2),
        of((each) => each.p99Ms).toFixed(2),
        of((each) => each.pingP99Ms).toFixed(2),
        of((each) => each.cpuMicrosPerDelivery).toFixed(2),
        formatBytes(of((each) => each.peakBytes)),
        whole(sum((each) => each.missing)),
        whole(sum((each) => each.outOfOrder)),
        percent(of((each) => each.publishersCpuShare)),
        percent(of((each) => each.subscribersCpuShare)),
      ],
    ];
  });
}

function formatFlood({
  clients,
  perSecond,
  cpuShare,
  quiet,
  puts,
  pingP99Ms,
  elections,
}: Flood): string {
  const titles = [
    'FLOOD MSG/S',
    'PUTS/S',
    'P50 MS',
    'P99 MS',
    'QUIET P50',
    'QUIET P99',
    'ELECTIONS',
  ];
  titles.push(...pingP99Ms.map((_, index) => `PING P99 MS N${index + 1}`), 'FLOOD CPU');
  const cells = [
    whole(perSecond),
    whole(puts.perSecond),
    ...[puts.p50Ms, puts.p99Ms, quiet.p50Ms, quiet.p99Ms].map((figure) => figure.toFixed(1)),
    String(elections),
    ...pingP99Ms.map((figure) => figure.toFixed(1)),
    percent(cpuShare),
  ];
  return [
    `One client puts at n1, one after the other, while ${clients} publish there at QoS 0 at full speed:`,
    formatTable(
      titles.map((title) => ({ title, right: true })),
      [cells],
    ),
  ].join('\n');
}

function formatCrowd({ connections, perSecond, brokers }: Crowd): string {
  const figures = ['MEMORY BEFORE', 'IDLE KIB EACH', 'AFTER PINGS', 'P50 MS', 'P99 MS'];
  const columns = [...figures, 'AMONG ALL P50', 'P99', 'MISSING'];
  const rows = brokers.map(({ name, residentBytes, idleBytes, pingedBytes, alone, amongAll }) => [
    name,
    formatBytes(residentBytes),
    ...[idleBytes, pingedBytes].map((bytes) => (bytes / 1024).toFixed(1)),
    ...[alone, amongAll].flatMap(({ p50Ms, p99Ms }) => [p50Ms.toFixed(2), p99Ms.toFixed(2)]),
    whole(alone.missing + amongAll.missing),
  ]);
  return [
    `${perSecond} messages a second, at QoS 0, from a few, and from ${whole(connections)} in turn, each with a subscription:`,
    formatTable([{ title: 'BROKER' }, ...columns.map((title) => ({ title, right: true }))], rows),
  ].join('\n');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
