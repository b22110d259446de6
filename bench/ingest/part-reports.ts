import { formatBytes } from '../../clients/cli/table.ts';
import {
  count,
  fixed,
  left,
  mean,
  median,
  percent,
  type ReportTable,
  right,
} from '../report-table.ts';
import type { BatchesResult, BatchesRow } from './batches.ts';
import { NODE_COUNT } from './contenders.ts';
import type { LatencyResult } from './latency.ts';
import { type LongRunResult, MEMORY_BUDGET_BYTES } from './long-run.ts';
import type { ScaleResult, SizeStep } from './scale.ts';
import { HEADLINE } from './scenarios.ts';
import type { ProcessCost, Turn } from './turn.ts';
import type { WearResult, WearRow } from './wear.ts';
import { readingBytes, type WrittenBytes } from './written-bytes.ts';

export function batchesTables({ rows }: BatchesResult): ReportTable[] {
  const readingsPerSecond = ({ scenario, turns }: BatchesRow): number[] =>
    turns.map(({ perSecond }) => perSecond * (scenario.batch?.readings ?? 1));
  const [puts] = rows;
  const single = puts === undefined ? [] : readingsPerSecond(puts);
  return [
    {
      title: 'Batches: readings a second, beside single puts',
      columns: [
        left('A message is'),
        right('in flight'),
        right('readings/s'),
        right('from – to'),
        right('× puts'),
        right('p50 ms'),
        right('p99 ms'),
        right('CPU µs/reading·node'),
        right('main thread'),
        right('load CPU'),
      ],
      rows: rows.map((row) => {
        const { scenario, turns } = row;
        const { batch, clients, inflight } = scenario;
        const rates = readingsPerSecond(row);
        const ratios = rates.map((rate, round) => rate / (single[round] ?? Number.NaN));
        const perReading = (pick: (process: ProcessCost) => number | null) =>
          median(turns.map(({ processes }) => mean(processes.map((each) => pick(each) ?? 0)))) /
          (batch?.readings ?? 1);
        return [
          batch === undefined ? 'a put' : `${count(batch.readings)} readings, ${batch.format}`,
          `${clients} × ${inflight}`,
          count(median(rates)),
          `${count(Math.min(...rates))} – ${count(Math.max(...rates))}`,
          fixed(median(ratios), 2),
          fixed(median(turns.map(({ p50Ms }) => p50Ms)), 2),
          fixed(median(turns.map(({ p99Ms }) => p99Ms)), 2),
          fixed(
            perReading(({ cpuMicrosPerMessage }) => cpuMicrosPerMessage),
            2,
          ),
          fixed(
            perReading(({ mainMicrosPerMessage }) => mainMicrosPerMessage),
            2,
          ),
          percent(median(turns.map(({ cpuShare }) => cpuShare))),
        ];
      }),
      notes: [
        `${HEADLINE.valueBytes}-byte values of ${count(HEADLINE.keys)} keys. A batch is acknowledged when all of it is fsynced by a majority, like a put.`,
      ],
    },
  ];
}

export function latencyTables({ contenders }: LatencyResult): ReportTable[] {
  const row = (name: string, share: string, due: string, turn: Turn): string[] => [
    name,
    share,
    due,
    count(turn.perSecond),
    fixed(turn.p50Ms, 2),
    fixed(turn.p99Ms, 2),
    fixed(turn.maxMs, 1),
    fixed(turn.lateP99Ms ?? null, 2),
    percent(turn.cpuShare),
  ];
  return [
    {
      title: 'Open loop: latency at parts of the top rate',
      columns: [
        left('Contender'),
        right('of top'),
        right('due/s'),
        right('msg/s'),
        right('p50 ms'),
        right('p99 ms'),
        right('max ms'),
        right('late p99 ms'),
        right('load CPU'),
      ],
      rows: contenders.flatMap(({ contender, top, steps }) => [
        row(contender, 'closed loop', '', top),
        ...steps.map(({ share, duePerSecond, turn }) =>
          row(contender, percent(share), count(duePerSecond), turn),
        ),
      ]),
      notes: [
        'Every message has a time at which it is due, and its latency counts from then, so a pause is felt by all that it holds up. LATE is the generator’s own delay, which is part of the latencies.',
      ],
    },
  ];
}

export function wearTables({ rows, memtableBytes }: WearResult): ReportTable[] {
  return [
    {
      title: 'Flash wear: bytes written by bytes of key and value stored, on each node',
      columns: [
        left('Contender'),
        right('readings/s'),
        right('log'),
        right('flush'),
        right('compaction'),
        right('all by the device'),
        right('bytes/reading'),
        right('readings/round'),
        right('p50 ms'),
        right('p99 ms'),
      ],
      rows: rows.map(wearRow),
      notes: [
        `${HEADLINE.valueBytes}-byte values and keys of ${readingBytes({ valueBytes: 0 })}; paced, and as many as it takes; until all has come to rest. Memtables of ${formatBytes(memtableBytes)}, so that a short run has as many flushes and merges as a long one has with the default of 16 MiB. Mosquitto keeps the newest value of each topic only, and writes all of them every ten seconds: what it acknowledged since is lost with the power.`,
      ],
    },
  ];
}

