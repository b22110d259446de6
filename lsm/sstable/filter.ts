import { murmur3 } from '../hash/murmur3.ts';

/**
 * Bloom filter over the series keys of a table. The k probes come from two hashes (Kirsch and Mitzenmacher,
 * *Less Hashing, Same Performance*, 2006).
 *
 *     bits, as many bytes as needed · probe count u8
 */
const FILTER_BITS_PER_KEY = 10;
/** ln 2 × bits per key, rounded down: the best for 10 bits is 6.9. */
const PROBES = 6;
const SEED_ONE = 0;
const SEED_TWO = 0x9747b28c;

/** Both hashes of a series key; computed once per lookup however many tables it asks. */
export interface SeriesHash {
  readonly first: number;
  readonly second: number;
}

export function hashSeries(key: Uint8Array, start: number, end: number): SeriesHash {
  return { first: murmur3(key, start, end, SEED_ONE), second: murmur3(key, start, end, SEED_TWO) };
}

export class FilterBuilder {
  readonly #hashes: number[] = [];

  add(key: Uint8Array, start: number, end: number): void {
    this.#hashes.push(murmur3(key, start, end, SEED_ONE), murmur3(key, start, end, SEED_TWO));
  }

  finish(): Uint8Array {
    const keyCount = this.#hashes.length / 2;
    const byteCount = Math.max(8, Math.ceil((keyCount * FILTER_BITS_PER_KEY) / 8));
    const filter = new Uint8Array(byteCount + 1);
    filter[byteCount] = PROBES;
    for (let i = 0; i < this.#hashes.length; i += 2) {
      let bit = this.#hashes[i] as number;
      const step = this.#hashes[i + 1] as number;
      for (let probe = 0; probe < PROBES; probe++) {
        const at = bit % (byteCount * 8);
        filter[at >>> 3] = (filter[at >>> 3] as number) | (1 << (at & 7));
        bit = (bit + step) >>> 0;
      }
    }
    return filter;
  }
}

/** False only when the series is certainly not in the table. A filter that makes no sense says "maybe". */
export function mayContain(filter: Uint8Array, hash: SeriesHash): boolean {
  const byteCount = filter.length - 1;
  const probes = filter[byteCount] ?? 0;
  if (byteCount < 1 || probes > 30) return true;
  let bit = hash.first;
  for (let probe = 0; probe < probes; probe++) {
    const at = bit % (byteCount * 8);
    if (((filter[at >>> 3] as number) & (1 << (at & 7))) === 0) return false;
    bit = (bit + hash.second) >>> 0;
  }
  return true;
}
