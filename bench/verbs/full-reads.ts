import type { DssCluster } from '../peers/dss.ts';
import { RequestClient } from '../request-client.ts';
import { type LoopResult, runClosedLoop } from './closed-loop.ts';
import type { NodeMemory } from './node-memory.ts';
import { type FullRead, readPages } from './page-reader.ts';
import { keyName, textOf, writeReadings } from './readings.ts';
import { settle } from './settle.ts';
import { ask } from './verb-cases.ts';

const PREFIX = 'bench';
const SMALL_PREFIX = 'small';
const SMALL_KEYS = 100;

/** A page of a hundred keys, out of few or out of many, beside one key. */
export interface SmallReads {
  readonly get: LoopResult;
  /** Everything below the small prefix. */
  readonly small: LoopResult;
  /** As many of the keys below the big one. */
  readonly big: LoopResult;
}

export interface KeyCountReads {
  readonly keys: number;
  readonly writeSeconds: number;
  readonly written: number;
  readonly passes: readonly FullRead[];
  readonly smallReads: SmallReads;
}

/** Reads all keys in each way there is, at each size; the keys of a size are among those of the next. */
export async function measureFullReads(options: {
  readonly dss: DssCluster;
  readonly clients: readonly RequestClient[];
  readonly memory: NodeMemory;
  readonly keyCounts: readonly number[];
  readonly seconds: number;
  readonly secondsMax: number;
  readonly onProgress: (what: string) => void;
}): Promise<KeyCountReads[]> {
  const { dss, clients, memory, onProgress } = options;
  const [client] = clients as [RequestClient];
  const write = (prefix: string, from: number, to: number) =>
    writeReadings(clients, {
      prefix,
      from,
      to,
      reading: (index) => ({ key: keyName(index), value: textOf(index) }),
    });
  await write(SMALL_PREFIX, 0, SMALL_KEYS);
  const results: KeyCountReads[] = [];
  let written = 0;
  for (const keys of [...options.keyCounts].sort((a, b) => a - b)) {
    const label = keys.toLocaleString('en');
    const during = <T>(what: string, run: () => Promise<T>): Promise<T> => {
      onProgress(`${label} keys: ${what}`);
      return memory.during(`${label} keys: ${what}`, run);
    };
    const startedMs = performance.now();
    const before = written;
    await during('written', () => write(PREFIX, before, keys));
    written = keys;
    const writeSeconds = (performance.now() - startedMs) / 1000;
    await settle(dss);
    const pages = (what: string, verb: string) => {
      const { secondsMax } = options;
      const request = { request: `${verb}/${PREFIX}`, members: {}, items: keys, secondsMax };
      return during(what, () => readPages(client, { what, ...request }));
    };
    const passes = [
      await pages('list', 'list'),
      await pages('range', 'range'),
      await during('snapshot', () => readSnapshot(dss, keys, options.secondsMax)),
    ];
    onProgress(`${label} keys: ${SMALL_KEYS} of them`);
    const smallReads = await measureSmallReads(client, options.seconds);
    results.push({ keys, writeSeconds, written: keys - before, passes, smallReads });
  }
  return results;
}

/** The values that a subscription begins with, on a connection of its own. */
async function readSnapshot(dss: DssCluster, keys: number, secondsMax: number): Promise<FullRead> {
  const client = await RequestClient.open(dss.mqttPorts[0] as number, 'bench-snapshot');
  const seen = new Uint8Array(keys);
  const startedMs = performance.now();
  let read = 0;
  let firstMs = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(resolve, secondsMax * 1000);
      const subscribed = client.subscribe(`dss/value/${PREFIX}/#`, (topic) => {
        if (read === 0) firstMs = performance.now() - startedMs;
        const index = Number(Buffer.from(topic).toString('latin1', topic.length - 7));
        if (seen[index] !== 0) return reject(new Error(`key ${index} came twice, or is none`));
        seen[index] = 1;
        read += 1;
        if (read === keys) resolve();
      });
      subscribed.catch(reject);
    });
  } finally {
    clearTimeout(timer);
    client.close();
  }
  const seconds = (performance.now() - startedMs) / 1000;
  return { what: 'snapshot', items: keys, read, seconds, perSecond: read / seconds, firstMs };
}

async function measureSmallReads(client: RequestClient, seconds: number): Promise<SmallReads> {
  const loop = (send: () => Promise<unknown>) => runClosedLoop({ inflight: 1, seconds }, send);
  const members = { limit: SMALL_KEYS };
  return {
    get: await loop(() => ask(client, `get/${SMALL_PREFIX}/${keyName(0)}`)),
    small: await loop(() => ask(client, `list/${SMALL_PREFIX}`, members)),
    big: await loop(() => ask(client, `list/${PREFIX}`, members)),
  };
}
