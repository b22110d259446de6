import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LatencyHistogram } from './latency-histogram.ts';
import { LoadClient, type Sending } from './load-client.ts';
import { type BatchShape, PublishFrames } from './load-frames.ts';
import { Pace } from './pace.ts';
import { UnconfirmedClient } from './unconfirmed-client.ts';

export interface LoadOptions {
  /** Clients are spread over them in turn. */
  readonly ports: readonly number[];
  readonly clients: number;
  readonly inflight: number;
  readonly valueBytes: number;
  readonly keys: number;
  /** Default 1. At QoS 0 there is no pace. */
  readonly qos?: 0 | 1;
  readonly retain?: boolean;
  /** By Zipf's law with this exponent some keys are written more often; default 0: all alike. */
  readonly skew?: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Ends about when so many are acknowledged, if that is sooner. */
  readonly messagesMax?: number;
  /** Messages per second of all clients together; without it, as many as are acknowledged. */
  readonly perSecond?: number;
  /** Each message has a time at which it is due, by `perSecond`, and its latency counts from then. */
  readonly isOpenLoop?: boolean;
  /** `dss/put/bench/` for DSS; six digits follow. Of batches the whole topic. */
  readonly topicPrefix: string;
  /** What a message is, if not a put. */
  readonly batch?: BatchShape | undefined;
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
  /** Of an open loop: how late the generator itself was, which is in the latencies too. */
  readonly lateP99Ms?: number;
}

/** What was acknowledged since the last one. */
export interface LoadProgress {
  readonly messages: number;
  readonly seconds: number;
  readonly p99Ms: number;
}

/** What happens while the load runs. */
export interface LoadListener {
  /** The warm-up is over. */
  readonly onMeasuring?: () => void;
  /** About once a second from then on. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

const TICK_MS = 1;
const PROGRESS_MS = 1_000;

interface Client {
  connected(): Promise<void>;
  start(firstDueMs: number): void;
  refill?(countMax: number): number;
  recordOutstanding?(nowMs: number): number;
  stop(): void;
}

/** Drives the load in this process. */
export async function runLoad(options: LoadOptions, listener: LoadListener): Promise<LoadResult> {
  const load = new Load(options);
  try {
    await Promise.race([load.connected(), load.failed]);
    load.start();
    await Promise.race([delay(options.warmupSeconds * 1000), load.failed]);
    listener.onMeasuring?.();
    return await Promise.race([load.measure(listener), load.failed]);
  } finally {
    load.stop();
  }
}

class Load {
  readonly failed: Promise<never>;
  readonly #options: LoadOptions;
  readonly #clients: readonly Client[];
  /** Since the last progress. */
  readonly #latencies = new LatencyHistogram();
  readonly #lateness = new LatencyHistogram();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LoadOptions) {
    let fail!: (error: Error) => void;
    this.failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.#options = options;
    const frames = new PublishFrames(options);
    const sending = sendingOf(options, this.#lateness);
    this.#clients = Array.from({ length: options.clients }, (_, index) => {
      const common = {
        port: options.ports[index % options.ports.length] as number,
        clientId: `load-${process.pid}-${index}`,
        inflight: options.inflight,
        // Clients begin at different keys, so that they do not all write the same one at the same time.
        firstSequence: Math.floor((index * options.keys) / options.clients),
        frames,
        latencies: this.#latencies,
        onFailed: fail,
      };
      return options.qos === 0
        ? new UnconfirmedClient(common)
        : new LoadClient({ ...common, sending });
    });
  }

  async connected(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.connected()));
  }

  start(): void {
    const { perSecond, isOpenLoop = false } = this.#options;
    const nowMs = performance.now();
    for (const [index, client] of this.#clients.entries()) {
      client.start(nowMs + (index * 1000) / (perSecond ?? 1));
    }
    const pace = new Pace(isOpenLoop ? undefined : perSecond);
    this.#timer = setInterval(() => pace.refill(this.#clients), TICK_MS);
  }

  async measure({ onProgress }: LoadListener): Promise<LoadResult> {
    this.#latencies.reset();
    this.#lateness.reset();
    const all = new LatencyHistogram();
    const cpuBefore = process.cpuUsage();
    const startedMs = performance.now();
    const { seconds, messagesMax = Number.POSITIVE_INFINITY } = this.#options;
    const endMs = startedMs + seconds * 1000;
    let nowMs = startedMs;
    for (let lastMs = nowMs; nowMs < endMs && all.count < messagesMax; lastMs = nowMs) {
      await delay(Math.min(PROGRESS_MS, endMs - nowMs));
      nowMs = performance.now();
      const { count: messages } = this.#latencies;
      const p99Ms = onProgress === undefined ? 0 : this.#latencies.percentileMs(99);
      onProgress?.({ messages, seconds: (nowMs - lastMs) / 1000, p99Ms });
      all.add(this.#latencies);
      this.#latencies.reset();
    }
    return this.#result(all, startedMs, cpuBefore);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const client of this.#clients) client.stop();
  }

  #result(all: LatencyHistogram, startedMs: number, cpuBefore: NodeJS.CpuUsage): LoadResult {
    const nowMs = performance.now();
    const seconds = (nowMs - startedMs) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const messages = all.count;
    for (const client of this.#clients) client.recordOutstanding?.(nowMs);
    all.add(this.#latencies);
    return {
      messages,
      seconds,
      perSecond: messages / seconds,
      p50Ms: all.percentileMs(50),
      p99Ms: all.percentileMs(99),
      maxMs: all.maxMs,
      cpuShare: (user + system) / 1e6 / seconds,
      ...(this.#lateness.count > 0 ? { lateP99Ms: this.#lateness.percentileMs(99) } : {}),
    };
  }
}

function sendingOf(options: LoadOptions, lateness: LatencyHistogram): Sending {
  const { perSecond, isOpenLoop = false, clients } = options;
  if (perSecond === undefined) return { kind: 'refill' };
  if (!isOpenLoop) return { kind: 'paced' };
  return { kind: 'open', intervalMs: (clients * 1000) / perSecond, lateness };
}

export type LoadMessage =
  | { readonly kind: 'measuring' }
  | { readonly kind: 'progress'; readonly progress: LoadProgress }
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string };

/** The same in a process of its own, so that it shares no event loop with whoever asks. */
export function forkLoad(options: LoadOptions, listener: LoadListener = {}): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('./load-process.js', import.meta.url)));
  return new Promise((resolve, reject) => {
    child.on('message', (message: LoadMessage) => {
      if (message.kind === 'measuring') listener.onMeasuring?.();
      else if (message.kind === 'progress') listener.onProgress?.(message.progress);
      else if (message.kind === 'result') resolve(message.result);
      else reject(new Error(`the load generator failed: ${message.message}`));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load generator ended with code ${code}`)));
    child.send(options);
  });
}
