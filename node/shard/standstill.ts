import type { LogIndex } from '../raft/types.ts';
import type { Replica } from './replica.ts';

/** Longer than a flush or a merge keeps anybody waiting, and than an election takes. */
const STANDSTILL_MS = 3_000;

/**
 * Tells when nothing has gone on for long although there is something to do: the disk neither takes a round nor makes room for
 * what is to be applied. Heartbeats do not wait for the disk, so nobody else would notice.
 */
export class Standstill {
  #roundSinceMs = Number.POSITIVE_INFINITY;
  readonly #applied = new WeakMap<Replica, { index: LogIndex; sinceMs: number }>();

  roundBegins(nowMs: number): void {
    this.#roundSinceMs = nowMs;
  }

  roundEnds(): void {
    this.#roundSinceMs = Number.POSITIVE_INFINITY;
  }

  /** To be asked at every tick. */
  isFoundAt(replica: Replica, nowMs: number): boolean {
    if (nowMs - this.#roundSinceMs > STANDSTILL_MS) return true;
    const { appliedIndex: index } = replica.state;
    const before = this.#applied.get(replica);
    if (before === undefined || before.index !== index || replica.raft.commitIndex <= index) {
      this.#applied.set(replica, { index, sinceMs: nowMs });
      return false;
    }
    return nowMs - before.sinceMs > STANDSTILL_MS;
  }
}
