import { computed, signal } from '@preact/signals';
import type { ClusterDocument, NodeRow } from '../model/documents.ts';
import { timeOf } from '../model/format.ts';
import { type Reach, ReachTracker, troubleOf } from '../model/reach.ts';
import { Series } from '../model/series.ts';
import { ask } from './ask.ts';

/** The cluster as the node of this page sees it, asked every two seconds while the page is seen. */
export const status = signal<ClusterDocument | undefined>(undefined);
export const reach = signal<Reach>({ kind: 'asking' });
export const nowMs = signal(Date.now());

const PERIOD_MS = 2_000;
const TIMEOUT_MS = 4_000;
/** Five minutes. */
const SAMPLES_MAX = 150;

const noQuorumSinceMs = signal<number | undefined>(undefined);

export const trouble = computed(() => troubleOf(reach.value, status.value, noQuorumSinceMs.value));

/** What of a node, and of all of them, is drawn over time. */
export type Measure = 'publishesPerSecond' | 'putsPerSecond' | 'commitP99Ms';
const MEASURES: readonly Measure[] = ['publishesPerSecond', 'putsPerSecond', 'commitP99Ms'];
const samples = new Map<string, Series>();

/** The last five minutes, or since the page was opened. `node` undefined: all of them together. */
export function samplesOf(
  node: string | undefined,
  measure: Measure,
): readonly (number | undefined)[] {
  return samples.get(`${node ?? ''}/${measure}`)?.values ?? [];
}

/** What a node that failed, or is dead, has said last is not how it is. */
export const isHeard = ({ state }: NodeRow): boolean => state !== 'failed' && state !== 'dead';

/** Sums of rates, the worst of latencies; undefined if no node says. */
export function totalOf(nodes: readonly NodeRow[], measure: Measure): number | undefined {
  const known = nodes.filter(isHeard).flatMap((node) => node[measure] ?? []);
  if (known.length === 0) return undefined;
  return measure === 'commitP99Ms'
    ? Math.max(...known)
    : known.reduce((sum, value) => sum + value, 0);
}

/** For as long as the page lives. */
export function followCluster(): void {
  setInterval(() => {
    if (!document.hidden) nowMs.value = Date.now();
  }, 1_000);
  void loop();
}

async function loop(): Promise<never> {
  const tracker = new ReachTracker();
  for (;;) {
    const askedMs = Date.now();
    const answer = await ask<ClusterDocument>('v1/cluster', { timeoutMs: TIMEOUT_MS });
    const atMs = Date.now();
    if (answer.kind === 'ok') {
      remember(answer.body, atMs);
      nowMs.value = atMs;
      status.value = answer.body;
    }
    reach.value = tracker.next(answer, askedMs);
    await pause(Math.max(0, PERIOD_MS - (atMs - askedMs)));
    if (document.hidden) await shown();
  }
}

function remember({ cluster, nodes, alerts }: ClusterDocument, atMs: number): void {
  for (const measure of MEASURES) {
    for (const node of nodes) add(node.name, measure, isHeard(node) ? node[measure] : undefined);
    add('', measure, totalOf(nodes, measure));
  }
  if (cluster.state !== 'no-quorum') noQuorumSinceMs.value = undefined;
  else if (noQuorumSinceMs.value === undefined) {
    // The node has known it for longer than this page has.
    const told = alerts.filter(({ rule }) => rule === 'shard-without-quorum');
    const since = told.flatMap((alert) => timeOf(alert.since) ?? []);
    noQuorumSinceMs.value = Math.min(atMs, ...since);
  }

  function add(node: string, measure: Measure, value: number | null | undefined): void {
    const name = `${node}/${measure}`;
    const series = samples.get(name) ?? new Series(SAMPLES_MAX);
    series.add(atMs, value);
    samples.set(name, series);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function shown(): Promise<void> {
  return new Promise((resolve) =>
    document.addEventListener('visibilitychange', () => resolve(), { once: true }),
  );
}
