import { compareRanges } from '../bytes.ts';
import type { KeyRange, MaybePromise } from '../engine.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { EntryKind } from '../sstable/format.ts';
import { ENTRY_KEY_START, entryKey, entryRange } from './keys.ts';
import {
  type Level,
  type LevelEntry,
  type LevelIterator,
  type LevelSnapshot,
  plain,
} from './level.ts';

/**
 * What LevelDB holds of a range, as a cursor: entries come in chunks that grow, because most lookups want one
 * entry and most scans many. All are older than what is in memory: their sequence number is 0.
 */
export class LevelCursor implements Cursor {
  readonly #level: Level;
  readonly #snapshot: LevelSnapshot;
  readonly #range: { readonly gte: Uint8Array; readonly lt: Uint8Array };
  readonly #reverse: boolean;
  #iterator: LevelIterator | undefined;
  #chunk: readonly LevelEntry[] = [];
  #at = 0;
  #chunkSize = CHUNK_FIRST;
  #isClosed = false;

  valid = false;
  keyBytes: Uint8Array = NO_BYTES;
  readonly keyStart: number = ENTRY_KEY_START;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;
  readonly valueStart: number = 0;
  valueEnd = 0;
  readonly seq: number = 0;
  readonly kind: number = EntryKind.put;

  constructor(level: Level, snapshot: LevelSnapshot, range: KeyRange, reverse: boolean) {
    this.#level = level;
    this.#snapshot = snapshot;
    this.#range = entryRange(range);
    this.#reverse = reverse;
  }

  seek(key: Uint8Array): MaybePromise<void> {
    const target = entryKey(key);
    if (this.#reverse) return this.#begin(this.#range.gte, least(this.#range.lt, target));
    if (this.#seekInChunk(key)) return;
    return this.#begin(greatest(this.#range.gte, target), this.#range.lt);
  }

  seekEnd(): Promise<void> {
    return this.#begin(this.#range.gte, this.#range.lt);
  }

  next(): MaybePromise<void> {
    this.#at++;
    if (this.#at < this.#chunk.length) this.#show();
    else return this.#fetch();
  }

  /** LevelDB keeps what an iterator sees: it must not be forgotten. */
  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  /** A little way forward, as a scan that passes over series goes. */
  #seekInChunk(key: Uint8Array): boolean {
    if (!this.valid || compareKeys(this.#chunk[this.#at] as LevelEntry, key) > 0) return false;
    if (compareKeys(this.#chunk.at(-1) as LevelEntry, key) < 0) return false;
    let [low, high] = [this.#at, this.#chunk.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#chunk[middle] as LevelEntry, key) < 0) low = middle + 1;
      else high = middle;
    }
    this.#at = low;
    this.#show();
    return true;
  }

  async #begin(gte: Uint8Array, lt: Uint8Array): Promise<void> {
    this.#release();
    this.#iterator = this.#level.iterator({
      gte,
      lt,
      reverse: this.#reverse,
      snapshot: this.#snapshot,
      fillCache: true,
      highWaterMarkBytes: CHUNK_BYTES,
    });
    this.#chunkSize = CHUNK_FIRST;
    await this.#fetch();
  }

  async #fetch(): Promise<void> {
    this.valid = false;
    this.#chunk = [];
    const iterator = this.#iterator;
    if (iterator === undefined) return;
    const chunk = await iterator.nextv(this.#chunkSize);
    if (this.#isClosed) return;
    this.#chunk = chunk;
    this.#chunkSize = Math.min(this.#chunkSize * 8, CHUNK_MAX);
    this.#at = 0;
    if (chunk.length > 0) this.#show();
    else this.#release();
  }

  #show(): void {
    const [key, value] = this.#chunk[this.#at] as LevelEntry;
    this.valid = true;
    this.keyBytes = plain(key);
    this.keyEnd = key.length;
    this.valueBytes = plain(value);
    this.valueEnd = value.length;
  }

  #release(): void {
    this.valid = false;
    this.#chunk = [];
    // The memory is LevelDB's: there is nothing to wait for, and nothing that could fail but its end.
    this.#iterator?.close().catch(() => {});
    this.#iterator = undefined;
  }
}

const CHUNK_FIRST = 2;
const CHUNK_MAX = 1024;
const CHUNK_BYTES = 64 * 1024;

function compareKeys([stored]: LevelEntry, key: Uint8Array): number {
  return compareRanges(stored, ENTRY_KEY_START, stored.length, key, 0, key.length);
}

function least(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareRanges(a, 0, a.length, b, 0, b.length) <= 0 ? a : b;
}

function greatest(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareRanges(a, 0, a.length, b, 0, b.length) >= 0 ? a : b;
}
