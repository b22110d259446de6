import { LsmError } from '../errors.ts';
import { crc32c } from '../hash/crc32c.ts';
import {
  type DirectoryEntry,
  directoryEntryBytes,
  directoryField,
  directoryFlag,
  formatVersion,
  getU53,
  headerBytes,
  headerField,
  logIdBytes,
  type RoundHeader,
  recordField,
  recordHeaderBytes,
  recordsChecksum,
  roundAlignmentBytes,
  roundFlag,
  roundKind,
  roundMagic,
  segmentFileName,
} from './format.ts';

/** A round whose header and directory are good. */
export interface Round extends RoundHeader {
  /** Where it starts in its file. */
  readonly offset: number;
  readonly length: number;
  /** Nothing of it is damaged or cut off. */
  readonly whole: boolean;
  readonly sections: readonly ReadSection[];
}

export interface ReadSection extends DirectoryEntry {
  /** `undefined` if damaged. */
  readonly records: RecordList | undefined;
}

/** Where the records of a section are; their data stays in the file. */
export interface RecordList {
  /** Of the first record, in the file. */
  readonly offset: number;
  /** Whole records: header and data. */
  readonly lengths: Uint32Array;
  readonly terms: Float64Array;
  /** Of whole records. */
  readonly checksums: Uint32Array;
}

/**
 * The round at `offset` of a segment's bytes; `undefined` if header or directory is bad, or it is a stale
 * block of another log (`logId`, if known) or segment. Throws `FORMAT_TOO_NEW` for a good round of a newer version.
 */
export function readRound(
  bytes: Uint8Array,
  offset: number,
  segment: number,
  logId: Uint8Array | undefined,
): Round | undefined {
  if (!startsWith(bytes, offset, roundMagic) || bytes.length - offset < headerBytes)
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset);
  const directoryLength = view.getUint32(headerField.directoryLength, true);
  const recordsStart = headerBytes + directoryLength;
  if (recordsStart > view.byteLength) return undefined;
  const checksum = view.getUint32(headerField.checksum, true);
  if (crc32c(bytes, offset + headerField.formatVersion, offset + recordsStart) !== checksum)
    return undefined;
  const version = view.getUint8(headerField.formatVersion);
  if (version > formatVersion) {
    const place = `${segmentFileName(segment)} at ${offset}`;
    const message = `${place}: log format ${version} is newer than ${formatVersion}, which this program reads`;
    throw new LsmError('FORMAT_TOO_NEW', message);
  }
  const header = readHeader(view, bytes, offset);
  if (header === undefined || header.segment !== segment) return undefined;
  if (logId !== undefined && !startsWith(bytes, offset + headerField.logId, logId))
    return undefined;
  const length = view.getUint32(headerField.length, true);
  if (length % roundAlignmentBytes !== 0 || length < recordsStart) return undefined;
  const sections = readDirectory(bytes, offset, length, recordsStart, view);
  if (sections === undefined) return undefined;
  const whole =
    offset + length <= bytes.length && sections.every((section) => section.records !== undefined);
  return { ...header, offset, length, whole, sections };
}

function readHeader(view: DataView, bytes: Uint8Array, offset: number): RoundHeader | undefined {
  const kind = view.getUint8(headerField.kind);
  if (kind !== roundKind.opening && kind !== roundKind.ordinary) return undefined;
  const number = getU53(view, headerField.number);
  const syncedRound = getU53(view, headerField.syncedRound);
  if (!(number >= 1 && number < Number.MAX_SAFE_INTEGER && syncedRound < number)) return undefined;
  const logIdAt = offset + headerField.logId;
  return {
    kind: kind === roundKind.opening ? 'opening' : 'ordinary',
    replicasLost: (view.getUint8(headerField.flags) & roundFlag.replicasLost) !== 0,
    logId: bytes.slice(logIdAt, logIdAt + logIdBytes),
    number,
    syncedRound,
    segment: getU53(view, headerField.segment),
    replicasChecksum: view.getUint32(headerField.replicasChecksum, true),
  };
}

