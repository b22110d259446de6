import type { Timers } from '../env.ts';

const PATIENCE_MS = 1_000;

interface Waiter {
  readonly isOver: () => boolean;
  readonly release: () => void;
}

/** Those who wait until others know something; for a second at most. */
export class Waiters {
  readonly #timers: Timers;
  readonly #waiting = new Set<Waiter>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  until(isOver: () => boolean): Promise<void> {
    if (isOver()) return Promise.resolve();
    return new Promise((resolve) => {
      const release = () => {
        cancelTimer();
        this.#waiting.delete(waiter);
        resolve();
      };
      const waiter = { isOver, release };
      const cancelTimer = this.#timers.after(PATIENCE_MS, release);
      this.#waiting.add(waiter);
    });
  }

  /** Something has changed. */
  look(): void {
    for (const waiter of [...this.#waiting]) if (waiter.isOver()) waiter.release();
  }

  releaseAll(): void {
    for (const { release } of [...this.#waiting]) release();
  }
}
