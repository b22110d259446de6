import assert from 'node:assert/strict';

const SLASH = 0x2f;

/**
 * Finds the longest of some prefixes that covers a key, where prefixes are whole levels. There is always one:
 * the empty prefix covers every key.
 *
 * The prefixes are sorted as if `/` were the least byte (no key holds U+0000). So all that a prefix covers
 * lies together, right after it. Let p be the last prefix not above a key. If some prefix q covers the key, p
 * lies between q and the key, so q covers p too: the answer is p or the nearest above it that covers the key.
 */
export class PrefixTable<Item extends { readonly prefix: string }> {
  /** In the order described above. */
  readonly items: readonly Item[];
  readonly #prefixes: readonly Uint8Array[];
  /** Of each item the index of the longest other prefix that covers it; -1 of the empty prefix. */
  readonly #parents: readonly number[];

  /** Prefixes must differ, and one must be empty. */
  constructor(items: readonly Item[]) {
    const sorted = items
      .map((item) => ({ item, bytes: Buffer.from(item.prefix) as Uint8Array }))
      .sort((a, b) => compareLevels(a.bytes, b.bytes, 0, b.bytes.length));
    this.items = sorted.map(({ item }) => item);
    this.#prefixes = sorted.map(({ bytes }) => bytes);
    assert(this.#prefixes[0]?.length === 0, 'there is a prefix for every key');
    const parents: number[] = [];
    for (const [index, bytes] of this.#prefixes.entries()) {
      let parent = index - 1;
      while (parent >= 0 && !covers(this.#prefixes[parent] as Uint8Array, bytes, 0, bytes.length)) {
        parent = parents[parent] as number;
      }
      parents.push(parent);
    }
    this.#parents = parents;
  }

  /** The item with the longest prefix that covers the key `bytes[start, end)`. */
  covering(bytes: Uint8Array, start: number, end: number): Item {
    let index = this.#lastNotAbove(bytes, start, end);
    while (!covers(this.#prefixes[index] as Uint8Array, bytes, start, end)) {
      index = this.#parents[index] as number;
    }
    return this.items[index] as Item;
  }

  coveringPrefix(prefix: string): Item {
    const bytes = Buffer.from(prefix);
    return this.covering(bytes, 0, bytes.length);
  }

  /** The item that would cover the keys of `items[index]` if it were not there; undefined of the empty prefix. */
  parentAt(index: number): Item | undefined {
    return this.items[this.#parents[index] as number];
  }

  #lastNotAbove(bytes: Uint8Array, start: number, end: number): number {
    let low = 0;
    let high = this.#prefixes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (compareLevels(this.#prefixes[middle] as Uint8Array, bytes, start, end) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function covers(prefix: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = prefix;
  if (length === 0) return true;
  if (end - start < length) return false;
  for (let i = 0; i < length; i++) if (prefix[i] !== bytes[start + i]) return false;
  return end - start === length || bytes[start + length] === SLASH;
}

function compareLevels(a: Uint8Array, b: Uint8Array, bStart: number, bEnd: number): number {
  const common = Math.min(a.length, bEnd - bStart);
  for (let i = 0; i < common; i++) {
    const ours = a[i] as number;
    const theirs = b[bStart + i] as number;
    if (ours !== theirs) return (ours === SLASH ? 0 : ours) - (theirs === SLASH ? 0 : theirs);
  }
  return a.length - (bEnd - bStart);
}
