import { setTimeout as delay } from 'node:timers/promises';
import type { StatusDocument } from '../../clients/cli/status-document.ts';
import { forkLoad } from '../load/load-generator.ts';
import { type DssCluster, startDss } from '../peers/dss.ts';
import type { FloodOptions, FloodResult } from './flooders.ts';
import { LoadProcess } from './load-process.ts';
import { PingProbe } from './ping-probe.ts';
import type { Times } from './run-cell.ts';

const NODE_COUNT = 3;
const CLIENTS = 50;
const KEYS = 100;
const REST_MS = 3_000;

/** Puts, one after the other, while others publish at QoS 0 as fast as they can, all at the same node. */
export interface Flood extends FloodResult {
  readonly clients: number;
  readonly quiet: { readonly p50Ms: number; readonly p99Ms: number };
  readonly puts: { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };
  /** Of each node, the flooded one first. */
  readonly pingP99Ms: readonly number[];
  readonly elections: number;
}

export async function measureFlood(directory: string, times: Times): Promise<Flood> {
  const dss = await startDss(directory, NODE_COUNT);
  const flooders = new LoadProcess(new URL('./flooders.js', import.meta.url));
  const probes: PingProbe[] = [];
  try {
    const [port = 0] = dss.mqttPorts;
    const quiet = await putsAt(port, times);
    for (const each of dss.mqttPorts) probes.push(await PingProbe.start(each));
    const before = await statusAtRest(dss);
    await flooders.ask('start', { port, clients: CLIENTS } satisfies FloodOptions);
    await delay(times.warmupSeconds * 1000);
    for (const probe of probes) probe.measure();
    await flooders.ask('measure');
    const puts = await putsAt(port, times);
    const flood = await flooders.ask<FloodResult>('result');
    const pingP99Ms = probes.map((probe) => probe.p99Ms);
    const elections = await electionsSince(before, dss);
    return { ...flood, clients: CLIENTS, quiet, puts, pingP99Ms, elections };
  } finally {
    for (const probe of probes) probe.end();
    flooders.end();
    await dss.close();
  }
}

function putsAt(port: number, times: Times) {
  const load = {
    clients: 1,
    inflight: 1,
    valueBytes: 64,
    keys: KEYS,
    topicPrefix: 'dss/put/bench/',
  };
  return forkLoad({ ...load, ...times, ports: [port] });
}

/** A cluster that has just begun still evens out who leads what, and each of these transfers is a term. */
async function statusAtRest(dss: DssCluster): Promise<readonly StatusDocument[]> {
  for (let before = await dss.status(); ; ) {
    await delay(REST_MS);
    if ((await electionsSince(before, dss)) === 0) return before;
    before = await dss.status();
  }
}

/** How far the terms of all groups have gone on. */
async function electionsSince(before: readonly StatusDocument[], dss: DssCluster): Promise<number> {
  const first = termsOf(before);
  let elections = 0;
  for (const [group, term] of termsOf(await dss.status())) {
    elections += term - (first.get(group) ?? term);
  }
  return elections;
}

function termsOf(nodes: readonly StatusDocument[]): ReadonlyMap<number, number> {
  const terms = new Map<number, number>();
  for (const { group, term } of nodes.flatMap(({ shards }) => shards)) {
    terms.set(group, Math.max(term, terms.get(group) ?? 0));
  }
  return terms;
}
