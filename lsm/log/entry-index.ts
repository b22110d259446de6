import assert from 'node:assert/strict';
import { Runs } from './runs.ts';

/**
 * Where a group's live entries are, and what they are known by, without an object per entry: twelve bytes
 * each, and runs for what neighbours share. Invariant: segments never go down with the index, because a replaced entry takes
 * everything after it along.
 */
export class EntryIndex {
  #startIndex: number;
  #startTerm: number;
  #count = 0;
  /** The entry at `startIndex + 1` is at this place of the arrays. */
  #head = 0;
  #offsets = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #checksums = new Uint32Array(0);
  readonly #terms = new Runs();
  readonly #segments = new Runs();

  /** `startIndex`, `startTerm`: the position before the first entry. */
  constructor(startIndex: number, startTerm: number) {
    this.#startIndex = startIndex;
    this.#startTerm = startTerm;
  }

  get startIndex(): number {
    return this.#startIndex;
  }

  get startTerm(): number {
    return this.#startTerm;
  }

  get lastIndex(): number {
    return this.#startIndex + this.#count;
  }

  /** The term at `startIndex` or of an entry; `undefined` for an index outside. */
  term(index: number): number | undefined {
    if (index === this.#startIndex) return this.#startTerm;
    return this.has(index) ? this.#terms.at(index) : undefined;
  }

  has(index: number): boolean {
    return index > this.#startIndex && index <= this.lastIndex;
  }

  segment(index: number): number {
    assert(this.has(index), `no entry ${index}`);
    return this.#segments.at(index);
  }

  /** Of the record, in its segment's file. */
  offset(index: number): number {
    return this.#offsets[this.#place(index)] as number;
  }

  /** Of the whole record. */
  length(index: number): number {
    return this.#lengths[this.#place(index)] as number;
  }

  /** Of the whole record, as it was written. */
  checksum(index: number): number {
    return this.#checksums[this.#place(index)] as number;
  }

  /** Of the records from `firstIndex` on. */
  bytesFrom(firstIndex: number): number {
    let sum = 0;
    const first = Math.max(firstIndex, this.#startIndex + 1);
    for (let index = first; index <= this.lastIndex; index++) sum += this.length(index);
    return sum;
  }

  append(term: number, segment: number, offset: number, length: number, checksum: number): void {
    assert(offset < 0x1_0000_0000, 'a segment is too long for the entry index');
    if (this.#head + this.#count === this.#offsets.length) this.#makeRoom();
    const place = this.#head + this.#count;
    this.#offsets[place] = offset;
    this.#lengths[place] = length;
    this.#checksums[place] = checksum;
    this.#count++;
    this.#terms.append(this.lastIndex, term);
    this.#segments.append(this.lastIndex, segment);
  }

  truncateAfter(index: number): void {
    assert(index >= this.#startIndex, `${index} is before the log's start ${this.#startIndex}`);
    if (index >= this.lastIndex) return;
    this.#count = index - this.#startIndex;
    this.#terms.truncateAfter(index);
    this.#segments.truncateAfter(index);
  }

  /** Moves the start forward to an entry. */
  dropThrough(index: number): void {
    if (index <= this.#startIndex) return;
    assert(index <= this.lastIndex, `${index} is after the log's end ${this.lastIndex}`);
    this.#startTerm = this.#terms.at(index);
    this.#head += index - this.#startIndex;
    this.#count -= index - this.#startIndex;
    this.#startIndex = index;
    this.#terms.dropThrough(index);
    this.#segments.dropThrough(index);
    if (this.#count === 0) this.restart(this.#startIndex, this.#startTerm);
  }

  /** Forgets all entries. */
  restart(startIndex: number, startTerm: number): void {
    this.#startIndex = startIndex;
    this.#startTerm = startTerm;
    this.#count = 0;
    this.#head = 0;
    this.#terms.clear();
    this.#segments.clear();
  }

  /** The oldest segment that holds an entry. */
  get oldestSegment(): number | undefined {
    return this.#count === 0 ? undefined : this.#segments.at(this.#startIndex + 1);
  }

  termRuns(): { readonly firstIndex: number; readonly term: number }[] {
    return this.#terms.list().map(({ firstIndex, value }) => ({ firstIndex, term: value }));
  }

  #place(index: number): number {
    assert(this.has(index), `no entry ${index}`);
    return this.#head + index - this.#startIndex - 1;
  }

  /** Behind the last entry: by moving to the front if half is free, else by doubling. */
  #makeRoom(): void {
    const capacity = this.#offsets.length;
    const isCrowded = this.#count * 2 > capacity;
    this.#offsets = this.#moved(this.#offsets, isCrowded ? 2 * capacity : Math.max(16, capacity));
    this.#lengths = this.#moved(this.#lengths, this.#offsets.length);
    this.#checksums = this.#moved(this.#checksums, this.#offsets.length);
    this.#head = 0;
  }

  #moved(array: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
    const moved = new Uint32Array(capacity);
    moved.set(array.subarray(this.#head, this.#head + this.#count));
    return moved;
  }
}
