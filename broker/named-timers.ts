import type { BrokerEnv } from './env.ts';
import { LazyMap } from './lazy-map.ts';

/** Timers of which there is one per name: a new one takes the place of the one before. */
export class NamedTimers<Name extends string> {
  readonly #timers: BrokerEnv['timers'];
  readonly #cancel = new LazyMap<Name, () => void>();

  constructor(timers: BrokerEnv['timers']) {
    this.#timers = timers;
  }

  start(name: Name, delayMs: number, task: () => void): void {
    this.stop(name);
    const cancel = this.#timers.after(delayMs, () => {
      this.#cancel.delete(name);
      task();
    });
    this.#cancel.set(name, cancel);
  }

  stop(name: Name): void {
    this.#cancel.get(name)?.();
    this.#cancel.delete(name);
  }

  stopAll(): void {
    for (const cancel of this.#cancel.values()) cancel();
    this.#cancel.clear();
  }

  runs(name: Name): boolean {
    return this.#cancel.has(name);
  }
}
