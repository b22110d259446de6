import { connect, type Socket } from 'node:net';
import type { LatencyHistogram } from './latency-histogram.ts';
import { connectFrame, type PublishFrames } from './load-frames.ts';

const PUBACK = 0x40;
const PUBACK_BYTES = 4;

/**
 * A connection that keeps `inflight` QoS 1 puts under way. What was acknowledged is replaced once a quarter of
 * the window is free, or at the next `refill`, whichever is first: one write for each PUBACK would make
 * the generator's system calls the limit beside a broker that acknowledges one by one. A `paced` client sends
 * at `refill` only.
 */
export class LoadClient {
  readonly #frames: PublishFrames;
  readonly #latencies: LatencyHistogram;
  readonly #sentMs: Float64Array;
  readonly #socket: Socket;
  readonly #freeIds: Uint16Array;
  #freeCount = 0;
  /** So many free ids are refilled at once; never, when the generator sets the pace. */
  readonly #refillAt: number;
  #rest: Buffer | undefined;
  #sequence: number;
  #stopped = false;
  #onConnected: (() => void) | undefined;
  #onFailed: (error: Error) => void;

  constructor(options: {
    port: number;
    clientId: string;
    inflight: number;
    paced: boolean;
    firstSequence: number;
    frames: PublishFrames;
    latencies: LatencyHistogram;
    onFailed: (error: Error) => void;
  }) {
    this.#frames = options.frames;
    this.#latencies = options.latencies;
    this.#sentMs = new Float64Array(options.inflight);
    this.#freeIds = new Uint16Array(options.inflight);
    this.#refillAt = options.paced
      ? Number.POSITIVE_INFINITY
      : Math.max(1, Math.floor(options.inflight / 4));
    this.#sequence = options.firstSequence;
    this.#onFailed = options.onFailed;
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#socket.write(connectFrame(options.clientId)));
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error) => this.#onFailed(error));
    this.#socket.on('close', () => {
      if (!this.#stopped) this.#onFailed(new Error(`port ${options.port} closed a connection`));
    });
  }

  connected(): Promise<void> {
    return new Promise((resolve) => {
      this.#onConnected = resolve;
    });
  }

  start(): void {
    this.#freeCount = this.#freeIds.length;
    for (let slot = 0; slot < this.#freeCount; slot += 1) this.#freeIds[slot] = slot + 1;
    if (this.#refillAt <= this.#freeCount) this.refill();
  }

  /** Sends a message for each free packet id, but at most `countMax`, in one write. Returns how many. */
  refill(countMax = Number.POSITIVE_INFINITY): number {
    const count = Math.min(this.#freeCount, countMax);
    if (this.#stopped || count === 0) return 0;
    const { frameBytes } = this.#frames;
    const nowMs = performance.now();
    const output = Buffer.allocUnsafe(count * frameBytes);
    for (let index = 0; index < count; index += 1) {
      this.#freeCount -= 1;
      const id = this.#freeIds[this.#freeCount] as number;
      this.#frames.write(output, index * frameBytes, this.#sequence, id);
      this.#sentMs[id - 1] = nowMs;
      this.#sequence += 1;
    }
    this.#socket.write(output);
    return count;
  }

  stop(): void {
    this.#stopped = true;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    const data = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = undefined;
    if (this.#onConnected) this.#onConnack(data);
    else this.#onAcknowledgements(data);
  }

  #onConnack(data: Buffer): void {
    if (data.length < 4) {
      this.#rest = data;
    } else if (data.length > 4 || data[0] !== 0x20 || data[3] !== 0) {
      this.#onFailed(new Error('CONNECT was refused'));
    } else {
      this.#onConnected?.();
      this.#onConnected = undefined;
    }
  }

  #onAcknowledgements(data: Buffer): void {
    let offset = 0;
    const nowMs = performance.now();
    for (; offset + PUBACK_BYTES <= data.length; offset += PUBACK_BYTES) {
      if (data[offset] !== PUBACK || this.#freeCount === this.#freeIds.length) {
        this.#onFailed(new Error('expected one PUBACK for each PUBLISH and nothing else'));
        return;
      }
      const id = ((data[offset + 2] as number) << 8) | (data[offset + 3] as number);
      this.#latencies.record((nowMs - (this.#sentMs[id - 1] as number)) * 1000);
      this.#freeIds[this.#freeCount] = id;
      this.#freeCount += 1;
    }
    if (offset < data.length) this.#rest = data.subarray(offset);
    if (this.#freeCount >= this.#refillAt) this.refill();
  }
}
