import { compareRanges } from './bytes.ts';
import type { FilterStates } from './compaction/filter-states.ts';
import type { KeyRange } from './engine.ts';
import { Memtable } from './memtable/memtable.ts';

/** A memtable that gets no more writes. */
export interface FrozenMemtable {
  readonly memtable: Memtable;
  /** As of the freeze. */
  readonly positions: Uint8Array;
  readonly lastSeq: number;
}

/** What is in no table yet: the memtable that takes writes, and the frozen ones. Numbers what is written. */
export class Memtables {
  readonly #suffixBytes: number;
  readonly #filterStates: FilterStates;
  #seq: number;
  #active: Memtable;
  /** The active one first, then the frozen ones, newest first. Replaced, never changed: readers hold on to it. */
  #all: readonly Memtable[];

  constructor(suffixBytes: number, lastSeq: number, filterStates: FilterStates) {
    this.#suffixBytes = suffixBytes;
    this.#filterStates = filterStates;
    this.#seq = lastSeq;
    this.#active = this.#begin();
    this.#all = [this.#active];
  }

  get all(): readonly Memtable[] {
    return this.#all;
  }

  get frozenCount(): number {
    return this.#all.length - 1;
  }

  /** Of the active one. */
  get activeBytes(): number {
    return this.#active.sizeBytes;
  }

  get isActiveEmpty(): boolean {
    return this.#active.entryCount === 0;
  }

  /** Whether the active one has anything of a range. */
  hasActiveIn({ lower, upper }: KeyRange): boolean {
    return this.#active.cursors(this.#seq).some((cursor) => {
      cursor.seek(lower);
      if (!cursor.valid || upper === undefined) return cursor.valid;
      const { keyBytes, keyStart, keyEnd } = cursor;
      return compareRanges(keyBytes, keyStart, keyEnd, upper, 0, upper.length) < 0;
    });
  }

  /** Sequence number of the last entry. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** One that no entry has. */
  takeSeq(): number {
    return ++this.#seq;
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.#beforeWrite();
    this.#active.put(key, keyStart, keyEnd, value, valueStart, valueEnd, ++this.#seq);
  }

  delete(key: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#beforeWrite();
    this.#active.delete(key, keyStart, keyEnd, ++this.#seq);
  }

  /** The active one gets no more writes, and another begins. */
  freeze(positions: Uint8Array): FrozenMemtable {
    const frozen = { memtable: this.#active, positions: positions.slice(), lastSeq: this.#seq };
    this.#active = this.#begin();
    this.#all = [this.#active, ...this.#all];
    return frozen;
  }

  /** To be called once the version has the table of a frozen one. */
  flushed(memtable: Memtable): void {
    this.#all = this.#all.filter((one) => one !== memtable);
    this.#filterStates.flushed(memtable);
  }

  #beforeWrite(): void {
    if (this.#active.entryCount === 0) this.#filterStates.beforeFirstPut(this.#active);
  }

  #begin(): Memtable {
    return new Memtable(this.#seq + 1, this.#suffixBytes);
  }
}
