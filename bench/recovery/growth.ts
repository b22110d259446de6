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

export async function measureJoin(cluster: NodeCluster, replicas: number): Promise<JoinResult> {
  const [first = 0] = cluster.running;
  const before = await placesOf(cluster, first);
  const seen = new Set(before);
  const startedMs = performance.now();
  await cluster.join();
  let isResting = false;
  const resting = cluster.untilReplicated(replicas).finally(() => {
    isResting = true;
  });
  let last = before;
  while (!isResting) {
    await delay(LOOK_MS);
    last = await placesOf(cluster, first);
    for (const place of last) seen.add(place);
  }
  return {
    nodeCount: cluster.running.length,
    seconds: ((await resting) - startedMs) / 1_000,
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
