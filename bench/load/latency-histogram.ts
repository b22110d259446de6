const BUCKET_MICROS = 10;
const BUCKET_COUNT = 100_000;

/**
 * Latencies in buckets of 10 µs up to one second. `perf_hooks.createHistogram` calls into C++ for every
 * value, which a load generator of a million messages a second would feel.
 */
export class LatencyHistogram {
  readonly #buckets = new Uint32Array(BUCKET_COUNT);
  #count = 0;
  #maxMicros = 0;

  /** `count` messages that all took as long. */
  record(micros: number, count = 1): void {
    const bucket = Math.max(0, Math.min(BUCKET_COUNT - 1, Math.floor(micros / BUCKET_MICROS)));
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + count;
    this.#count += count;
    if (micros > this.#maxMicros) this.#maxMicros = micros;
  }

  add(other: LatencyHistogram): void {
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket += 1) {
      const count = other.#buckets[bucket] as number;
      if (count > 0) this.#buckets[bucket] = (this.#buckets[bucket] as number) + count;
    }
    this.#count += other.#count;
    this.#maxMicros = Math.max(this.#maxMicros, other.#maxMicros);
  }

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMicros / 1000;
  }

  /** The upper edge of the bucket that holds the percentile, in milliseconds; of the last one the maximum. */
  percentileMs(percentile: number): number {
    const rank = Math.ceil((percentile / 100) * this.#count);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT - 1; bucket += 1) {
      seen += this.#buckets[bucket] as number;
      if (seen >= rank && seen > 0) return ((bucket + 1) * BUCKET_MICROS) / 1000;
    }
    return this.maxMs;
  }

  reset(): void {
    this.#buckets.fill(0);
    this.#count = 0;
    this.#maxMicros = 0;
  }
}
