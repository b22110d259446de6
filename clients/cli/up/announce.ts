import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Shell } from '../shell.ts';
import { formatTable } from '../table.ts';
import { DEFAULT_HTTP_PORT, DEFAULT_MQTT_PORT } from './default-ports.ts';
import type { ClusterLayout, NodeLayout } from './layout.ts';
import type { UsableReport } from './node-process.ts';

/** A cluster that is ready, as far as people have to know about it. */
export interface Announced {
  readonly layout: ClusterLayout;
  readonly report: UsableReport;
  readonly dataDir: string;
  readonly processIds: ReadonlyMap<string, number>;
  /** By which the nodes are reached from here. */
  readonly host: string;
  /** Whether other machines can reach them. */
  readonly isOpen: boolean;
  readonly hasFleet: boolean;
}

/** What listens where, what to try, and what to look out for. */
export function announce(shell: Shell, cluster: Announced): void {
  const { layout, dataDir, processIds, host, report } = cluster;
  const scheme = report.tls ? 'https' : 'http';
  const nodes = layout.nodes.map((node) => ({
    name: node.name,
    mqtt: `${host}:${node.mqttPort}`,
    http: `${scheme}://${host}:${node.httpPort}`,
    processId: processIds.get(node.name) ?? 0,
    data: join(dataDir, node.name),
  }));
  const commands = mosquittoCommands(cluster);
  const { tls, users, warnings } = report;
  shell.output.result({ event: 'ready', nodes, ...commands, tls, users, warnings }, () =>
    [
      '',
      formatTable(
        ['NODE', 'MQTT', 'HTTP', 'PROCESS', 'DATA'].map((title) => ({ title })),
        nodes.map((node) => [node.name, node.mqtt, node.http, String(node.processId), node.data]),
      ),
      '',
      `${shell.output.style(['green', 'bold'], 'DSS is ready')}. Read, live, from any node:`,
      `  ${commands.subscribe}`,
      'Publish to any node; the acknowledgement means that a quorum has it on disk:',
      `  ${commands.publish}`,
      ...environmentHint(cluster),
      // Fewer than three nodes have no majority without one of them.
      ...(nodes.length < 3 || (layout.replicationFactor ?? 3) < 3
        ? []
        : [`Kill a node (kill -9 ${nodes.at(-1)?.processId}) and see that nothing stops.`]),
      `Ctrl-C stops everything; the same command starts it again with everything that is in ${dataDir}.`,
      ...reachHint(cluster),
      ...warnings.map((warning) => shell.output.style('yellow', `Warning: ${warning}.`)),
    ].join('\n'),
  );
}

function mosquittoCommands({ layout, report, host, hasFleet }: Announced) {
  const first = layout.nodes[0] as NodeLayout;
  const last = layout.nodes.at(-1) as NodeLayout;
  const filter = hasFleet ? 'dss/value/demo/#' : 'dss/value/#';
  const at = (node: NodeLayout) =>
    [
      ...(host === '127.0.0.1' ? [] : ['-h', host]),
      ...['-p', String(node.mqttPort)],
      ...(report.tls ? ['--cafile', '<ca>'] : []),
      ...(report.users ? ['-u', '<user>', '-P', '<password>'] : []),
    ].join(' ');
  return {
    subscribe: `mosquitto_sub ${at(first)} -t '${filter}' -v`,
    publish: `mosquitto_pub ${at(last)} -q 1 -t dss/put/plant1/line3/dev42/temp -m 21.5`,
  };
}

/** For a cluster that is not where `dss put` and its sisters look by themselves. */
function environmentHint({ layout, report, host }: Announced): string[] {
  const [first] = layout.nodes;
  const isDefault = first?.mqttPort === DEFAULT_MQTT_PORT && first.httpPort === DEFAULT_HTTP_PORT;
  if (isDefault && host === '127.0.0.1' && !report.tls && !report.users) return [];
  const [mqttScheme, httpScheme] = report.tls ? ['mqtts://', 'https://'] : ['', ''];
  const mqtt = layout.nodes.map((node) => `${mqttScheme}${host}:${node.mqttPort}`).join(',');
  const http = layout.nodes.map((node) => `${httpScheme}${host}:${node.httpPort}`).join(',');
  const variables = [
    `DSS_NODE=${mqtt} DSS_HTTP=${http}`,
    ...(report.tls ? ['DSS_CA=<ca>'] : []),
    ...(report.users ? ['DSS_USER=<user> DSS_PASSWORD=<password>'] : []),
  ];
  return ['So that the dss command finds this cluster:', `  export ${variables.join(' ')}`];
}

function reachHint({ layout, isOpen }: Announced): string[] {
  if (!isOpen) {
    return [
      'The nodes listen on this machine only. For other machines they need users: docs/SECURITY.md.',
    ];
  }
  const ports = layout.nodes.map(({ mqttPort }) => mqttPort).join(', ');
  const addresses = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
  return [`Other machines reach the MQTT ports ${ports} at ${addresses.join(', ') || 'this one'}.`];
}
