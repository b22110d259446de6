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
import { CONTENDERS } from './contenders.ts';
import { stageTables } from './stage-report.ts';
import type { ScenarioResult, ThroughputResult } from './throughput.ts';
import type { ProcessCost, Turn } from './turn.ts';

const REFERENCE = 'mosquitto';

export function throughputTables(result: ThroughputResult): ReportTable[] {
  const overview = result.scenarios.length > 1 ? [overviewTable(result)] : [];
  const each = result.scenarios.flatMap((scenario) => [
    scenarioTable(scenario, result),
    ...stageTables(scenario),
  ]);
  return [...overview, ...each];
}

function overviewTable({ scenarios }: ThroughputResult): ReportTable {
  const peers = CONTENDERS.filter((name) => name !== 'dss');
  return {
    title: 'Every scenario: messages a second, medians',
    columns: [
      left('Scenario'),
      left('Differs'),
      right('dss'),
      ...peers.map((name) => right(name)),
      right('dss × mosquitto'),
      right('dss p50 ms'),
      right('dss p99 ms'),
      right('CPU µs/msg·node'),
    ],
    rows: scenarios.map((result) => {
      const ours = turnsOf(result, 'dss');
      const rates = peers.map((name) => count(medianOf(turnsOf(result, name), perSecond)));
      return [
        result.scenario.name,
        result.scenario.differs,
        count(medianOf(ours, perSecond)),
        ...rates,
        fixed(ratioOf(result, 'dss'), 2),
        fixed(
          medianOf(ours, (turn) => turn.p50Ms),
          2,
        ),
        fixed(
          medianOf(ours, (turn) => turn.p99Ms),
          1,
        ),
        fixed(
          medianOf(ours, ({ processes }) =>
            mean(processes.map((each) => each.cpuMicrosPerMessage)),
          ),
          2,
        ),
      ];
    }),
  };
}

function scenarioTable(result: ScenarioResult, { times, diskSync }: ThroughputResult): ReportTable {
  const { scenario, rounds, versions } = result;
  const { name, clients, inflight, qos, valueBytes, keys, differs } = scenario;
  const hasDeliveries = scenario.subscriptions > 0;
  const names = CONTENDERS.filter((contender) => turnsOf(result, contender).length > 0);
  return {
    title: `${name}: ${clients === 1 ? 'one connection' : `${clients} connections`} × ${inflight} in flight, QoS ${qos}, ${valueBytes} bytes, ${count(keys)} keys${differs === '' ? '' : ` (${differs})`}; ${rounds.length === 1 ? 'one round' : `medians of ${rounds.length} rounds`} of ${times.seconds} s`,
    columns: [
      left('Contender'),
      right('msg/s'),
      right('from – to'),
      right(`× ${REFERENCE}`),
      right('p50 ms'),
      right('p99 ms'),
      right('max ms'),
      right('rounds/s·node'),
      left('CPU µs/msg, each process'),
      left('main thread'),
      ...(hasDeliveries ? [right('deliveries/s')] : []),
      right('load CPU'),
    ],
    rows: names.map((contender) => {
      const turns = turnsOf(result, contender);
      const rates = turns.map(perSecond);
      const [least, most] = [Math.min(...rates), Math.max(...rates)];
      return [
        contender,
        count(median(rates)),
        `${count(least)} – ${count(most)}`,
        contender === REFERENCE ? '' : fixed(ratioOf(result, contender), 2),
        fixed(
          medianOf(turns, ({ p50Ms }) => p50Ms),
          2,
        ),
        fixed(
          medianOf(turns, ({ p99Ms }) => p99Ms),
          2,
        ),
        fixed(
          medianOf(turns, ({ maxMs }) => maxMs),
          1,
        ),
        eachProcess(turns, ({ roundsPerSecond }) => roundsPerSecond, 0),
        eachProcess(turns, ({ cpuMicrosPerMessage }) => cpuMicrosPerMessage, 2),
        eachProcess(turns, ({ mainMicrosPerMessage }) => mainMicrosPerMessage, 2),
        ...(hasDeliveries
          ? [count(medianOf(turns, (turn) => turn.deliveriesPerSecond ?? Number.NaN))]
          : []),
        percent(medianOf(turns, ({ cpuShare }) => cpuShare)),
      ];
    }),
    notes: [
      `fdatasync of 4 KiB on this disk alone: p50 ${fixed(diskSync.p50Ms, 2)} ms, p99 ${fixed(diskSync.p99Ms, 2)} ms. ${[...new Set(Object.values(versions))].join(', ')}.`,
    ],
  };
}

export function turnsOf({ rounds }: ScenarioResult, contender: string): Turn[] {
  return rounds.flatMap((turns) => turns.filter((turn) => turn.contender === contender));
}

/** The median of what it reached by what the reference reached in the same round. */
function ratioOf({ rounds }: ScenarioResult, contender: string): number {
  return median(
    rounds.flatMap((turns) => {
      const [ours, theirs] = [contender, REFERENCE].map((name) =>
        turns.find((turn) => turn.contender === name),
      );
      return ours === undefined || theirs === undefined ? [] : [ours.perSecond / theirs.perSecond];
    }),
  );
}

/** The median of each process, one after the other. */
function eachProcess(
  turns: readonly Turn[],
  pick: (process: ProcessCost) => number | null,
  digits: number,
): string {
  const processes = turns[0]?.processes ?? [];
  const medians = processes.map((_, index) =>
    medianOf(turns, (turn) => pick(turn.processes[index] as ProcessCost) ?? Number.NaN),
  );
  if (medians.every(Number.isNaN)) return '';
  return medians.map((value) => fixed(value, digits)).join(' ');
}

const perSecond = (turn: Turn): number => turn.perSecond;

function medianOf(turns: readonly Turn[], pick: (turn: Turn) => number): number {
  return median(turns.map(pick));
}
