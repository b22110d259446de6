import { readU32 } from '../bytes.ts';
import { corruption } from '../corruption.ts';
import { ByteReader } from '../encoding.ts';
import { LsmError } from '../errors.ts';
import { crc32c } from '../hash/crc32c.ts';
import {
  MANIFEST_FORMAT_VERSION,
  MANIFEST_HEADER_BYTES,
  MANIFEST_MAGIC,
  RECORD_HEADER_BYTES,
  RECORD_MAGIC,
} from './manifest-format.ts';
import { decodeEdit, type VersionEdit } from './version-edit.ts';

export interface ManifestContent {
  /** Without a gap from the first one on, which holds everything up to then. */
  readonly edits: readonly VersionEdit[];
  /**
   * - `clean`: the file ends with the last edit.
   * - `torn`: something follows that was never synced, or was the last synced one and is damaged.
   * - `damaged`: sound edits follow bad bytes; as edits are synced one by one, a synced one is lost.
   */
  readonly end: 'clean' | 'torn' | 'damaged';
  readonly endOffset: number;
  /** Sound edits behind the damage: they cannot be applied, but tell how far things had gone. */
  readonly stray: readonly VersionEdit[];
}

/**
 * What a manifest says; `undefined` when its header or first edit is not whole, as after a crash in its
 * making. Throws FORMAT_TOO_NEW and nothing else.
 */
export function readManifest(bytes: Uint8Array, file: string): ManifestContent | undefined {
  if (!isHeaderSound(bytes, file)) return undefined;
  const edits: VersionEdit[] = [];
  let at = MANIFEST_HEADER_BYTES;
  for (;;) {
    const record = readRecord(bytes, at, file);
    if (record === undefined || record.editNumber !== edits.length) break;
    edits.push(record.edit);
    at = record.end;
  }
  if (edits.length === 0) return undefined;
  if (at === bytes.length) return { edits, end: 'clean', endOffset: at, stray: [] };
  const stray = findStray(bytes, at + 1, file, edits.length);
  return { edits, end: stray.length > 0 ? 'damaged' : 'torn', endOffset: at, stray };
}

function isHeaderSound(bytes: Uint8Array, file: string): boolean {
  if (bytes.length < MANIFEST_HEADER_BYTES) return false;
  if (MANIFEST_MAGIC.some((byte, i) => bytes[i] !== byte)) return false;
  if (readU32(bytes, 12) !== crc32c(bytes, 0, 12)) return false;
  const version = readU32(bytes, 8);
  if (version === MANIFEST_FORMAT_VERSION) return true;
  throw new LsmError('FORMAT_TOO_NEW', `${file} has manifest format ${version}, newer than ours`);
}

interface ManifestRecord {
  readonly editNumber: number;
  readonly edit: VersionEdit;
  readonly end: number;
}

/** The record at `at`, or `undefined` when there is no sound one. */
function readRecord(bytes: Uint8Array, at: number, file: string): ManifestRecord | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined;
  if (readU32(bytes, at) !== RECORD_MAGIC) return undefined;
  const end = at + RECORD_HEADER_BYTES + readU32(bytes, at + 8);
  if (end > bytes.length || readU32(bytes, at + 4) !== crc32c(bytes, at + 8, end)) return undefined;
  const malformed = (reason: string) => corruption(file, at, reason, 'other bytes');
  const payload = bytes.subarray(at + RECORD_HEADER_BYTES, end);
  try {
    const reader = new ByteReader(payload, (_, reason) => malformed(reason));
    return { editNumber: reader.varint(), edit: decodeEdit(reader, malformed), end };
  } catch (error) {
    if (error instanceof LsmError && error.code === 'FORMAT_TOO_NEW') throw error;
    return undefined;
  }
}

function findStray(bytes: Uint8Array, from: number, file: string, least: number): VersionEdit[] {
  const found: VersionEdit[] = [];
  // Bytes that only look like many long records must not keep us: each try costs what it reads.
  let budget = SEARCH_BYTES_MAX;
  let at = from;
  while (at + RECORD_HEADER_BYTES <= bytes.length && budget > 0) {
    if (readU32(bytes, at) !== RECORD_MAGIC) {
      at++;
      continue;
    }
    budget -= Math.min(readU32(bytes, at + 8), bytes.length - at);
    const record = readRecord(bytes, at, file);
    if (record !== undefined && record.editNumber >= least) found.push(record.edit);
    at = record?.end ?? at + 1;
  }
  return found;
}

const SEARCH_BYTES_MAX = 64 * 1024 * 1024;
