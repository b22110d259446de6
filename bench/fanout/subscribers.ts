import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LatencyHistogram } from '../load/latency-histogram.ts';
import { CpuShare } from './cpu-share.ts';
import { answerParent } from './load-process.ts';
import { type Received, Subscriber } from './subscriber.ts';

export interface SubscribersOptions {
  /** Subscribers are spread over them in turn. */
  readonly ports: readonly number[];
  readonly count: number;
  readonly qos: 0 | 1;
  readonly filter: string;
  readonly publishers: number;
}

export interface SubscribersResult {
  readonly deliveries: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuShare: number;
}

/** Over the whole time, when everything that comes has come. */
export interface Verdict {
  readonly missing: number;
  readonly outOfOrder: number;
}

const CONNECTING_MAX = 50;
const LOOK_MS = 20;
const PATIENCE_MS = 5_000;

/** The main program of the subscribers' process. */
class Subscribers {
  readonly #options: SubscribersOptions;
  readonly #subscribers: Subscriber[] = [];
  readonly #received: Received = { latencies: new LatencyHistogram(), outOfOrder: 0, missing: 0 };
  readonly #cpu = new CpuShare();
  #startedMs = 0;
  #listener: Socket | undefined;
  #told = 0;
  #tellsSoon = false;
  #failure: Error | undefined;

  constructor(options: SubscribersOptions) {
    this.#options = options;
  }

  /** Resolves, when all have subscribed, with the port where they say how far they are. */
  async start(): Promise<number> {
    const { count } = this.#options;
    for (let first = 0; first < count; first += CONNECTING_MAX) {
      const last = Math.min(count, first + CONNECTING_MAX);
      const indexes = Array.from({ length: last - first }, (_, index) => first + index);
      await Promise.all(indexes.map((index) => this.#subscribe(index)));
    }
    return this.#listen();
  }

  measure(): void {
    this.#received.latencies.reset();
    this.#startedMs = performance.now();
    this.#cpu.begin();
  }

  async result(): Promise<SubscribersResult> {
    if (this.#failure !== undefined) throw this.#failure;
    const { latencies } = this.#received;
    return {
      deliveries: latencies.count,
      seconds: (performance.now() - this.#startedMs) / 1000,
      p50Ms: latencies.percentileMs(50),
      p99Ms: latencies.percentileMs(99),
      cpuShare: this.#cpu.end(),
    };
  }

  /** Resolves when every subscriber has got everything, or after a while. `sent` is by publisher. */
  async finish(sent: readonly number[]): Promise<Verdict> {
    const total = sent.reduce((sum, count) => sum + count, 0);
    const endsMs = performance.now() + PATIENCE_MS;
    while (this.#least() < total && performance.now() < endsMs) await delay(LOOK_MS);
    let { missing } = this.#received;
    for (const subscriber of this.#subscribers) {
      missing += subscriber.lacking(sent);
      subscriber.stop();
    }
    return { missing, outOfOrder: this.#received.outOfOrder };
  }

  #subscribe(index: number): Promise<void> {
    const { ports, qos, filter, publishers } = this.#options;
    return new Promise((onSubscribed, reject) => {
      const subscriber = new Subscriber({
        port: ports[index % ports.length] as number,
        index,
        filter,
        qos,
        publishers,
        received: this.#received,
        onReceived: () => this.#tellSoon(),
        onSubscribed,
        onFailed: (error) => {
          this.#failure ??= error;
          reject(error);
        },
      });
      this.#subscribers.push(subscriber);
    });
  }

  #listen(): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.#listener = socket;
      socket.on('error', () => {});
    });
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  }

  #tellSoon(): void {
    if (this.#tellsSoon) return;
    this.#tellsSoon = true;
    setImmediate(() => {
      this.#tellsSoon = false;
      const least = this.#least();
      if (least === this.#told) return;
      this.#told = least;
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeDoubleLE(least);
      this.#listener?.write(bytes);
    });
  }

  #least(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { position } of this.#subscribers) if (position < least) least = position;
    return least;
  }
}

let subscribers: Subscribers | undefined;

answerParent({
  start: (options: SubscribersOptions) => {
    subscribers = new Subscribers(options);
    return subscribers.start();
  },
  measure: async () => subscribers?.measure(),
  result: async () => subscribers?.result(),
  finish: async (sent: readonly number[]) => subscribers?.finish(sent),
});
