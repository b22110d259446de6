import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { readU32, writeU32 } from '../bytes.ts';
import type { BlockCodec } from './codec.ts';

/**
 * Raw deflate (RFC 1951) behind the raw length. It is part of Node, so a table that has it can be read anywhere;
 * it packs better than LZ4 and costs several times as much.
 */
export const deflate: BlockCodec = {
  expansionMax: 1032,

  compress(block) {
    const packed = deflateRawSync(block, { level: 1 });
    const compressed = new Uint8Array(4 + packed.length);
    writeU32(compressed, 0, block.length);
    compressed.set(packed, 4);
    return compressed;
  },

  decompress(compressed, rawLength) {
    const options = { maxOutputLength: Math.max(1, rawLength) };
    const raw = inflateRawSync(compressed.subarray(4), options);
    return new Uint8Array(raw.buffer, raw.byteOffset, raw.length);
  },
};

/** What compressed bytes claim to become. */
export function claimedLength(compressed: Uint8Array): number | undefined {
  return compressed.length < 4 ? undefined : readU32(compressed, 0);
}
