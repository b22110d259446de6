import type { BrokerEnv } from '../env.ts';

/** A node that cannot be reached for so long has died: the wills of its clients are published. */
const DEAD_AFTER_MS = 15_000;
/** When one comes back it may have been this node that was cut off: the others get this long to come back, too. */
const REUNION_MS = 5_000;
/** What a dead node is said to have, though that was put right, is looked at after ever longer times. */
const LATE_MS_MAX = 3_600_000;

interface Silence {
  readonly sinceMs: number;
  /** How long after news of it all is looked at again. */
  lateMs: number;
  isLookedAtLater: boolean;
}

/** Nodes that cannot be reached, and when they are dead. */
export class DeadNodes {
  readonly #env: BrokerEnv;
  /** Whoever is to do it: something may be dead that was not before. */
  readonly #look: () => void;
  readonly #silent = new Map<string, Silence>();
  #reunitedAtMs = Number.NEGATIVE_INFINITY;

  constructor(env: BrokerEnv, look: () => void) {
    this.#env = env;
    this.#look = look;
  }

  /** It cannot be reached, or was not yet, though clients are said to be there. */
  silent(node: string): void {
    const sinceMs = this.#nowMs();
    this.#silent.set(node, { sinceMs, lateMs: DEAD_AFTER_MS, isLookedAtLater: false });
    this.#env.timers.after(DEAD_AFTER_MS, this.#look);
  }

  heard(node: string): void {
    this.#silent.delete(node);
    if (this.#silent.size === 0) return;
    this.#reunitedAtMs = this.#nowMs();
    this.#env.timers.after(REUNION_MS, this.#look);
  }

  isSilent(node: string): boolean {
    return this.#silent.has(node);
  }

  all(): readonly string[] {
    return [...this.#silent.keys()];
  }

  isDead(node: string): boolean {
    const nowMs = this.#nowMs();
    const silence = this.#silent.get(node);
    if (silence === undefined || nowMs - this.#reunitedAtMs < REUNION_MS) return false;
    return nowMs - silence.sinceMs >= DEAD_AFTER_MS;
  }

  /**
   * A client is said to be there: what was written last may have been stored late. It is not looked at at once, and ever
   * less often: a node that only this one does not reach would say so again each time.
   */
  named(node: string): void {
    const silence = this.#silent.get(node);
    if (silence === undefined || silence.isLookedAtLater || !this.isDead(node)) return;
    silence.isLookedAtLater = true;
    const { lateMs } = silence;
    silence.lateMs = Math.min(2 * lateMs, LATE_MS_MAX);
    this.#env.timers.after(lateMs, () => {
      silence.isLookedAtLater = false;
      this.#look();
    });
  }

  #nowMs(): number {
    return this.#env.clock.monotonicMs();
  }
}
