import { corruption } from '../corruption.ts';
import { LsmError } from '../errors.ts';
import { Codec } from '../sstable/format.ts';
import type { BlockCodec, CodecName } from './codec.ts';
import { claimedLength, deflate } from './deflate.ts';
import { lz4 } from './lz4.ts';

export type { CodecName };

/** A block that claims to be longer is refused before memory is taken for it. */
const RAW_BLOCK_BYTES_MAX = 64 * 1024 * 1024;

/** LZ4 where its library is installed, else deflate. */
export function defaultCodec(): CodecName {
  return lz4 === undefined ? 'deflate' : 'lz4';
}

export interface Encoded {
  readonly bytes: Uint8Array;
  /** Of `Codec`. */
  readonly codec: number;
}

/** The block as it is stored: as it is when compressing saves less than an eighth. */
export function encodeBlock(block: Uint8Array, name: CodecName): Encoded {
  if (name === 'none' || block.length > RAW_BLOCK_BYTES_MAX) {
    return { bytes: block, codec: Codec.none };
  }
  const bytes = codecOf(Codec[name]).compress(block);
  if (bytes.length > block.length - (block.length >>> 3)) {
    return { bytes: block, codec: Codec.none };
  }
  return { bytes, codec: Codec[name] };
}

/** The block out of its stored bytes, whose checksum was right. `file` and `offset` are for errors. */
export function decodeBlock(
  stored: Uint8Array,
  codec: number,
  file: string,
  offset: number,
): Uint8Array {
  if (codec === Codec.none) return stored;
  if (codec > Codec.deflate) {
    throw new LsmError(
      'FORMAT_TOO_NEW',
      `${file} has a block with codec ${codec}, newer than ours`,
    );
  }
  const { expansionMax, decompress } = codecOf(codec, file);
  const rawLength = claimedLength(stored);
  const bound = Math.min(RAW_BLOCK_BYTES_MAX, stored.length * expansionMax);
  if (rawLength === undefined || rawLength > bound) {
    throw corruption(file, offset, `a block of at most ${bound} bytes`, rawLength ?? 'none');
  }
  const raw = decompressed(decompress, stored, rawLength);
  if (raw?.length !== rawLength) {
    throw corruption(file, offset, `${rawLength} bytes when decompressed`, raw?.length ?? 'none');
  }
  return raw;
}

function decompressed(
  decompress: BlockCodec['decompress'],
  stored: Uint8Array,
  rawLength: number,
): Uint8Array | undefined {
  try {
    return decompress(stored, rawLength);
  } catch {
    return undefined;
  }
}

function codecOf(codec: number, file = 'a table'): BlockCodec {
  if (codec === Codec.deflate) return deflate;
  if (lz4 !== undefined) return lz4;
  throw new LsmError(
    'CODEC_MISSING',
    `${file} is compressed with LZ4, whose library is not installed here: npm install lz4-napi`,
  );
}
