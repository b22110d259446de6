import { readU32, writeU32 } from '../bytes.ts';
import { crc32c } from '../hash/crc32c.ts';

/**
 * The bytes of the write-ahead log: `lsm/FORMAT.md#write-ahead-log` draws them.
 *
 *     file    | header | zeros to 4,096 | record | record | zeros to 4,096 | record | … | zeros
 *     record  | header 32 | payload |
 */
export const formatVersion = 1;
/** Where the first record begins, and what the one after a synced record is aligned to: what disks write whole. */
export const alignmentBytes = 4096;
export const fileHeaderBytes = 40;
export const recordHeaderBytes = 32;
/** Larger ones could not be read back in one piece everywhere. */
export const payloadBytesMax = 1024 * 1024 * 1024;

/** "DSSWALOG" */
const fileMagic = Uint8Array.of(0x44, 0x53, 0x53, 0x57, 0x41, 0x4c, 0x4f, 0x47);
/** 0xd5 is in no UTF-8 text: a search for the first byte is rarely disappointed. */
export const recordMarker = Uint8Array.of(0xd5, 0x57, 0x41, 0x4c);
const recordMarkerU32 = readU32(recordMarker, 0);

const fileField = {
  checksum: 8,
  formatVersion: 12,
  fileNumber: 16,
  firstRecord: 24,
  syncedRecord: 32,
} as const;

const recordField = {
  checksum: 4,
  payloadLength: 8,
  payloadChecksum: 12,
  number: 16,
  syncedRecord: 24,
} as const;

export interface FileHeader {
  readonly fileNumber: number;
  /** The number of the first record that this file gets. Older files' records from it on are void. */
  readonly firstRecord: number;
  /** The last record known to be synced when this was written; 0 for none. */
  readonly syncedRecord: number;
}

export interface RecordHeader {
  readonly number: number;
  readonly syncedRecord: number;
}

export function encodeFileHeader(header: FileHeader): Uint8Array {
  const bytes = new Uint8Array(alignmentBytes);
  bytes.set(fileMagic);
  writeU32(bytes, fileField.formatVersion, formatVersion);
  writeU53(bytes, fileField.fileNumber, header.fileNumber);
  writeU53(bytes, fileField.firstRecord, header.firstRecord);
  writeU53(bytes, fileField.syncedRecord, header.syncedRecord);
  const checksum = crc32c(bytes, fileField.formatVersion, fileHeaderBytes);
  writeU32(bytes, fileField.checksum, checksum);
  return bytes;
}

/** `undefined` for bytes that are not the header of this file; 'too-new' for one of a later version. */
export function decodeFileHeader(
  bytes: Uint8Array,
  fileNumber: number,
): FileHeader | 'too-new' | undefined {
  if (bytes.length < fileHeaderBytes) return undefined;
  if (!fileMagic.every((byte, at) => bytes[at] === byte)) return undefined;
  const checksum = crc32c(bytes, fileField.formatVersion, fileHeaderBytes);
  if (readU32(bytes, fileField.checksum) !== checksum) return undefined;
  if (readU32(bytes, fileField.formatVersion) > formatVersion) return 'too-new';
  const firstRecord = readU53(bytes, fileField.firstRecord);
  const syncedRecord = readU53(bytes, fileField.syncedRecord);
  const isOurs = readU53(bytes, fileField.fileNumber) === fileNumber;
  if (!isOurs || firstRecord === undefined || syncedRecord === undefined) return undefined;
  return { fileNumber, firstRecord, syncedRecord };
}

/** Fills in the header before a payload that is already in its place. */
export function encodeRecordHeader(
  bytes: Uint8Array,
  at: number,
  payloadLength: number,
  header: RecordHeader,
  fileSeed: number,
): void {
  const payloadAt = at + recordHeaderBytes;
  const payloadChecksum = crc32c(bytes, payloadAt, payloadAt + payloadLength);
  writeU32(bytes, at, recordMarkerU32);
  writeU32(bytes, at + recordField.payloadLength, payloadLength);
  writeU32(bytes, at + recordField.payloadChecksum, payloadChecksum);
  writeU53(bytes, at + recordField.number, header.number);
  writeU53(bytes, at + recordField.syncedRecord, header.syncedRecord);
  writeU32(bytes, at + recordField.checksum, headerChecksum(bytes, at, fileSeed));
}

export function isRecordHeader(bytes: Uint8Array, at: number, fileSeed: number): boolean {
  return (
    at + recordHeaderBytes <= bytes.length &&
    readU32(bytes, at) === recordMarkerU32 &&
    readU32(bytes, at + recordField.checksum) === headerChecksum(bytes, at, fileSeed) &&
    readU53(bytes, at + recordField.number) !== undefined &&
    readU53(bytes, at + recordField.syncedRecord) !== undefined
  );
}

/** The following three read a header for which `isRecordHeader` holds. */
export function decodeRecordHeader(bytes: Uint8Array, at: number): RecordHeader {
  const number = readU53(bytes, at + recordField.number) ?? 0;
  const syncedRecord = readU53(bytes, at + recordField.syncedRecord) ?? 0;
  return { number, syncedRecord };
}

export function payloadLength(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + recordField.payloadLength);
}

export function payloadChecksum(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + recordField.payloadChecksum);
}

/** What the checksum of every record header of a file begins with, so that no other file's is taken for one. */
export function fileSeed(fileNumber: number): number {
  const bytes = new Uint8Array(8);
  writeU53(bytes, 0, fileNumber);
  return crc32c(bytes);
}

function headerChecksum(bytes: Uint8Array, at: number, fileSeed: number): number {
  return crc32c(bytes, at + recordField.payloadLength, at + recordHeaderBytes, fileSeed);
}

export function align(position: number): number {
  return Math.ceil(position / alignmentBytes) * alignmentBytes;
}

export function walFileName(fileNumber: number): string {
  return `${`${fileNumber}`.padStart(10, '0')}.wal`;
}

export function parseWalFileName(name: string): number | undefined {
  return /^\d{10}\.wal$/.test(name) ? Number(name.slice(0, 10)) : undefined;
}

function writeU53(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value);
  writeU32(bytes, at + 4, Math.floor(value / 2 ** 32));
}

/** `undefined` for more than 53 bits. */
function readU53(bytes: Uint8Array, at: number): number | undefined {
  const value = readU32(bytes, at) + readU32(bytes, at + 4) * 2 ** 32;
  return Number.isSafeInteger(value) ? value : undefined;
}
