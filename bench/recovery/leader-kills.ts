import { setTimeout as delay } from 'node:timers/promises';
import { fetchWhere } from '../../clients/cli/http.ts';
import { forkLoad } from '../load/load-generator.ts';
import { RequestClient } from '../request-client.ts';
import type { NodeCluster } from './node-cluster.ts';

/** From `kill -9` of a leader to the first write of each key that it led. */
export interface KillsResult {
  readonly kills: number;
  readonly writes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Of each kill, its slowest key. */
  readonly slowestMs: readonly number[];
  readonly loadPerSecond: number;
}

const LOAD = { clients: 12, inflight: 20, valueBytes: 64, keys: 5_000, perSecond: 1_000 };
const LOAD_SECONDS = 4;
/** The load is under way for this long when the node is killed. */
const BEFORE_KILL_MS = 1_000;
const HTTP_TIMEOUT_MS = 5_000;

/**
 * Kills the node that leads most shards, again and again, under a load on the nodes that stay. At the moment of
 * the kill one key of each shard that it led is put through each of these.
 */
export async function measureKills(cluster: NodeCluster, kills: number): Promise<KillsResult> {
  const waits: number[] = [];
  const keys = await keyOfEachGroup(cluster);
  const slowestMs: number[] = [];
  let messages = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    const { victim, groups } = await busiestLeader(cluster);
    const survivors = cluster.running.filter((index) => index !== victim);
    const ports = survivors.map((index) => cluster.member(index).mqttPort);
    const clients = await Promise.all(
      ports.map((port, index) => RequestClient.open(port, `kills-${kill}-${index}`)),
    );
    const load = await startLoad(ports);
    await delay(BEFORE_KILL_MS);
    const own = await killAndPut(cluster, { victim, clients, keys: groups.map(keyIn(keys)) });
    waits.push(...own);
    slowestMs.push(Math.max(...own));
    messages += (await load.finished).messages;
    for (const client of clients) client.close();
    process.stderr.write(`kill ${kill} of ${kills}: ${Math.round(slowestMs.at(-1) ?? 0)} ms\n`);
    cluster.start(victim);
    await cluster.untilLed();
    await untilCaughtUp(cluster, victim);
  }
  waits.sort((a, b) => a - b);
  const percentile = (share: number) => waits[Math.floor(waits.length * share)] ?? Number.NaN;
  return {
    kills,
    writes: waits.length,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    maxMs: waits.at(-1) ?? Number.NaN,
    slowestMs,
    loadPerSecond: messages / kills / LOAD_SECONDS,
  };
}

async function killAndPut(
  cluster: NodeCluster,
  options: {
    readonly victim: number;
    readonly clients: readonly RequestClient[];
    readonly keys: readonly string[];
  },
): Promise<number[]> {
  const { victim, clients, keys } = options;
  const killedMs = performance.now();
  const exited = cluster.kill(victim);
  const puts = clients.flatMap((client) =>
    keys.map(async (key) => {
      await client.publish(`dss/put/${key}`, Buffer.from('x'));
      return performance.now() - killedMs;
    }),
  );
  const waits = await Promise.all(puts);
  await exited;
  return waits;
}

/** Resolves when the load is under way. */
async function startLoad(ports: readonly number[]) {
  let begun = (): void => {};
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const options = { ...LOAD, ports, seconds: LOAD_SECONDS, warmupSeconds: 0.5 };
  const finished = forkLoad({ ...options, topicPrefix: 'dss/put/bench/' }, { onMeasuring: begun });
  await Promise.race([beginning, finished]);
  return { finished };
}

async function busiestLeader(cluster: NodeCluster) {
  const { shards } = await cluster.status(cluster.running[0] as number);
  const ledBy = (index: number) =>
    shards.filter(({ kind, leader }) => kind === 'shard' && leader === cluster.member(index).name);
  const [victim = 0] = cluster.running.toSorted((a, b) => ledBy(b).length - ledBy(a).length);
  return { victim, groups: ledBy(victim).map(({ group }) => group) };
}

async function keyOfEachGroup(cluster: NodeCluster): Promise<Map<number, string>> {
  const [first = 0] = cluster.running;
  const { shards } = await cluster.status(first);
  const wanted = shards.filter(({ kind }) => kind === 'shard').length;
  const base = `http://127.0.0.1:${cluster.member(first).httpPort}`;
  const keys = new Map<number, string>();
  for (let number = 0; keys.size < wanted; number += 1) {
    const { group, key } = await fetchWhere(base, `kills/${number}`, HTTP_TIMEOUT_MS);
    if (!keys.has(group)) keys.set(group, key);
  }
  return keys;
}

function keyIn(keys: ReadonlyMap<number, string>): (group: number) => string {
  return (group) => keys.get(group) as string;
}

/** Until then the next kill could leave a shard without a majority. */
async function untilCaughtUp(cluster: NodeCluster, index: number): Promise<void> {
  const commits = new Map<number, number>();
  for (const other of cluster.running) {
    for (const { group, local } of (await cluster.status(other)).shards) {
      commits.set(group, Math.max(commits.get(group) ?? 0, local?.commit ?? 0));
    }
  }
  await cluster.until(index, ({ shards }) =>
    shards.every(
      ({ group, local }) =>
        local === undefined || (local.applied ?? 0) >= (commits.get(group) ?? 0),
    ),
  );
}
