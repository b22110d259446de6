import type { AlertStatus } from '../alert-document.ts';
import type { StatusDocument } from '../status-document.ts';
import { formatBytes, formatDuration } from '../table.ts';
import { formatTime } from '../time.ts';
import type { GatheredReport, NodeReport } from './gather.ts';

const HISTORY_SHOWN = 100;
const EVENTS_SHOWN = 100;

/** The report, for people, in the order in which one would ask. */
export function formatReport(report: GatheredReport, version: string): string {
  const sections = [
    summary(report, version),
    alerts(report),
    nodes(report),
    shards(report),
    events(report),
    history(report),
    ...report.nodes.map(ofNode),
  ];
  return `${sections.join('\n\n')}\n`;
}

function summary({ nodes: answers, silent, time, moves }: GatheredReport, version: string): string {
  const { cluster, node, shards: groups, alerts: firing } = firstOf(answers).status;
  const { copies, replicas } = cluster.durability;
  const leaderless = groups.filter(({ leader }) => leader === null).length;
  return [
    `# Health of the DSS cluster ${cluster.id}`,
    '',
    `Written at ${time} by dss ${version}, as ${node.name} sees the cluster. It holds no values and no keys of values.`,
    '',
    `- State: **${cluster.state}**. A PUBACK means ${copies} of ${replicas} copies on disk.`,
    `- Alerts: ${firing.length === 0 ? 'none' : firing.map(({ name }) => name).join(', ')}.`,
    `- Shards: ${groups.length}, ${leaderless === 0 ? 'all with a leader' : `${leaderless} without a leader`}. Moves under way or waiting: ${moves.length}.`,
    `- Answered: ${answers.map(({ status }) => status.node.name).join(', ')}.`,
    ...silent.map((each) => `- **Did not answer: ${each.node}**: ${each.why}`),
  ].join('\n');
}

/** The same alert told by several nodes stands here once. */
function alerts({ nodes: answers }: GatheredReport): string {
  const byName = new Map<string, { alert: AlertStatus; seenBy: string[] }>();
  for (const { status, alerts: document } of answers) {
    for (const alert of document.alerts) {
      const known = byName.get(alert.name) ?? { alert, seenBy: [] };
      known.seenBy.push(status.node.name);
      byName.set(alert.name, known);
    }
  }
  const lines = [...byName.values()].map(({ alert, seenBy }) => {
    const { name, severity, state, since, message, advice } = alert;
    return `- **${name}** (${severity}, ${state} since ${since}, seen by ${seenBy.join(', ')}): ${message} ${advice}`;
  });
  return ['## Alerts', '', ...(lines.length === 0 ? ['None.'] : lines)].join('\n');
}

function nodes({ nodes: answers }: GatheredReport): string {
  const rows = firstOf(answers).status.nodes.map((node) => [
    ...[node.name, node.state, node.zone, node.version ?? '–'],
    node.uptimeMs === null ? '–' : formatDuration(node.uptimeMs),
    ...[String(node.leads), String(node.replicas), bytes(node.memoryBytes)],
    ...[bytes(node.diskUsedBytes), bytes(node.diskFreeBytes)],
    ...[figure(node.publishesPerSecond), figure(node.commitP99Ms), figure(node.loopDelayP99Ms)],
    node.lastHeardMs === null ? 'never' : formatDuration(node.lastHeardMs),
  ]);
  const titles = ['Node', 'State', 'Zone', 'Version', 'Up', 'Leads', 'Replicas', 'Memory'];
  titles.push(
    'Disk used',
    'Disk free',
    'Messages/s',
    'Commit p99 ms',
    'Loop delay p99 ms',
    'Heard',
  );
  return ['## Nodes', '', ...table(titles, rows)].join('\n');
}

function shards({ nodes: answers }: GatheredReport): string {
  const rows = firstOf(answers).status.shards.map(({ group, kind, leader, term, replicas }) => [
    ...[kind === 'meta' ? 'meta' : String(group), leader ?? '**none**', String(term)],
    ...[replicas.join(', '), lags(answers, group)],
  ]);
  const titles = ['Group', 'Leader', 'Term', 'Replicas', 'Committed, not applied (by node)'];
  return ['## Shards', '', ...table(titles, rows)].join('\n');
}

/** Replicas that are behind, and those that are suspect. */
function lags(answers: readonly NodeReport[], group: number): string {
  return answers
    .flatMap(({ status }) => {
      const local = status.shards.find((shard) => shard.group === group)?.local;
      if (local === undefined) return [];
      if (local.suspect !== null) return [`${status.node.name}: suspect (${local.suspect})`];
      const behind = (local.commit ?? 0) - (local.applied ?? 0);
      return behind > 0 ? [`${status.node.name}: ${behind}`] : [];
    })
    .join('; ');
}

function events({ events: all }: GatheredReport): string {
  const lines = all
    .slice(-EVENTS_SHOWN)
    .map(({ atMs, message, reason }) => {
      const why = reason === undefined ? '' : ` (${reason})`;
      return `- ${formatTime(atMs)} ${message}${why}`;
    })
    .reverse();
  return ['## Recent events', '', ...(lines.length === 0 ? ['None.'] : lines)].join('\n');
}

function history({ nodes: answers }: GatheredReport): string {
  const lines = firstOf(answers)
    .alerts.history.slice(0, HISTORY_SHOWN)
    .map(({ name, since, until, message }) => `- ${since} to ${until}: **${name}**: ${message}`);
  return ['## Alerts that are over', '', ...(lines.length === 0 ? ['None.'] : lines)].join('\n');
}

function ofNode({ status, config }: NodeReport): string {
  const { node, process, storage = {}, log = {}, broker } = status;
  return [
    `## Node ${node.name}`,
    '',
    `- Id ${node.id}, start ${node.startCounter}, mqtt ${node.mqtt}, http ${node.http}`,
    `- Process ${process.processId}, up ${formatDuration(process.uptimeMs)}, memory ${formatBytes(process.memoryBytes)}, CPU ${formatDuration(Math.round((process.cpuUserMicros + process.cpuSystemMicros) / 1_000))}`,
    `- Storage: ${counts(storage)}`,
    `- Log: ${counts(log)}`,
    `- Broker: ${counts(broker)}`,
    ...refusals(status),
    '',
    'Configuration, where it is not the default:',
    '',
    '```json',
    config === undefined ? '"only an administrator may see it"' : JSON.stringify(config, null, 2),
    '```',
  ].join('\n');
}

function refusals({ broker }: StatusDocument): string[] {
  const { refused } = broker as unknown as { refused?: Readonly<Record<string, number>> };
  if (refused === undefined || Object.keys(refused).length === 0) return [];
  return [`- Refused: ${counts(refused)}`];
}

function counts(numbers: Readonly<Record<string, unknown>>): string {
  return Object.entries(numbers)
    .filter(([, value]) => typeof value === 'number' || typeof value === 'boolean')
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)];
}

function bytes(value: number | null): string {
  return value === null ? '–' : formatBytes(value);
}

function figure(value: number | null): string {
  return value === null ? '–' : value.toFixed(1);
}

function firstOf(answers: readonly NodeReport[]): NodeReport {
  return answers[0] as NodeReport;
}
