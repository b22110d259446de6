import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';

const LOOK_MS = 1_000;
/** Of the time between two looks: with less to do the process is idle. */
const IDLE_SHARE = 0.25;

/** Left to itself V8 lets the old generation double before it collects, and with it go the buffers that nobody needs. */
const OLD_GENERATION_GROWTH_PERCENT = 25;

/**
 * Keeps the process small. V8 lets its young generation grow to 32 MiB by what survives while a process starts, or
 * over minutes in which little happens, and gives it back late or never: so it grows only under load, when that saves
 * collections. Nothing makes it small again but V8 itself.
 */
export class HeapGrowth {
  #mayGrow = false;
  #utilization = performance.eventLoopUtilization();
  readonly #timer = setInterval(() => this.#look(), LOOK_MS).unref();

  constructor() {
    setFlagsFromString(`--heap-growing-percent=${OLD_GENERATION_GROWTH_PERCENT}`);
    letYoungGenerationGrow(this.#mayGrow);
  }

  stop(): void {
    clearInterval(this.#timer);
    letYoungGenerationGrow(true);
  }

  #look(): void {
    const utilization = performance.eventLoopUtilization();
    const since = performance.eventLoopUtilization(utilization, this.#utilization);
    this.#utilization = utilization;
    const isBusy = since.utilization > IDLE_SHARE;
    if (isBusy === this.#mayGrow) return;
    this.#mayGrow = isBusy;
    letYoungGenerationGrow(isBusy);
  }
}

function letYoungGenerationGrow(may: boolean): void {
  setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
}
