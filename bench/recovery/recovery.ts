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
const FIRST_NODES = 3;
const REPLICAS = 3;
/** Nodes that join, one after the other. */
const JOINS = 2;

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
    const kills = await withCluster(data, FIRST_NODES, (cluster) =>
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
    const replacement = await withCluster(data, FIRST_NODES, (each) =>
      measureReplacement(each, bytes),
    );
    result = { ...result, replacement };
  }
  if (parts.has('joins')) {
    const joins = await withCluster(data, FIRST_NODES, async (cluster) => {
      const results = [];
      while (results.length < JOINS) results.push(await measureJoin(cluster, REPLICAS));
      return results;
    });
    result = { ...result, joins };
  }
  const text = values.json ? JSON.stringify(result, null, 2) : formatRecovery(result);
  process.stdout.write(`${text}\n`);
}

function partsOf(given: string): ReadonlySet<string> {
  const parts = given.split(',');
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`--parts has ${unknown}, but must be of ${PARTS}`);
  return new Set(parts);
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
