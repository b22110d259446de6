import { murmur3 } from '../hash/murmur3.ts';

/**
 * Finds the number of a series by its key without making a string of it: open addressing with linear
 * probing over numbers, the keys themselves staying in the arena.
 */
export class SeriesTable {
  readonly #equals: SeriesEquals;
  readonly #hashes: number[] = [];
  #slots = new Int32Array(64).fill(EMPTY);

  constructor(equals: SeriesEquals) {
    this.#equals = equals;
  }

  /** The number of the series with this key, or -1. */
  find(key: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slotOf(hashOf(key, start, end), key, start, end)] as number;
  }

  /** The number of the series with this key; a new one gets the next number, from 0 on. */
  findOrAdd(key: Uint8Array, start: number, end: number): number {
    const hash = hashOf(key, start, end);
    const slot = this.#slotOf(hash, key, start, end);
    const found = this.#slots[slot] as number;
    if (found !== EMPTY) return found;
    const series = this.#hashes.length;
    this.#slots[slot] = series;
    this.#hashes.push(hash);
    if (this.#hashes.length * 2 > this.#slots.length) this.#grow();
    return series;
  }

  #slotOf(hash: number, key: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const series = slots[slot] as number;
      if (series === EMPTY) return slot;
      if (this.#hashes[series] === hash && this.#equals(series, key, start, end)) return slot;
    }
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
    const mask = slots.length - 1;
    for (let series = 0; series < this.#hashes.length; series++) {
      let slot = (this.#hashes[series] as number) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = series;
    }
    this.#slots = slots;
  }
}

type SeriesEquals = (series: number, key: Uint8Array, start: number, end: number) => boolean;

function hashOf(key: Uint8Array, start: number, end: number): number {
  return murmur3(key, start, end, 0);
}

const EMPTY = -1;
