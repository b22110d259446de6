import { InlineOffload } from '../../lsm/offload/inline.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import type { Env, NodeEvent } from '../../node/env.ts';
import { ManualTime } from '../support/manual-time.ts';
import { SeededRandom } from '../support/random.ts';

export { settled } from '../support/settled.ts';

/** An `Env` whose time passes when the test says so; what is yielded runs with `turn`. */
export class FakeEnv {
  readonly vfs = new CrashableMemVfs();
  readonly happened: NodeEvent[] = [];
  readonly env: Env;
  readonly #time = new ManualTime();
  #yielded: (() => void)[] = [];

  constructor(seed = 1) {
    const random = new SeededRandom(seed);
    const time = this.#time;
    this.env = {
      clock: { nowMs: () => Date.UTC(2026, 0, 1) + time.nowMs, monotonicMs: () => time.nowMs },
      timers: time,
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
    this.#time.advance(ms);
  }

  get timersPending(): number {
    return this.#time.pending;
  }
}
