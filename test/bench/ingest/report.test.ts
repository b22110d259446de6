import { describe, expect, it } from 'vitest';
import { BATCHES_OF_100 } from '../../../bench/ingest/batches.ts';
import { batchesTables, latencyTables, wearTables } from '../../../bench/ingest/part-reports.ts';
import { marksUpTo } from '../../../bench/ingest/scale.ts';
import { HEADLINE, SCENARIOS, scenariosNamed } from '../../../bench/ingest/scenarios.ts';
import { stagesBetween } from '../../../bench/ingest/stages.ts';
import type { ScenarioResult } from '../../../bench/ingest/throughput.ts';
import { throughputTables } from '../../../bench/ingest/throughput-report.ts';
import type { Turn } from '../../../bench/ingest/turn.ts';
import type { StatusDocument } from '../../../clients/cli/status-document.ts';

const TIMES = { seconds: 1, warmupSeconds: 0 };
const DISK = { p50Ms: 0.5, p99Ms: 2 };

function turn(contender: string, perSecond: number, changes: Partial<Turn> = {}): Turn {
  const load = { messages: perSecond, seconds: 1, perSecond, p50Ms: 1, p99Ms: 2, maxMs: 3 };
  return {
    ...load,
    cpuShare: 0.5,
    contender,
    processes: [],
    deliveriesPerSecond: null,
    ...changes,
  };
}

function tablesFor(...scenarios: ScenarioResult[]) {
  return throughputTables({ times: TIMES, diskSync: DISK, scenarios });
}

describe('the tables of throughput', () => {
  it('compare with Mosquitto in the same round, and give the median of that', () => {
    const rounds = [
      [turn('dss', 100), turn('mosquitto', 1_000)],
      [turn('mosquitto', 100), turn('dss', 50)],
      [turn('dss', 80), turn('mosquitto', 400)],
    ];
    const [table] = tablesFor({ scenario: HEADLINE, versions: { dss: 'dss' }, rounds });
    expect(table?.rows[0]?.slice(0, 4)).toEqual(['dss', '80', '50 – 100', '0.20']);
    expect(table?.rows[1]?.slice(0, 4)).toEqual(['mosquitto', '400', '100 – 1,000', '']);
  });

  it('leave out who was not there, and have an overview of several scenarios', () => {
    const result = { versions: {}, rounds: [[turn('dss', 100)]] };
    const [overview, ...each] = tablesFor(
      ...SCENARIOS.map((scenario) => ({ ...result, scenario })),
    );
    expect(overview?.rows.map(([name]) => name)).toEqual(SCENARIOS.map(({ name }) => name));
    expect(each.every(({ rows }) => rows.length === 1)).toBe(true);
    expect(each[0]?.rows[0]?.[3]).toBe('-');
  });

  it('show what stages cost where a node counts them', () => {
    const status = (micros: number, messages: number) =>
      ({ process: { stages: { sync: { micros, messages } } } }) as unknown as StatusDocument;
    const stages = stagesBetween(status(100, 10), status(300, 60), 200);
    expect(stages).toEqual([{ stage: 'sync', microsPerMessage: 1, microsPerPassed: 4 }]);
    expect(stagesBetween(undefined, undefined, 1)).toBeNull();
    const cost = { cpuMicrosPerMessage: 2, mainMicrosPerMessage: 1, syncsPerSecond: 1, leads: 22 };
    const processes = [{ name: 'n1', ...cost, roundsPerSecond: 1, stages }];
    const rounds = [[turn('dss', 200, { processes })]];
    const tables = tablesFor({ scenario: HEADLINE, versions: {}, rounds });
    expect(tables[1]?.columns[1]?.title).toBe('n1 (leads 22) µs/msg');
    expect(tables[1]?.rows).toEqual([
      ['sync', '1.000', '4.000'],
      ['sum', '1.000', ''],
    ]);
  });
});

it('shows wear by what was stored, on each node', () => {
  const written = { log: 760, flush: 380, compaction: null, device: 1_520, rounds: 6 };
  const row = { name: 'dss', perSecond: 10, copies: 2, turn: turn('dss', 5), written };
  const [table] = wearTables({ memtableBytes: 1024 ** 2, rows: [row] });
  // Five readings of 76 bytes, twice.
  const cells = ['dss', '5', '1.00', '0.50', '-', '2.00', '152', '1.7', '1.0', '2.0'];
  expect(table?.rows).toEqual([cells]);
});

it('shows latency at parts of the top rate of the same run', () => {
  const steps = [{ share: 0.1, duePerSecond: 10, turn: turn('dss', 9, { lateP99Ms: 1.25 }) }];
  const [table] = latencyTables({
    contenders: [{ contender: 'dss', top: turn('dss', 100), steps }],
  });
  expect(table?.rows[1]).toEqual(['dss', '10 %', '10', '9', '1.00', '2.00', '3.0', '1.25', '50 %']);
});

it('shows batches by their readings, beside the puts of the same round', () => {
  const cost = { cpuMicrosPerMessage: 200, mainMicrosPerMessage: 100, leads: 5 };
  const processes = [{ name: 'n1', ...cost, roundsPerSecond: 1, syncsPerSecond: 1, stages: null }];
  const [table] = batchesTables({
    rows: [
      { scenario: HEADLINE, turns: [turn('dss', 100, { processes }), turn('dss', 50)] },
      { scenario: BATCHES_OF_100, turns: [turn('dss', 2, { processes }), turn('dss', 3)] },
    ],
  });
  const [puts, batches] = table?.rows ?? [];
  expect(puts?.slice(0, 5)).toEqual(['a put', '48 × 20', '75', '50 – 100', '1.00']);
  expect(batches?.slice(0, 5)).toEqual([
    ...['100 readings, protobuf', '48 × 2', '250', '200 – 300', '4.00'],
  ]);
});

it('varies one thing at a time in eleven scenarios', () => {
  expect(SCENARIOS).toHaveLength(12);
  for (const scenario of SCENARIOS.slice(1)) {
    const varied = (Object.keys(HEADLINE) as (keyof typeof HEADLINE)[]).filter(
      (part) => part !== 'name' && part !== 'differs' && scenario[part] !== HEADLINE[part],
    );
    expect(varied.length, scenario.name).toBeGreaterThan(0);
    expect(varied.length, scenario.name).toBeLessThanOrEqual(2);
  }
  expect(scenariosNamed('one,rf1').map(({ name }) => name)).toEqual(['one', 'rf1']);
  expect(() => scenariosNamed('two')).toThrow(
    'there is no scenario "two"; known are all, headline',
  );
});

it('looks at 1, 2, 5 and 10 million readings, and so on', () => {
  expect(marksUpTo(10e6)).toEqual([1e6, 2e6, 5e6, 10e6]);
  expect(marksUpTo(100_000)).toEqual([100_000]);
});
