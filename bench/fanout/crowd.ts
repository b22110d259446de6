import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startDss } from '../peers/dss.ts';
import { startMosquitto } from '../peers/mosquitto.ts';
import { residentBytesOf } from '../process-figures.ts';
import type { CrowdOptions, Latencies } from './crowd-clients.ts';
import { LoadProcess } from './load-process.ts';

/** Many devices of which each says little, at one node. */
export interface Crowd {
  readonly connections: number;
  readonly perSecond: number;
  readonly brokers: readonly CrowdResult[];
}

export interface CrowdResult {
  readonly name: 'dss' | 'mosquitto';
  /** Without them. */
  readonly residentBytes: number;
  /** What each connection adds to that: when all are there, each with a subscription of its own. */
  readonly idleBytes: number;
  /** After all have sent a PINGREQ every `PING_PERIOD_MS` for a while. */
  readonly pingedBytes: number;
  /** From one of a few to another, and with the crowd there, of which each says something in its turn. */
  readonly alone: Latencies;
  readonly amongAll: Latencies;
}

const CONNECTIONS = 5_000;
const PER_SECOND = 100;
const FEW = 10;
/** V8 collects what connecting has left when there is little to do, and gives it back some seconds later. */
const REST_MS = 20_000;
const PING_PERIOD_MS = 15_000;
const PINGS = 3;

const CLIENTS = new URL('./crowd-clients.js', import.meta.url);

interface Measured {
  readonly name: CrowdResult['name'];
  readonly port: number;
  readonly processId: number;
  close(): Promise<void>;
}

export async function measureCrowd(directory: string, seconds: number): Promise<Crowd> {
  const brokers: CrowdResult[] = [];
  for (const start of [startOurs, startTheirs]) {
    const broker = await start(directory);
    if (broker !== undefined) brokers.push(await measure(broker, seconds));
  }
  return { connections: CONNECTIONS, perSecond: PER_SECOND, brokers };
}

async function measure(
  { name, port, processId, close }: Measured,
  seconds: number,
): Promise<CrowdResult> {
  const clients = new LoadProcess(CLIENTS);
  const load = { perSecond: PER_SECOND, seconds };
  const grownBy = (before: number) => (residentBytesOf(processId) - before) / CONNECTIONS;
  try {
    await clients.ask('connect', { port, count: FEW } satisfies CrowdOptions);
    await clients.ask('publish', load);
    const alone = await clients.ask<Latencies>('publish', load);
    await delay(REST_MS);
    const residentBytes = residentBytesOf(processId);
    await clients.ask('connect', { port, count: CONNECTIONS } satisfies CrowdOptions);
    await delay(REST_MS);
    const idleBytes = grownBy(residentBytes);
    await clients.ask('ping', { periodMs: PING_PERIOD_MS, times: PINGS });
    const pingedBytes = grownBy(residentBytes);
    const amongAll = await clients.ask<Latencies>('publish', load);
    return { name, residentBytes, idleBytes, pingedBytes, alone, amongAll };
  } finally {
    clients.end();
    await close();
  }
}

async function startOurs(directory: string): Promise<Measured> {
  const ours = `${directory}/dss`;
  await mkdir(ours);
  const { mqttPorts, status, close } = await startDss(ours, 1);
  const [node] = await status();
  const processId = node?.process.processId ?? 0;
  return { name: 'dss', port: mqttPorts[0] ?? 0, processId, close };
}

async function startTheirs(directory: string): Promise<Measured | undefined> {
  const mosquitto = await startMosquitto(directory);
  return mosquitto && { name: 'mosquitto', ...mosquitto };
}
