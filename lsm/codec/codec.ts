/** Names for options; the numbers that stand in files are in `sstable/format.ts`. */
export type CodecName = 'lz4' | 'deflate' | 'none';

/** Compresses blocks. Both ways are synchronous: a block takes microseconds, less than a thread would cost. */
export interface BlockCodec {
  /** How many times longer than the compressed bytes the result can be at most: more is a lie. */
  readonly expansionMax: number;
  /** Gives bytes that say their raw length first, as u32. */
  compress(block: Uint8Array): Uint8Array;
  /** Takes what `compress` gave and throws whatever it likes when that is not what it is. */
  decompress(compressed: Uint8Array, rawLength: number): Uint8Array;
}
