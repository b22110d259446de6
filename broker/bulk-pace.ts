import type { EndOfTurn } from './end-of-turn.ts';
import { Signal } from './signal.ts';

/**
 * How much of what is not urgent (snapshots, backlogs of slow readers) leaves in one turn, over all connections.
 * A socket that takes every write at once never makes anybody wait: without a pace 100,000 values would be one
 * task, and consensus waits behind it.
 */
export class BulkPace {
  readonly #endOfTurn: EndOfTurn;
  readonly #perTurn: number;
  #taken = 0;
  #nextTurn: Signal | undefined;

  constructor(endOfTurn: EndOfTurn, perTurn: number) {
    this.#endOfTurn = endOfTurn;
    this.#perTurn = perTurn;
  }

  /** Counts one delivery. A promise: the turn has had its share, wait for the next one. */
  take(): Promise<void> | undefined {
    if (this.#taken === 0) this.#endOfTurn.add(() => this.#turned());
    this.#taken += 1;
    if (this.#taken < this.#perTurn) return undefined;
    this.#nextTurn ??= new Signal();
    return this.#nextTurn.happened;
  }

  #turned(): void {
    this.#taken = 0;
    const nextTurn = this.#nextTurn;
    this.#nextTurn = undefined;
    nextTurn?.give();
  }
}
