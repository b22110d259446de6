/** So much a second, and some of it at once after a pause. Times are of the monotonic clock. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #tokensMax: number;
  #tokens: number;
  #atMs: number;

  constructor(options: {
    readonly perSecond: number;
    /** For how long it fills when nothing is taken. */
    readonly burstSeconds: number;
    readonly nowMs: number;
  }) {
    this.#perSecond = options.perSecond;
    this.#tokensMax = Math.max(1, options.perSecond * options.burstSeconds);
    this.#tokens = this.#tokensMax;
    this.#atMs = options.nowMs;
  }

  /** Takes one if there is one. */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes them even if they are not there yet. Returns how long it takes until they would have been, in milliseconds. */
  spend(count: number, nowMs: number): number {
    this.#fill(nowMs);
    this.#tokens -= count;
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1_000) / this.#perSecond;
  }

  #fill(nowMs: number): void {
    const added = ((nowMs - this.#atMs) * this.#perSecond) / 1_000;
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#tokensMax, this.#tokens + added);
  }
}
