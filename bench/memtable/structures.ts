import { compareBytes } from '../../lsm/bytes.ts';
import { NO_BYTES } from '../../lsm/iterator/cursor.ts';
import { MergingCursor } from '../../lsm/iterator/merging-cursor.ts';
import { Memtable } from '../../lsm/memtable/memtable.ts';

/** What a memtable could be made of: entries go in one by one and come out sorted once, when it is flushed. */
export interface Structure {
  readonly name: string;
  readonly make: () => Candidate;
}

interface Candidate {
  put(key: Uint8Array, value: Uint8Array): void;
  /** Visits all in order and returns how many there were. */
  drain(): number;
}

export const structures: readonly Structure[] = [
  {
    name: 'ours: hash, sorted on demand',
    make: () => ourMemtable(0),
  },
  { name: 'ours with series of 8-byte times', make: () => ourMemtable(8) },
  { name: 'Map of strings, sorted at the end', make: () => new MapOfStrings() },
  { name: 'skip list of objects', make: () => new ObjectSkipList() },
  { name: 'skip list in typed arrays', make: () => new ArraySkipList() },
];

function ourMemtable(suffixBytes: number): Candidate {
  const memtable = new Memtable(1, suffixBytes);
  let seq = 0;
  return {
    put: (key, value) => {
      memtable.put(key, 0, key.length, value, 0, value.length, ++seq);
    },
    drain: () => {
      const cursor = new MergingCursor(memtable.cursors(seq));
      let count = 0;
      // Over memory every move is synchronous.
      for (void cursor.seek(NO_BYTES); cursor.valid; void cursor.next()) count++;
      return count;
    },
  };
}

class MapOfStrings implements Candidate {
  readonly #values = new Map<string, Uint8Array>();

  put(key: Uint8Array, value: Uint8Array): void {
    const { buffer, byteOffset, length } = key;
    this.#values.set(Buffer.from(buffer, byteOffset, length).toString('latin1'), value.slice());
  }

  drain(): number {
    return [...this.#values.keys()].sort().length;
  }
}

const LEVELS = 12;

/** Pugh, *Skip Lists* (1990), with one object for each entry, as one would write it. */
class ObjectSkipList implements Candidate {
  readonly #head: SkipNode = { key: NO_BYTES, value: NO_BYTES, next: Array(LEVELS).fill(null) };
  readonly #random = new Coin();

  put(key: Uint8Array, value: Uint8Array): void {
    const before: SkipNode[] = [];
    let node = this.#head;
    for (let level = LEVELS - 1; level >= 0; level--) {
      for (let next = node.next[level]; next; next = node.next[level]) {
        if (compareBytes(next.key, key) >= 0) break;
        node = next;
      }
      before[level] = node;
    }
    const height = this.#random.height();
    const added: SkipNode = { key: key.slice(), value: value.slice(), next: [] };
    for (let level = 0; level < height; level++) {
      const previous = before[level] as SkipNode;
      added.next[level] = previous.next[level] ?? null;
      previous.next[level] = added;
    }
  }

  drain(): number {
    let count = 0;
    for (let node = this.#head.next[0]; node; node = node.next[0]) count++;
    return count;
  }
}

interface SkipNode {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly next: (SkipNode | null)[];
}

/** The same with links as numbers and all keys in one buffer, so that the collector has nothing to follow. */
class ArraySkipList implements Candidate {
  #links = new Int32Array(1 << 22);
  #keyEnds = new Int32Array(1 << 19);
  #keys = new Uint8Array(1 << 24);
  #values = new Uint8Array(1 << 24);
  #keyBytes = 0;
  #valueBytes = 0;
  #count = 0;
  readonly #before = new Int32Array(LEVELS);
  readonly #random = new Coin();

  put(key: Uint8Array, value: Uint8Array): void {
    const links = this.#links;
    let node = 0;
    for (let level = LEVELS - 1; level >= 0; level--) {
      for (;;) {
        const next = links[node * LEVELS + level] as number;
        if (next === 0 || this.#compare(next, key) >= 0) break;
        node = next;
      }
      this.#before[level] = node;
    }
    const added = ++this.#count;
    this.#keys.set(key, this.#keyBytes);
    this.#keyBytes += key.length;
    this.#keyEnds[added] = this.#keyBytes;
    this.#values.set(value, this.#valueBytes);
    this.#valueBytes += value.length;
    const height = this.#random.height();
    for (let level = 0; level < height; level++) {
      const previous = (this.#before[level] as number) * LEVELS + level;
      links[added * LEVELS + level] = links[previous] as number;
      links[previous] = added;
    }
  }

  drain(): number {
    let count = 0;
    for (let node = this.#links[0] as number; node !== 0; count++) {
      node = this.#links[node * LEVELS] as number;
    }
    return count;
  }

  #compare(node: number, key: Uint8Array): number {
    const keys = this.#keys;
    const start = this.#keyEnds[node - 1] as number;
    const length = (this.#keyEnds[node] as number) - start;
    const common = Math.min(length, key.length);
    for (let i = 0; i < common; i++) {
      const difference = (keys[start + i] as number) - (key[i] as number);
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }
}

/** Heights with one half for each further level, the same on every run. */
class Coin {
  #state = 1;

  height(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return Math.min(LEVELS, 1 + Math.clz32(this.#state >>> 0));
  }
}
