/**
 * Tells whether to read at once or to wait. What is in the page cache costs less to copy, a microsecond, than to
 * send to a thread and back; what must come from the device would hold everybody up. No operating system says
 * beforehand which it will be, so the last reads tell.
 */
export class ReadPace {
  readonly #nowMs: () => number;
  #beganAtMs = 0;
  #asksToPass = 0;

  /** `nowMs` never goes back and counts fractions. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** True: read at once, then say `end`. */
  begin(): boolean {
    if (this.#asksToPass > 0) {
      this.#asksToPass--;
      return false;
    }
    this.#beganAtMs = this.#nowMs();
    return true;
  }

  end(): void {
    if (this.#nowMs() - this.#beganAtMs > WAITED_MS) this.#asksToPass = ASKS_TO_PASS;
  }
}

/** A read that took longer waited for a device: even fast ones need a tenth of this, a copy a hundredth. */
const WAITED_MS = 0.5;
const ASKS_TO_PASS = 256;
