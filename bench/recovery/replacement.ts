import { randomBytes } from 'node:crypto';
import { forkLoad, type LoadResult } from '../load/load-generator.ts';
import { RequestClient } from '../request-client.ts';
import type { NodeCluster } from './node-cluster.ts';

/** A killed node is replaced by an empty one, under a load. */
export interface ReplacementResult {
  readonly bytes: number;
  /** From the start of the new node until every shard has all its replicas again. */
  readonly seconds: number;
  readonly quiet: LoadResult;
  readonly during: LoadResult;
}

const LOAD = { clients: 12, inflight: 20, valueBytes: 64, keys: 5_000, perSecond: 500 };
const QUIET_SECONDS = 10;
const LOAD_SECONDS = 5;
const VALUE_BYTES = 16 * 1024;
const PUTS_IN_FLIGHT = 64;

export async function measureReplacement(
  cluster: NodeCluster,
  bytes: number,
): Promise<ReplacementResult> {
  await fill(cluster, bytes);
  const victim = cluster.running.at(-1) as number;
  const replicas = cluster.running.length;
  await cluster.kill(victim);
  await cluster.untilLed();
  const quiet = await pacedLoad(cluster, QUIET_SECONDS);
  const loads: Promise<LoadResult>[] = [];
  const startedMs = performance.now();
  const survivors = [...cluster.running];
  await cluster.replace(victim);
  let isDone = false;
  const replicated = cluster.untilReplicated(replicas).finally(() => {
    isDone = true;
  });
  // The load is told how long to last, and nobody knows: one after the other, and the worst of them counts.
  const watch = (async () => {
    while (!isDone) {
      const load = pacedLoad(cluster, LOAD_SECONDS, survivors);
      loads.push(load);
      await load;
    }
  })();
  const seconds = ((await replicated) - startedMs) / 1_000;
  await watch;
  const results = await Promise.all(loads);
  const during = results.reduce((worst, each) => (each.p99Ms > worst.p99Ms ? each : worst));
  return { bytes, seconds, quiet, during };
}

/** Incompressible values under keys of their own. */
async function fill(cluster: NodeCluster, bytes: number): Promise<void> {
  const clients = await Promise.all(
    cluster.running.map((index) =>
      RequestClient.open(cluster.member(index).mqttPort, `fill-${index}`),
    ),
  );
  const count = Math.ceil(bytes / VALUE_BYTES);
  let next = 0;
  const lane = async (client: RequestClient): Promise<void> => {
    for (let mine = next++; mine < count; mine = next++) {
      await client.publish(`dss/put/fill/${mine}`, randomBytes(VALUE_BYTES));
    }
  };
  const lanes = clients.flatMap((client) =>
    Array.from({ length: Math.ceil(PUTS_IN_FLIGHT / clients.length) }, () => lane(client)),
  );
  await Promise.all(lanes);
  for (const client of clients) client.close();
}

function pacedLoad(
  cluster: NodeCluster,
  seconds: number,
  nodes: readonly number[] = cluster.running,
): Promise<LoadResult> {
  const ports = nodes.map((index) => cluster.member(index).mqttPort);
  const options = { ...LOAD, ports, seconds, warmupSeconds: 1, topicPrefix: 'dss/put/bench/' };
  return forkLoad(options);
}
