import type { Clock, Timers } from '../env.ts';
import { quantileMs } from './latency-histogram.ts';

/** What grows as long as the node runs. */
export interface CountedLoad {
  readonly publishes: number;
  readonly puts: number;
  /** Of `LatencyHistogram`. */
  readonly commitCounts: Float64Array;
}

/** How it was lately, as heartbeats carry it. */
export interface LoadReport {
  readonly publishesPerSecond: number;
  readonly putsPerSecond: number;
  /** 0: nothing was committed. */
  readonly commitP99Ms: number;
}

const LOOK_MS = 1_000;
/** A rate is for people who watch: it follows soon, and does not flicker. */
const RATE_LOOKS = 3;
const LATENCY_LOOKS = 10;

interface Look extends CountedLoad {
  readonly atMs: number;
}

/** Makes rates of counts: looks once a second, and remembers the looks of the last ten seconds. */
export class RecentLoad {
  readonly #clock: Clock;
  readonly #count: () => CountedLoad;
  readonly #stop: () => void;
  /** Oldest first. */
  readonly #looks: Look[];

  constructor(env: { readonly clock: Clock; readonly timers: Timers }, count: () => CountedLoad) {
    this.#clock = env.clock;
    this.#count = count;
    this.#looks = [this.#look()];
    this.#stop = env.timers.every(LOOK_MS, () => {
      this.#looks.push(this.#look());
      if (this.#looks.length > LATENCY_LOOKS + 1) this.#looks.shift();
    });
  }

  /** As of the last look. */
  report(): LoadReport {
    const newest = this.#looks.at(-1) as Look;
    const oldest = this.#looks[0] as Look;
    const before = this.#looks.at(-1 - RATE_LOOKS) ?? oldest;
    const seconds = (newest.atMs - before.atMs) / 1_000;
    const perSecond = (what: 'publishes' | 'puts') =>
      seconds > 0 ? (newest[what] - before[what]) / seconds : 0;
    const recent = newest.commitCounts.map((count, at) => count - (oldest.commitCounts[at] ?? 0));
    return {
      publishesPerSecond: perSecond('publishes'),
      putsPerSecond: perSecond('puts'),
      commitP99Ms: quantileMs(recent, 0.99) ?? 0,
    };
  }

  stop(): void {
    this.#stop();
  }

  #look(): Look {
    return { ...this.#count(), atMs: this.#clock.monotonicMs() };
  }
}
