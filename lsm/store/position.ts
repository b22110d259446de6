import { readU32, writeU32 } from '../bytes.ts';
import { LsmError } from '../errors.ts';

/** Where a store is in its log. */
export interface Position {
  /** The last record that the engine has. Invariant: the engine has all of it and nothing of the next. */
  applied: number;
  readonly suffixBytes: number;
}

/**
 * The position as the manifest keeps it (FORMAT.md, Operations):
 *
 *     record u53       the last record of the log that is in the tables
 *     suffix u32       what `seriesSuffixBytes` was: the filters in the tables are made for it
 */
const POSITIONS_BYTES = 12;

export function encodePosition({ applied, suffixBytes }: Position): Uint8Array {
  const bytes = new Uint8Array(POSITIONS_BYTES);
  writeU32(bytes, 0, applied);
  writeU32(bytes, 4, Math.floor(applied / 2 ** 32));
  writeU32(bytes, 8, suffixBytes);
  return bytes;
}

/** Of no positions: that no record is in tables. */
export function recordIn(positions: Uint8Array | undefined): number {
  return positions === undefined ? 0 : readU32(positions, 0) + readU32(positions, 4) * 2 ** 32;
}

/** Lookups with another suffix than that of the filters would miss what is there. */
export function checkPositions(positions: Uint8Array | undefined, suffixBytes: number): void {
  if (positions === undefined) return;
  if (positions.length !== POSITIONS_BYTES || !Number.isSafeInteger(recordIn(positions))) {
    const message =
      'the tables were not written by a store: their positions are not those of its log';
    throw new LsmError('FORMAT_TOO_NEW', message);
  }
  const found = readU32(positions, 8);
  if (found !== suffixBytes) {
    const message = `the store was made with seriesSuffixBytes ${found}, not ${suffixBytes}`;
    throw new LsmError('STORE_DIFFERS', message);
  }
}
