import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { StatusDocument } from '../clients/cli/status-document.ts';
import { formatIngest } from './ingest-report.ts';
import { forkLoad, type LoadResult } from './load-generator.ts';
import { describeMachine, type Machine } from './machine.ts';
import { type DssCluster, startDss } from './peers/dss.ts';
import { type Mosquitto, startMosquitto } from './peers/mosquitto.ts';

/** Durable replicated ingest beside a plain broker that keeps everything in memory (DESIGN §11). */
export const WORKLOAD = { clients: 48, inflight: 20, valueBytes: 64, keys: 5_000 };
const NODE_COUNT = 3;

export interface DssRound extends LoadResult {
  readonly nodes: readonly NodeCost[];
}

export interface NodeCost {
  readonly name: string;
  readonly roundsPerSecond: number;
  readonly syncsPerSecond: number;
  readonly cpuMicrosPerMessage: number;
}

export interface MosquittoRound extends LoadResult {
  readonly cpuMicrosPerMessage: number;
}

export interface IngestResult {
  readonly machine: Machine;
  readonly workload: typeof WORKLOAD & { readonly seconds: number; readonly warmupSeconds: number };
  readonly mosquittoVersion: string | null;
  readonly rounds: readonly { readonly dss: DssRound; readonly mosquitto: MosquittoRound | null }[];
}

const usage = `Usage: npm run bench -- ingest [--rounds 5] [--seconds 10] [--warmup 2] [--json] [--save]

Three dss nodes and a Mosquitto take turns under the same load: ${WORKLOAD.clients} connections with ${WORKLOAD.inflight} QoS 1
puts in flight each, ${WORKLOAD.valueBytes}-byte values, ${WORKLOAD.keys} keys.
  --data <dir>  where the nodes keep their data (default ./.dss)
  --profile <dir>  where the nodes leave CPU profiles (Chrome's devtools read them)
  --save        write bench/results/ingest.json`;

export async function ingest(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '10' },
      warmup: { type: 'string', default: '2' },
      data: { type: 'string', default: '.dss' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const seconds = Number(values.seconds);
  const warmupSeconds = Number(values.warmup);
  const result = await runRounds(values, Number(values.rounds), { seconds, warmupSeconds });
  const json = JSON.stringify(result, null, 2);
  process.stdout.write(`${values.json ? json : formatIngest(result)}\n`);
  if (values.save) {
    await mkdir('bench/results', { recursive: true });
    await writeFile('bench/results/ingest.json', `${json}\n`);
  }
}

async function runRounds(
  { data, profile }: { readonly data: string; readonly profile?: string | undefined },
  roundCount: number,
  times: { seconds: number; warmupSeconds: number },
): Promise<IngestResult> {
  await mkdir(data, { recursive: true });
  const directory = await mkdtemp(`${data}/bench-`);
  let dss: DssCluster | undefined;
  let mosquitto: Mosquitto | undefined;
  try {
    mosquitto = await startMosquitto(directory);
    if (!mosquitto) process.stderr.write('Mosquitto is not installed: DSS runs alone.\n');
    dss = await startDss(directory, NODE_COUNT, { profile });
    const rounds: IngestResult['rounds'][number][] = [];
    for (let round = 1; round <= roundCount; round += 1) {
      process.stderr.write(`round ${round} of ${roundCount}\n`);
      const ours = await runDss(dss, times);
      const theirs = mosquitto ? await runMosquitto(mosquitto, times) : null;
      rounds.push({ dss: ours, mosquitto: theirs });
    }
    const mosquittoVersion = mosquitto?.version ?? null;
    const workload = { ...WORKLOAD, ...times };
    return { machine: describeMachine(), workload, mosquittoVersion, rounds };
  } finally {
    await dss?.close();
    await mosquitto?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function runDss(
  dss: DssCluster,
  times: { seconds: number; warmupSeconds: number },
): Promise<DssRound> {
  let before: Promise<StatusDocument[]> | undefined;
  const options = { ...WORKLOAD, ...times, ports: dss.mqttPorts, topicPrefix: 'dss/put/bench/' };
  const result = await forkLoad(options, () => {
    before = dss.status();
    dss.switchProfiles();
  });
  dss.switchProfiles();
  const first = (await before) ?? [];
  const last = await dss.status();
  const nodes = last.map((status, index) => nodeCost(first[index] ?? status, status, result));
  return { ...result, nodes };
}

function nodeCost(before: StatusDocument, after: StatusDocument, load: LoadResult): NodeCost {
  const seconds = (after.process.uptimeMs - before.process.uptimeMs) / 1000;
  const perSecond = (counter: string): number =>
    ((after.log?.[counter] ?? 0) - (before.log?.[counter] ?? 0)) / seconds;
  const cpu = (status: StatusDocument): number =>
    status.process.cpuUserMicros + status.process.cpuSystemMicros;
  return {
    name: after.node.name,
    roundsPerSecond: perSecond('rounds'),
    syncsPerSecond: perSecond('syncs'),
    cpuMicrosPerMessage: (cpu(after) - cpu(before)) / load.messages,
  };
}

async function runMosquitto(
  mosquitto: Mosquitto,
  times: { seconds: number; warmupSeconds: number },
): Promise<MosquittoRound> {
  let before = 0;
  const options = { ...WORKLOAD, ...times, ports: [mosquitto.port], topicPrefix: 'bench/' };
  const result = await forkLoad(options, () => {
    before = mosquitto.cpuMicros();
  });
  return { ...result, cpuMicrosPerMessage: (mosquitto.cpuMicros() - before) / result.messages };
}
