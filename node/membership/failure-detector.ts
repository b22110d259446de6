/** So many intervals tell how regular a node is. */
const WINDOW = 100;
/**
 * Heartbeats of a local network are so regular that without a floor the first late one would look like a death:
 * with this one phi reaches 8 after about 4 s of silence.
 */
const DEVIATION_MIN_MS = 500;

/**
 * How much the silence of one node says that it is gone: phi = −log10(the probability that a heartbeat comes
 * later than now), as intervals so far are distributed (Hayashibara et al., *The φ Accrual Failure Detector*, SRDS
 * 2004). Phi 1 is wrong once in ten times, phi 8 once in a hundred millions. Times are given, in milliseconds.
 */
export class FailureDetector {
  readonly #expectedMs: number;
  readonly #intervalMaxMs: number;
  readonly #intervals: number[] = [];
  #next = 0;
  #sum = 0;
  #sumOfSquares = 0;
  #heardAtMs: number | undefined;

  /**
   * @param options.expectedMs between two heartbeats. Some come out of turn; they do not make a node faster.
   * @param options.intervalMaxMs a longer one was an outage, and says nothing about the rhythm
   */
  constructor(options: { readonly expectedMs: number; readonly intervalMaxMs: number }) {
    this.#expectedMs = options.expectedMs;
    this.#intervalMaxMs = options.intervalMaxMs;
    this.#add(options.expectedMs);
  }

  heard(atMs: number): void {
    const interval = this.silentMs(atMs);
    this.#heardAtMs = atMs;
    if (interval === undefined || interval > this.#intervalMaxMs) return;
    this.#add(Math.max(interval, this.#expectedMs));
  }

  /** Since the last heartbeat; undefined if there was none. */
  silentMs(nowMs: number): number | undefined {
    return this.#heardAtMs === undefined ? undefined : nowMs - this.#heardAtMs;
  }

  /** 0 before the first heartbeat: nothing is known of its rhythm. */
  phi(nowMs: number): number {
    const silentMs = this.silentMs(nowMs);
    if (silentMs === undefined) return 0;
    const count = this.#intervals.length;
    const mean = this.#sum / count;
    const variance = Math.max(0, this.#sumOfSquares / count - mean * mean);
    return -log10OfTail((silentMs - mean) / Math.max(Math.sqrt(variance), DEVIATION_MIN_MS));
  }

  #add(interval: number): void {
    const oldest = this.#intervals[this.#next] ?? 0;
    this.#intervals[this.#next] = interval;
    this.#next = (this.#next + 1) % WINDOW;
    this.#sum += interval - oldest;
    this.#sumOfSquares += interval * interval - oldest * oldest;
  }
}

/**
 * log10 of the normal distribution's tail beyond `z` deviations, by the logistic approximation of Bowling et al. (2009).
 * As a logarithm throughout: the tail itself is 0 to a double after 40 deviations.
 */
function log10OfTail(z: number): number {
  const exponent = z * (1.5976 + 0.070566 * z * z);
  const logarithm = exponent > 30 ? -exponent : -Math.log1p(Math.exp(exponent));
  return logarithm / Math.LN10;
}
