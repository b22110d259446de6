import type { StatusDocument } from '../../clients/cli/status-document.ts';
import { LoadProcess } from '../fanout/load-process.ts';
import { keyName } from '../load/load-frames.ts';
import {
  forkLoad,
  type LoadListener,
  type LoadOptions,
  type LoadResult,
} from '../load/load-generator.ts';
import { cpuMicrosOf, mainThreadCpuMicrosOf } from '../process-figures.ts';
import type { Contender } from './contenders.ts';
import type { Scenario } from './scenarios.ts';
import { type StageCosts, stagesBetween } from './stages.ts';
import type { DrainOptions, DrainResult } from './value-drain.ts';

/** What one contender did while it was its turn. */
export interface Turn extends LoadResult {
  readonly contender: string;
  readonly processes: readonly ProcessCost[];
  /** To those who have subscribed. */
  readonly deliveriesPerSecond: number | null;
}

export interface ProcessCost {
  readonly name: string;
  /** By all messages of all clients. */
  readonly cpuMicrosPerMessage: number;
  /** Of one of our own nodes; the threads of others are not divided like that. */
  readonly mainMicrosPerMessage: number | null;
  /** Shards, at the end. */
  readonly leads: number | null;
  /** Of the log; null where there is none. */
  readonly roundsPerSecond: number | null;
  readonly syncsPerSecond: number | null;
  /** Null where the node does not count them. */
  readonly stages: readonly StageCosts[] | null;
}

export interface TurnTimes {
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Before the first turn of a contender, if that is another time: who compiles as it runs is slow for so long. */
  readonly startSeconds?: number;
}

const DRAIN_CONNECTIONS = 20;
const BATCH_TOPIC = 'dss/batch/bench';

const hadATurn = new WeakSet<Contender>();

/** One contender under one load. */
export async function runTurn(
  contender: Contender,
  scenario: Scenario,
  options: TurnTimes & Pick<LoadOptions, 'perSecond' | 'isOpenLoop'>,
  listener: Pick<LoadListener, 'onProgress'> = {},
): Promise<Turn> {
  const drain = await startDrain(contender, scenario);
  let before: Promise<Reading> | undefined;
  const { clients, inflight, qos, valueBytes, keys, skew, batch } = scenario;
  const { ports, retain } = contender;
  const topicPrefix = batch === undefined ? contender.topicPrefix : BATCH_TOPIC;
  const load = {
    clients,
    inflight,
    qos,
    valueBytes,
    keys,
    skew,
    ports,
    topicPrefix,
    retain,
    batch,
  };
  const { startSeconds = options.warmupSeconds } = options;
  const warmupSeconds = hadATurn.has(contender) ? options.warmupSeconds : startSeconds;
  hadATurn.add(contender);
  try {
    const result = await forkLoad(
      { ...load, ...options, warmupSeconds },
      {
        ...listener,
        onMeasuring: () => {
          before = read(contender);
          contender.dss?.switchProfiles();
          void drain?.ask('measure');
        },
      },
    );
    contender.dss?.switchProfiles();
    const after = read(contender);
    const drained = await drain?.ask<DrainResult>('result');
    return {
      ...result,
      contender: contender.name,
      processes: costsBetween(contender, await before, await after, result),
      deliveriesPerSecond: drained?.deliveriesPerSecond ?? null,
    };
  } finally {
    drain?.end();
  }
}

/** All that is known of a contender's processes at a moment. */
interface Reading {
  readonly cpuMicros: readonly number[];
  readonly mainMicros: readonly number[];
  readonly status: readonly StatusDocument[] | undefined;
}

async function read({ processes, dss }: Contender): Promise<Reading> {
  return {
    cpuMicros: processes.map(({ processId }) => cpuMicrosOf(processId)),
    mainMicros: processes.map(({ processId }) => mainThreadCpuMicrosOf(processId)),
    status: await dss?.status(),
  };
}

function costsBetween(
  { processes, dss }: Contender,
  before: Reading | undefined,
  after: Reading,
  { messages }: LoadResult,
): ProcessCost[] {
  return processes.map(({ name }, index) => {
    const each = (values: readonly number[] | undefined) => values?.[index] ?? Number.NaN;
    const [first, last] = [before?.status?.[index], after.status?.[index]];
    return {
      name,
      cpuMicrosPerMessage: (each(after.cpuMicros) - each(before?.cpuMicros)) / messages,
      mainMicrosPerMessage: dss
        ? (each(after.mainMicros) - each(before?.mainMicros)) / messages
        : null,
      leads: last?.nodes.find((node) => node.id === last.node.id)?.leads ?? null,
      roundsPerSecond: logRate('rounds', first, last),
      syncsPerSecond: logRate('syncs', first, last),
      stages: stagesBetween(first, last, messages),
    };
  });
}

function logRate(counter: string, first?: StatusDocument, last?: StatusDocument): number | null {
  if (first === undefined || last === undefined) return null;
  const seconds = (last.process.uptimeMs - first.process.uptimeMs) / 1000;
  return ((last.log?.[counter] ?? 0) - (first.log?.[counter] ?? 0)) / seconds;
}

async function startDrain(
  { ports, subscribePrefix }: Contender,
  { subscriptions, keys }: Scenario,
): Promise<LoadProcess | undefined> {
  if (subscriptions === 0) return undefined;
  const drain = new LoadProcess(new URL('./value-drain.js', import.meta.url));
  const filters = Array.from(
    { length: subscriptions },
    (_, index) => subscribePrefix + keyName(Math.floor((index * keys) / subscriptions)),
  );
  const options: DrainOptions = { ports, connections: DRAIN_CONNECTIONS, filters };
  try {
    await drain.ask('start', options);
  } catch (error) {
    drain.end();
    throw error;
  }
  return drain;
}
