import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError, ExitCode, systemCode, usageError } from '../errors.ts';
import { DEFAULT_HTTP_PORT, DEFAULT_MQTT_PORT } from './default-ports.ts';
import { findNodeProcess } from './directory-lock.ts';
import { choosePorts, type PortChoice, requireFree } from './ports.ts';

/** What `dss up` remembers in `<data>/cluster.json`, so that the next start has everything again. */
export interface ClusterLayout {
  readonly format: 1;
  readonly nodes: readonly NodeLayout[];
  readonly replicationFactor?: number;
  readonly shards?: number;
}

export interface NodeLayout {
  readonly name: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  /** It came when the cluster was there already, or is to come again, and so joins it. */
  readonly joins?: true;
}

/** Flags as given; undefined where they were not. */
export interface LayoutFlags {
  readonly nodes?: number | undefined;
  readonly mqttPort?: number | undefined;
  readonly httpPort?: number | undefined;
  readonly replicationFactor?: number | undefined;
  readonly shards?: number | undefined;
  /** Where the nodes are to listen; asked each time, not remembered. */
  readonly listen?: string | undefined;
}

const DEFAULT_NODES = 3;

/** The layout of the data directory, made there if it is new. */
export async function openLayout(dataDir: string, flags: LayoutFlags): Promise<ClusterLayout> {
  const known = await readLayout(dataDir);
  const layout = known ? await reopenLayout(dataDir, known, flags) : await createLayout(flags);
  if (layout === known) return layout;
  await writeLayout(dataDir, layout);
  return layout;
}

/** Nodes that are not in the cluster any more join it if they are started without what they held. */
export async function rememberRemoved(
  dataDir: string,
  layout: ClusterLayout,
  removed: ReadonlySet<string>,
): Promise<void> {
  if (removed.size === 0) return;
  const nodes = layout.nodes.map((node) =>
    removed.has(node.name) ? { ...node, joins: true as const } : node,
  );
  await writeLayout(dataDir, { ...layout, nodes });
}

/** Whether there is, or was to be, a cluster in the directory. */
export function hasLayout(dataDir: string): boolean {
  return existsSync(layoutPath(dataDir)) || existsSync(secretPath(dataDir));
}

/**
 * Leaves the directory as it was before the first start where no node came so far as to keep anything: flags and files
 * that were refused decide nothing about the next attempt.
 */
export async function forgetUnused(dataDir: string, { nodes }: ClusterLayout): Promise<void> {
  if (nodes.some(({ name }) => existsSync(join(dataDir, name)))) return;
  await rm(layoutPath(dataDir), { force: true });
  await rm(secretPath(dataDir), { force: true });
}

