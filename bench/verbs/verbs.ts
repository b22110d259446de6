import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { HEADLINE } from '../ingest/scenarios.ts';
import { describeMachine, type Machine } from '../machine.ts';
import { type DssCluster, startDss } from '../peers/dss.ts';
import { RequestClient } from '../request-client.ts';
import { type KeyCountReads, measureFullReads } from './full-reads.ts';
import { type LongHistory, measureLongHistory } from './long-history.ts';
import { NodeMemory, type PartMemory } from './node-memory.ts';
import { formatVerbs } from './report.ts';
import { measureVerbRates, type VerbRates } from './verb-rates.ts';

const NODE_COUNT = 3;
const PARTS = ['rates', 'reads', 'history'] as const;
type Part = (typeof PARTS)[number];

export interface VerbsOptions {
  readonly parts: readonly Part[];
  readonly keyCounts: readonly number[];
  readonly readings: number;
  readonly seconds: number;
  /** A full read that takes longer ends there. */
  readonly secondsMax: number;
}

export interface VerbsResult {
  readonly machine: Machine;
  /** Of the minute before: what else the machine was doing. */
  readonly loadAverageBefore: number;
  readonly options: VerbsOptions;
  readonly rates: VerbRates | null;
  readonly reads: readonly KeyCountReads[] | null;
  readonly history: LongHistory | null;
  readonly memory: readonly PartMemory[];
}

const usage = `Usage: npm run bench -- verbs [--parts rates,reads,history] [--json] [--save]

Three dss nodes, a fresh cluster for each part.
  --seconds 3          how long each verb is measured
  --keys 1000,100000   how many keys are read from end to end
  --readings 1000000   how long a history is read from end to end
  --pass 30            seconds after which reading from end to end is broken off
  --data <dir>         where the nodes keep their data (default ./.dss)
  --save               write bench/results/verbs.json`;

export async function verbs(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      parts: { type: 'string', default: PARTS.join(',') },
      seconds: { type: 'string', default: '3' },
      keys: { type: 'string', default: '1000,100000' },
      readings: { type: 'string', default: '1000000' },
      pass: { type: 'string', default: '30' },
      data: { type: 'string', default: '.dss' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const asked = values.parts.split(',');
  const result = await runParts(values.data, {
    parts: PARTS.filter((part) => asked.includes(part)),
    keyCounts: values.keys.split(',').map(Number),
    readings: Number(values.readings),
    seconds: Number(values.seconds),
    secondsMax: Number(values.pass),
  });
  const json = JSON.stringify(result, null, 2);
  process.stdout.write(`${values.json ? json : formatVerbs(result)}\n`);
  if (values.save) {
    await mkdir('bench/results', { recursive: true });
    await writeFile('bench/results/verbs.json', `${json}\n`);
  }
}

interface Bench {
  readonly dss: DssCluster;
  /** One to each node. */
  readonly clients: readonly RequestClient[];
  readonly memory: NodeMemory;
}

async function runParts(data: string, options: VerbsOptions): Promise<VerbsResult> {
  const memory: PartMemory[] = [];
  const loadAverageBefore = loadavg()[0] ?? Number.NaN;
  const run = async <T>(part: Part, measure: (bench: Bench) => Promise<T>): Promise<T | null> => {
    if (!options.parts.includes(part)) return null;
    return onFreshCluster(data, async (bench) => {
      const result = await measure(bench);
      memory.push(...bench.memory.parts);
      return result;
    });
  };
  const { keyCounts, readings, seconds, secondsMax } = options;
  const shared = { seconds, secondsMax, onProgress };
  const rates = await run('rates', (bench) =>
    measureVerbRates({ ...bench, ...shared, load: HEADLINE }),
  );
  const reads = await run('reads', (bench) => measureFullReads({ ...bench, ...shared, keyCounts }));
  const history = await run('history', (bench) =>
    measureLongHistory({ ...bench, ...shared, readings }),
  );
  return { machine: describeMachine(), loadAverageBefore, options, rates, reads, history, memory };
}

async function onFreshCluster<T>(data: string, run: (bench: Bench) => Promise<T>): Promise<T> {
  await mkdir(data, { recursive: true });
  const directory = await mkdtemp(`${data}/bench-`);
  let dss: DssCluster | undefined;
  const clients: RequestClient[] = [];
  try {
    dss = await startDss(directory, NODE_COUNT);
    for (const [index, port] of dss.mqttPorts.entries()) {
      clients.push(await RequestClient.open(port, `bench-${index + 1}`));
    }
    return await run({ dss, clients, memory: new NodeMemory(await dss.status()) });
  } finally {
    for (const client of clients) client.close();
    await dss?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function onProgress(what: string): void {
  process.stderr.write(`${what}\n`);
}
