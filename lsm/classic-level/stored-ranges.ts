import assert from 'node:assert/strict';
import { compareRanges } from '../bytes.ts';
import type { EngineTable } from '../engine.ts';
import { NO_BYTES } from '../iterator/cursor.ts';
import { ALL_ENTRIES, ENTRY_KEY_START, entryRange } from './keys.ts';
import { endOf, type Level } from './level.ts';

/** Whoever has grown by this part of what it was is worth another look. */
const PART_ADDED = 1 / 8;
/** And whoever would shrink by this part is worth being compacted. */
const PART_DROPPED = 1 / 16;

/**
 * What LevelDB holds between two borders, as if it were one table: what the choice what to look at goes by.
 * Its number changes when entries were dropped, and when so much was added that it should be looked at again.
 */
export class StoredRange {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array | undefined;
  /** Without one: nothing was ever in it. */
  largestSuffix: Uint8Array | undefined;
  fileNumber: number;
  readonly #nextNumber: () => number;
  #entryCount = 0;
  /** Of keys and values, when it got its number and since. */
  #bytes = 0;
  #addedBytes = 0;
  #droppedBytes = 0;
  /** Since LevelDB was last told to bring the range together. What was before this run is not known. */
  #isUnsettled = true;
  #suffixSinceLook: Uint8Array | undefined;

  constructor(
    lower: Uint8Array,
    upper: Uint8Array | undefined,
    largestSuffix: Uint8Array | undefined,
    nextNumber: () => number,
  ) {
    this.lower = lower;
    this.upper = upper;
    this.largestSuffix = largestSuffix;
    this.#nextNumber = nextNumber;
    this.fileNumber = nextNumber();
  }

  /** An entry is about to be written. */
  add(key: Uint8Array, suffixStart: number, end: number, bytes: number): void {
    this.#entryCount++;
    this.#addedBytes += bytes;
    this.#isUnsettled = true;
    this.largestSuffix = greater(this.largestSuffix, key, suffixStart, end);
    this.#suffixSinceLook = greater(this.#suffixSinceLook, key, suffixStart, end);
  }

  /** To be called when a batch of additions is complete. */
  renumberIfGrown(): void {
    if (this.#addedBytes === 0 || this.#addedBytes < this.#bytes * PART_ADDED) return;
    this.#bytes += this.#addedBytes;
    this.#addedBytes = 0;
    this.fileNumber = this.#nextNumber();
  }

  beginLook(): void {
    this.#suffixSinceLook = undefined;
  }

  /** All entries were looked at, and some dropped. */
  endLook({ kept, dropped }: Look): void {
    this.#entryCount = kept.entries;
    this.#bytes = kept.bytes;
    this.#addedBytes = 0;
    this.#droppedBytes += dropped.bytes;
    this.largestSuffix = greatest(kept.largestSuffix, this.#suffixSinceLook);
    if (dropped.entries === 0) return;
    this.#isUnsettled = true;
    this.fileNumber = this.#nextNumber();
  }

  get isWorthCompacting(): boolean {
    return this.#droppedBytes > 0 && this.#droppedBytes >= this.#bytes * PART_DROPPED;
  }

  get isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  /** Lets LevelDB merge all it has of this range, which frees what was dropped and replaced. */
  async compact(level: Level): Promise<void> {
    this.#droppedBytes = 0;
    this.#isUnsettled = false;
    const { gte, lt } = entryRange(this);
    await level.compactRange(gte, lt);
  }

  /** `undefined` when there is nothing in it. */
  async describe(level: Level): Promise<EngineTable | undefined> {
    const range = entryRange(this);
    const smallest = await endOf(level, range, 'first');
    const largest = await endOf(level, range, 'last');
    if (smallest === undefined || largest === undefined) return undefined;
    return {
      fileNumber: this.fileNumber,
      level: 0,
      sizeBytes: await level.approximateSize(range.gte, range.lt),
      entryCount: this.#entryCount,
      smallestKey: smallest.subarray(ENTRY_KEY_START),
      largestKey: largest.subarray(ENTRY_KEY_START),
      largestSuffix: this.largestSuffix ?? NO_BYTES,
    };
  }
}

/** What a look at all entries of a range has come to. */
export interface Look {
  readonly kept: {
    readonly entries: number;
    readonly bytes: number;
    readonly largestSuffix: Uint8Array | undefined;
  };
  readonly dropped: { readonly entries: number; readonly bytes: number };
}

/** All ranges, one after the other, from the first key to the last. */
export class StoredRanges {
  readonly all: readonly StoredRange[];
  #number = 0;

  constructor(borders: readonly Uint8Array[], largestSuffix: Uint8Array | undefined) {
    const lowers = [NO_BYTES, ...borders.filter((border) => border.length > 0)];
    this.all = lowers.map(
      (lower, i) => new StoredRange(lower, lowers[i + 1], largestSuffix, () => ++this.#number),
    );
  }

  rangeOf(key: Uint8Array, start: number, end: number): StoredRange {
    let [low, high] = [0, this.all.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const { lower } = this.all[middle] as StoredRange;
      if (compareRanges(lower, 0, lower.length, key, start, end) <= 0) low = middle;
      else high = middle - 1;
    }
    const range = this.all[low];
    assert(range !== undefined, 'the ranges leave nothing out');
    return range;
  }

  get largestSuffix(): Uint8Array | undefined {
    return this.all.map(({ largestSuffix }) => largestSuffix).reduce(greatest, undefined);
  }

  /** Of tables and of what LevelDB knows to be in them; its own log is not counted. */
  static async diskBytes(level: Level): Promise<number> {
    return level.approximateSize(NOTHING_BEFORE, ALL_ENTRIES.lt);
  }
}
const NOTHING_BEFORE = Uint8Array.of(0);

function greater(
  known: Uint8Array | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array | undefined {
  if (known !== undefined && compareRanges(known, 0, known.length, bytes, start, end) >= 0) {
    return known;
  }
  return bytes.slice(start, end);
}

function greatest(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  return b === undefined ? a : greater(a, b, 0, b.length);
}
