import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeMachine, type Machine } from '../machine.ts';
import { CELLS, type Cell, nameOf } from './cells.ts';
import { type Contender, startContest } from './contenders.ts';
import { type Crowd, measureCrowd } from './crowd.ts';
import { type Flood, measureFlood } from './flood.ts';
import { formatFanout } from './report.ts';
import { type CellResult, runCell, type Times } from './run-cell.ts';

const PARTS = ['one', 'across', 'flood', 'crowd'];
const ACROSS_NODES = 3;

/** What each contender did with a cell, round by round. */
export interface CellRounds {
  readonly cell: Cell;
  readonly rounds: readonly Readonly<Partial<Record<Contender['name'], CellResult>>>[];
}

/** A part that was not asked for is missing. */
export interface FanoutResult {
  readonly machine: Machine;
  readonly times: Times;
  readonly versions: readonly string[];
  readonly one?: readonly CellRounds[];
  readonly across?: readonly CellRounds[];
  readonly flood?: Flood;
  readonly crowd?: Crowd;
}

const usage = `Usage: npm run bench -- fanout [--parts ${PARTS.join(',')}] [--rounds 3] [--seconds 3] [--warmup 1] [--json] [--save]

One message to many: ours, a stock aedes and a Mosquitto take turns.
  --cells 1x1000@0,50x10@1  publishers x subscribers @ QoS (default: all)
  --brokers dss,mosquitto   of: dss, dss value, aedes, mosquitto (default: all)
  --data <dir>              where the nodes keep their data (default ./.dss)
  --save                    write bench/results/fanout.json`;

export async function fanout(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      parts: { type: 'string', default: PARTS.join(',') },
      cells: { type: 'string' },
      brokers: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      warmup: { type: 'string', default: '1' },
      data: { type: 'string', default: '.dss' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const { data } = values;
  const parts = chosen(PARTS, values.parts, (part) => part);
  const times = { seconds: Number(values.seconds), warmupSeconds: Number(values.warmup) };
  const choice = {
    cells: chosen(CELLS, values.cells, nameOf),
    brokers: values.brokers?.split(','),
    rounds: Number(values.rounds),
    times,
  };
  let result: FanoutResult = { machine: describeMachine(), times, versions: [] };
  if (parts.includes('one')) {
    const { versions, cells } = await withDirectory(data, (each) => runContest(each, 1, choice));
    result = { ...result, versions, one: cells };
  }
  if (parts.includes('across')) {
    const { versions, cells } = await withDirectory(data, (each) =>
      runContest(each, ACROSS_NODES, choice),
    );
    result = { ...result, versions, across: cells };
  }
  if (parts.includes('flood')) {
    result = { ...result, flood: await withDirectory(data, (each) => measureFlood(each, times)) };
  }
  if (parts.includes('crowd')) {
    const crowd = await withDirectory(data, (each) => measureCrowd(each, times.seconds));
    result = { ...result, crowd };
  }
  const json = JSON.stringify(result, null, 2);
  process.stdout.write(`${values.json ? json : formatFanout(result)}\n`);
  if (values.save) {
    await mkdir('bench/results', { recursive: true });
    await writeFile('bench/results/fanout.json', `${json}\n`);
  }
}

async function runContest(
  directory: string,
  nodeCount: number,
  choice: {
    cells: readonly Cell[];
    brokers: readonly string[] | undefined;
    rounds: number;
    times: Times;
  },
): Promise<{ readonly versions: readonly string[]; readonly cells: readonly CellRounds[] }> {
  const { cells, brokers, rounds, times } = choice;
  const contest = await startContest(directory, nodeCount);
  try {
    const contenders = contest.contenders.filter(({ name }) => brokers?.includes(name) ?? true);
    const results: CellRounds[] = [];
    for (const cell of cells) {
      const all: CellRounds['rounds'][number][] = [];
      for (let round = 1; round <= rounds; round += 1) {
        process.stderr.write(`${nodeCount} nodes, ${nameOf(cell)}: round ${round} of ${rounds}\n`);
        const each: Partial<Record<Contender['name'], CellResult>> = {};
        for (const contender of contenders) {
          const run = `${nameOf(cell)}-${round}`;
          each[contender.name] = await runCell(contender, cell, { ...times, run });
        }
        all.push(each);
      }
      results.push({ cell, rounds: all });
    }
    return { versions: contest.versions, cells: results };
  } finally {
    await contest.close();
  }
}

function chosen<T>(
  all: readonly T[],
  given: string | undefined,
  name: (each: T) => string,
): readonly T[] {
  if (given === undefined) return all;
  return given.split(',').map((wanted) => {
    const found = all.find((each) => name(each) === wanted);
    if (found === undefined) throw new Error(`${wanted} must be of ${all.map(name).join(' ')}`);
    return found;
  });
}

async function withDirectory<T>(data: string, run: (directory: string) => Promise<T>): Promise<T> {
  await mkdir(data, { recursive: true });
  const directory = await mkdtemp(`${data}/fanout-`);
  try {
    return await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
