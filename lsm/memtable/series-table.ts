import { murmur3 } from '../hash/murmur3.ts';

/**
 * Finds the number of a series by its key without making a string of it: open addressing with linear
 * probing over numbers, the keys themselves staying in the arena. A slot has the hash beside the number, so that
 * a probe that goes past other series touches nothing else.
 */
export class SeriesTable {
  readonly #equals: SeriesEquals;
  #count = 0;
  /** Pairs: hash, series + 1 (0 for an empty slot). */
  #slots = new Int32Array(2 * FIRST_SLOTS);

  constructor(equals: SeriesEquals) {
    this.#equals = equals;
  }

  /** The number of the series with this key, or -1. */
  find(key: Uint8Array, start: number, end: number): number {
    const hash = murmur3(key, start, end, 0) | 0;
    return (this.#slots[this.#placeOf(hash, key, start, end) + 1] as number) - 1;
  }

  /** The number of the series with this key; a new one gets the next number, from 0 on. */
  findOrAdd(key: Uint8Array, start: number, end: number): number {
    const hash = murmur3(key, start, end, 0) | 0;
    const place = this.#placeOf(hash, key, start, end);
    const found = this.#slots[place + 1] as number;
    if (found !== 0) return found - 1;
    this.#slots[place] = hash;
    this.#slots[place + 1] = ++this.#count;
    if (this.#count * 4 > this.#slots.length) this.#grow();
    return this.#count - 1;
  }

  get sizeBytes(): number {
    return this.#slots.byteLength;
  }

  #placeOf(hash: number, key: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let place = (hash << 1) & mask; ; place = (place + 2) & mask) {
      const entry = slots[place + 1] as number;
      if (entry === 0) return place;
      if (slots[place] === hash && this.#equals(entry - 1, key, start, end)) return place;
    }
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Int32Array(old.length * 2);
    const mask = slots.length - 1;
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] === 0) continue;
      let place = ((old[at] as number) << 1) & mask;
      while (slots[place + 1] !== 0) place = (place + 2) & mask;
      slots[place] = old[at] as number;
      slots[place + 1] = old[at + 1] as number;
    }
    this.#slots = slots;
  }
}

type SeriesEquals = (series: number, key: Uint8Array, start: number, end: number) => boolean;

const FIRST_SLOTS = 64;
