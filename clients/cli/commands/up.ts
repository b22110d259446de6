import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { parseNodeAddresses } from '../addresses.ts';
import { CliError, ExitCode } from '../errors.ts';
import { parseInteger, type Shell } from '../shell.ts';
import { listenForStop } from '../stop-signal.ts';
import { formatTable } from '../table.ts';
import {
  type ClusterLayout,
  DEFAULT_HTTP_PORT,
  DEFAULT_MQTT_PORT,
  type LayoutFlags,
  type NodeLayout,
} from '../up/layout.ts';

interface UpOptions extends LayoutFlags {
  readonly data: string;
  readonly demo?: true;
  readonly fleet: boolean;
  readonly logLevel: string;
}

const NODES_MAX = 10;
const DEMO_DEVICES = 50;
const DEMO_CONNECTIONS = 6;

export function addUp(program: Command, shell: Shell): void {
  const port = (name: string) => parseInteger(name, 1, 65_535);
  program
    .command('up')
    .description('run a cluster on this machine: real processes, one for each node')
    .option('--nodes <count>', 'how many (default 3)', parseInteger('--nodes', 1, NODES_MAX))
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
    .option('--demo', 'simulate 50 sensors under demo/…')
    .option('--no-fleet', 'no simulated sensors, also with --demo')
    .option(
      '--replication-factor <count>',
      'copies of each value (default 3)',
      parseInteger('--replication-factor', 1, 7),
    )
    .option(
      '--shards <count>',
      'fixed when the cluster is created (default 64)',
      parseInteger('--shards', 1, 256),
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
Ctrl-C stops it; started again on the same --data it has everything. A node that is killed is not
started again: the command that does it is printed.`,
    )
    .action(async (_options, command: Command) => {
      await runUp(shell, shell.options<UpOptions>(command));
    });
}

async function runUp(shell: Shell, options: UpOptions): Promise<void> {
  const { lockDirectory } = await import('../up/directory-lock.ts');
  const { openLayout, openSecretFile } = await import('../up/layout.ts');
  const unlock = await lockDirectory(options.data);
  try {
    const layout = await openLayout(options.data, options);
    const secretFile = await openSecretFile(options.data);
    await runCluster(shell, options, layout, secretFile);
  } finally {
    await unlock();
  }
}

async function runCluster(
  shell: Shell,
  options: UpOptions,
  layout: ClusterLayout,
  secretFile: string,
): Promise<void> {
  const { ClusterProcess, describeExit } = await import('../up/cluster-process.ts');
  const { output } = shell;
  const stop = listenForStop();
  const cluster = new ClusterProcess({
    script: fileURLToPath(new URL('../dss.js', import.meta.url)),
    dataDir: options.data,
    secretFile,
    layout,
    logLevel: options.logLevel,
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
  });
  output.result(
    { event: 'starting', nodes: layout.nodes.length, data: options.data },
    () =>
      `Starting ${layout.nodes.length === 1 ? 'a node' : `${layout.nodes.length} nodes`}, data in ${options.data}`,
  );
  let demo: { stop(): Promise<unknown> } | undefined;
  try {
    const started = await Promise.race([cluster.start().then(() => true), stop.requested]);
    if (started) {
      if (options.demo && options.fleet) demo = await startDemo(layout);
      announce(shell, options, layout, cluster.processIds);
      await Promise.race([stop.requested, noneLeft(cluster.allStopped)]);
    }
  } finally {
    output.note('Stopping …');
    await demo?.stop();
    await cluster.stop();
    stop.release();
  }
  output.result({ event: 'closed' }, () => 'Stopped.');
}

async function noneLeft(allStopped: Promise<void>): Promise<never> {
  await allStopped;
  throw new CliError(ExitCode.failure, 'ALL_STOPPED', 'no node is running any more');
}

async function startDemo(layout: ClusterLayout): Promise<{ stop(): Promise<unknown> }> {
  const { Fleet } = await import('../fleet/fleet.ts');
  const fleet = new Fleet({
    addresses: parseNodeAddresses(layout.nodes.map((node) => `127.0.0.1:${node.mqttPort}`)),
    devices: DEMO_DEVICES,
    rate: 1,
    qos: 1,
    connections: DEMO_CONNECTIONS,
    prefix: 'demo',
    distinctKeys: false,
  });
  void fleet.start();
  return { stop: () => fleet.stop(0) };
}

function announce(
  shell: Shell,
  options: UpOptions,
  layout: ClusterLayout,
  processIds: ReadonlyMap<string, number>,
): void {
  const first = layout.nodes[0] as NodeLayout;
  const last = layout.nodes.at(-1) as NodeLayout;
  const demo = options.demo === true && options.fleet;
  const filter = demo ? 'dss/value/demo/#' : 'dss/value/#';
  const subscribe = `mosquitto_sub -p ${first.mqttPort} -t '${filter}' -v`;
  const publish = `mosquitto_pub -p ${last.mqttPort} -q 1 -t dss/put/plant1/line3/dev42/temp -m 21.5`;
  const nodes = layout.nodes.map((node) => ({
    name: node.name,
    mqtt: `127.0.0.1:${node.mqttPort}`,
    http: `http://127.0.0.1:${node.httpPort}`,
    processId: processIds.get(node.name) ?? 0,
    data: join(options.data, node.name),
  }));
  const columns = ['NODE', 'MQTT', 'HTTP', 'PROCESS', 'DATA'].map((title) => ({ title }));
  const table = (): string =>
    formatTable(
      columns,
      nodes.map((node) => [node.name, node.mqtt, node.http, String(node.processId), node.data]),
    );
  shell.output.result({ event: 'ready', nodes, subscribe, publish }, () =>
    [
      '',
      table(),
      '',
      `${shell.output.style(['green', 'bold'], 'DSS is ready')}. Read, live, from any node:`,
      `  ${subscribe}`,
      'Publish to any node; the acknowledgement means that a quorum has it on disk:',
      `  ${publish}`,
      ...environmentHint(layout.nodes),
      // Fewer than three nodes have no majority without one of them.
      ...(nodes.length < 3 || (layout.replicationFactor ?? 3) < 3
        ? []
        : [`Kill a node (kill -9 ${nodes.at(-1)?.processId}) and see that nothing stops.`]),
      `Ctrl-C stops everything; the same command starts it again with everything that is in ${options.data}.`,
      'The nodes listen on this machine only: opening them to the LAN needs users, which come later.',
    ].join('\n'),
  );
}

/** For a cluster whose ports are not the ones that `dss put` and its sisters try by themselves. */
function environmentHint(nodes: readonly NodeLayout[]): string[] {
  const [first] = nodes;
  if (first?.mqttPort === DEFAULT_MQTT_PORT && first.httpPort === DEFAULT_HTTP_PORT) return [];
  const mqtt = nodes.map((node) => `127.0.0.1:${node.mqttPort}`).join(',');
  const http = nodes.map((node) => `127.0.0.1:${node.httpPort}`).join(',');
  return [
    'So that the dss command finds these ports:',
    `  export DSS_NODE=${mqtt} DSS_HTTP=${http}`,
  ];
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
