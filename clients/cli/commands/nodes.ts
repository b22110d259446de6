import type { Command } from 'commander';
import { askHttp } from '../http.ts';
import { parsePositive, type Shell } from '../shell.ts';
import { formatDuration, formatTable } from '../table.ts';

interface NodesDocument {
  readonly revision: number;
  readonly nodes: readonly {
    readonly id: string;
    readonly name: string;
    readonly state: string;
    readonly health: string;
    readonly zone: string;
    readonly weight: number;
    readonly mqtt: string;
    readonly http: string | null;
    readonly since: number;
  }[];
}

export function defineNodes(self: Command, shell: Shell): void {
  self
    .addHelpText(
      'after',
      `
STATE is what the cluster has decided: joining, active, leaving or dead. HEARD is what the heartbeats say, as
seen by the node that answers: active, suspect, failed or unknown.
Examples:
  dss nodes
  dss nodes --json | jq -r '.nodes[].name'`,
    )
    .action(async (_options, command: Command) => {
      show(shell, await askHttp(shell.httpDoor(command), { path: '/v1/cluster/nodes' }));
    });
}

const WEIGHT_MAX = 100;

/** What is done to a node from any machine; `node` alone runs one. */
export function addNodeChanges(node: Command, shell: Shell): void {
  node
    .command('leave')
    .description('have a node give everything to the others and stop')
    .argument('<name>', 'as "dss nodes" shows it')
    .action(async (name: string, _options, command: Command) => {
      const request = { method: 'POST', path: pathOf(name, 'leave') } as const;
      show(shell, await askHttp(shell.httpDoor(command), request));
      shell.output.note(`${name} stops by itself as soon as it holds nothing any more.`);
    });
  node
    .command('weight')
    .description('change the share of the data that a node holds')
    .argument('<name>', 'as "dss nodes" shows it')
    .argument(
      '<weight>',
      'against other nodes, which have 1',
      parsePositive('the weight', WEIGHT_MAX),
    )
    .action(async (name: string, weight: number, _options, command: Command) => {
      const request = { method: 'POST', path: pathOf(name, 'weight'), body: { weight } } as const;
      show(shell, await askHttp(shell.httpDoor(command), request));
    });
}

function pathOf(name: string, what: string): string {
  return `/v1/cluster/nodes/${encodeURIComponent(name)}/${what}`;
}

function show(shell: Shell, document: NodesDocument): void {
  const titles = ['NODE', 'STATE', 'HEARD', 'ZONE', 'WEIGHT', 'MQTT', 'HTTP', 'SINCE'];
  const nowMs = Date.now();
  shell.output.result(document, () =>
    formatTable(
      titles.map((title) => ({ title, right: title === 'WEIGHT' })),
      document.nodes.map(({ name, state, health, zone, weight, mqtt, http, since }) => [
        ...[name, state, health, zone, String(weight), mqtt, http ?? ''],
        `${formatDuration(Math.max(0, nowMs - since))} ago`,
      ]),
    ),
  );
}
