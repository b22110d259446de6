import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { parseNodeAddresses } from '../addresses.ts';
import { CliError, ExitCode, usageError } from '../errors.ts';
import type { Security } from '../security.ts';
import { parseInteger, type Shell } from '../shell.ts';
import { listenForStop } from '../stop-signal.ts';
import { type Announced, announce } from '../up/announce.ts';
import type { ClusterProcess, StorageFlags } from '../up/cluster-process.ts';
import type { ClusterLayout, LayoutFlags } from '../up/layout.ts';
import { hostOf, isOpen, type Reach } from '../up/reach.ts';
import { addClusterFlags } from './node-flags.ts';

interface UpOptions extends LayoutFlags, Reach, StorageFlags {
  readonly data: string;
  readonly demo?: true;
  readonly fleet: boolean;
  readonly logLevel: string;
}

const NODES_MAX = 10;
const DEMO_DEVICES = 50;
const DEMO_CONNECTIONS = 6;

export function defineUp(self: Command, shell: Shell): void {
  const port = (name: string) => parseInteger(name, 1, 65_535);
  addClusterFlags(self)
    .option(
      '--nodes <count>',
      'how many (default 3); with more than before, the new ones join',
      parseInteger('--nodes', 1, NODES_MAX),
    )
    .option('--data <dir>', 'where everything is kept', './.dss')
    .option(
      '--mqtt-port <port>',
      'of the first node (default from 1883, or the next free)',
      port('--mqtt-port'),
    )
    .option(
      '--http-port <port>',
      'of the first node (default from 8080, or the next free)',
      port('--http-port'),
    )
    .option('--listen <address>', 'where the nodes listen; others than loopback need users')
    .option('--advertise <host>', 'what this machine is to others')
    .option('--anonymous', 'no users: everybody who can reach the nodes may read and write')
    .option('--config <file>', 'for every node, YAML: users, TLS, rules')
    .option('--demo', 'simulate 50 sensors under demo/…')
    .option('--no-fleet', 'no simulated sensors, also with --demo')
    .addOption(
      new Option(
        '--storage-engine <engine>',
        'of the nodes; stays as it was when the cluster was created (default lsm)',
      ).choices(['lsm', 'classic-level']),
    )
    .option(
      '--storage-max-bytes <size>',
      'of each node; when it is reached old history goes: 10GiB (default 0: no limit)',
    )
    .addOption(
      new Option('--log-level <level>', 'of the nodes')
        .choices(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    )
    .addHelpText(
      'after',
      `
Examples:
  dss up --demo
  dss up --nodes 1 --data /tmp/one --mqtt-port 2883
  dss up --listen 0.0.0.0 --config users.yaml
Ctrl-C stops it; started again on the same --data it has everything. A node that is killed is not
started again: the command that does it is printed.`,
    )
    .action(async (_options, command: Command) => {
      await runUp(shell, shell.options<UpOptions>(command), shell.security(command));
    });
}

async function runUp(shell: Shell, options: UpOptions, security: Security): Promise<void> {
  if (/^[^:]+:\d+$/.test(options.advertise ?? '')) {
    throw usageError('--advertise takes no port here: every node has its own');
  }
  const { lockDirectory } = await import('../up/directory-lock.ts');
  const { forgetUnused, hasLayout, openLayout, openSecretFile } = await import('../up/layout.ts');
  const unlock = await lockDirectory(options.data);
  try {
    const isNew = !hasLayout(options.data);
    const layout = await openLayout(options.data, options);
    const secretFile = await openSecretFile(options.data);
    try {
      await runCluster(shell, options, { layout, secretFile, security });
    } finally {
      if (isNew) await forgetUnused(options.data, layout);
    }
  } finally {
    await unlock();
  }
}

interface ClusterParts {
  readonly layout: ClusterLayout;
  readonly secretFile: string;
  readonly security: Security;
}

async function runCluster(shell: Shell, options: UpOptions, parts: ClusterParts): Promise<void> {
  const { output } = shell;
  const { layout, security } = parts;
  const { rememberRemoved } = await import('../up/layout.ts');
  const stop = listenForStop();
  const cluster = await prepareCluster(shell, options, parts);
  const count = layout.nodes.length;
  output.result(
    { event: 'starting', nodes: count, data: options.data },
    () => `Starting ${count === 1 ? 'a node' : `${count} nodes`}, data in ${options.data}`,
  );
  let demo: { stop(): Promise<unknown> } | undefined;
  try {
    const report = await Promise.race([cluster.start(), stop.requested]);
    if (report) {
      const { processIds } = cluster;
      // One that the cluster has removed has said so, and is there no more.
      const nodes = layout.nodes.filter(({ name }) => processIds.has(name));
      const announced: Announced = {
        layout: { ...layout, nodes },
        report,
        dataDir: options.data,
        processIds,
        host: hostOf(options.advertise ?? options.listen),
        isOpen: isOpen(options.listen),
        hasFleet: options.demo === true && options.fleet,
      };
      if (announced.hasFleet) demo = await startDemo(announced, security);
      announce(shell, announced);
      await Promise.race([stop.requested, noneLeft(cluster.allStopped)]);
    }
  } finally {
    output.note('Stopping …');
    await demo?.stop();
    await cluster.stop();
    await rememberRemoved(options.data, layout, cluster.removed);
    stop.release();
  }
  output.result({ event: 'closed' }, () => 'Stopped.');
}

async function prepareCluster(
  { output }: Shell,
  options: UpOptions,
  { layout, secretFile }: ClusterParts,
): Promise<ClusterProcess> {
  const { ClusterProcess, describeExit } = await import('../up/cluster-process.ts');
  return new ClusterProcess({
    script: fileURLToPath(new URL('../dss.js', import.meta.url)),
    dataDir: options.data,
    secretFile,
    layout,
    logLevel: options.logLevel,
    storage: options,
    reach: options,
    onLog: (node, line) => {
      if (output.json) output.object({ event: 'log', node, line });
      else output.line(`${output.style('cyan', node)} | ${readableLog(line)}`);
    },
    onStopped: (node, exit, startAgain) =>
      output.result({ event: 'stopped', node, ...exit, startAgain }, () =>
        [`${node} stopped (${describeExit(exit)}). Start it again with:`, `  ${startAgain}`].join(
          '\n',
        ),
      ),
    onRemoved: (node, joinAgain) =>
      output.result({ event: 'removed', node, joinAgain }, () =>
        [
          `${node} is not in the cluster any more. As a new node it joins with:`,
          `  ${joinAgain}`,
        ].join('\n'),
      ),
  });
}

async function noneLeft(allStopped: Promise<void>): Promise<never> {
  await allStopped;
  throw new CliError(ExitCode.failure, 'ALL_STOPPED', 'no node is running any more');
}

async function startDemo(
  { layout, report, host }: Announced,
  security: Security,
): Promise<{ stop(): Promise<unknown> }> {
  if (report.users && security.user === undefined) {
    throw usageError(
      'the simulated sensors need a user: give --user and DSS_PASSWORD, or --no-fleet',
    );
  }
  const { Fleet } = await import('../fleet/fleet.ts');
  const scheme = report.tls ? 'mqtts' : 'mqtt';
  const fleet = new Fleet({
    addresses: parseNodeAddresses(
      layout.nodes.map((node) => `${scheme}://${host}:${node.mqttPort}`),
    ),
    devices: DEMO_DEVICES,
    rate: 1,
    qos: 1,
    connections: DEMO_CONNECTIONS,
    prefix: 'demo',
    distinctKeys: false,
    security,
  });
  void fleet.start();
  return { stop: () => fleet.stop(0) };
}

const LOG_LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
};

/** Nodes log JSON lines (pino) for machines; a person wants the sentence. */
function readableLog(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { level, msg } = JSON.parse(line) as { level?: number; msg?: string };
    return msg === undefined ? line : `${LOG_LEVELS[level ?? 0] ?? 'log'}: ${msg}`;
  } catch {
    return line;
  }
}
