import type { LatencyHistogram } from './latency-histogram.ts';
import { LoadConnection } from './load-connection.ts';
import type { PublishFrames } from './load-frames.ts';

const PUBACK = 0x40;
const PUBACK_BYTES = 4;

/** When a client sends. `refill`: as soon as it may. `paced`: when it is told to. `open`: when it is time, whatever else happens. */
export type Sending =
  | { readonly kind: 'refill' }
  | { readonly kind: 'paced' }
  | { readonly kind: 'open'; readonly intervalMs: number; readonly lateness: LatencyHistogram };

/**
 * A connection that keeps `inflight` QoS 1 puts under way. What was acknowledged is replaced once a quarter of
 * the window is free, or at the next `refill`, whichever is first: one write for each PUBACK would make
 * the generator's system calls the limit beside a broker that acknowledges one by one.
 *
 * In an open loop a message is due at a time of its own, and its latency counts from then, also when it could not be
 * sent because the window was full (no coordinated omission).
 */
export class LoadClient {
  readonly #frames: PublishFrames;
  readonly #latencies: LatencyHistogram;
  readonly #sending: Sending;
  /** By packet id less 1; NaN: that id is free. */
  readonly #sentMs: Float64Array;
  readonly #connection: LoadConnection;
  readonly #freeIds: Uint16Array;
  #freeCount = 0;
  /** So many free ids are refilled at once; never, when the generator sets the pace. */
  readonly #refillAt: number;
  #sequence: number;
  /** In an open loop: when the next message is to be sent. */
  #dueMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(options: {
    readonly port: number;
    readonly clientId: string;
    readonly inflight: number;
    readonly sending: Sending;
    readonly firstSequence: number;
    readonly frames: PublishFrames;
    readonly latencies: LatencyHistogram;
    readonly onFailed: (error: Error) => void;
  }) {
    const { port, clientId, inflight, onFailed } = options;
    this.#frames = options.frames;
    this.#latencies = options.latencies;
    this.#sending = options.sending;
    this.#sentMs = new Float64Array(inflight).fill(Number.NaN);
    this.#freeIds = new Uint16Array(inflight);
    this.#refillAt =
      this.#sending.kind === 'refill'
        ? Math.max(1, Math.floor(inflight / 4))
        : Number.POSITIVE_INFINITY;
    this.#sequence = options.firstSequence;
    const onData = (data: Buffer) => this.#onAcknowledgements(data);
    this.#connection = new LoadConnection({ port, clientId, onData, onFailed });
  }

  connected(): Promise<void> {
    return this.#connection.connected();
  }

  /** `firstDueMs`: of an open loop, of `performance.now()`. */
  start(firstDueMs: number): void {
    this.#freeCount = this.#freeIds.length;
    for (let slot = 0; slot < this.#freeCount; slot += 1) this.#freeIds[slot] = slot + 1;
    if (this.#sending.kind === 'open') this.#dueMs = firstDueMs;
    if (this.#refillAt <= this.#freeCount) this.refill();
  }

  /** Sends a message for each free packet id, but at most `countMax`, in one write. Returns how many. */
  refill(countMax = Number.POSITIVE_INFINITY): number {
    if (this.#sending.kind === 'open') return this.#sendDue(performance.now());
    return this.#send(Math.min(this.#freeCount, countMax), performance.now(), 0);
  }

  /** In an open loop: what is still under way, or could not even be sent, has taken at least so long. */
  recordOutstanding(nowMs: number): number {
    if (this.#sending.kind !== 'open') return 0;
    let count = 0;
    const record = (sinceMs: number) => {
      this.#latencies.record((nowMs - sinceMs) * 1000);
      count += 1;
    };
    for (const sentMs of this.#sentMs) if (!Number.isNaN(sentMs)) record(sentMs);
    for (let ms = this.#dueMs; ms <= nowMs; ms += this.#sending.intervalMs) record(ms);
    return count;
  }

  stop(): void {
    this.#stopped = true;
    this.#connection.stop();
  }

  #sendDue(nowMs: number): number {
    if (this.#sending.kind !== 'open' || nowMs < this.#dueMs) return 0;
    const { intervalMs, lateness } = this.#sending;
    const dueCount = Math.floor((nowMs - this.#dueMs) / intervalMs) + 1;
    const count = Math.min(this.#freeCount, dueCount);
    // What waits for a free packet id waits for the broker: only the rest is the generator's own delay.
    if (count === dueCount) lateness.record((nowMs - this.#dueMs) * 1000);
    const firstDueMs = this.#dueMs;
    this.#dueMs += count * intervalMs;
    return this.#send(count, firstDueMs, intervalMs);
  }

  #send(count: number, firstMs: number, intervalMs: number): number {
    if (this.#stopped || count === 0) return 0;
    const { frameBytes } = this.#frames;
    const output = Buffer.allocUnsafe(count * frameBytes);
    for (let index = 0; index < count; index += 1) {
      this.#freeCount -= 1;
      const id = this.#freeIds[this.#freeCount] as number;
      this.#frames.write(output, index * frameBytes, this.#sequence, id);
      this.#sentMs[id - 1] = firstMs + index * intervalMs;
      this.#sequence += 1;
    }
    this.#connection.write(output);
    return count;
  }

  #onAcknowledgements(data: Buffer): number {
    let offset = 0;
    const nowMs = performance.now();
    for (; offset + PUBACK_BYTES <= data.length; offset += PUBACK_BYTES) {
      const id = ((data[offset + 2] as number) << 8) | (data[offset + 3] as number);
      const sentMs = this.#sentMs[id - 1] ?? Number.NaN;
      if (data[offset] !== PUBACK || Number.isNaN(sentMs)) {
        this.#connection.fail('expected one PUBACK for each PUBLISH and nothing else');
        return data.length;
      }
      this.#latencies.record((nowMs - sentMs) * 1000);
      this.#sentMs[id - 1] = Number.NaN;
      this.#freeIds[this.#freeCount] = id;
      this.#freeCount += 1;
    }
    if (this.#freeCount >= this.#refillAt) this.refill();
    else this.#sendDue(nowMs);
    return offset;
  }
}
