/**
 * Where a reading passes through a node. `sync` is time spent waiting for the disk; `flush` and `compaction` pass in
 * another thread, and theirs is the time from order to result; all others are time of the main thread.
 */
export const STAGES = [
  'front',
  'batch',
  'route',
  'propose',
  'replicate',
  'append',
  'sync',
  'commit',
  'apply',
  'acknowledge',
  'values',
  'flush',
  'compaction',
] as const;
export type Stage = (typeof STAGES)[number];

export interface StageFigures {
  readonly micros: number;
  /** Readings that have passed; one passes a stage twice where it is sent on and received. */
  readonly messages: number;
}

/**
 * What a node's time goes to, since its start. Asked for the time only where a turn or a round goes from one stage
 * into another, never for a reading: a stage within a stage is not counted to the outer one.
 */
export class Stages {
  readonly #nowMs: () => number;
  readonly #figures = new Map<Stage, { ms: number; messages: number }>();
  #current: Stage | undefined;
  #sinceMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    for (const stage of STAGES) this.#figures.set(stage, { ms: 0, messages: 0 });
  }

  /** What follows belongs to this stage. Returns the one to go back to with `leave`, in the same turn. */
  enter(stage: Stage): Stage | undefined {
    const outer = this.#current;
    this.#switchTo(stage);
    return outer;
  }

  leave(outer: Stage | undefined): void {
    this.#switchTo(outer);
  }

  /** So many readings have passed. */
  count(stage: Stage, messages: number): void {
    this.#of(stage).messages += messages;
  }

  /** Time that did not pass on the main thread. */
  add(stage: Stage, ms: number): void {
    this.#of(stage).ms += ms;
  }

  figures(): Record<Stage, StageFigures> {
    const entries = STAGES.map((stage) => {
      const { ms, messages } = this.#of(stage);
      return [stage, { micros: Math.round(ms * 1000), messages }] as const;
    });
    return Object.fromEntries(entries) as Record<Stage, StageFigures>;
  }

  #switchTo(stage: Stage | undefined): void {
    const nowMs = this.#nowMs();
    if (this.#current !== undefined) this.#of(this.#current).ms += nowMs - this.#sinceMs;
    this.#current = stage;
    this.#sinceMs = nowMs;
  }

  #of(stage: Stage): { ms: number; messages: number } {
    return this.#figures.get(stage) as { ms: number; messages: number };
  }
}
