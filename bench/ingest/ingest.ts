import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { describeMachine, type Machine } from '../machine.ts';
import { updatePerformanceDocument } from '../performance-document.ts';
import { asText } from '../report-table.ts';
import { measureBatches } from './batches.ts';
import { CONTENDERS } from './contenders.ts';
import { measureLatency } from './latency.ts';
import { type LongRunResult, longRunPicture, measureLongRun } from './long-run.ts';
import { onFailed } from './part.ts';
import { PARTS, type PartName, tablesOf } from './parts.ts';
import { measureScale } from './scale.ts';
import { SCENARIOS, scenariosNamed } from './scenarios.ts';
import { measureThroughput } from './throughput.ts';
import { measureWear } from './wear.ts';

/** What a part has found, as it is saved. */
export interface SavedPart {
  readonly part: PartName;
  readonly command: string;
  readonly day: string;
  readonly machine: Machine;
  /** Of the minute before: what else the machine was doing. */
  readonly loadAverageBefore: number;
  readonly result: unknown;
}

const RESULTS = 'bench/results';

const usage = `Usage: npm run bench -- ingest [--parts throughput] [--json] [--save]

Three dss nodes, which fsync on a quorum before each PUBACK, and others take turns under the same load.
  --parts <names>        of ${PARTS.join(', ')}; or all
  --scenarios headline   of ${SCENARIOS.map(({ name }) => name).join(', ')}; all (of these); or one-shard
  --contenders <names>   of ${CONTENDERS.join(', ')}; those that are not installed are left out
  --rounds 5             of each scenario, and of batches
  --seconds 10           how long each turn is measured
  --warmup 2             seconds before that
  --start 20             seconds before the first turn of a broker: ours get twice as fast in that time
  --minutes 10           of the long run
  --share 0.5            of the top rate, in the long run; 1: as fast as it goes
  --wear-rate 1000       readings a second that are paced for wear
  --readings 10m         how many the part scale stores: 1m, 10m, 100m
  --data <dir>           where the brokers keep their data (default ./.dss)
  --profile <dir>        where the nodes leave CPU profiles (Chrome's devtools read them), for throughput
  --save                 write ${RESULTS}/ingest-<part>.json, and the tables into docs/PERFORMANCE.md
  --saved                measure nothing: write the tables of what was saved`;

const options = {
  parts: { type: 'string', default: 'throughput' },
  scenarios: { type: 'string', default: 'headline' },
  contenders: { type: 'string', default: CONTENDERS.join(',') },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '10' },
  warmup: { type: 'string', default: '2' },
  start: { type: 'string', default: '20' },
  minutes: { type: 'string', default: '10' },
  share: { type: 'string', default: '0.5' },
  'wear-rate': { type: 'string', default: '1000' },
  readings: { type: 'string', default: '10m' },
  data: { type: 'string', default: '.dss' },
  profile: { type: 'string' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
  saved: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

export async function ingest(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const asked = values.parts === 'all' ? PARTS : values.parts.split(',');
  const unknown = asked.find((part) => !PARTS.some((known) => known === part));
  if (unknown !== undefined) throw new Error(`there is no part "${unknown}"; known are ${PARTS}`);
  for (const part of PARTS.filter((known) => asked.includes(known))) {
    if (values.saved) {
      await writeDocument(JSON.parse(await readFile(fileOf(part), 'utf8')) as SavedPart);
      continue;
    }
    const saved = await runPart(part, values, args).catch(onFailed(part));
    if (saved === undefined) continue;
    const json = JSON.stringify(saved, null, 2);
    process.stdout.write(`${values.json ? json : textOf(saved)}\n`);
    if (values.save) await save(saved, json);
  }
}

async function runPart(
  part: PartName,
  values: Values,
  args: readonly string[],
): Promise<SavedPart> {
  const loadAverageBefore = loadavg()[0] ?? Number.NaN;
  const names = values.contenders.split(',');
  const common = {
    data: values.data,
    contenders: CONTENDERS.filter((name) => names.includes(name)),
    times: {
      seconds: Number(values.seconds),
      warmupSeconds: Number(values.warmup),
      startSeconds: Number(values.start),
    },
  };
  const measure: Readonly<Record<PartName, () => Promise<unknown>>> = {
    throughput: () =>
      measureThroughput({
        ...common,
        scenarios: scenariosNamed(values.scenarios),
        rounds: Number(values.rounds),
        profile: values.profile,
      }),
    batches: () => measureBatches({ ...common, rounds: Number(values.rounds) }),
    latency: () => measureLatency(common),
    long: () =>
      measureLongRun({ ...common, minutes: Number(values.minutes), share: Number(values.share) }),
    wear: () => measureWear({ ...common, wearPerSecond: Number(values['wear-rate']) }),
    scale: () => measureScale({ ...common, readings: parseReadings(values.readings) }),
  };
  const result = await measure[part]();
  const command = ['npm run bench -- ingest', ...args].join(' ');
  const day = new Date().toISOString().slice(0, 10);
  return { part, command, day, machine: describeMachine(), loadAverageBefore, result };
}

/** `10m` → 10,000,000. */
export function parseReadings(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([km]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new Error(`--readings is "${text}", but must be like 1m or 10m`);
  return Number(digits) * (unit === 'm' ? 1e6 : unit === 'k' ? 1e3 : 1);
}

function textOf(saved: SavedPart): string {
  return [describeRun(saved), ...tablesOf(saved).map(asText)].join('\n\n');
}

/** What the figures were measured with and on. */
export function describeRun({ command, day, machine, loadAverageBefore }: SavedPart): string {
  const { processor, cores, memoryGiB, system, node } = machine;
  const isBusy = loadAverageBefore > cores / 2;
  return [
    `${day}, ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}; load average before ${loadAverageBefore.toFixed(2)}; everything on one machine: \`${command}\``,
    ...(isBusy
      ? [
          'Others kept that machine busy: who has several processes and waits for the disk loses most by it.',
        ]
      : []),
  ].join('\n\n');
}

async function save(saved: SavedPart, json: string): Promise<void> {
  await mkdir(RESULTS, { recursive: true });
  await writeFile(fileOf(saved.part), `${json}\n`);
  await writeDocument(saved);
}

const fileOf = (part: PartName) => `${RESULTS}/ingest-${part}.json`;

async function writeDocument(saved: SavedPart): Promise<void> {
  if (saved.part === 'long') {
    await writeFile(`${RESULTS}/ingest-long.svg`, longRunPicture(saved.result as LongRunResult));
  }
  await updatePerformanceDocument(saved.part, [describeRun(saved), ...tablesOf(saved)]);
}
