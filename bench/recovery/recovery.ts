import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseByteSize } from '../../node/config/byte-size.ts';
import { describeMachine } from '../machine.ts';
import { measureAtRest } from './at-rest.ts';
import { measureJoin } from './growth.ts';
import { measureKills } from './leader-kills.ts';
import { NodeCluster } from './node-cluster.ts';
import { measureReplacement } from './replacement.ts';
import { formatRecovery, type RecoveryResult } from './report.ts';

const PARTS = ['kills', 'rest', 'replacement', 'joins'];
/** One node joins after the other until there are so many. */
const JOINED_NODES = [4, 5];

const usage = `Usage: npm run bench -- recovery [--parts ${PARTS.join(',')}] [--json]

Real nodes that are killed, replaced and added.
  --kills 20          leaders that are killed, under load
  --nodes 3,5,10      sizes of the clusters whose cost at rest is measured, over --seconds 30
  --bytes 1GB         data that an empty node gets when it replaces one
  --data <dir>        where the nodes keep their data (default ./.dss)`;

/** What it costs that a node dies, that one comes, and that nothing happens (docs/RELIABILITY.md). */
export async function recovery(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      parts: { type: 'string', default: PARTS.join(',') },
      kills: { type: 'string', default: '20' },
      nodes: { type: 'string', default: '3,5,10' },
      seconds: { type: 'string', default: '30' },
      bytes: { type: 'string', default: '1GB' },
      data: { type: 'string', default: '.dss' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const { data, seconds } = values;
  const parts = partsOf(values.parts);
  let result: RecoveryResult = { machine: describeMachine() };
  if (parts.has('kills')) {
    const kills = await withCluster(data, 3, (cluster) =>
      measureKills(cluster, Number(values.kills)),
    );
    result = { ...result, kills };
  }
  if (parts.has('rest')) {
    const rest = [];
    for (const count of values.nodes.split(',').map(Number)) {
      rest.push(await withCluster(data, count, (each) => measureAtRest(each, Number(seconds))));
    }
    result = { ...result, rest };
  }
  if (parts.has('replacement')) {
    const bytes = parseByteSize(values.bytes);
    const replacement = await withCluster(data, 3, (each) => measureReplacement(each, bytes));
    result = { ...result, replacement };
  }
  if (parts.has('joins')) {
    const joins = await withCluster(data, 3, async (cluster) => {
      const results = [];
      for (const _ of JOINED_NODES) results.push(await measureJoin(cluster));
      return results;
    });
    result = { ...result, joins };
  }
  const text = values.json ? JSON.stringify(result, null, 2) : formatRecovery(result);
  process.stdout.write(`${text}\n`);
}

/** What was asked for, without what nodes of this build cannot do. */
function partsOf(given: string): ReadonlySet<string> {
  const parts = given.split(',');
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`--parts has ${unknown}, but must be of ${PARTS}`);
  const growing = parts.filter((part) => part === 'replacement' || part === 'joins');
  if (growing.length === 0 || NodeCluster.canGrow()) return new Set(parts);
  process.stderr.write(`Left out: ${growing.join(', ')}. Nodes of this build cannot join.\n`);
  return new Set(parts.filter((part) => part !== 'replacement' && part !== 'joins'));
}

async function withCluster<T>(
  data: string,
  nodeCount: number,
  run: (cluster: NodeCluster) => Promise<T>,
): Promise<T> {
  await mkdir(data, { recursive: true });
  const directory = await mkdtemp(`${data}/recovery-`);
  let cluster: NodeCluster | undefined;
  try {
    cluster = await NodeCluster.start(directory, nodeCount);
    return await run(cluster);
  } finally {
    await cluster?.close();
    await rm(directory, { recursive: true, force: true });
  }
}
