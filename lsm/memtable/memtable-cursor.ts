import { compareRanges } from '../bytes.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import type { Memtable } from './memtable.ts';

/**
 * The entries of a memtable that `seqMax` may see, each key once with its newest such value. Stays right
 * while writes go on: they are above `seqMax`, so they can only shift places within a run, which is noticed.
 */
export class MemtableCursor implements Cursor {
  readonly #memtable: Memtable;
  readonly #seqMax: number;
  /** As of creation: series added later hold nothing that may be seen. */
  readonly #sorted: readonly number[];
  #place = 0;
  #run: readonly number[] = [];
  #index = -1;
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

  constructor(memtable: Memtable, seqMax: number) {
    this.#memtable = memtable;
    this.#seqMax = seqMax;
    this.#sorted = memtable.sortedSeries();
  }

  seek(key: Uint8Array): void {
    this.#place = this.#firstSeriesAtOrAfter(key);
    if (this.#place === this.#sorted.length) {
      this.valid = false;
      return;
    }
    this.#enterRun();
    const newest = this.#run.at(-1) as number;
    const seriesLength = this.#seriesLength(newest);
    if (key.length > seriesLength && this.#seriesAgainst(newest, key) === 0) {
      this.#index = this.#lastAtOrAfter(key, seriesLength);
    }
    this.#settle();
  }

  next(): void {
    if (this.#run.length !== this.#runLength) this.#relocate();
    // Older writes of the same key stand before this one in the run.
    const current = this.#address;
    do {
      this.#index--;
    } while (this.#index >= 0 && this.#sameSuffix(current));
    this.#settle();
  }

  #sameSuffix(address: number): boolean {
    return this.#memtable.compareSuffixes(this.#run[this.#index] as number, address) === 0;
  }

  /** Goes on from `#index` towards greater keys until something may be seen. */
  #settle(): void {
    for (;;) {
      for (; this.#index >= 0; this.#index--) {
        const address = this.#run[this.#index] as number;
        if (this.#memtable.seqOf(address) <= this.#seqMax) {
          this.#show(address);
          return;
        }
      }
      this.#place++;
      if (this.#place >= this.#sorted.length) {
        this.valid = false;
        return;
      }
      this.#enterRun();
    }
  }

  #enterRun(): void {
    this.#run = this.#memtable.runOf(this.#sorted[this.#place] as number);
    this.#runLength = this.#run.length;
    this.#index = this.#run.length - 1;
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
  }

  /** Finds the current record again after writes came into its run. */
  #relocate(): void {
    let low = 0;
    let high = this.#run.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#orderInRun(this.#run[middle] as number) < 0) low = middle + 1;
      else high = middle;
    }
    this.#index = low;
    this.#runLength = this.#run.length;
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
      const run = this.#memtable.runOf(this.#sorted[middle] as number);
      if (this.#seriesAgainst(run[0] as number, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #seriesLength(address: number): number {
    const memtable = this.#memtable;
    return memtable.keyEnd(address) - memtable.keyStart(address) - memtable.suffixBytes;
  }

  /** Compares a record's series key with as many bytes of `key`. */
  #seriesAgainst(address: number, key: Uint8Array): number {
    const memtable = this.#memtable;
    const start = memtable.keyStart(address);
    const end = memtable.keyEnd(address) - memtable.suffixBytes;
    const most = Math.min(end - start, key.length);
    return compareRanges(memtable.bytesOf(address), start, end, key, 0, most);
  }

  /** The greatest index whose suffix is at or after the rest of `key`, or -1. */
  #lastAtOrAfter(key: Uint8Array, restStart: number): number {
    let low = -1;
    let high = this.#run.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const address = this.#run[middle] as number;
      if (this.#memtable.compareSuffix(address, key, restStart, key.length) >= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
