import assert from 'node:assert/strict';

/** Upper bounds of the buckets, in milliseconds; what is slower than the last one is in one bucket more. */
export const LATENCY_BOUNDS_MS = [
  0.5, 1, 2, 3, 5, 7.5, 10, 15, 25, 50, 75, 100, 150, 250, 500, 750, 1_000, 2_500, 5_000, 10_000,
] as const;

/** How often which latency occurred, since the start. To add to it is three additions. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
  #sumMs = 0;

  add(ms: number, times = 1): void {
    let bucket = 0;
    while (ms > (LATENCY_BOUNDS_MS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    (this.#counts[bucket] as number) += times;
    this.#sumMs += ms * times;
  }

  /** By bucket, the last one for what is slower than all bounds. A copy. */
  counts(): Float64Array {
    return this.#counts.slice();
  }

  get sumMs(): number {
    return this.#sumMs;
  }
}

/**
 * The latency that `share` of what was counted did not exceed, evenly spread within its bucket as `histogram_quantile` of
 * Prometheus takes it. Undefined if nothing was counted; beyond the last bound it is that bound.
 */
export function quantileMs(counts: Float64Array, share: number): number | undefined {
  assert(counts.length === LATENCY_BOUNDS_MS.length + 1, 'a count for each bucket');
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let below = 0;
  for (const [bucket, upper] of LATENCY_BOUNDS_MS.entries()) {
    const count = counts[bucket] as number;
    if (count > 0 && below + count >= share * total) {
      const lower = LATENCY_BOUNDS_MS[bucket - 1] ?? 0;
      return lower + (upper - lower) * ((share * total - below) / count);
    }
    below += count;
  }
  return LATENCY_BOUNDS_MS.at(-1);
}
