/** Longer between two looks at the clock, and this process stood still: suspended, starved, or busy. */
const STALL_MS = 2_000;

/**
 * Time as this process has lived through it. What it was not there for is no silence of others: their heartbeats wait in
 * its sockets, and would be read after it had judged them. So it must be looked at more often than every 2 s.
 */
export class AttentiveTime {
  #lookedAtMs: number;
  #livedMs = 0;

  constructor(nowMs: number) {
    this.#lookedAtMs = nowMs;
  }

  /** @param nowMs on the monotonic clock */
  at(nowMs: number): number {
    this.#livedMs += Math.min(Math.max(0, nowMs - this.#lookedAtMs), STALL_MS);
    this.#lookedAtMs = nowMs;
    return this.#livedMs;
  }
}
