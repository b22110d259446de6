import { UNLIMITED } from './count-limits.ts';
import type { KeyRetention } from './prefix-retention.ts';

/**
 * What of one series may be seen: fed its entries newest first, by time, as they stand in the engine.
 *
 * The newest is seen, unless it is a tombstone of a version before the tombstone cutoff. Of the others an entry is hidden
 * if its time is before the cutoff, or if as many *visible* entries come before it as a limit for its
 * version allows. Since hidden entries do not count, taking some of them away, as compaction does, leaves the
 * rest as it was: a newest value is never hidden, and behind a newest tombstone that is hidden everything is
 * before the cutoff.
 *
 * One more entry in a series hides as much or more of the rest, whatever the limits for its version are. From
 * the new entry on the number of visible entries before another is higher by one, or the same: it is the
 * same again after the first entry that is now one too many, and then it stays so. Hence what is hidden among
 * some of the entries is hidden among all of them, which is all that compaction needs to know, and what is
 * hidden once stays hidden as the series grows.
 */
export class SeriesFilter {
  #retention: KeyRetention = EVERYTHING;
  #visibleCount = 0;
  #isFirst = true;
  #isExhausted = false;

  /** A new series begins. */
  reset(retention: KeyRetention): void {
    this.#retention = retention;
    this.#visibleCount = 0;
    this.#isFirst = true;
    this.#isExhausted = false;
  }

  sees(time: number, version: number, isTombstone: boolean): boolean {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const { cutoff, tombstoneCutoff } = this.#retention;
    if (time < cutoff) this.#isExhausted = true;
    const isSeen = isFirst
      ? !(isTombstone && version < tombstoneCutoff)
      : !this.#isExhausted && this.#visibleCount < this.#countFor(version);
    if (isSeen) this.#visibleCount += 1;
    return isSeen;
  }

  /** Nothing that comes now will be seen: the rest of the series need not be read. */
  get isExhausted(): boolean {
    // The last limit is the highest, and for all versions if the count is limited at present.
    return this.#isExhausted || this.#visibleCount >= this.#countFor(Number.MAX_SAFE_INTEGER);
  }

  #countFor(version: number): number {
    // Counts ascend with versions: the first limit that is for this version is the lowest.
    for (const { upToVersion, count } of this.#retention.limits) {
      if (version <= upToVersion) return count;
    }
    return UNLIMITED;
  }
}

const EVERYTHING: KeyRetention = { cutoff: 0, tombstoneCutoff: 0, ttlMs: 0, limits: [] };
