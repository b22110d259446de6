import { type Haste, isHasty } from '../compaction/haste.ts';
import type { Pace } from '../compaction/outputs.ts';

export interface CourtesyClock {
  /** Never goes back. */
  readonly nowMs: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/**
 * Who gives way to whom in the thread that runs the jobs of engines. Writers are stopped when flushes do not keep up, so
 * all others stand still while there is one. And a merge that nobody waits for rests longer than it works: it may go
 * on for minutes, on as many nodes as there are replicas, and what they would take is what the readings need.
 */
export class Courtesy {
  readonly #clock: CourtesyClock;
  readonly #flushes = new Set<Promise<unknown>>();

  constructor(clock: CourtesyClock) {
    this.#clock = clock;
  }

  async whileFlushing<T>(flush: Promise<T>): Promise<T> {
    this.#flushes.add(flush);
    try {
      return await flush;
    } finally {
      this.#flushes.delete(flush);
    }
  }

  /** For one job. With `haste`: one that rests while nobody waits for it. */
  pace(haste?: Haste): Pace {
    const { nowMs, pause } = this.#clock;
    let wentOnAtMs = nowMs();
    return async () => {
      const workedMs = nowMs() - wentOnAtMs;
      while (this.#flushes.size > 0) await Promise.allSettled(this.#flushes);
      if (haste !== undefined && !isHasty(haste)) {
        await pause(Math.min(REST_MS_MAX, Math.ceil(REST_FACTOR * workedMs)));
      }
      wentOnAtMs = nowMs();
    };
  }
}

const REST_FACTOR = 3;
/** So soon it hears of somebody who waits. */
const REST_MS_MAX = 1000;
