import { murmur3 } from '../hash/murmur3.ts';

/**
 * Bloom filter over keys. The probes come from one hash and its rotation (Kirsch and Mitzenmacher, *Less Hashing,
 * Same Performance*, 2006; the rotation is LevelDB's).
 *
 *     bits, as many bytes as needed · probe count u8
 */
const FILTER_BITS_PER_KEY = 10;
/** ln 2 × bits per key, rounded down: the best for 10 bits is 6.9. */
const PROBES = 6;

/** Of a series key or of a whole key; computed once per lookup however many tables it asks. */
export function hashKey(key: Uint8Array, start: number, end: number): number {
  return murmur3(key, start, end, 0);
}

/** Between two probes; odd, so that it is not 0. */
function stepOf(hash: number): number {
  return ((hash >>> 17) | (hash << 15) | 1) >>> 0;
}

/** Gathers hashes: four bytes for each key. */
export class FilterBuilder {
  #hashes = new Uint32Array(1024);
  #count = 0;

  /** Each key once. */
  add(key: Uint8Array, start: number, end: number): void {
    if (this.#count === this.#hashes.length) {
      const grown = new Uint32Array(this.#count * 2);
      grown.set(this.#hashes);
      this.#hashes = grown;
    }
    this.#hashes[this.#count++] = hashKey(key, start, end);
  }

  finish(): Uint8Array {
    const byteCount = Math.max(8, Math.ceil((this.#count * FILTER_BITS_PER_KEY) / 8));
    const bitCount = (byteCount * 8) >>> 0;
    const filter = new Uint8Array(byteCount + 1);
    filter[byteCount] = PROBES;
    for (let i = 0; i < this.#count; i++) {
      let bit = this.#hashes[i] as number;
      const step = stepOf(bit);
      for (let probe = 0; probe < PROBES; probe++) {
        const at = bit % bitCount;
        filter[at >>> 3] = (filter[at >>> 3] as number) | (1 << (at & 7));
        bit = (bit + step) >>> 0;
      }
    }
    return filter;
  }
}

/** False only when the key is certainly not in the table. A filter that makes no sense says "maybe". */
export function mayContain(filter: Uint8Array, hash: number): boolean {
  const byteCount = filter.length - 1;
  const probes = filter[byteCount] ?? 0;
  if (byteCount < 1 || probes > 30) return true;
  // Said to be unsigned integers of 32 bits, they are divided as such, which is much cheaper than as doubles.
  const bitCount = (byteCount * 8) >>> 0;
  let bit = hash >>> 0;
  const step = stepOf(hash);
  for (let probe = 0; probe < probes; probe++) {
    const at = bit % bitCount;
    if (((filter[at >>> 3] as number) & (1 << (at & 7))) === 0) return false;
    bit = (bit + step) >>> 0;
  }
  return true;
}
