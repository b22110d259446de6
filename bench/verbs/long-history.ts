import type { DssCluster } from '../peers/dss.ts';
import type { RequestClient } from '../request-client.ts';
import { type LoopResult, runClosedLoop } from './closed-loop.ts';
import type { NodeMemory } from './node-memory.ts';
import { type FullRead, readPages } from './page-reader.ts';
import { textOf, writeReadings } from './readings.ts';
import { settle } from './settle.ts';
import { ask } from './verb-cases.ts';

const PREFIX = 'bench';
const KEY = 'sensor';
/** All of them lie within the seven days that history is kept. */
const KEPT_MS = 6 * 24 * 3600 * 1000;
const INTERVAL_MS_MAX = 1_000;

export interface LongHistory {
  readonly readings: number;
  readonly writeSeconds: number;
  readonly passes: readonly FullRead[];
  readonly getNewest: LoopResult;
  readonly getAtMiddle: LoopResult;
}

/** One key with many readings, written with event times. */
export async function measureLongHistory(options: {
  readonly dss: DssCluster;
  readonly clients: readonly RequestClient[];
  readonly memory: NodeMemory;
  readonly readings: number;
  readonly seconds: number;
  readonly secondsMax: number;
  readonly onProgress: (what: string) => void;
}): Promise<LongHistory> {
  const { dss, clients, memory, readings, seconds, secondsMax } = options;
  const [client] = clients as [RequestClient];
  const intervalMs = Math.min(INTERVAL_MS_MAX, Math.floor(KEPT_MS / readings));
  const firstMs = Date.now() - readings * intervalMs;
  const during = <T>(what: string, run: () => Promise<T>): Promise<T> => {
    const label = `${readings.toLocaleString('en')} readings: ${what}`;
    options.onProgress(label);
    return memory.during(label, run);
  };
  const startedMs = performance.now();
  await during('written', () =>
    writeReadings(clients, {
      prefix: PREFIX,
      from: 0,
      to: readings,
      reading: (index) => ({
        key: KEY,
        value: textOf(index),
        time: firstMs + index * intervalMs,
      }),
    }),
  );
  const writeSeconds = (performance.now() - startedMs) / 1000;
  await settle(dss);
  const pages = (what: string, order: 'asc' | 'desc') => {
    const request = { request: `history/${PREFIX}/${KEY}`, items: readings, secondsMax };
    return during(what, () => readPages(client, { what, members: { order }, ...request }));
  };
  const passes = [await pages('newest first', 'desc'), await pages('oldest first', 'asc')];
  const middle = Math.floor(readings / 2);
  const loop = (send: (n: number) => Promise<unknown>) =>
    runClosedLoop({ inflight: 1, seconds }, send);
  const get = `get/${PREFIX}/${KEY}`;
  const getNewest = await loop(() => ask(client, get));
  const getAtMiddle = await loop((n) => {
    const index = middle + ((n * 7) % Math.ceil(readings / 100));
    return ask(client, get, { at: firstMs + index * intervalMs });
  });
  return { readings, writeSeconds, passes, getNewest, getAtMiddle };
}
