import { setTimeout as delay } from 'node:timers/promises';
import type { ShardStatus } from '../../clients/cli/status-document.ts';
import type { NodeCluster } from './node-cluster.ts';

/** What was moved when one more node joined, counted in replicas of shards. */
export interface JoinResult {
  readonly nodeCount: number;
  readonly seconds: number;
  /** Replicas that came up on a node which did not hold that shard before, whether they stayed or not. */
  readonly moved: number;
  /** Replicas that the final placement has and the one before had not: less than that cannot be moved. */
  readonly difference: number;
  /** An even share of all replicas for the node that joined. */
  readonly evenShare: number;
}

const LOOK_MS = 100;
/** Nothing has changed for this long: the cluster has come to rest. */
const REST_MS = 5_000;
const PATIENCE_MS = 60_000;

export async function measureJoin(cluster: NodeCluster): Promise<JoinResult> {
  const [first = 0] = cluster.running;
  const before = await placesOf(cluster, first);
  const startedMs = performance.now();
  await cluster.join();
  const seen = new Set(before);
  let last = before;
  let changedMs = startedMs;
  while (last === before || performance.now() - changedMs < REST_MS) {
    if (performance.now() - changedMs > PATIENCE_MS) throw new Error('nothing moves');
    await delay(LOOK_MS);
    const now = await placesOf(cluster, first);
    if (now.size === last.size && [...now].every((place) => last.has(place))) continue;
    for (const place of now) seen.add(place);
    last = now;
    changedMs = performance.now();
  }
  return {
    nodeCount: cluster.running.length,
    seconds: (changedMs - startedMs) / 1_000,
    moved: seen.size - before.size,
    difference: [...last].filter((place) => !before.has(place)).length,
    evenShare: last.size / cluster.running.length,
  };
}

/** `group@node` for each replica of a shard. */
async function placesOf(cluster: NodeCluster, index: number): Promise<Set<string>> {
  const { shards } = await cluster.status(index);
  const ofShards = shards.filter(({ kind }: ShardStatus) => kind === 'shard');
  return new Set(
    ofShards.flatMap(({ group, replicas }) => replicas.map((name) => `${group}@${name}`)),
  );
}
