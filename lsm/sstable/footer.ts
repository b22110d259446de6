import { readU32, writeU32 } from '../bytes.ts';
import { corruption } from '../corruption.ts';
import { LsmError } from '../errors.ts';
import { crc32c } from '../hash/crc32c.ts';
import { type BlockHandle, TABLE_FORMAT_VERSION, TABLE_MAGIC } from './format.ts';

/**
 * The end of a table:
 *
 *     filter, keyFilter, topIndex, properties: offset u64 · length u32 each     48
 *     version u32                                                               4
 *     crc32c u32 of everything above                                            4
 *     magic "DSSTABLE"                                                          8
 *
 * It is so long and has version, checksum and magic in these places in every version of the format.
 */
export const FOOTER_BYTES = 64;
const VERSION_AT = 48;
const CRC_AT = 52;
const MAGIC_AT = 56;

export interface Footer {
  /** Over series keys. */
  readonly filter: BlockHandle;
  /** Over whole keys; of length 0 when there is none. */
  readonly keyFilter: BlockHandle;
  readonly topIndex: BlockHandle;
  readonly properties: BlockHandle;
}

export function encodeFooter(footer: Footer): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  [footer.filter, footer.keyFilter, footer.topIndex, footer.properties].forEach((handle, i) => {
    writeU32(bytes, i * 12, handle.offset % 2 ** 32);
    writeU32(bytes, i * 12 + 4, Math.floor(handle.offset / 2 ** 32));
    writeU32(bytes, i * 12 + 8, handle.length);
  });
  writeU32(bytes, VERSION_AT, TABLE_FORMAT_VERSION);
  writeU32(bytes, CRC_AT, crc32c(bytes, 0, CRC_AT));
  bytes.set(TABLE_MAGIC, MAGIC_AT);
  return bytes;
}

/** `bytes` is the end of the file; `offset` says where in it they begin. */
export function decodeFooter(bytes: Uint8Array, file: string, offset: number): Footer {
  if (bytes.length !== FOOTER_BYTES) {
    throw corruption(file, offset, `a footer of ${FOOTER_BYTES} bytes`, `${bytes.length} bytes`);
  }
  if (TABLE_MAGIC.some((byte, i) => bytes[MAGIC_AT + i] !== byte)) {
    throw corruption(file, offset + MAGIC_AT, 'the magic of a table', 'other bytes');
  }
  const version = readU32(bytes, VERSION_AT);
  const expected = readU32(bytes, CRC_AT);
  const got = crc32c(bytes, 0, CRC_AT);
  if (expected !== got) throw corruption(file, offset, `checksum ${expected}`, got);
  if (version !== TABLE_FORMAT_VERSION) {
    throw new LsmError('FORMAT_TOO_NEW', `${file} has table format ${version}, newer than ours`);
  }
  return {
    filter: decodeHandle(bytes, 0),
    keyFilter: decodeHandle(bytes, 12),
    topIndex: decodeHandle(bytes, 24),
    properties: decodeHandle(bytes, 36),
  };
}

function decodeHandle(bytes: Uint8Array, at: number): BlockHandle {
  return {
    offset: readU32(bytes, at) + readU32(bytes, at + 4) * 2 ** 32,
    length: readU32(bytes, at + 8),
  };
}
