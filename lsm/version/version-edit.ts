import type { ByteReader, ByteWriter } from '../encoding.ts';
import { LsmError } from '../errors.ts';
import { decodeProperties, encodeProperties } from '../sstable/table-meta.ts';
import { LEVEL_COUNT, type PlacedTable, Version } from './version.ts';

/** All that the manifest knows. */
export interface EngineState {
  readonly version: Version;
  /** No file with this number or a higher one is in use. */
  readonly nextFileNumber: number;
  /** Highest sequence number in the tables. */
  readonly lastSeq: number;
  /** Noted when the newest flushed memtable was frozen. */
  readonly positions: Uint8Array | undefined;
  /** What was found without a manifest to be believed, and nobody has seen to it yet. */
  readonly isRebuilt: boolean;
}

/** One step from a state to the next; what is absent stays. */
export interface VersionEdit {
  readonly added?: readonly PlacedTable[];
  /** File numbers. A table that changes its level is removed and added in one edit. */
  readonly removed?: readonly number[];
  readonly nextFileNumber?: number;
  readonly lastSeq?: number;
  readonly positions?: Uint8Array;
  readonly isRebuilt?: boolean;
}

export const EMPTY_STATE: EngineState = {
  version: Version.empty,
  nextFileNumber: 1,
  lastSeq: 0,
  positions: undefined,
  isRebuilt: false,
};

export function applyEdit(state: EngineState, edit: VersionEdit): EngineState {
  return {
    version: state.version.apply(edit.added ?? [], new Set(edit.removed)),
    nextFileNumber: Math.max(state.nextFileNumber, edit.nextFileNumber ?? 0),
    lastSeq: Math.max(state.lastSeq, edit.lastSeq ?? 0),
    positions: edit.positions ?? state.positions,
    isRebuilt: edit.isRebuilt ?? state.isRebuilt,
  };
}

/** Such an edit only says that those before it are synced. */
export function isEmptyEdit({ added, removed, ...fields }: VersionEdit): boolean {
  const isSame = (added?.length ?? 0) === 0 && (removed?.length ?? 0) === 0;
  return isSame && Object.keys(fields).length === 0;
}

/** The edit that leads from nothing to `state`. */
export function snapshotEdit(state: EngineState): VersionEdit {
  const { nextFileNumber, lastSeq, positions, isRebuilt } = state;
  const added = state.version.placedTables();
  const noted = positions === undefined ? {} : { positions };
  return { added, nextFileNumber, lastSeq, ...noted, ...(isRebuilt ? { isRebuilt } : {}) };
}

/** Fields with a tag each, in any order (FORMAT.md, Manifest). */
const Tag = {
  nextFileNumber: 1,
  lastSeq: 2,
  positions: 3,
  added: 4,
  removed: 5,
  isRebuilt: 6,
} as const;

export function encodeEdit(writer: ByteWriter, edit: VersionEdit): void {
  if (edit.nextFileNumber !== undefined) {
    writer.u8(Tag.nextFileNumber);
    writer.varint(edit.nextFileNumber);
  }
  if (edit.lastSeq !== undefined) {
    writer.u8(Tag.lastSeq);
    writer.varint(edit.lastSeq);
  }
  if (edit.positions !== undefined) {
    writer.u8(Tag.positions);
    writer.byteString(edit.positions);
  }
  if (edit.isRebuilt !== undefined) {
    writer.u8(Tag.isRebuilt);
    writer.u8(edit.isRebuilt ? 1 : 0);
  }
  for (const { level, table } of edit.added ?? []) {
    writer.u8(Tag.added);
    writer.u8(level);
    writer.varint(table.fileNumber);
    writer.varint(table.bytes);
    writer.u8(table.damaged ? 1 : 0);
    encodeProperties(writer, table);
  }
  for (const fileNumber of edit.removed ?? []) {
    writer.u8(Tag.removed);
    writer.varint(fileNumber);
  }
}

/** Reads to the end of `reader`. An unknown tag is from a later version of DSS: FORMAT_TOO_NEW. */
export function decodeEdit(reader: ByteReader, malformed: (reason: string) => Error): VersionEdit {
  const added: PlacedTable[] = [];
  const removed: number[] = [];
  const edit: { -readonly [K in keyof VersionEdit]: VersionEdit[K] } = { added, removed };
  while (reader.remaining > 0) {
    const tag = reader.u8();
    if (tag === Tag.nextFileNumber) edit.nextFileNumber = reader.varint();
    else if (tag === Tag.lastSeq) edit.lastSeq = reader.varint();
    else if (tag === Tag.positions) edit.positions = reader.byteString();
    else if (tag === Tag.isRebuilt) edit.isRebuilt = reader.u8() !== 0;
    else if (tag === Tag.added) added.push(decodeAdded(reader, malformed));
    else if (tag === Tag.removed) removed.push(reader.varint());
    else throw new LsmError('FORMAT_TOO_NEW', `the manifest has a field ${tag}, newer than ours`);
  }
  return edit;
}

function decodeAdded(reader: ByteReader, malformed: (reason: string) => Error): PlacedTable {
  const level = reader.u8();
  if (level >= LEVEL_COUNT) throw malformed(`a level below ${LEVEL_COUNT}`);
  const fileNumber = reader.varint();
  const bytes = reader.varint();
  const damaged = reader.u8() !== 0;
  return { level, table: { fileNumber, bytes, damaged, ...decodeProperties(reader) } };
}
