import { formatBytes, formatTable } from '../../clients/cli/table.ts';
import type { Machine } from '../machine.ts';
import type { AtRestResult } from './at-rest.ts';
import type { JoinResult } from './growth.ts';
import type { KillsResult } from './leader-kills.ts';
import type { ReplacementResult } from './replacement.ts';

/** A part that was not asked for is missing. */
export interface RecoveryResult {
  readonly machine: Machine;
  readonly kills?: KillsResult;
  readonly rest?: readonly AtRestResult[];
  readonly replacement?: ReplacementResult;
  readonly joins?: readonly JoinResult[];
}

export function formatRecovery(result: RecoveryResult): string {
  const { machine, kills, rest, replacement, joins } = result;
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
    ...(kills === undefined ? [] : [formatKills(kills)]),
    ...(rest === undefined ? [] : [formatRest(rest)]),
    ...(replacement === undefined ? [] : [formatReplacement(replacement)]),
    ...(joins === undefined ? [] : [formatJoins(joins)]),
  ].join('\n\n');
}

function formatKills({
  kills,
  writes,
  p50Ms,
  p99Ms,
  maxMs,
  slowestMs,
  loadPerSecond,
}: KillsResult) {
  const sorted = slowestMs.toSorted((a, b) => a - b);
  const titles = ['KILLS', 'WRITES', 'P50 MS', 'P99 MS', 'MAX MS', 'SLOWEST KEY, MEDIAN MS'];
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const cells = [String(kills), String(writes), ...[p50Ms, p99Ms, maxMs, median].map(whole)];
  return [
    `From kill -9 of the busiest leader to a write of each key it led, through each node that stayed, at ${whole(loadPerSecond)} other puts a second:`,
    table(titles, [cells]),
  ].join('\n');
}

function formatRest(clusters: readonly AtRestResult[]): string {
  const titles = ['NODES', 'CPU % OF A CORE', 'MOST', 'RESIDENT', 'MOST', 'NOT OF FILES', 'MOST'];
  const rows = clusters.map(({ nodeCount, nodes }) => [
    String(nodeCount),
    ...meanAndMost(
      nodes.map(({ cpuShare }) => cpuShare * 100),
      (share) => share.toFixed(2),
    ),
    ...meanAndMost(
      nodes.map(({ residentBytes }) => residentBytes),
      formatBytes,
    ),
    ...meanAndMost(
      nodes.map(({ anonymousBytes }) => anonymousBytes),
      formatBytes,
    ),
  ]);
  const seconds = clusters[0]?.seconds;
  return [`Nodes that nobody uses, over ${seconds} s, of each node:`, table(titles, rows)].join(
    '\n',
  );
}

function formatReplacement({ bytes, seconds, quiet, during }: ReplacementResult): string {
  const titles = ['DATA', 'REPLICATED AFTER S', 'MIB/S', 'P99 MS QUIET', 'P99 MS MEANWHILE'];
  const rate = bytes / seconds / 2 ** 20;
  const figures = [seconds, rate, quiet.p99Ms, during.p99Ms].map((figure) => figure.toFixed(1));
  return [
    `A killed node replaced by an empty one, at ${whole(during.perSecond)} puts a second:`,
    table(titles, [[formatBytes(bytes), ...figures]]),
  ].join('\n');
}

function formatJoins(joins: readonly JoinResult[]): string {
  const titles = ['NODES NOW', 'AT REST AFTER S', 'MOVED', 'DIFFERENCE', 'RATIO', 'EVEN SHARE'];
  const rows = joins.map(({ nodeCount, seconds, moved, difference, evenShare }) => [
    String(nodeCount),
    seconds.toFixed(1),
    String(moved),
    String(difference),
    (moved / difference).toFixed(2),
    evenShare.toFixed(1),
  ]);
  return ['One more node joins; in replicas of shards:', table(titles, rows)].join('\n');
}

function meanAndMost(figures: readonly number[], format: (figure: number) => string): string[] {
  const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
  return [format(mean), format(Math.max(...figures))];
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return formatTable(
    titles.map((title) => ({ title, right: true })),
    rows,
  );
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en');
}
