import assert from 'node:assert/strict';
import type { Entry, LogIndex } from './types.ts';

/** What an entry costs beside its data, roughly: keeps a stream of empty entries within byte limits, too. */
export const ENTRY_OVERHEAD_BYTES = 16;

/** The size of an entry as all limits of the core count it. */
export function entryBytes(entry: { readonly data: Uint8Array }): number {
  return entry.data.byteLength + ENTRY_OVERHEAD_BYTES;
}

/** The newest entries of a log, those whose bytes are in memory: a queue that is cut at both ends. */
export class EntryWindow {
  /** Entries before `#head` are released; the array is shortened when they are more than half of it. */
  #entries: Entry[] = [];
  #head = 0;
  #firstIndex: LogIndex;
  #bytes = 0;

  /** An empty window: the next entry will be that at `firstIndex`. */
  constructor(firstIndex: LogIndex) {
    this.#firstIndex = firstIndex;
  }

  get firstIndex(): LogIndex {
    return this.#firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#firstIndex + this.#entries.length - this.#head - 1;
  }

  /** Of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  push(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, 'entries run on without a gap');
    this.#bytes += entryBytes(entry);
    this.#entries.push(entry);
  }

  at(index: LogIndex): Entry {
    const entry = this.#entries[index - this.#firstIndex + this.#head];
    assert(entry !== undefined && entry.index === index, 'the entry is in memory');
    return entry;
  }

  /** From `firstIndex` to `lastIndex`, but no more than `bytesMax` bytes, except that one entry always fits. */
  slice(firstIndex: LogIndex, lastIndex: LogIndex, bytesMax: number): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = firstIndex; index <= lastIndex; index++) {
      const entry = this.at(index);
      bytes += entryBytes(entry);
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push(entry);
    }
    return entries;
  }

  truncateAfter(index: LogIndex): void {
    if (index >= this.lastIndex) return;
    if (index < this.#firstIndex) {
      this.#clear(index + 1);
      return;
    }
    this.#bytes -= this.#bytesOf(index + 1, this.lastIndex);
    this.#entries.length -= this.lastIndex - index;
  }

  /** Lets go of the entries up to `index`. */
  release(index: LogIndex): void {
    if (index < this.#firstIndex) return;
    if (index >= this.lastIndex) {
      this.#clear(this.lastIndex + 1);
      return;
    }
    this.#bytes -= this.#bytesOf(this.#firstIndex, index);
    const head = this.#head + index + 1 - this.#firstIndex;
    if (head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(head);
      this.#head = 0;
    } else {
      this.#entries.fill(released, this.#head, head);
      this.#head = head;
    }
    this.#firstIndex = index + 1;
  }

  #bytesOf(firstIndex: LogIndex, lastIndex: LogIndex): number {
    let bytes = 0;
    for (let index = firstIndex; index <= lastIndex; index++) bytes += entryBytes(this.at(index));
    return bytes;
  }

  #clear(firstIndex: LogIndex): void {
    this.#bytes = 0;
    this.#entries = [];
    this.#head = 0;
    this.#firstIndex = firstIndex;
  }
}

/** Stands in the place of a released entry, so that its bytes are not kept alive. */
const released: Entry = { term: 0, index: 0, kind: 0, data: new Uint8Array(0) };
