import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** The loop is looked at so often: a delay shorter than this may be missed. */
const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;

export interface LoopDelays {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const NONE: LoopDelays = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

/** How late the event loop comes to what is due: in the last ten to twenty seconds. */
export class LoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #before = NONE;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#before = this.#delays();
      this.#histogram.reset();
    }, WINDOW_MS).unref();
  }

  /** The worse of the last full ten seconds and those that have begun. */
  recent(): LoopDelays {
    const now = this.#delays();
    return {
      p50Ms: Math.max(now.p50Ms, this.#before.p50Ms),
      p99Ms: Math.max(now.p99Ms, this.#before.p99Ms),
      maxMs: Math.max(now.maxMs, this.#before.maxMs),
    };
  }

  /** Seconds in which the loop had something to do, since the process started. */
  get busySeconds(): number {
    return performance.eventLoopUtilization().active / 1_000;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  /** What is measured is the time between two looks. */
  #delays(): LoopDelays {
    const histogram = this.#histogram;
    if (histogram.count === 0) return NONE;
    const lateMs = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return {
      p50Ms: lateMs(histogram.percentile(50)),
      p99Ms: lateMs(histogram.percentile(99)),
      maxMs: lateMs(histogram.max),
    };
  }
}
