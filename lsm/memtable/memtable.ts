import assert from 'node:assert/strict';
import { compareRanges, equalRanges, readU32BigEndian } from '../bytes.ts';
import { EntryKind } from '../sstable/format.ts';
import {
  Arena,
  type ArenaChunk,
  DELETION_BIT,
  HEADER_WORDS,
  KEY_LENGTH_MASK,
  WORD,
} from './arena.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { SeriesOrder } from './series-order.ts';
import { SeriesTable } from './series-table.ts';

/**
 * The newest writes, in memory. A hash finds the series; each series has a *run* of record addresses in the
 * order (suffix descending, sequence number ascending). Values of one series arrive almost always in time
 * order, which is descending suffix, so that the common write appends to its run. With no suffix a series is a key,
 * and its run the versions of that key. Order between series is made when a cursor asks for it (`SeriesOrder`).
 *
 * Relies on what every user of the engine promises: no series key is a proper prefix of another when there is
 * a suffix, so sorting by series and then by suffix is sorting by key.
 */
export class Memtable {
  readonly suffixBytes: number;
  /** Sequence number of ordinal 0. */
  readonly firstSeq: number;
  readonly arena: Arena;
  readonly #series: SeriesTable;
  /** By series: the address of its only record, or those of all. An array for each key would cost more than the key. */
  readonly #runs: (number | number[])[] = [];
  readonly #order = new SeriesOrder({
    lengthOf: (series) => this.#seriesLength(series),
    wordAt: (series, at) => this.#seriesWord(series, at),
    compare: (a, b) => this.#compareSeries(a, b),
  });
  #entryCount = 0;
  #seriesWithArrays = 0;

  constructor(firstSeq: number, suffixBytes: number, arena: Arena = new Arena()) {
    this.firstSeq = firstSeq;
    this.suffixBytes = suffixBytes;
    this.arena = arena;
    this.#series = new SeriesTable((series, key, start, end) => {
      // The newest: the suffix of a new record is compared with it, too, and the others are out of the cache.
      const address = this.recordAt(series, this.runLength(series) - 1);
      const { bytes } = arena.chunkOf(address);
      const keyStart = this.keyStart(address);
      return equalRanges(bytes, keyStart, this.keyEnd(address) - suffixBytes, key, start, end);
    });
    arena.forEach((address) => {
      const start = this.keyStart(address);
      this.#index(address, this.bytesOf(address), start, this.keyEnd(address));
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
    this.#add(EntryKind.put, key, keyStart, keyEnd, value, valueStart, valueEnd, seq);
  }

  delete(key: Uint8Array, keyStart: number, keyEnd: number, seq: number): void {
    this.#add(EntryKind.deletion, key, keyStart, keyEnd, key, 0, 0, seq);
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** What it holds in memory, bookkeeping estimated. */
  get sizeBytes(): number {
    return (
      this.arena.usedBytes +
      this.#series.sizeBytes +
      this.#runs.length * SERIES_BYTES +
      this.#seriesWithArrays * ARRAY_BYTES +
      this.#entryCount * ENTRY_BYTES
    );
  }

  /** Address of the newest entry of a key that `seqMax` may see, or -1. */
  find(key: Uint8Array, seqMax: number): number {
    if (key.length < this.suffixBytes) return -1;
    const suffixStart = key.length - this.suffixBytes;
    const series = this.#series.find(key, 0, suffixStart);
    if (series < 0) return -1;
    let at = this.lastAtOrAfter(series, key, suffixStart);
    for (; at >= 0; at--) {
      const address = this.recordAt(series, at);
      if (this.compareSuffix(address, key, suffixStart, key.length) !== 0) return -1;
      if (this.seqOf(address) <= seqMax) return address;
    }
    return -1;
  }

  /** Address of the first entry of a series that `seqMax` may see, or -1. `prefix` is a whole series key. */
  firstOfSeries(prefix: Uint8Array, seqMax: number): number {
    const series = this.#series.find(prefix, 0, prefix.length);
    if (series < 0) return -1;
    for (let at = this.runLength(series) - 1; at >= 0; at--) {
      const address = this.recordAt(series, at);
      if (this.seqOf(address) <= seqMax) return address;
    }
    return -1;
  }

  /** Cursors over what `seqMax` may see, which have no key in common. */
  cursors(seqMax: number, reverse = false): MemtableCursor[] {
    return this.#order
      .runs(this.#runs.length)
      .map((sorted) => new MemtableCursor(this, sorted, seqMax, reverse));
  }

  runLength(series: number): number {
    const run = this.#runs[series] as number | number[];
    return typeof run === 'number' ? 1 : run.length;
  }

  recordAt(series: number, index: number): number {
    const run = this.#runs[series] as number | number[];
    return typeof run === 'number' ? run : (run[index] as number);
  }

  /** The greatest index in a run whose suffix is at or after `bytes` from `start` on, or -1. */
  lastAtOrAfter(series: number, bytes: Uint8Array, start: number): number {
    let low = -1;
    let high = this.runLength(series) - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const address = this.recordAt(series, middle);
      if (this.compareSuffix(address, bytes, start, bytes.length) >= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  bytesOf(address: number): Uint8Array {
    return this.arena.chunkOf(address).bytes;
  }

  keyStart(address: number): number {
    return (address - this.arena.chunkOf(address).firstAddress + HEADER_WORDS) * WORD;
  }

  keyEnd(address: number): number {
    return this.keyStart(address) + (this.#word(address, 0) & KEY_LENGTH_MASK);
  }

  valueEnd(address: number): number {
    return this.keyEnd(address) + this.#word(address, 1);
  }

  seqOf(address: number): number {
    return this.firstSeq + this.#word(address, 2);
  }

  kindOf(address: number): number {
    return (this.#word(address, 0) & DELETION_BIT) === 0 ? EntryKind.put : EntryKind.deletion;
  }

  /** Compares the suffixes of two records. */
  compareSuffixes(a: number, b: number): number {
    if (this.suffixBytes === 0) return 0;
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

  #add(
    kind: number,
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
    const address = arena.append(kind, ordinal, key, keyStart, keyEnd, value, valueStart, valueEnd);
    this.#index(address, key, keyStart, keyEnd);
  }

  #index(address: number, key: Uint8Array, keyStart: number, keyEnd: number): void {
    const series = this.#series.findOrAdd(key, keyStart, keyEnd - this.suffixBytes);
    this.#entryCount++;
    const run = this.#runs[series];
    if (run === undefined) {
      assert(series === this.#runs.length, 'series are numbered in the order they come');
      this.#runs.push(address);
    } else if (typeof run === 'number') {
      this.#seriesWithArrays++;
      const isFirst = this.compareSuffixes(address, run) <= 0;
      this.#runs[series] = isFirst ? [run, address] : [address, run];
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

  #seriesLength(series: number): number {
    const record = this.recordAt(series, 0);
    return (this.#word(record, 0) & KEY_LENGTH_MASK) - this.suffixBytes;
  }

  #seriesWord(series: number, at: number): number {
    const record = this.recordAt(series, 0);
    return readU32BigEndian(this.bytesOf(record), this.keyStart(record) + at);
  }

  #compareSeries(a: number, b: number): number {
    const first = this.recordAt(a, 0);
    const second = this.recordAt(b, 0);
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

/** Measured roughly: the place in the list of runs and in the order; an array beside it; an address in an array. */
const SERIES_BYTES = 12;
const ARRAY_BYTES = 80;
const ENTRY_BYTES = 8;