/** The file with the cluster's secret, made once; only its owner can read it. */
export async function openSecretFile(dataDir: string): Promise<string> {
  const path = secretPath(dataDir);
  try {
    await writeFile(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  return path;
}

async function createLayout(flags: LayoutFlags): Promise<ClusterLayout> {
  const count = flags.nodes ?? DEFAULT_NODES;
  const mqttPorts = await choosePorts(mqttChoice(flags), count);
  const httpPorts = await choosePorts(httpChoice(flags), count);
  const both = mqttPorts.find((port) => httpPorts.includes(port));
  if (both !== undefined) throw usageError(`port ${both} would be used for both MQTT and HTTP`);
  const nodes = mqttPorts.map((mqttPort, index) => ({
    name: `n${index + 1}`,
    mqttPort,
    httpPort: httpPorts[index] as number,
  }));
  const { replicationFactor, shards } = flags;
  return {
    format: 1,
    nodes,
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(shards === undefined ? {} : { shards }),
  };
}

async function reopenLayout(
  dataDir: string,
  known: ClusterLayout,
  flags: LayoutFlags,
): Promise<ClusterLayout> {
  const layout = grown(known, flags.nodes);
  requireSame(dataDir, '--nodes', flags.nodes, layout.nodes.length);
  requireSame(dataDir, '--replication-factor', flags.replicationFactor, known.replicationFactor);
  requireSame(dataDir, '--shards', flags.shards, known.shards);
  requireSame(dataDir, '--mqtt-port', flags.mqttPort, known.nodes[0]?.mqttPort);
  requireSame(dataDir, '--http-port', flags.httpPort, known.nodes[0]?.httpPort);
  await requireNoneRunning(dataDir, known.nodes);
  await requireFree(
    mqttChoice(flags),
    layout.nodes.map((node) => node.mqttPort),
  );
  await requireFree(
    httpChoice(flags),
    layout.nodes.map((node) => node.httpPort),
  );
  return layout;
}

/** With as many nodes as are asked for, if those are more: at the ports that follow. */
function grown(known: ClusterLayout, count = 0): ClusterLayout {
  const last = known.nodes.at(-1);
  if (last === undefined || count <= known.nodes.length) return known;
  const added = Array.from(
    { length: count - known.nodes.length },
    (_, i): NodeLayout => ({
      name: `n${known.nodes.length + i + 1}`,
      mqttPort: last.mqttPort + i + 1,
      httpPort: last.httpPort + i + 1,
      joins: true,
    }),
  );
  return { ...known, nodes: [...known.nodes, ...added] };
}

/** A node that was started by hand outlives the `dss up` that printed how. */
async function requireNoneRunning(dataDir: string, nodes: readonly NodeLayout[]): Promise<void> {
  for (const { name } of nodes) {
    const owner = await findNodeProcess(dataDir, name);
    if (owner === undefined) continue;
    throw new CliError(
      ExitCode.failure,
      'DATA_IN_USE',
      `${name} of this cluster is still running (process ${owner}): stop it first, with kill ${owner}`,
    );
  }
}

function requireSame(
  dataDir: string,
  flag: string,
  given: number | undefined,
  known: number | undefined,
): void {
  if (given === undefined || given === known) return;
  const has = known === undefined ? 'without it' : `with ${flag} ${known}`;
  throw new CliError(
    ExitCode.failure,
    'OTHER_LAYOUT',
    `the cluster in ${dataDir} was created ${has}, so ${flag} ${given} is not possible: leave it out, or choose another --data`,
  );
}

function mqttChoice({ mqttPort, listen }: LayoutFlags): PortChoice {
  const base = mqttPort ?? DEFAULT_MQTT_PORT;
  const flag = `--mqtt-port ${OTHER_DATA}`;
  return { purpose: 'MQTT', base, host: listen, fixed: mqttPort !== undefined, flag };
}

function httpChoice({ httpPort, listen }: LayoutFlags): PortChoice {
  const base = httpPort ?? DEFAULT_HTTP_PORT;
  const flag = `--http-port ${OTHER_DATA}`;
  return { purpose: 'HTTP', base, host: listen, fixed: httpPort !== undefined, flag };
}

const OTHER_DATA = '(and another --data)';

const layoutPath = (dataDir: string) => join(dataDir, 'cluster.json');
const secretPath = (dataDir: string) => join(dataDir, 'cluster-secret');

async function readLayout(dataDir: string): Promise<ClusterLayout | undefined> {
  const path = layoutPath(dataDir);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const layout = JSON.parse(text) as ClusterLayout;
    if (layout.format === 1 && layout.nodes.length > 0) return layout;
  } catch {
    // Told below.
  }
  throw new CliError(
    ExitCode.failure,
    'UNREADABLE_LAYOUT',
    `${path} is not a layout that this version of dss understands`,
  );
}

async function writeLayout(dataDir: string, layout: ClusterLayout): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const path = layoutPath(dataDir);
  await writeFile(`${path}.new`, `${JSON.stringify(layout, null, 2)}\n`);
  await rename(`${path}.new`, path);
}
