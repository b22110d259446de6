import type { EndOfTurn } from './end-of-turn.ts';

/** Whoever has read no more than this in a turn goes on, whatever others do: a put does not wait behind a flood. */
const SHARE_BYTES_MIN = 2 * 1024;
/** What is read later in a turn than this is one packet of each connection. */
const TURN_MS_MAX = 10;

/**
 * How much is read in one turn, over all connections: each of those that were held back in the turn before gets an
 * even share. Without that fifty clients that send as fast as they can make a turn fifty times as long. Where packets cost
 * more than usual, or thousands send a little each, the turn ends by the clock.
 */
export class ReadBudget {
  readonly #endOfTurn: EndOfTurn;
  readonly #bytesPerTurn: number;
  readonly #shareMin: number;
  #read = 0;
  #sinceMs = 0;
  #heldBack = 0;
  #share: number;

  constructor(endOfTurn: EndOfTurn, bytesPerTurn: number) {
    this.#endOfTurn = endOfTurn;
    this.#bytesPerTurn = bytesPerTurn;
    this.#shareMin = Math.min(SHARE_BYTES_MIN, bytesPerTurn);
    this.#share = bytesPerTurn;
  }

  /**
   * A connection has read `count` bytes, `ofTurn` with what it read before in this turn. False: it has to wait for the
   * next one. `nowMs` is monotonic.
   */
  allows(count: number, ofTurn: number, nowMs: number): boolean {
    if (this.#read === 0) {
      this.#sinceMs = nowMs;
      this.#endOfTurn.add(() => this.#turned());
    }
    this.#read += count;
    if (ofTurn < this.#shareAt(nowMs)) return true;
    this.#heldBack += 1;
    return false;
  }

  #shareAt(nowMs: number): number {
    if (nowMs - this.#sinceMs >= TURN_MS_MAX) return 0;
    return this.#read >= this.#bytesPerTurn ? this.#shareMin : this.#share;
  }

  #turned(): void {
    this.#share = this.#bytesPerTurn / Math.max(1, this.#heldBack);
    this.#read = 0;
    this.#heldBack = 0;
  }
}