/** `view` starts at the round. */
function readDirectory(
  bytes: Uint8Array,
  roundOffset: number,
  roundLength: number,
  directoryEnd: number,
  view: DataView,
): ReadSection[] | undefined {
  const sections: ReadSection[] = [];
  let at = headerBytes;
  while (at < directoryEnd) {
    if (at + directoryEntryBytes > directoryEnd) return undefined;
    const configurationLength = view.getUint32(at + directoryField.configurationLength, true);
    const end = at + directoryEntryBytes + configurationLength;
    if (end > directoryEnd) return undefined;
    const recordsAt = view.getUint32(at + directoryField.recordsOffset, true);
    const recordsLength = view.getUint32(at + directoryField.recordsLength, true);
    if (recordsAt < directoryEnd || recordsAt + recordsLength > roundLength) return undefined;
    const entry = readEntry(
      view,
      at,
      bytes.slice(roundOffset + end - configurationLength, roundOffset + end),
    );
    if (!isSound(entry)) return undefined;
    const checksum = view.getUint32(at + directoryField.recordsChecksum, true);
    const start = roundOffset + recordsAt;
    const records = readRecords(bytes, start, start + recordsLength, checksum, entry);
    sections.push({ ...entry, records });
    at = end;
  }
  return sections.length === view.getUint32(headerField.directoryCount, true)
    ? sections
    : undefined;
}

function readEntry(view: DataView, at: number, configuration: Uint8Array): DirectoryEntry {
  const flags = view.getUint8(at + directoryField.flags);
  return {
    group: view.getUint32(at + directoryField.group, true),
    suspect: (flags & directoryFlag.suspect) !== 0,
    replicaId: getU53(view, at + directoryField.replicaId),
    hardState: {
      term: getU53(view, at + directoryField.term),
      vote: getU53(view, at + directoryField.vote),
      commit: getU53(view, at + directoryField.commit),
    },
    firstIndex: getU53(view, at + directoryField.firstIndex),
    lastIndex: getU53(view, at + directoryField.lastIndex),
    previousTerm: getU53(view, at + directoryField.previousTerm),
    logStart: {
      index: getU53(view, at + directoryField.logStartIndex),
      term: getU53(view, at + directoryField.logStartTerm),
    },
    configuration: (flags & directoryFlag.hasConfiguration) === 0 ? undefined : configuration,
    configurationChecksum: view.getUint32(at + directoryField.configurationChecksum, true),
  };
}

/** Written so that a NaN, which stands for a number that is too large, is refused. */
function isSound(entry: DirectoryEntry): boolean {
  const { hardState, logStart } = entry;
  return (
    entry.replicaId + hardState.term + hardState.vote + hardState.commit >= 0 &&
    entry.previousTerm + logStart.term >= 0 &&
    logStart.index < entry.firstIndex &&
    entry.firstIndex <= entry.lastIndex + 1
  );
}

function readRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  checksum: number,
  entry: DirectoryEntry,
): RecordList | undefined {
  const count = entry.lastIndex + 1 - entry.firstIndex;
  if (end > bytes.length || count * recordHeaderBytes > end - start) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lengths = new Uint32Array(count);
  const terms = new Float64Array(count);
  const checksums = new Uint32Array(count);
  let at = start;
  for (let ordinal = 0; ordinal < count; ordinal++) {
    if (at + recordHeaderBytes > end) return undefined;
    const length = recordHeaderBytes + view.getUint32(at + recordField.dataLength, true);
    lengths[ordinal] = length;
    terms[ordinal] = getU53(view, at + recordField.term);
    if (at + length > end || Number.isNaN(terms[ordinal])) return undefined;
    checksums[ordinal] = crc32c(bytes, at, at + length);
    at += length;
  }
  if (at !== end || recordsChecksum(checksums) !== checksum) return undefined;
  return { offset: start, lengths, terms, checksums };
}

function startsWith(bytes: Uint8Array, offset: number, expected: Uint8Array): boolean {
  for (let at = 0; at < expected.length; at++) {
    if (bytes[offset + at] !== expected[at]) return false;
  }
  return true;
}