function wearRow({ name, turn, copies, written }: WearRow): string[] {
  const stored = turn.messages * readingBytes(HEADLINE) * copies;
  const ratio = (bytes: number | null) => fixed(bytes === null ? null : bytes / stored, 2);
  return [
    name,
    count(turn.perSecond),
    ratio(written.log),
    ratio(written.flush),
    ratio(written.compaction),
    ratio(written.device),
    count(written.device / turn.messages / copies),
    written.rounds === null ? '-' : fixed((turn.messages * copies) / written.rounds, 1),
    fixed(turn.p50Ms, 1),
    fixed(turn.p99Ms, 1),
  ];
}

export function longRunTables({
  top,
  turn,
  share,
  samples,
  written,
}: LongRunResult): ReportTable[] {
  const peaks = turn.processes.map((_, index) =>
    Math.max(...samples.map(({ residentBytes }) => residentBytes[index] ?? Number.NaN)),
  );
  const worst = Math.max(...samples.map(({ p99Ms }) => p99Ms));
  const middle = median(samples.map(({ p99Ms }) => p99Ms));
  return [
    {
      title: `Long run: ${fixed(turn.seconds / 60, 1)} minutes at ${share === 1 ? 'full load' : `${percent(share)} of the top rate`}, compaction included`,
      columns: [left('What'), right('Figure')],
      rows: [
        ['top rate before, msg/s', count(top.perSecond)],
        ['acknowledged, msg/s', count(turn.perSecond)],
        ['readings', count(turn.messages)],
        [
          'p50, p99, max ms',
          `${fixed(turn.p50Ms, 2)}, ${fixed(turn.p99Ms, 2)}, ${fixed(turn.maxMs, 0)}`,
        ],
        ['p99 of each second: median, worst ms', `${fixed(middle, 2)}, ${fixed(worst, 1)}`],
        [
          'CPU µs/msg, each node',
          turn.processes.map((each) => fixed(each.cpuMicrosPerMessage, 2)).join(' '),
        ],
        [
          'of that the main thread',
          turn.processes.map((each) => fixed(each.mainMicrosPerMessage, 2)).join(' '),
        ],
        [
          `resident at most, each node (budget ${formatBytes(MEMORY_BUDGET_BYTES)})`,
          peaks.map(formatBytes).join(', '),
        ],
        ['written by stored bytes: log, flush, compaction', writtenRatios(written, turn.messages)],
        ['load CPU', percent(turn.cpuShare)],
      ],
    },
  ];
}

function writtenRatios({ log, flush, compaction }: WrittenBytes, messages: number): string {
  const stored = messages * readingBytes(HEADLINE) * NODE_COUNT;
  return [log, flush, compaction].map((bytes) => fixed((bytes ?? 0) / stored, 2)).join(', ');
}

export function scaleTables({ readings, shards, clients }: ScaleResult): ReportTable[] {
  const cost = right('CPU µs/msg·node');
  const filled: ReportTable = {
    title: 'Scale: readings stored',
    columns: [
      right('Readings'),
      right('readings/s'),
      right('CPU µs/reading·node'),
      right('× first'),
    ],
    rows: readings.map((step) => [
      count(step.readings),
      count(step.perSecond),
      fixed(step.cpuMicrosPerReadingNode, 2),
      fixed(step.cpuMicrosPerReadingNode / (readings[0]?.cpuMicrosPerReadingNode ?? 1), 2),
    ]),
    notes: [
      `Each row is what was written since the one before; 5,000 series, 16-byte values, batches of 100. In all ${fixed(readings.at(-1)?.writtenPerStoredByte ?? null, 2)} bytes were written by byte stored.`,
    ],
  };
  const sized = (title: string, column: string, steps: readonly SizeStep[], note: string) => ({
    title,
    columns: [
      right(column),
      right('msg/s'),
      right('p99 ms'),
      cost,
      right('× first'),
      right('load CPU'),
    ],
    rows: steps.map((step) => [
      count(step.size),
      count(step.perSecond),
      fixed(step.p99Ms, 1),
      fixed(step.cpuMicrosPerMessageNode, 2),
      fixed(step.cpuMicrosPerMessageNode / (steps[0]?.cpuMicrosPerMessageNode ?? 1), 2),
      percent(step.cpuShare),
    ]),
    notes: [note],
  });
  return [
    filled,
    sized('Scale: shards', 'Shards', shards, 'A fresh cluster for each row; the headline’s load.'),
    sized(
      'Scale: clients',
      'Clients',
      clients,
      'As many of them as there are share 1,000 messages in flight, and 5,000 have one each.',
    ),
  ];
}
