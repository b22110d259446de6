import type { LatencyHistogram } from './latency-histogram.ts';
import { LoadConnection } from './load-connection.ts';
import type { PublishFrames } from './load-frames.ts';

const PINGREQ = Uint8Array.of(0xc0, 0);
const PINGRESP = 0xd0;
const PINGRESP_BYTES = 2;

/**
 * A connection that publishes at QoS 0. Nothing comes back for that, so each window of `inflight` messages ends with a
 * PINGREQ: a broker takes packets in order, and its PINGRESP says that it has taken them all, and no more than that.
 */
export class UnconfirmedClient {
  readonly #frames: PublishFrames;
  readonly #latencies: LatencyHistogram;
  readonly #inflight: number;
  readonly #connection: LoadConnection;
  #sequence: number;
  #sentMs = 0;

  constructor(options: {
    readonly port: number;
    readonly clientId: string;
    readonly inflight: number;
    readonly firstSequence: number;
    readonly frames: PublishFrames;
    readonly latencies: LatencyHistogram;
    readonly onFailed: (error: Error) => void;
  }) {
    const { port, clientId, onFailed } = options;
    this.#frames = options.frames;
    this.#latencies = options.latencies;
    this.#inflight = options.inflight;
    this.#sequence = options.firstSequence;
    const onData = (data: Buffer) => this.#onAnswers(data);
    this.#connection = new LoadConnection({ port, clientId, onData, onFailed });
  }

  connected(): Promise<void> {
    return this.#connection.connected();
  }

  start(): void {
    this.#sendWindow();
  }

  stop(): void {
    this.#connection.stop();
  }

  #sendWindow(): void {
    const { frameBytes } = this.#frames;
    const output = Buffer.allocUnsafe(this.#inflight * frameBytes + PINGREQ.length);
    for (let index = 0; index < this.#inflight; index += 1) {
      this.#frames.write(output, index * frameBytes, this.#sequence, 0);
      this.#sequence += 1;
    }
    output.set(PINGREQ, this.#inflight * frameBytes);
    this.#sentMs = performance.now();
    this.#connection.write(output);
  }

  #onAnswers(data: Buffer): number {
    if (data.length < PINGRESP_BYTES) return 0;
    if (data.length > PINGRESP_BYTES || data[0] !== PINGRESP) {
      this.#connection.fail('expected one PINGRESP for each window and nothing else');
      return data.length;
    }
    this.#latencies.record((performance.now() - this.#sentMs) * 1000, this.#inflight);
    this.#sendWindow();
    return PINGRESP_BYTES;
  }
}
