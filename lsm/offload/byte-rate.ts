/**
 * Spreads bytes over time. Whoever writes pays afterwards: what was taken delays the next, so that a request of
 * any size is let through and the mean is right. After a rest a little goes at once.
 */
export class ByteRate {
  readonly #bytesPerMs: number;
  readonly #nowMs: () => number;
  readonly #pause: (milliseconds: number) => Promise<void>;
  /** When all that was taken is paid for. */
  #paidAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    bytesPerSecond: number,
    clock: {
      /** Never goes back. */
      readonly nowMs: () => number;
      readonly pause: (milliseconds: number) => Promise<void>;
    },
  ) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#nowMs = clock.nowMs;
    this.#pause = clock.pause;
  }

  /** Takes bytes. A promise when the next should wait. */
  take(bytes: number): Promise<void> | undefined {
    const now = this.#nowMs();
    this.#paidAtMs = Math.max(this.#paidAtMs, now - BURST_MS) + bytes / this.#bytesPerMs;
    const waitMs = this.#paidAtMs - now;
    return waitMs <= 0 ? undefined : this.#pause(Math.ceil(waitMs));
  }
}

const BURST_MS = 100;
