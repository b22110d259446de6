import { type KeyAccess, sortByKey } from './sort-keys.ts';

/**
 * Series numbers in the order of their keys, made only when somebody asks: writing costs nothing for it.
 *
 * What is asked for are a few sorted runs without a series in common. Those added since the last time are sorted
 * into a run of their own, and runs of like size are merged (the logarithmic method of Bentley and Saxe,
 * *Decomposable Searching Problems*, 1980): however writes and scans alternate, a series is merged a few times only,
 * and a cursor has a few runs to look at.
 */
export class SeriesOrder {
  readonly #keys: KeyAccess;
  /** The longest first. Replaced, never changed, so that cursors may hold on to them. */
  #runs: readonly Int32Array[] = [];
  #sortedCount = 0;

  constructor(keys: KeyAccess) {
    this.#keys = keys;
  }

  /** Of the series from 0 to `count` - 1. */
  runs(count: number): readonly Int32Array[] {
    if (this.#sortedCount === count) return this.#runs;
    const added = Int32Array.from({ length: count - this.#sortedCount }, this.#numberOfAdded);
    sortByKey(added, this.#keys);
    const runs = [...this.#runs, added];
    for (;;) {
      const [before, last] = [runs.at(-2), runs.at(-1)];
      if (before === undefined || last === undefined) break;
      if (before.length > MERGE_FACTOR * last.length) break;
      runs.splice(-2, 2, this.#merge(before, last));
    }
    this.#sortedCount = count;
    this.#runs = runs;
    return runs;
  }

  readonly #numberOfAdded = (_: unknown, i: number): number => this.#sortedCount + i;

  #merge(a: Int32Array, b: Int32Array): Int32Array {
    const merged = new Int32Array(a.length + b.length);
    let [fromA, fromB] = [0, 0];
    for (let at = 0; at < merged.length; at++) {
      const takesA =
        fromB === b.length ||
        (fromA < a.length && this.#keys.compare(a[fromA] as number, b[fromB] as number) < 0);
      merged[at] = (takesA ? a[fromA++] : b[fromB++]) as number;
    }
    return merged;
  }
}

/** Each run is so many times longer than the next: at most nine runs of 100,000 series, mostly one or two. */
const MERGE_FACTOR = 4;
