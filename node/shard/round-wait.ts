import type { Timers } from '../env.ts';

/** Waiting for more gains nothing once the padding to 4 KiB (FORMAT.md#log) is a small part of a round. */
const FULL_ROUND_BYTES = 64 * 1024;

/**
 * How long a round of the log waits for more writes before it is written (`rounds.maxWaitMs`). Fewer and fuller rounds
 * wear flash less and cost less CPU; whatever promises a write waits with it. With 0 no round ever waits.
 */
export class RoundWait {
  readonly #timers: Timers;
  readonly #maxWaitMs: number;
  readonly #stagedBytes: () => number;
  readonly #onOver: () => void;
  #isOver: boolean;
  #cancelTimer: (() => void) | undefined;

  constructor(options: {
    readonly timers: Timers;
    readonly maxWaitMs: number;
    /** What the round would hold by now. */
    readonly stagedBytes: () => number;
    /** The time is up. */
    readonly onOver: () => void;
  }) {
    this.#timers = options.timers;
    this.#maxWaitMs = options.maxWaitMs;
    this.#stagedBytes = options.stagedBytes;
    this.#onOver = options.onOver;
    this.#isOver = options.maxWaitMs === 0;
  }

  /** Something waits for the coming round. Only the first call for a round counts. */
  begin(): void {
    if (this.#isOver || this.#cancelTimer !== undefined) return;
    this.#cancelTimer = this.#timers.after(this.#maxWaitMs, () => {
      this.#isOver = true;
      this.#onOver();
    });
  }

  /** The round may be written. */
  get isOver(): boolean {
    return this.#isOver || this.#stagedBytes() >= FULL_ROUND_BYTES;
  }

  /** Somebody needs the round now. */
  hurry(): void {
    this.#isOver = true;
  }

  /** The round is being written, or never will be; what comes now waits for the next. */
  end(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#isOver = this.#maxWaitMs === 0;
  }
}
