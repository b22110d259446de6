import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LatencyHistogram } from './latency-histogram.ts';
import { LoadClient } from './load-client.ts';
import { PublishFrames } from './load-frames.ts';

export interface LoadOptions {
  /** Clients are spread over them in turn. */
  readonly ports: readonly number[];
  readonly clients: number;
  readonly inflight: number;
  readonly valueBytes: number;
  readonly keys: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Messages per second of all clients together; without it, as many as are acknowledged. */
  readonly perSecond?: number;
  /** `dss/put/bench/` for DSS; six digits follow. */
  readonly topicPrefix: string;
}

export interface LoadResult {
  readonly messages: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Of one core. Near 1 the generator is the limit, not what it measures. */
  readonly cpuShare: number;
}

const REFILL_MS = 1;

/** Drives the load in this process. `onMeasuring` is called when the warm-up is over. */
export async function runLoad(options: LoadOptions, onMeasuring: () => void): Promise<LoadResult> {
  const latencies = new LatencyHistogram();
  const frames = new PublishFrames(options);
  let fail!: (error: Error) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const clients = Array.from(
    { length: options.clients },
    (_, index) =>
      new LoadClient({
        port: options.ports[index % options.ports.length] as number,
        clientId: `load-${process.pid}-${index}`,
        inflight: options.inflight,
        paced: options.perSecond !== undefined,
        // Clients begin at different keys, so that they do not all write the same one at the same time.
        firstSequence: Math.floor((index * options.keys) / options.clients),
        frames,
        latencies,
        onFailed: fail,
      }),
  );
  const pace = new Pace(options.perSecond);
  const refills = setInterval(() => pace.refill(clients), REFILL_MS);
  try {
    await Promise.race([Promise.all(clients.map((client) => client.connected())), failed]);
    for (const client of clients) client.start();
    await Promise.race([delay(options.warmupSeconds * 1000), failed]);
    onMeasuring();
    return await Promise.race([measure(latencies, options.seconds), failed]);
  } finally {
    clearInterval(refills);
    for (const client of clients) client.stop();
  }
}

/** What was not sent in time is made up for, but no more than this: beyond it the load falls short. */
const ARREARS_MS_MAX = 100;

/** Shares out what may be sent by now, to each client in turn. */
class Pace {
  readonly #perSecond: number;
  #allowance = 0;
  #lastMs = performance.now();
  #next = 0;

  constructor(perSecond = Number.MAX_SAFE_INTEGER) {
    this.#perSecond = perSecond;
  }

  refill(clients: readonly LoadClient[]): void {
    const nowMs = performance.now();
    const earned = (this.#perSecond * (nowMs - this.#lastMs)) / 1000;
    this.#lastMs = nowMs;
    this.#allowance = Math.min(this.#allowance + earned, (this.#perSecond * ARREARS_MS_MAX) / 1000);
    const share = Math.ceil(this.#allowance / clients.length);
    for (let asked = 0; asked < clients.length && this.#allowance >= 1; asked += 1) {
      const client = clients[this.#next % clients.length] as LoadClient;
      this.#next += 1;
      this.#allowance -= client.refill(Math.min(share, Math.floor(this.#allowance)));
    }
  }
}

async function measure(latencies: LatencyHistogram, wantedSeconds: number): Promise<LoadResult> {
  latencies.reset();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await delay(wantedSeconds * 1000);
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  return {
    messages: latencies.count,
    seconds,
    perSecond: latencies.count / seconds,
    p50Ms: latencies.percentileMs(50),
    p99Ms: latencies.percentileMs(99),
    maxMs: latencies.maxMs,
    cpuShare: (cpu.user + cpu.system) / 1e6 / seconds,
  };
}

export type LoadMessage =
  | { readonly kind: 'measuring' }
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string };

/** The same in a process of its own, so that it shares no event loop with whoever asks. */
export function forkLoad(options: LoadOptions, onMeasuring: () => void): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('./load-process.js', import.meta.url)));
  return new Promise((resolve, reject) => {
    child.on('message', (message: LoadMessage) => {
      if (message.kind === 'measuring') onMeasuring();
      else if (message.kind === 'result') resolve(message.result);
      else reject(new Error(`the load generator failed: ${message.message}`));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load generator ended with code ${code}`)));
    child.send(options);
  });
}
