import type { BrokerEnv } from './env.ts';

/** Timers of which there is one per name: a new one takes the place of the one before. Without any it costs nothing. */
export class NamedTimers<Name extends string> {
  readonly #timers: BrokerEnv['timers'];
  #cancel: Map<Name, () => void> | undefined;

  constructor(timers: BrokerEnv['timers']) {
    this.#timers = timers;
  }

  start(name: Name, delayMs: number, task: () => void): void {
    this.stop(name);
    const cancel = this.#timers.after(delayMs, () => {
      this.#forget(name);
      task();
    });
    this.#cancel ??= new Map();
    this.#cancel.set(name, cancel);
  }

  stop(name: Name): void {
    this.#cancel?.get(name)?.();
    this.#forget(name);
  }

  stopAll(): void {
    for (const cancel of this.#cancel?.values() ?? []) cancel();
    this.#cancel = undefined;
  }

  runs(name: Name): boolean {
    return this.#cancel?.has(name) === true;
  }

  #forget(name: Name): void {
    this.#cancel?.delete(name);
    if (this.#cancel?.size === 0) this.#cancel = undefined;
  }
}
