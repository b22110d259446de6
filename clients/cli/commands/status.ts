import type { Command } from 'commander';
import { asHeard } from '../heard.ts';
import { fetchStatus } from '../http.ts';
import type { Output } from '../output.ts';
import type { Shell } from '../shell.ts';
import type { StatusDocument } from '../status-document.ts';
import { formatBytes, formatDuration, formatTable, plural } from '../table.ts';

export function defineStatus(self: Command, shell: Shell): void {
  self
    .addHelpText(
      'after',
      `
Examples:
  dss status
  dss status --http http://127.0.0.1:8081
  dss status --json | jq -r .cluster.state     ok, degraded, no-quorum or forming
LEADS and REPLICAS count meta, too: the group that holds the settings of the cluster.`,
    )
    .action(async (_options, command: Command) => {
      const { http } = shell.options(command);
      const status = await fetchStatus(http, shell.timeoutMs(command), shell.security(command));
      shell.output.result(status, () => formatStatus(status, shell.output));
    });
}

function formatStatus(status: StatusDocument, output: Output): string {
  const { cluster, node, alerts } = status;
  const { copies, replicas } = cluster.durability;
  const state = cluster.state === 'ok' ? 'green' : cluster.state === 'degraded' ? 'yellow' : 'red';
  const lines = [
    `Cluster ${cluster.id}: ${output.style(state, cluster.state)}; a PUBACK means ${copies} of ${replicas} copies on disk`,
    `Seen by ${node.name}, up ${formatDuration(status.process.uptimeMs)}`,
    '',
    formatNodes(status),
    '',
    formatShards(status),
    formatStorage(status),
    ...formatLinks(status),
  ];
  for (const alert of alerts) {
    lines.push(output.style('red', `Alert ${alert.name}: ${alert.message}`));
  }
  return lines.join('\n');
}

function formatNodes(status: StatusDocument): string {
  const columns = [
    { title: 'NODE' },
    { title: 'STATE' },
    { title: 'MQTT' },
    { title: 'HTTP' },
    { title: 'LEADS', right: true },
    { title: 'REPLICAS', right: true },
    { title: 'MEMORY', right: true },
    { title: 'DISK FREE', right: true },
    { title: 'HEARD', right: true },
  ];
  const rows = status.nodes
    .map(asHeard)
    .map((node) => [
      node.name,
      node.state,
      node.mqtt,
      node.http ?? '',
      String(node.leads),
      String(node.replicas),
      formatKnown(node.memoryBytes),
      formatKnown(node.diskFreeBytes),
      node.id === status.node.id ? 'itself' : formatHeard(node.lastHeardMs),
    ]);
  return formatTable(columns, rows);
}

function formatKnown(bytes: number | null): string {
  return bytes === null ? '–' : formatBytes(bytes);
}

function formatHeard(milliseconds: number | null): string {
  return milliseconds === null ? 'never' : `${formatDuration(milliseconds)} ago`;
}

function formatShards(status: StatusDocument): string {
  const shards = status.shards.filter((shard) => shard.kind === 'shard');
  const leaderless = shards.filter((shard) => shard.leader === null);
  const local = shards.flatMap((shard) => (shard.local ? [shard.local] : []));
  const behind = local.reduce(
    (sum, replica) => sum + (replica.commit ?? 0) - (replica.applied ?? 0),
    0,
  );
  const suspect = local.filter((replica) => replica.suspect !== null).length;
  const count = shards.length;
  const parts = [
    leaderless.length === 0
      ? `${count} shards, all with a leader`
      : `${count} shards, ${leaderless.length} without a leader (${leaderless
          .slice(0, 8)
          .map((shard) => shard.group)
          .join(', ')}${leaderless.length > 8 ? ', …' : ''})`,
    `${local.length} replicas here`,
  ];
  if (behind > 0) parts.push(`${behind} committed entries not applied yet`);
  if (suspect > 0) parts.push(`${suspect} suspect`);
  return `Shards   ${parts.join('; ')}`;
}

function formatStorage(status: StatusDocument): string {
  const { storage = {}, log = {} } = status;
  const parts = [
    `${formatBytes(storage.memtableBytes ?? 0)} in memory`,
    `${plural(storage.tableCount ?? 0, 'table')} of ${formatBytes(storage.tableBytes ?? 0)}`,
    `log ${formatBytes(log.bytesOnDisk ?? 0)} in ${plural(log.segments ?? 0, 'segment')}`,
  ];
  return `Storage  ${parts.join('; ')}`;
}

/** Nothing where there are neither sources nor sinks. */
function formatLinks({ links = [] }: StatusDocument): string[] {
  if (links.length === 0) return [];
  const columns = [
    { title: 'BESIDE' },
    { title: 'KIND' },
    { title: 'BROKER' },
    { title: 'HOLDER' },
    { title: 'MESSAGES', right: true },
    { title: 'IGNORED', right: true },
    { title: 'STATE' },
  ];
  const rows = links.map(({ name, kind, url, holder, connected, messages, ignored, error }) => [
    ...[name, kind, url, holder ?? '', String(messages), String(ignored)],
    connected ? 'connected' : `not connected${error === '' ? '' : `: ${error}`}`,
  ]);
  return ['', formatTable(columns, rows)];
}
