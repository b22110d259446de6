import type { Env } from '../env.ts';
import { type CountedLoad, RecentLoad } from '../metrics/recent-load.ts';
import { LoopDelay } from './loop-delay.ts';
import { measureLoad } from './machine.ts';
import { packageVersion } from './version.ts';

/** What is counted as traffic, and what is open now. */
interface Traffic extends CountedLoad {
  readonly connections: number;
}

/** What this process says of itself in heartbeats. */
export class ProcessLoad {
  readonly loopDelay = new LoopDelay();
  readonly #measure: ReturnType<typeof measureLoad>;
  readonly #version = packageVersion();
  #recent: RecentLoad | undefined;
  #traffic: (() => Traffic) | undefined;

  constructor(directory: string) {
    this.#measure = measureLoad(directory);
  }

  /** From now on there is traffic to be told of. */
  follow(env: Env, traffic: () => Traffic): void {
    this.#traffic = traffic;
    this.#recent = new RecentLoad(env, traffic);
  }

  report() {
    return {
      ...this.#measure(),
      ...this.#recent?.report(),
      version: this.#version,
      // Never negative, whatever becomes of the wall clock.
      uptimeMs: Math.floor(performance.now()),
      connections: this.#traffic?.().connections ?? 0,
      loopDelayP99Ms: this.loopDelay.recent().p99Ms,
    };
  }

  stop(): void {
    this.#recent?.stop();
    this.loopDelay.stop();
  }
}
