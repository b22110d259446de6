import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { describeMachine, type Machine } from '../machine.ts';
import { CHUNK } from './batches.ts';
import { installPeers } from './install-peers.ts';
import { formatEngine } from './report.ts';
import { runRounds, type SizeResult } from './rounds.ts';
import { ROWS } from './rows.ts';
import { ENGINE_NAMES, PEERS_FOLDER } from './stores/engines.ts';

export interface EngineBenchResult {
  readonly machine: Machine;
  /** Of the minute before: what else the machine was doing. */
  readonly loadAverageBefore: number;
  readonly cacheMib: number;
  readonly directory: string;
  readonly sizes: readonly SizeResult[];
}

const usage = `Usage: npm run bench -- engine [--readings 1m|10m|both] [--rounds 5] [--json] [--save]

Our storage engine, classic-level, lmdb and rocksdb take turns with the same readings of 5,000 sensors, each time in
a process of its own with an empty directory.
  --readings 1m         how many; also 100k or 300k,2m: multiples of 100,000
  --rounds-10m 5        rounds with ten million or more: each takes minutes
  --engines a,b         of ${ENGINE_NAMES.join(', ')}
  --rows a,b            of ${ROWS.map(({ id }) => id).join(', ')}
  --cache-mib 32        the block cache of each engine that has one
  --path <dir>          where the databases are made (default: the system's directory for temporary files)
  --save                write bench/results/engine.json`;

export async function engine(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      readings: { type: 'string', default: '1m' },
      rounds: { type: 'string', default: '5' },
      'rounds-10m': { type: 'string', default: '5' },
      engines: { type: 'string', default: ENGINE_NAMES.join(',') },
      rows: { type: 'string', default: ROWS.map(({ id }) => id).join(',') },
      'cache-mib': { type: 'string', default: '32' },
      path: { type: 'string', default: tmpdir() },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const engines = chooseFrom(ENGINE_NAMES, values.engines);
  const rows = chooseFrom(
    ROWS.map(({ id }) => id),
    values.rows,
  );
  const counts = parseReadings(values.readings);
  const loadAverageBefore = loadavg()[0] ?? Number.NaN;
  if (engines.includes('lmdb') || engines.includes('rocksdb')) {
    const why = installPeers(PEERS_FOLDER);
    if (why) onProgress(why);
  }
  const cacheMib = Number(values['cache-mib']);
  const sizes: SizeResult[] = [];
  for (const readings of counts) {
    const rounds = Number(readings >= 10_000_000 ? values['rounds-10m'] : values.rounds);
    const shared = { engines, rows, onProgress, directory: values.path };
    sizes.push(await runRounds({ ...shared, readings, rounds, cacheBytes: cacheMib * 2 ** 20 }));
  }
  const machine = describeMachine();
  const result = { machine, loadAverageBefore, cacheMib, directory: values.path, sizes };
  const json = JSON.stringify(result, null, 2);
  process.stdout.write(`${values.json ? json : formatEngine(result, rows)}\n`);
  if (values.save) {
    await mkdir('bench/results', { recursive: true });
    await writeFile('bench/results/engine.json', `${json}\n`);
  }
}

/** `1m`, `300k,1m`, `both`: numbers of readings. */
export function parseReadings(text: string): number[] {
  return (text === 'both' ? '1m,10m' : text).split(',').map((part) => {
    const [, digits, unit] = /^(\d+)([km]?)$/.exec(part) ?? [];
    const readings = Number(digits) * (unit === 'm' ? 1_000_000 : unit === 'k' ? 1_000 : 1);
    if (readings > 0 && readings % CHUNK === 0) return readings;
    throw new Error(`--readings: ${part} is not a multiple of ${CHUNK.toLocaleString('en')}`);
  });
}

function chooseFrom<T extends string>(all: readonly T[], list: string): T[] {
  return list.split(',').map((name) => {
    const found = all.find((each) => each === name);
    if (found === undefined) throw new Error(`${name} is none of ${all.join(', ')}`);
    return found;
  });
}

function onProgress(what: string): void {
  process.stderr.write(`${what}\n`);
}
