import { connect, type Socket } from 'node:net';
import { LatencyHistogram } from '../load/latency-histogram.ts';
import { connectFrame } from '../load/load-frames.ts';

const PINGREQ = Buffer.from([0xc0, 0]);
const PERIOD_MS = 10;

/**
 * A client that does nothing but ask whether the broker is there: what it waits for is the delay of the broker's
 * loop, measured alike whatever the broker is made of.
 */
export class PingProbe {
  readonly #socket: Socket;
  readonly #delays = new LatencyHistogram();
  #askedMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static start(port: number): Promise<PingProbe> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const probe = new PingProbe(socket);
      socket.on('error', reject);
      socket.on('connect', () => socket.write(connectFrame(`probe-${process.pid}-${port}`)));
      socket.once('data', () => {
        socket.on('data', () => probe.#answered());
        probe.#ask();
        resolve(probe);
      });
    });
  }

  measure(): void {
    this.#delays.reset();
  }

  /** Milliseconds; what is not answered yet counts, too. */
  get p99Ms(): number {
    const waitingMs = this.#askedMs === undefined ? 0 : performance.now() - this.#askedMs;
    return Math.max(this.#delays.percentileMs(99), waitingMs);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #ask(): void {
    if (this.#ended) return;
    this.#askedMs = performance.now();
    this.#socket.write(PINGREQ);
  }

  #answered(): void {
    if (this.#askedMs === undefined) return;
    this.#delays.record((performance.now() - this.#askedMs) * 1000);
    this.#askedMs = undefined;
    this.#timer = setTimeout(() => this.#ask(), PERIOD_MS);
  }
}
