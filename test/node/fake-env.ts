import { InlineOffload } from '../../lsm/offload/inline.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import type { Env, NodeEvent } from '../../node/env.ts';
import { SeededRandom } from '../support/random.ts';

/** An `Env` whose time passes when the test says so; what is yielded runs with `turn`. */
export class FakeEnv {
  nowMs = 0;
  readonly vfs = new CrashableMemVfs();
  readonly happened: NodeEvent[] = [];
  readonly env: Env;
  #timers: { atMs: number; readonly periodMs: number | undefined; readonly task: () => void }[] =
    [];
  #yielded: (() => void)[] = [];

  constructor(seed = 1) {
    const random = new SeededRandom(seed);
    this.env = {
      clock: { nowMs: () => Date.UTC(2026, 0, 1) + this.nowMs, monotonicMs: () => this.nowMs },
      timers: {
        after: (delayMs, task) => this.#add(delayMs, undefined, task),
        every: (periodMs, task) => this.#add(periodMs, periodMs, task),
      },
      random: {
        below: (bound) => random.below(bound),
        bytes: (length) => Uint8Array.from({ length }, () => random.below(256)),
      },
      vfs: this.vfs,
      offload: new InlineOffload(this.vfs),
      yield: (task) => void this.#yielded.push(task),
      events: { emit: (event) => void this.happened.push(event) },
    };
  }

  /** Runs what was yielded so far. */
  turn(): void {
    for (const task of this.#yielded.splice(0)) task();
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const due = this.#timers
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.nowMs = due.atMs;
      if (due.periodMs === undefined) this.#timers = this.#timers.filter((timer) => timer !== due);
      else due.atMs += due.periodMs;
      due.task();
    }
    this.nowMs = endMs;
  }

  get timersPending(): number {
    return this.#timers.length;
  }

  #add(delayMs: number, periodMs: number | undefined, task: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, periodMs, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
}

/** Lets every promise that can be kept be kept. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
