import type { Timers } from '../../node/env.ts';

/** A clock that stands still until the test moves it, and the timers on it. */
export class ManualTime implements Timers {
  nowMs = 0;
  readonly #timers = new Set<{ atMs: number; readonly task: () => void; periodMs?: number }>();

  /** How many timers run. */
  get pending(): number {
    return this.#timers.size;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  every(periodMs: number, task: () => void): () => void {
    const timer = { atMs: this.nowMs + periodMs, task, periodMs };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass; what is due happens in order, each at its own time. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      if (next.periodMs === undefined) this.#timers.delete(next);
      else next.atMs += next.periodMs;
      next.task();
    }
    this.nowMs = untilMs;
  }
}
