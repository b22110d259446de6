import assert from 'node:assert/strict';
import { compareRanges, equalRanges } from '../bytes.ts';
import { Arena, type ArenaChunk, HEADER_WORDS, WORD } from './arena.ts';
import { SeriesTable } from './series-table.ts';

/**
 * The newest writes, in memory. A hash finds the series; each series has a *run* of record addresses in the
 * order (suffix descending, sequence number ascending). Values of one series arrive almost always in time
 * order, which is descending suffix, so that the common write appends to its run.
 *
 * Relies on what every user of the engine promises: no series key is a proper prefix of another, so sorting
 * by series and then by suffix is sorting by key.
 */
export class Memtable {
  readonly suffixBytes: number;
  /** Sequence number of ordinal 0. */
  readonly firstSeq: number;
  readonly arena: Arena;
  readonly #series: SeriesTable;
  readonly #runs: number[][] = [];
  /** Series numbers by key. Replaced, never changed, so that cursors may hold on to it. */
  #sorted: readonly number[] = [];
  #entryCount = 0;

  constructor(firstSeq: number, suffixBytes: number, arena: Arena = new Arena()) {
    this.firstSeq = firstSeq;
    this.suffixBytes = suffixBytes;
    this.arena = arena;
    this.#series = new SeriesTable((series, key, start, end) => {
      const address = this.#runOf(series)[0] as number;
      const { bytes } = arena.chunkOf(address);
      const keyStart = this.keyStart(address);
      return equalRanges(bytes, keyStart, this.keyEnd(address) - suffixBytes, key, start, end);
    });
    arena.forEach((address) => {
      this.#index(address);
    });
  }

  /** The memtable again from what `transfer` gave, possibly in another thread. */
  static fromTransfer(transfer: MemtableTransfer): Memtable {
    const arena = Arena.fromChunks(transfer.chunks);
    return new Memtable(transfer.firstSeq, transfer.suffixBytes, arena);
  }

  transfer(): MemtableTransfer {
    const { firstSeq, suffixBytes } = this;
    return { firstSeq, suffixBytes, chunks: this.arena.chunks() };
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    seq: number,
  ): void {
    const ordinal = seq - this.firstSeq;
    assert(keyEnd - keyStart >= this.suffixBytes, 'a key holds its suffix');
    assert(ordinal >= 0 && ordinal <= 0xffffffff, 'sequence numbers of a memtable fit 32 bits');
    const { arena } = this;
    this.#index(arena.append(ordinal, key, keyStart, keyEnd, value, valueStart, valueEnd));
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** What it holds in memory, bookkeeping estimated. */
  get sizeBytes(): number {
    return this.arena.usedBytes + this.#runs.length * SERIES_BYTES + this.#entryCount * ENTRY_BYTES;
  }

  /** Address of the first entry of a series that `seqMax` may see, or -1. `prefix` is a whole series key. */
  firstOfSeries(prefix: Uint8Array, seqMax: number): number {
    const series = this.#series.find(prefix, 0, prefix.length);
    if (series < 0) return -1;
    const run = this.#runOf(series);
    for (let i = run.length - 1; i >= 0; i--) {
      if (this.seqOf(run[i] as number) <= seqMax) return run[i] as number;
    }
    return -1;
  }

  /** Series numbers in the order of their keys, as of now. */
  sortedSeries(): readonly number[] {
    if (this.#sorted.length < this.#runs.length) this.#sorted = this.#mergeNewSeries();
    return this.#sorted;
  }

  runOf(series: number): readonly number[] {
    return this.#runOf(series);
  }

  bytesOf(address: number): Uint8Array {
    return this.arena.chunkOf(address).bytes;
  }

  keyStart(address: number): number {
    return (address - this.arena.chunkOf(address).firstAddress + HEADER_WORDS) * WORD;
  }

  keyEnd(address: number): number {
    return this.keyStart(address) + this.#word(address, 0);
  }

  valueEnd(address: number): number {
    return this.keyEnd(address) + this.#word(address, 1);
  }

  seqOf(address: number): number {
    return this.firstSeq + this.#word(address, 2);
  }

  /** Compares the suffixes of two records. */
  compareSuffixes(a: number, b: number): number {
    const end = this.keyEnd(b);
    return this.compareSuffix(a, this.bytesOf(b), end - this.suffixBytes, end);
  }

  compareSuffix(address: number, bytes: Uint8Array, start: number, end: number): number {
    const keyEnd = this.keyEnd(address);
    return compareRanges(
      this.bytesOf(address),
      keyEnd - this.suffixBytes,
      keyEnd,
      bytes,
      start,
      end,
    );
  }

  #word(address: number, field: number): number {
    const chunk = this.arena.chunkOf(address);
    return chunk.words[address - chunk.firstAddress + field] as number;
  }

  #runOf(series: number): number[] {
    return this.#runs[series] as number[];
  }

  #index(address: number): void {
    const bytes = this.bytesOf(address);
    const start = this.keyStart(address);
    const series = this.#series.findOrAdd(bytes, start, this.keyEnd(address) - this.suffixBytes);
    this.#entryCount++;
    const run = this.#runs[series];
    if (run === undefined) {
      assert.equal(series, this.#runs.length);
      this.#runs.push([address]);
    } else if (this.compareSuffixes(address, run.at(-1) as number) <= 0) {
      run.push(address);
    } else {
      run.splice(this.#insertionPoint(run, address), 0, address);
    }
  }

  /** The first position whose suffix is smaller; equal ones stay before, older writes first. */
  #insertionPoint(run: readonly number[], address: number): number {
    let low = 0;
    let high = run.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareSuffixes(run[middle] as number, address) >= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #mergeNewSeries(): number[] {
    const old = this.#sorted;
    const added: number[] = [];
    for (let series = old.length; series < this.#runs.length; series++) added.push(series);
    added.sort((a, b) => this.#compareSeries(a, b));
    if (old.length === 0) return added;
    const merged: number[] = [];
    let next = 0;
    for (const series of added) {
      while (next < old.length && this.#compareSeries(old[next] as number, series) < 0) {
        merged.push(old[next++] as number);
      }
      merged.push(series);
    }
    while (next < old.length) merged.push(old[next++] as number);
    return merged;
  }

  #compareSeries(a: number, b: number): number {
    const first = this.#runOf(a)[0] as number;
    const second = this.#runOf(b)[0] as number;
    return compareRanges(
      this.bytesOf(first),
      this.keyStart(first),
      this.keyEnd(first) - this.suffixBytes,
      this.bytesOf(second),
      this.keyStart(second),
      this.keyEnd(second) - this.suffixBytes,
    );
  }
}

/** A frozen memtable as plain data over shared memory. */
export interface MemtableTransfer {
  readonly firstSeq: number;
  readonly suffixBytes: number;
  readonly chunks: readonly ArenaChunk[];
}

/** Measured roughly: a run array, its hash slot and its place in the sorted list; an address in a run. */
const SERIES_BYTES = 120;
const ENTRY_BYTES = 8;
