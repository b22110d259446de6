import { compareRanges } from '../bytes.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { EntryKind } from '../sstable/format.ts';
import type { Memtable } from './memtable.ts';

/**
 * The entries of some series of a memtable that `seqMax` may see, each key once with its newest such entry. Stays
 * right while writes go on: they are above `seqMax`, so they can only shift places within a run, which is noticed.
 */
export class MemtableCursor implements Cursor {
  readonly #memtable: Memtable;
  readonly #seqMax: number;
  readonly #reverse: boolean;
  /** Series in the order of their keys. Those added later hold nothing that may be seen. */
  readonly #sorted: Int32Array;
  #place = 0;
  #series = 0;
  /** In the run of the series, which has the greatest suffix first: ascending keys go from its end to its start. */
  #index = 0;
  /** Length of the run when `#index` was right. */
  #runLength = 0;
  #address = -1;

  valid = false;
  keyBytes: Uint8Array = NO_BYTES;
  keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  seq = 0;
  kind: number = EntryKind.put;

  constructor(memtable: Memtable, sorted: Int32Array, seqMax: number, reverse: boolean) {
    this.#memtable = memtable;
    this.#sorted = sorted;
    this.#seqMax = seqMax;
    this.#reverse = reverse;
  }

  seek(key: Uint8Array): void {
    if (this.#reverse) this.#seekBefore(key);
    else this.#seekAtOrAfter(key);
  }

  seekEnd(): void {
    this.#enterRun(this.#sorted.length - 1);
    this.#settle();
  }

  next(): void {
    const memtable = this.#memtable;
    if (memtable.runLength(this.#series) !== this.#runLength) this.#relocate();
    // Older entries of the same key come before this one in the run; a descending cursor stands on the first of them.
    const step = this.#reverse ? 1 : -1;
    const current = this.#address;
    do {
      this.#index += step;
    } while (this.#isInRun() && this.#hasSuffixOf(current));
    this.#settle();
  }

  #seekAtOrAfter(key: Uint8Array): void {
    this.#enterRun(this.#firstSeriesAtOrAfter(key));
    const start = this.#restOf(key);
    if (start >= 0) this.#index = this.#memtable.lastAtOrAfter(this.#series, key, start);
    this.#settle();
  }

  #seekBefore(key: Uint8Array): void {
    const place = this.#firstSeriesAtOrAfter(key);
    this.#enterRun(place);
    const start = this.#restOf(key);
    if (start >= 0) {
      this.#index = this.#memtable.lastAtOrAfter(this.#series, key, start) + 1;
    } else {
      this.#enterRun(place - 1);
    }
    this.#settle();
  }

  /** Where in `key` the suffix begins if the series at hand begins it, else -1. */
  #restOf(key: Uint8Array): number {
    if (this.#runLength === 0) return -1;
    const record = this.#memtable.recordAt(this.#series, 0);
    const seriesLength = this.#seriesLength(record);
    if (key.length <= seriesLength || this.#seriesAgainst(record, key) !== 0) return -1;
    return seriesLength;
  }

  /** Goes on from `#index` until something may be seen. */
  #settle(): void {
    for (;;) {
      while (this.#isInRun()) {
        const address = this.#reverse ? this.#newestOfKey() : this.#visibleHere();
        if (address >= 0) {
          this.#show(address);
          return;
        }
        this.#index += this.#reverse ? 1 : -1;
      }
      const place = this.#place + (this.#reverse ? -1 : 1);
      if (place < 0 || place >= this.#sorted.length) {
        this.valid = false;
        return;
      }
      this.#enterRun(place);
    }
  }

  #visibleHere(): number {
    const address = this.#memtable.recordAt(this.#series, this.#index);
    return this.#memtable.seqOf(address) <= this.#seqMax ? address : -1;
  }

  /** Descending: moves to the newest entry of the key at hand that may be seen; -1, and to its last, if none may. */
  #newestOfKey(): number {
    const memtable = this.#memtable;
    const first = memtable.recordAt(this.#series, this.#index);
    let newest = this.#visibleHere();
    while (this.#index + 1 < this.#runLength) {
      const following = memtable.recordAt(this.#series, this.#index + 1);
      if (memtable.compareSuffixes(following, first) !== 0) break;
      this.#index++;
      if (memtable.seqOf(following) <= this.#seqMax) newest = following;
    }
    return newest;
  }

  #isInRun(): boolean {
    return this.#index >= 0 && this.#index < this.#runLength;
  }

  #hasSuffixOf(address: number): boolean {
    const memtable = this.#memtable;
    return memtable.compareSuffixes(memtable.recordAt(this.#series, this.#index), address) === 0;
  }

  /** Stands at the first entry of a series in the direction of the cursor, before those that may not be seen. */
  #enterRun(place: number): void {
    this.#place = place;
    if (place < 0 || place >= this.#sorted.length) {
      this.#runLength = 0;
      this.#index = -1;
      return;
    }
    this.#series = this.#sorted[place] as number;
    this.#runLength = this.#memtable.runLength(this.#series);
    this.#index = this.#reverse ? 0 : this.#runLength - 1;
  }

  #show(address: number): void {
    const memtable = this.#memtable;
    this.#address = address;
    this.valid = true;
    this.keyBytes = this.valueBytes = memtable.bytesOf(address);
    this.keyStart = memtable.keyStart(address);
    this.keyEnd = this.valueStart = memtable.keyEnd(address);
    this.valueEnd = memtable.valueEnd(address);
    this.seq = memtable.seqOf(address);
    this.kind = memtable.kindOf(address);
  }

  /** Finds the current record again after writes came into its run. */
  #relocate(): void {
    const memtable = this.#memtable;
    this.#runLength = memtable.runLength(this.#series);
    let low = 0;
    let high = this.#runLength - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#orderInRun(memtable.recordAt(this.#series, middle)) < 0) low = middle + 1;
      else high = middle;
    }
    this.#index = low;
  }

  #orderInRun(address: number): number {
    const bySuffix = this.#memtable.compareSuffixes(this.#address, address);
    return bySuffix !== 0 ? bySuffix : this.#memtable.seqOf(address) - this.seq;
  }

  #firstSeriesAtOrAfter(key: Uint8Array): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const record = this.#memtable.recordAt(this.#sorted[middle] as number, 0);
      if (this.#seriesAgainst(record, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #seriesLength(address: number): number {
    const memtable = this.#memtable;
    return memtable.keyEnd(address) - memtable.keyStart(address) - memtable.suffixBytes;
  }

  /** Compares a record's series key with as many bytes of `key`, or with all when there is no suffix. */
  #seriesAgainst(address: number, key: Uint8Array): number {
    const memtable = this.#memtable;
    const start = memtable.keyStart(address);
    const end = memtable.keyEnd(address) - memtable.suffixBytes;
    const most = memtable.suffixBytes === 0 ? key.length : Math.min(end - start, key.length);
    return compareRanges(memtable.bytesOf(address), start, end, key, 0, most);
  }
}
