import { createRequire } from 'node:module';

/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes[start, end)` as an unsigned 32-bit integer.
 * `seed` is the value returned for the bytes before these: `crc32c(b, 0, 9) === crc32c(b, 4, 9, crc32c(b, 0, 4))`.
 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  if (native !== undefined && end - start > NATIVE_BYTES_MIN) {
    const range = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    return native(range, seed);
  }
  return crc32cPortable(bytes, start, end, seed);
}

/** The same without the native library, which is optional: eight bytes per step through eight tables. */
export function crc32cPortable(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
): number {
  let crc = ~seed;
  let at = start;
  for (const eightBytesEnd = end - 7; at < eightBytesEnd; at += 8) {
    crc ^=
      byte(bytes, at) |
      (byte(bytes, at + 1) << 8) |
      (byte(bytes, at + 2) << 16) |
      (byte(bytes, at + 3) << 24);
    crc =
      entry(1792, crc & 0xff) ^
      entry(1536, (crc >>> 8) & 0xff) ^
      entry(1280, (crc >>> 16) & 0xff) ^
      entry(1024, crc >>> 24) ^
      entry(768, byte(bytes, at + 4)) ^
      entry(512, byte(bytes, at + 5)) ^
      entry(256, byte(bytes, at + 6)) ^
      entry(0, byte(bytes, at + 7));
  }
  for (; at < end; at++) crc = entry(0, (crc ^ byte(bytes, at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Below this a call across the native border costs more than it saves. */
const NATIVE_BYTES_MIN = 256;

const REVERSED_POLYNOMIAL = 0x82f63b78;

/** Table `k` starts at 256 × k: the CRC of a byte that is followed by k zero bytes. */
const tables = buildTables();

function buildTables(): Int32Array {
  const built = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ REVERSED_POLYNOMIAL : crc >>> 1;
    built[value] = crc;
  }
  for (let at = 256; at < built.length; at++) {
    const shorter = built[at - 256] as number;
    built[at] = (built[shorter & 0xff] as number) ^ (shorter >>> 8);
  }
  return built;
}

function entry(table: number, value: number): number {
  return tables[table + value] as number;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

const native = loadNative();

function loadNative(): ((bytes: Uint8Array, seed: number) => number) | undefined {
  try {
    return createRequire(import.meta.url)('@node-rs/crc32').crc32c;
  } catch {
    return undefined;
  }
}
