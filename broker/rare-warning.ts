import type { BrokerEnv, BrokerEvent } from './env.ts';

/** A warning at most once a period: what somebody does again and again costs no more than what is done once. */
export class RareWarning {
  readonly #env: BrokerEnv;
  readonly #periodMs: number;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  #unwarned = 0;

  constructor(env: BrokerEnv, periodMs: number) {
    this.#env = env;
    this.#periodMs = periodMs;
  }

  /** `describe` gets how many were left out since the one before. */
  warn(describe: (leftOut: number) => Omit<BrokerEvent, 'level'>): void {
    const nowMs = this.#env.clock.monotonicMs();
    if (nowMs - this.#warnedAtMs < this.#periodMs) {
      this.#unwarned += 1;
      return;
    }
    this.#env.events.emit({ level: 'warn', ...describe(this.#unwarned) });
    this.#warnedAtMs = nowMs;
    this.#unwarned = 0;
  }
}
