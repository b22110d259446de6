/** What was not sent in time is made up for, but no more than this: beyond it the load falls short. */
const ARREARS_MS_MAX = 100;

/** Shares out what may be sent by now, to each client in turn. */
export class Pace {
  readonly #perSecond: number;
  #allowance = 0;
  #lastMs = performance.now();
  #next = 0;

  constructor(perSecond = Number.MAX_SAFE_INTEGER) {
    this.#perSecond = perSecond;
  }

  refill(clients: readonly { refill?(countMax: number): number }[]): void {
    const nowMs = performance.now();
    const earned = (this.#perSecond * (nowMs - this.#lastMs)) / 1000;
    this.#lastMs = nowMs;
    this.#allowance = Math.min(this.#allowance + earned, (this.#perSecond * ARREARS_MS_MAX) / 1000);
    const share = Math.ceil(this.#allowance / clients.length);
    for (let asked = 0; asked < clients.length && this.#allowance >= 1; asked += 1) {
      const client = clients[this.#next % clients.length];
      this.#next += 1;
      this.#allowance -= client?.refill?.(Math.min(share, Math.floor(this.#allowance))) ?? 0;
    }
  }
}
