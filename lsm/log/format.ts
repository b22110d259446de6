import assert from 'node:assert/strict';
import { writeU32 } from '../bytes.ts';
import { crc32c } from '../hash/crc32c.ts';
import type { HardState } from './types.ts';

/**
 * The bytes of the log: `lsm/FORMAT.md#log` draws them.
 *
 *     segment   | opening round | round | round | …
 *     round     | header | directory | records of group, records of group, … | zeros to 4,096 |
 */
export const formatVersion = 1;
export const roundAlignmentBytes = 4096;
export const logIdBytes = 8;

/** "DSSround" */
export const roundMagic = Uint8Array.of(0x44, 0x53, 0x53, 0x72, 0x6f, 0x75, 0x6e, 0x64);

/** Offsets in a round header. */
export const headerField = {
  magic: 0,
  checksum: 8,
  formatVersion: 12,
  kind: 13,
  flags: 14,
  logId: 16,
  number: 24,
  syncedRound: 32,
  segment: 40,
  length: 48,
  directoryLength: 52,
  directoryCount: 56,
  replicasChecksum: 60,
} as const;
export const headerBytes = 64;

export const roundKind = { opening: 1, ordinary: 2 } as const;
export const roundFlag = { replicasLost: 1 } as const;

/** Offsets in a directory entry. */
export const directoryField = {
  group: 0,
  flags: 4,
  replicaId: 8,
  term: 16,
  vote: 24,
  commit: 32,
  firstIndex: 40,
  lastIndex: 48,
  previousTerm: 56,
  logStartIndex: 64,
  logStartTerm: 72,
  recordsOffset: 80,
  recordsLength: 84,
  recordsChecksum: 88,
  configurationLength: 92,
  configurationChecksum: 96,
} as const;
export const directoryEntryBytes = 104;

export const directoryFlag = { suspect: 1, hasConfiguration: 2 } as const;

/** Offsets in a record. */
export const recordField = { term: 0, dataLength: 8, kind: 12 } as const;
export const recordHeaderBytes = 16;

/** Of a group's records in a round, from the checksum of each: every byte is looked at once. */
export function recordsChecksum(checksums: Uint32Array): number {
  let sum = 0;
  for (let ordinal = 0; ordinal < checksums.length; ordinal++) {
    writeU32(fourBytes, 0, checksums[ordinal] as number);
    sum = crc32c(fourBytes, 0, 4, sum);
  }
  return sum;
}

const fourBytes = new Uint8Array(4);

/** What a round says of itself, less the lengths, which follow from its content. */
export interface RoundHeader {
  readonly kind: 'opening' | 'ordinary';
  /** Once something that was a replica's only trace could not be read. */
  readonly replicasLost: boolean;
  readonly logId: Uint8Array;
  readonly number: number;
  readonly syncedRound: number;
  readonly segment: number;
  /** Of all groups that the log has once this round counts, with their replica ids. */
  readonly replicasChecksum: number;
}

/** What a round says of one group. The meaning of each field: `lsm/FORMAT.md#directory-entry`. */
export interface DirectoryEntry {
  readonly group: number;
  readonly suspect: boolean;
  readonly replicaId: number;
  readonly hardState: HardState;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly previousTerm: number;
  readonly logStart: { readonly index: number; readonly term: number };
  readonly configuration: Uint8Array | undefined;
  readonly configurationChecksum: number;
}

export function segmentFileName(segment: number): string {
  return `${String(segment).padStart(10, '0')}.log`;
}

/** The segment's number, or `undefined` if no segment has that name. */
export function parseSegmentFileName(name: string): number | undefined {
  return /^\d{10}\.log$/.test(name) ? Number(name.slice(0, 10)) : undefined;
}

/** A file that is no segment any more, and may become another. */
export function spareFileName(segment: number): string {
  return segmentFileName(segment).replace('.log', '.spare');
}

export function isSpareFileName(name: string): boolean {
  return /^\d{10}\.spare$/.test(name);
}

/** `length` rounded up to the next border at which a round may start. */
export function alignToRound(length: number): number {
  return Math.ceil(length / roundAlignmentBytes) * roundAlignmentBytes;
}

export function putU53(view: DataView, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `${value} is not a u53`);
  view.setUint32(offset, value % 0x1_0000_0000, true);
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true);
}

/** `NaN` for a number above 2^53 − 1, which our writer never makes. */
export function getU53(view: DataView, offset: number): number {
  const value = view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 0x1_0000_0000;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}
