import { setTimeout as delay } from 'node:timers/promises';
import { cpuMicrosOf, forgetPeakBytesOf, peakBytesOf } from '../process-figures.ts';
import type { Cell } from './cells.ts';
import type { Contender } from './contenders.ts';
import { LoadProcess } from './load-process.ts';
import { PingProbe } from './ping-probe.ts';
import type { PublishersResult } from './publishers.ts';
import type { SubscribersResult, Verdict } from './subscribers.ts';

export interface CellResult extends Verdict {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What an idle client waits for its PINGRESP. */
  readonly pingP99Ms: number;
  /** Of all processes of the broker. */
  readonly cpuMicrosPerDelivery: number;
  readonly peakBytes: number;
  readonly publishersCpuShare: number;
  readonly subscribersCpuShare: number;
}

export interface Times {
  readonly seconds: number;
  readonly warmupSeconds: number;
}

const PUBLISHERS = new URL('./publishers.js', import.meta.url);
const SUBSCRIBERS = new URL('./subscribers.js', import.meta.url);

/** `run` makes the topics of this run its own: no retained value of an earlier one is in them. */
export async function runCell(
  contender: Contender,
  cell: Cell,
  { seconds, warmupSeconds, run }: Times & { readonly run: string },
): Promise<CellResult> {
  const { publishPort, subscribePorts, prefixes, processIds } = contender;
  const subscribers = new LoadProcess(SUBSCRIBERS);
  const publishers = new LoadProcess(PUBLISHERS);
  const probe = await PingProbe.start(publishPort);
  try {
    const progressPort = await subscribers.ask<number>('start', {
      ports: subscribePorts,
      count: cell.subscribers,
      qos: cell.qos,
      filter: `${prefixes.subscribe}bench/${run}/#`,
      publishers: cell.publishers,
    });
    await publishers.ask('start', {
      port: publishPort,
      count: cell.publishers,
      qos: cell.qos,
      topicPrefix: `${prefixes.publish}bench/${run}/`,
      inflight: cell.inflight,
      progressPort,
    });
    await delay(warmupSeconds * 1000);
    processIds.forEach(forgetPeakBytesOf);
    const cpuBefore = sumOf(processIds, cpuMicrosOf);
    probe.measure();
    await Promise.all([subscribers.ask('measure'), publishers.ask('measure')]);
    await delay(seconds * 1000);
    const received = await subscribers.ask<SubscribersResult>('result');
    const cpuMicros = sumOf(processIds, cpuMicrosOf) - cpuBefore;
    const pingP99Ms = probe.p99Ms;
    const { sent, cpuShare } = await publishers.ask<PublishersResult>('stop');
    const verdict = await subscribers.ask<Verdict>('finish', sent);
    return {
      perSecond: received.deliveries / received.seconds,
      p50Ms: received.p50Ms,
      p99Ms: received.p99Ms,
      pingP99Ms,
      cpuMicrosPerDelivery: cpuMicros / received.deliveries,
      peakBytes: sumOf(processIds, peakBytesOf),
      publishersCpuShare: cpuShare,
      subscribersCpuShare: received.cpuShare,
      ...verdict,
    };
  } finally {
    probe.end();
    publishers.end();
    subscribers.end();
  }
}

function sumOf(processIds: readonly number[], figure: (processId: number) => number): number {
  return processIds.reduce((sum, processId) => sum + figure(processId), 0);
}
