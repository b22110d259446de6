import type { NodeStatus } from '../status-document.ts';
import { clip, formatBytes, formatDuration, formatTable, plural } from '../table.ts';
import type { Picture } from './picture.ts';

type Style = 'green' | 'yellow' | 'red' | 'gray' | 'bold';

export interface FrameOptions {
  readonly style: (style: Style, text: string) => string;
  readonly nowMs: number;
  /** Why there is no newer picture; undefined: there is. */
  readonly problem?: string | undefined;
}

const STATE_STYLES: Readonly<Record<string, Style>> = {
  ...{ ok: 'green', active: 'green' },
  ...{ degraded: 'yellow', joining: 'yellow', leaving: 'yellow', suspect: 'yellow' },
};
const LEADERLESS_SHOWN_MAX = 8;

/** The picture as lines; the most important ones first, as the last ones may not fit. */
export function formatFrame(picture: Picture, options: FrameOptions): string[] {
  const { cluster, totals, seenBy, time, alerts } = picture;
  const { style, problem } = options;
  const { copies, replicas } = cluster.durability;
  const rates = [
    `${formatRate(totals.publishesPerSecond)} messages/s`,
    `${formatRate(totals.putsPerSecond)} puts/s`,
    `commit p99 ${formatMs(totals.commitP99Ms)}`,
    `loop delay p99 ${formatMs(totals.loopDelayP99Ms)}`,
    plural(totals.connections, 'connection'),
  ];
  return [
    `DSS ${style('bold', cluster.id)}: ${styled(style, cluster.state)}; a PUBACK means ${copies} of ${replicas} copies on disk; seen by ${seenBy} at ${time.slice(11, 19)}Z`,
    ...(problem === undefined ? [] : [style('red', `No news: ${problem}`)]),
    rates.join('   '),
    formatShards(picture, options),
    ...formatAlerts(alerts, options),
    '',
    ...formatNodes(picture, options).split('\n'),
  ];
}

/** So much of the lines as a screen can show. */
export function cropped(
  lines: readonly string[],
  size: { columns: number; rows: number },
): string[] {
  const shown = lines.slice(0, size.rows);
  return shown.map((line) => clip(line, size.columns));
}

function formatShards({ shards }: Picture, { style }: FrameOptions): string {
  const { count, leaderless } = shards;
  if (leaderless.length === 0) return `${count} shards, all with a leader`;
  const some = leaderless.slice(0, LEADERLESS_SHOWN_MAX).join(', ');
  const more = leaderless.length > LEADERLESS_SHOWN_MAX ? ', …' : '';
  return `${count} shards, ${style('red', `${leaderless.length} without a leader (${some}${more})`)}`;
}

function formatAlerts(alerts: Picture['alerts'], { style, nowMs }: FrameOptions): string[] {
  return alerts.map(({ name, severity, since, message }) => {
    const age = formatDuration(Math.max(0, nowMs - Date.parse(since)));
    const colour = severity === 'critical' ? 'red' : 'yellow';
    return `${style(colour, `${severity}: ${name}`)} for ${age}: ${message}`;
  });
}

const NODE_COLUMNS = [
  { title: 'NODE' },
  { title: 'STATE' },
  { title: 'MSG/S', right: true },
  { title: 'PUTS/S', right: true },
  { title: 'COMMIT P99', right: true },
  { title: 'LOOP P99', right: true },
  { title: 'MEMORY', right: true },
  { title: 'DISK FREE', right: true },
  { title: 'LEADS', right: true },
  { title: 'REPLICAS', right: true },
  { title: 'CLIENTS', right: true },
  { title: 'UP', right: true },
];

function formatNodes({ nodes, shards }: Picture, { style }: FrameOptions): string {
  const rows = nodes.map((node) => [
    node.name,
    styled(style, node.state),
    formatRate(node.publishesPerSecond),
    formatRate(node.putsPerSecond),
    formatMs(node.commitP99Ms),
    formatMs(node.loopDelayP99Ms),
    formatMemory(node),
    formatKnown(node.diskFreeBytes, formatBytes),
    String(shards.leaders[node.name] ?? 0),
    String(node.replicas),
    formatKnown(node.connections, String),
    formatKnown(node.uptimeMs, formatDuration),
  ]);
  return formatTable(NODE_COLUMNS, rows);
}

function formatMemory({ memoryBytes, memoryMaxBytes }: NodeStatus): string {
  const used = formatKnown(memoryBytes, formatBytes);
  if (memoryBytes === null || memoryMaxBytes === null || memoryMaxBytes === 0) return used;
  return `${used} of ${formatBytes(memoryMaxBytes)}`;
}

function styled(style: FrameOptions['style'], state: string): string {
  return style(STATE_STYLES[state] ?? 'red', state);
}

/** `0`, `3.2`, `1,234`. */
function formatRate(perSecond: number | null): string {
  if (perSecond === null) return '–';
  if (perSecond > 0 && perSecond < 10) return perSecond.toFixed(1);
  return String(Math.round(perSecond)).replace(/\B(?=(\d{3})+$)/g, ',');
}

function formatMs(milliseconds: number | null): string {
  return formatKnown(milliseconds, (known) => `${known.toFixed(known < 10 ? 1 : 0)} ms`);
}

function formatKnown(number: number | null, format: (known: number) => string): string {
  return number === null ? '–' : format(number);
}
