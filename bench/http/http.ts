import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, type Machine } from '../machine.ts';
import { type DssCluster, startDss } from '../peers/dss.ts';
import { type EtcdCluster, startEtcd } from '../peers/etcd.ts';
import { cpuMicrosOf } from '../process-figures.ts';
import { Cannon, type CannonResult } from './cannon.ts';
import { type ContenderName, DIALECTS, type Operation } from './contenders.ts';
import { formatHttp } from './report.ts';

export const WORKLOAD = { valueBytes: 64, keys: 5_000 };
const NODE_COUNT = 3;
export const OPERATIONS: readonly Operation[] = ['put', 'get'];
const FILLERS = 48;
/** Of each turn, before it is measured: whoever was not asked meanwhile gets its share of the caches again. */
const SETTLE_SECONDS = 2;

export interface HttpTurn extends CannonResult {
  /** Of all processes of the contender. */
  readonly cpuMicrosPerAnswer: number;
}

/** What each of them did in one round. */
export type HttpRound = Readonly<Partial<Record<ContenderName, Record<Operation, HttpTurn>>>>;

export interface HttpResult {
  readonly machine: Machine;
  /** Of the minute before: what else the machine was doing. */
  readonly loadAverageBefore: number;
  readonly workload: typeof WORKLOAD & HttpLoad;
  readonly etcdVersion: string | null;
  readonly rounds: readonly HttpRound[];
}

interface HttpLoad {
  /** Of all nodes together. */
  readonly connections: number;
  readonly seconds: number;
  /** Of each contender and operation, before the first round. */
  readonly warmupSeconds: number;
}

const usage = `Usage: npm run bench -- http [--rounds 5] [--connections 192] [--seconds 5] [--warmup 20] [--json] [--save]

Three dss nodes and three of etcd take turns: PUT and GET of one value over HTTP by autocannon, ${WORKLOAD.valueBytes}-byte values,
${WORKLOAD.keys} keys. Both sync every put on a quorum, on the same disk; both read linearizably.
  --warmup <s>  load before the first round, for each contender and operation; each turn begins with two more
  --data <dir>  where the nodes keep their data (default ./.dss)
  --profile <dir>  our nodes leave CPU profiles of their main threads of the last round there
  --save        write bench/results/http.json`;

export async function http(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '192' },
      seconds: { type: 'string', default: '5' },
      warmup: { type: 'string', default: '20' },
      profile: { type: 'string' },
      data: { type: 'string', default: '.dss' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const load = {
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    warmupSeconds: Number(values.warmup),
  };
  const result = await runRounds(values.data, Number(values.rounds), load, values.profile);
  const json = JSON.stringify(result, null, 2);
  process.stdout.write(`${values.json ? json : formatHttp(result)}\n`);
  if (values.save) {
    await mkdir('bench/results', { recursive: true });
    await writeFile('bench/results/http.json', `${json}\n`);
  }
}

/** Where one of them is asked, and what it costs. */
interface Contender {
  readonly name: ContenderName;
  readonly ports: readonly number[];
  readonly processIds: readonly number[];
}

async function runRounds(
  data: string,
  count: number,
  load: HttpLoad,
  profile: string | undefined,
): Promise<HttpResult> {
  const loadAverageBefore = loadavg()[0] ?? Number.NaN;
  await mkdir(data, { recursive: true });
  const directory = await mkdtemp(join(data, 'bench-'));
  const cannon = new Cannon();
  let dss: DssCluster | undefined;
  let etcd: EtcdCluster | undefined;
  try {
    etcd = await startEtcd(directory, NODE_COUNT);
    if (etcd === undefined) process.stderr.write('etcd is not installed: DSS runs alone.\n');
    dss = await startDss(directory, NODE_COUNT, { profile });
    const contenders = await contendersOf(dss, etcd);
    for (const contender of contenders) await fill(contender);
    process.stderr.write('warming up\n');
    const { warmupSeconds } = load;
    await runRound(cannon, contenders, { ...load, seconds: warmupSeconds });
    const rounds: HttpRound[] = [];
    for (let round = 0; round < count; round += 1) {
      process.stderr.write(`round ${round + 1} of ${count}\n`);
      // Each begins every other round.
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      if (round === count - 1) dss.switchProfiles();
      rounds.push(await runRound(cannon, order, load));
    }
    dss.switchProfiles();
    const etcdVersion = etcd?.version ?? null;
    const workload = { ...WORKLOAD, ...load };
    return { machine: describeMachine(), loadAverageBefore, workload, etcdVersion, rounds };
  } finally {
    cannon.close();
    await dss?.close();
    await etcd?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function contendersOf(dss: DssCluster, etcd: EtcdCluster | undefined): Promise<Contender[]> {
  const status = await dss.status();
  const processIds = status.map(({ process: { processId } }) => processId);
  const ours = { name: 'dss', ports: dss.httpPorts, processIds } as const;
  if (etcd === undefined) return [ours];
  return [ours, { name: 'etcd', ports: etcd.httpPorts, processIds: etcd.processIds }];
}

async function runRound(
  cannon: Cannon,
  order: readonly Contender[],
  load: HttpLoad,
): Promise<HttpRound> {
  const turns: Partial<Record<ContenderName, Record<Operation, HttpTurn>>> = {};
  for (const contender of order) turns[contender.name] = {} as Record<Operation, HttpTurn>;
  for (const operation of OPERATIONS) {
    for (const contender of order) {
      const turn = await runTurn(cannon, contender, operation, load);
      Object.assign(turns[contender.name] ?? {}, { [operation]: turn });
    }
  }
  return turns;
}

async function runTurn(
  cannon: Cannon,
  { name, ports, processIds }: Contender,
  operation: Operation,
  { connections, seconds }: HttpLoad,
): Promise<HttpTurn> {
  const cpu = () => processIds.reduce((sum, id) => sum + cpuMicrosOf(id), 0);
  const options = { ...WORKLOAD, connections, contender: name, operation, ports };
  await cannon.fire({ ...options, seconds: SETTLE_SECONDS });
  const before = cpu();
  const result = await cannon.fire({ ...options, seconds });
  return { ...result, cpuMicrosPerAnswer: (cpu() - before) / result.answers };
}

/** Every key has a value before it is asked for. */
async function fill({ name, ports }: Contender): Promise<void> {
  const { request } = DIALECTS[name];
  const value = 'x'.repeat(WORKLOAD.valueBytes);
  let next = 0;
  const filler = async () => {
    while (next < WORKLOAD.keys) {
      const key = next++;
      const { path, ...rest } = request('put', key, value);
      const answer = await fetch(`http://127.0.0.1:${ports[key % ports.length]}${path}`, rest);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${name} answered ${answer.status} to a put`);
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, filler));
}
