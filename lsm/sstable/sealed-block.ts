import { readU32, writeU32 } from '../bytes.ts';
import type { CodecName } from '../codec/codec.ts';
import { decodeBlock, encodeBlock } from '../codec/codecs.ts';
import { corruption } from '../corruption.ts';
import { ByteWriter } from '../encoding.ts';
import { crc32c } from '../hash/crc32c.ts';
import { BLOCK_TRAILER_BYTES } from './format.ts';

/**
 * A block as it stands in a file, which is also how it is sent elsewhere:
 *
 *     stored bytes · codec u8 · crc32c u32 of stored bytes and codec
 */
export function sealBlock(block: Uint8Array, codec: CodecName): Uint8Array {
  const writer = new ByteWriter(block.length + BLOCK_TRAILER_BYTES);
  appendSealed(writer, block, codec);
  return writer.written;
}

/** Returns the length of the stored bytes, without the trailer. */
export function appendSealed(writer: ByteWriter, block: Uint8Array, codec: CodecName): number {
  const stored = encodeBlock(block, codec);
  const length = stored.bytes.length;
  const trailer = new Uint8Array(BLOCK_TRAILER_BYTES);
  trailer[0] = stored.codec;
  writeU32(trailer, 1, crc32c(trailer, 0, 1, crc32c(stored.bytes)));
  writer.range(stored.bytes, 0, length);
  writer.range(trailer, 0, BLOCK_TRAILER_BYTES);
  return length;
}

/**
 * The block in sealed bytes. Fails with CORRUPTION, FORMAT_TOO_NEW or CODEC_MISSING, naming `file` and `offset`.
 * What it returns may be a view of `sealed`.
 */
export function openSealed(sealed: Uint8Array, file: string, offset: number): Uint8Array {
  const length = sealed.length - BLOCK_TRAILER_BYTES;
  if (length < 0)
    throw corruption(file, offset, 'a block with a trailer', `${sealed.length} bytes`);
  const expected = readU32(sealed, length + 1);
  const got = crc32c(sealed, 0, length + 1);
  if (expected !== got) throw corruption(file, offset, `checksum ${expected}`, got);
  return decodeBlock(sealed.subarray(0, length), sealed[length] as number, file, offset);
}
