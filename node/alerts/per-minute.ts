const WINDOW_MS = 60_000;

/** How much a count that only grows has grown in the last minute. */
export class PerMinute {
  readonly #readings: { readonly atMs: number; readonly count: number }[] = [];

  /** To be called every second or so, with lived time. */
  at(livedMs: number, count: number): number {
    this.#readings.push({ atMs: livedMs, count });
    while (livedMs - (this.#readings[0]?.atMs ?? livedMs) > WINDOW_MS) this.#readings.shift();
    return count - (this.#readings[0]?.count ?? count);
  }
}
