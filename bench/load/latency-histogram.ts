const FINE_MICROS = 10;
const FINE_COUNT = 100_000;
const COARSE_MICROS = 10_000;
const COARSE_COUNT = 6_000;
const BUCKET_COUNT = FINE_COUNT + COARSE_COUNT;

/**
 * Latencies in buckets of 10 µs up to one second, and of 10 ms up to one minute. `perf_hooks.createHistogram` calls into C++ for every
 * value, which a load generator of a million messages a second would feel.
 */
export class LatencyHistogram {
  readonly #buckets = new Uint32Array(BUCKET_COUNT);
  #count = 0;
  #maxMicros = 0;

  /** `count` messages that all took as long. */
  record(micros: number, count = 1): void {
    const bucket = bucketOf(micros);
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
      if (seen >= rank && seen > 0) return upperEdgeMicros(bucket) / 1000;
    }
    return this.maxMs;
  }

  reset(): void {
    this.#buckets.fill(0);
    this.#count = 0;
    this.#maxMicros = 0;
  }
}

function bucketOf(micros: number): number {
  if (micros < 0) return 0;
  const fine = Math.floor(micros / FINE_MICROS);
  if (fine < FINE_COUNT) return fine;
  const coarse = Math.floor((micros - FINE_COUNT * FINE_MICROS) / COARSE_MICROS);
  return FINE_COUNT + Math.min(COARSE_COUNT - 1, coarse);
}

function upperEdgeMicros(bucket: number): number {
  if (bucket < FINE_COUNT) return (bucket + 1) * FINE_MICROS;
  return FINE_COUNT * FINE_MICROS + (bucket + 1 - FINE_COUNT) * COARSE_MICROS;
}
