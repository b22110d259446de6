import assert from 'node:assert/strict';
import { overlap } from '../bytes.ts';
import type { KeyRange, RangeReplacement } from '../engine.ts';
import type { FlushQueue } from '../flush-queue.ts';
import type { JobRunnerOptions } from './job-runner.ts';
import { acceptLosses } from './loss-acceptance.ts';
import { PendingReplacement, type PendingReplacementOptions } from './range-replacement.ts';

/** Each holds the bytes of a table in memory until that is written. */
export const REPLACEMENTS_MAX = 4;

export interface RangeReplacementsOptions
  extends JobRunnerOptions,
    Pick<PendingReplacementOptions, 'compactor' | 'onEvent'> {
  readonly flushes: Pick<FlushQueue, 'exclusively'>;
  readonly takeSeq: () => number;
  /** Freezes what has to be in tables before anything takes the place of this range. @throws where nothing may be written */
  readonly freezeFor: (range: KeyRange) => void;
}

/** The ranges of an engine that get other content, or whose losses are accepted: gathered side by side, committed in turn. */
export class RangeReplacements {
  readonly #options: RangeReplacementsOptions;
  readonly #begun = new Set<KeyRange>();
  #committing: Promise<void> | undefined;

  constructor(options: RangeReplacementsOptions) {
    this.#options = options;
  }

  begin(range: KeyRange): RangeReplacement {
    assert(this.#begun.size < REPLACEMENTS_MAX, 'not too many are replaced at a time');
    assert(![...this.#begun].some((each) => overlap(each, range)), 'they do not overlap');
    this.#begun.add(range);
    return new PendingReplacement(range, {
      ...this.#options,
      apply: (work) => this.#commit(range, work),
      seq: this.#options.takeSeq(),
      onEnd: () => this.#begun.delete(range),
    });
  }

  acceptLosses(range: KeyRange): Promise<boolean> {
    return acceptLosses(range, {
      ...this.#options,
      apply: (work) => this.#commit(range, work),
    });
  }

  /** Resolves when the one that is being committed is over, however it ends; undefined: there is none. */
  get committed(): Promise<void> | undefined {
    return this.#committing?.catch(() => {});
  }

  /**
   * The replaced range must not come back out of the memtable, nor older positions over the new ones: what has to be in
   * tables is frozen and flushed before, and nothing is frozen meanwhile.
   */
  async #commit(range: KeyRange, work: () => Promise<void>): Promise<void> {
    while (this.#committing !== undefined) await this.committed;
    this.#options.freezeFor(range);
    this.#committing = this.#options.flushes.exclusively(work).finally(() => {
      this.#committing = undefined;
    });
    await this.#committing;
  }
}
