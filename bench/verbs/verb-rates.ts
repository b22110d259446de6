import { forkLoad, type LoadResult } from '../load/load-generator.ts';
import type { DssCluster } from '../peers/dss.ts';
import type { RequestClient } from '../request-client.ts';
import { type LoopResult, runClosedLoop, WARMUP_SHARE } from './closed-loop.ts';
import type { NodeMemory } from './node-memory.ts';
import { keyName, textOf, writeReadings } from './readings.ts';
import {
  KEYS,
  READ_PREFIX,
  READING_INTERVAL_MS,
  READINGS_PER_KEY,
  type VerbCase,
  verbCases,
} from './verb-cases.ts';

/** The load beside which the verbs are measured a second time: that of the ingest bench. */
export interface IngestLoad {
  readonly clients: number;
  readonly inflight: number;
  readonly valueBytes: number;
  readonly keys: number;
}

export interface VerbRate {
  readonly verb: string;
  readonly against: string | null;
  /** Of one request; null: it is one. */
  readonly readings: number | null;
  readonly inflight: number;
  readonly alone: LoopResult;
  readonly loaded: LoopResult;
  /** What the load reached meanwhile. */
  readonly load: LoadResult;
}

export interface VerbRates {
  /** Ingest alone, as fast as it goes. */
  readonly top: LoadResult;
  /** The pace at which the load is sent. */
  readonly loadPerSecond: number;
  readonly verbs: readonly VerbRate[];
}

const INFLIGHT = [1, 16];
const LOAD_SHARE = 0.5;
const LOAD_WARMUP_SECONDS = 1;

export async function measureVerbRates(options: {
  readonly dss: DssCluster;
  readonly clients: readonly RequestClient[];
  readonly memory: NodeMemory;
  readonly seconds: number;
  readonly load: IngestLoad;
  readonly onProgress: (what: string) => void;
}): Promise<VerbRates> {
  const { dss, clients, memory, seconds, onProgress } = options;
  const [client] = clients as [RequestClient];
  const lastTimeMs = Date.now();
  await memory.during('verbs: readings written', () => writeAll(clients, lastTimeMs));
  const cases = verbCases(lastTimeMs).flatMap((verb) =>
    INFLIGHT.map((inflight) => ({ verb, inflight })),
  );
  const loop = ({ verb, inflight }: { verb: VerbCase; inflight: number }) =>
    runClosedLoop({ inflight, seconds }, (sequence) => verb.send(client, sequence));

  const alone: LoopResult[] = [];
  await memory.during('verbs alone', async () => {
    for (const each of cases) {
      onProgress(`${each.verb.name}, ${each.inflight} in flight`);
      alone.push(await loop(each));
    }
  });
  const load = {
    ...options.load,
    ports: dss.mqttPorts,
    topicPrefix: 'dss/put/ingest/',
    seconds: seconds * (1 + WARMUP_SHARE),
    warmupSeconds: LOAD_WARMUP_SECONDS,
  };
  onProgress('ingest at its top rate');
  const top = await memory.during('ingest at its top rate', () => forkLoad(load));
  const perSecond = Math.round(top.perSecond * LOAD_SHARE);
  const verbs: VerbRate[] = [];
  await memory.during('verbs during ingest', async () => {
    for (const [index, each] of cases.entries()) {
      onProgress(`${each.verb.name}, ${each.inflight} in flight, during ingest`);
      const both = await measureBeside({ ...load, perSecond }, () => loop(each));
      verbs.push({
        verb: each.verb.name,
        against: each.verb.against ?? null,
        readings: each.verb.readings ?? null,
        inflight: each.inflight,
        alone: alone[index] as LoopResult,
        ...both,
      });
    }
  });
  return { top, loadPerSecond: perSecond, verbs };
}

/** Runs `measure` from the moment at which the load is measured too. */
async function measureBeside(
  load: Parameters<typeof forkLoad>[0],
  measure: () => Promise<LoopResult>,
): Promise<{ loaded: LoopResult; load: LoadResult }> {
  let loaded: Promise<LoopResult> | undefined;
  const result = await forkLoad(load, {
    onMeasuring: () => {
      loaded = measure();
      loaded.catch(() => {});
    },
  });
  if (!loaded) throw new Error('the load ended before it was measured');
  return { loaded: await loaded, load: result };
}

/** A history for each key, so that there is something to page through. */
async function writeAll(clients: readonly RequestClient[], lastTimeMs: number): Promise<void> {
  await writeReadings(clients, {
    prefix: READ_PREFIX,
    from: 0,
    to: KEYS * READINGS_PER_KEY,
    reading: (index) => ({
      key: keyName(index % KEYS),
      value: textOf(index),
      time: lastTimeMs - (READINGS_PER_KEY - 1 - Math.floor(index / KEYS)) * READING_INTERVAL_MS,
    }),
  });
}
