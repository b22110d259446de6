import { cpuMicrosOf } from '../process-figures.ts';
import { BATCHES_OF_100 } from './batches.ts';
import { type Contender, NODE_COUNT } from './contenders.ts';
import { onFreshCluster, onProgress, type PartOptions } from './part.ts';
import { HEADLINE } from './scenarios.ts';
import { runTurn } from './turn.ts';
import { readingBytes, readWritten, type WrittenBytes, writtenSince } from './written-bytes.ts';

export interface ScaleResult {
  readonly readings: readonly ReadingsStep[];
  readonly shards: readonly SizeStep[];
  readonly clients: readonly SizeStep[];
}

/** What a message cost while there were as many of something. */
export interface SizeStep {
  readonly size: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerMessageNode: number;
  readonly cpuShare: number;
}

/** And of the readings stored so far: since the step before. */
export interface ReadingsStep {
  readonly readings: number;
  readonly perSecond: number;
  readonly cpuMicrosPerReadingNode: number;
  /** Log, flush and compaction since the beginning, by the bytes of all readings on one node; null but for the last. */
  readonly writtenPerStoredByte: number | null;
}

const SHARDS = [8, 16, 64, 256];
const CLIENTS = [1, 10, 100, 1_000, 5_000];
/** Of all clients together, so that only their number differs. */
const INFLIGHT_IN_ALL = 1_000;
/** Values are small and come in batches, as it is many of them that are of interest. */
const SMALL = { ...BATCHES_OF_100, valueBytes: 16 };
const READINGS_PER_MESSAGE = SMALL.batch.readings;
const FOR_EVER_SECONDS = 24 * 3_600;

/** What a reading costs as a cluster has more of everything. */
export async function measureScale(
  options: PartOptions & { readonly readings: number },
): Promise<ScaleResult> {
  const readings = await onFreshCluster(options.data, SMALL, {}, (dss) => fill(dss, options));
  const shards: SizeStep[] = [];
  for (const size of SHARDS) shards.push(await withShards(size, options));
  return { readings, shards, clients: await withClients(options) };
}

/** 1, 2, 5 and 10 million, and so on. */
export function marksUpTo(readings: number): number[] {
  const marks: number[] = [];
  for (let power = 1e6; power <= readings; power *= 10) marks.push(power, 2 * power, 5 * power);
  return [...marks.filter((mark) => mark < readings), readings];
}

async function fill(
  dss: Contender,
  { readings, data }: { readonly readings: number; readonly data: string },
): Promise<ReadingsStep[]> {
  onProgress(`scale: ${readings} readings`);
  const marks = marksUpTo(readings);
  const steps: ReadingsStep[] = [];
  const writtenBefore = await readWritten(dss, data);
  let last = { readings: 0, seconds: 0, cpuMicros: cpuMicrosOfAll(dss) };
  let now = { readings: 0, seconds: 0 };
  const load = {
    seconds: FOR_EVER_SECONDS,
    warmupSeconds: 0,
    messagesMax: readings / READINGS_PER_MESSAGE,
  };
  await runTurn(dss, SMALL, load, {
    onProgress: ({ messages, seconds }) => {
      const readings = now.readings + messages * READINGS_PER_MESSAGE;
      now = { readings, seconds: now.seconds + seconds };
      if (readings < (marks[steps.length] ?? Number.POSITIVE_INFINITY)) return;
      const here = { ...now, cpuMicros: cpuMicrosOfAll(dss) };
      const added = readings - last.readings;
      steps.push({
        readings,
        perSecond: added / (here.seconds - last.seconds),
        cpuMicrosPerReadingNode: (here.cpuMicros - last.cpuMicros) / added / NODE_COUNT,
        writtenPerStoredByte: null,
      });
      onProgress(`scale: ${readings} readings are stored`);
      last = here;
    },
  });
  const written = writtenSince(writtenBefore, await readWritten(dss, data));
  const ratio = bytesOf(written) / (last.readings * readingBytes(SMALL) * NODE_COUNT);
  const final = steps.pop();
  return final === undefined ? [] : [...steps, { ...final, writtenPerStoredByte: ratio }];
}

const bytesOf = ({ log, flush, compaction }: WrittenBytes): number =>
  (log ?? 0) + (flush ?? 0) + (compaction ?? 0);

function cpuMicrosOfAll({ processes }: Contender): number {
  return processes.reduce((sum, { processId }) => sum + cpuMicrosOf(processId), 0);
}

function withShards(shards: number, { data, times }: PartOptions): Promise<SizeStep> {
  onProgress(`scale: ${shards} shards`);
  return onFreshCluster(data, HEADLINE, { shards }, async (dss) =>
    step(dss, HEADLINE, shards, times),
  );
}

function withClients({ data, times }: PartOptions): Promise<SizeStep[]> {
  return onFreshCluster(data, HEADLINE, {}, async (dss) => {
    const steps: SizeStep[] = [];
    for (const clients of CLIENTS) {
      onProgress(`scale: ${clients} clients`);
      const inflight = Math.max(1, Math.floor(INFLIGHT_IN_ALL / clients));
      steps.push(await step(dss, { ...HEADLINE, clients, inflight }, clients, times));
    }
    return steps;
  });
}

async function step(
  dss: Contender,
  scenario: typeof HEADLINE,
  size: number,
  times: PartOptions['times'],
): Promise<SizeStep> {
  const { perSecond, p99Ms, cpuShare, processes } = await runTurn(dss, scenario, times);
  const cpuMicros = processes.reduce((sum, each) => sum + each.cpuMicrosPerMessage, 0);
  const cpuMicrosPerMessageNode = cpuMicros / NODE_COUNT;
  return { size, perSecond, p99Ms, cpuMicrosPerMessageNode, cpuShare };
}
