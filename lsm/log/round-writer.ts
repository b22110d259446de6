import assert from 'node:assert/strict';
import { crc32c } from '../hash/crc32c.ts';
import {
  alignToRound,
  type DirectoryEntry,
  directoryEntryBytes,
  directoryField,
  directoryFlag,
  formatVersion,
  headerBytes,
  headerField,
  putU53,
  type RoundHeader,
  recordField,
  recordHeaderBytes,
  recordsChecksum,
  roundFlag,
  roundKind,
  roundMagic,
} from './format.ts';
import type { LogEntry } from './types.ts';

/** One group's part of a round to be written. */
export interface RoundSection extends DirectoryEntry {
  /** From `firstIndex` to `lastIndex`. */
  readonly entries: readonly LogEntry[];
}

export interface WrittenRound {
  /** A view of the writer's buffer: good until the next round. */
  readonly bytes: Uint8Array;
  /** Of each section. */
  readonly records: readonly WrittenRecords[];
}

export interface WrittenRecords {
  /** From the start of the round. */
  readonly offset: number;
  /** Of each whole record. */
  readonly checksums: Uint32Array;
}

/** Lays out rounds, one after the other, in a buffer that it uses again. */
export class RoundWriter {
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);

  write(header: RoundHeader, sections: readonly RoundSection[]): WrittenRound {
    const directoryLength = sections.reduce((sum, section) => sum + entryLength(section), 0);
    const recordsStart = headerBytes + directoryLength;
    const end = sections.reduce((sum, { entries }) => sum + recordsLength(entries), recordsStart);
    const length = alignToRound(end);
    assert(length < 0x1_0000_0000, 'a round is too long for its length field');
    this.#reserve(length);
    this.#bytes.fill(0, 0, recordsStart).fill(0, end, length);

    const records: WrittenRecords[] = [];
    let entryAt = headerBytes;
    let recordsAt = recordsStart;
    for (const section of sections) {
      const checksums = new Uint32Array(section.entries.length);
      const written = { offset: recordsAt, checksums };
      recordsAt = this.#writeRecords(recordsAt, section.entries, checksums);
      this.#writeEntry(entryAt, section, written, recordsAt);
      records.push(written);
      entryAt += entryLength(section);
    }
    this.#writeHeader(header, length, directoryLength, sections.length);
    return { bytes: this.#bytes.subarray(0, length), records };
  }

  #writeHeader(header: RoundHeader, length: number, directoryLength: number, count: number): void {
    const view = this.#view;
    this.#bytes.set(roundMagic, headerField.magic);
    view.setUint8(headerField.formatVersion, formatVersion);
    view.setUint8(headerField.kind, roundKind[header.kind]);
    view.setUint8(headerField.flags, header.replicasLost ? roundFlag.replicasLost : 0);
    this.#bytes.set(header.logId, headerField.logId);
    putU53(view, headerField.number, header.number);
    putU53(view, headerField.syncedRound, header.syncedRound);
    putU53(view, headerField.segment, header.segment);
    view.setUint32(headerField.length, length, true);
    view.setUint32(headerField.directoryLength, directoryLength, true);
    view.setUint32(headerField.directoryCount, count, true);
    view.setUint32(headerField.replicasChecksum, header.replicasChecksum, true);
    const covered = crc32c(this.#bytes, headerField.formatVersion, headerBytes + directoryLength);
    view.setUint32(headerField.checksum, covered, true);
  }

  #writeEntry(
    at: number,
    section: RoundSection,
    records: WrittenRecords,
    recordsEnd: number,
  ): void {
    const view = this.#view;
    const configuration = section.configuration;
    view.setUint32(at + directoryField.group, section.group, true);
    view.setUint8(
      at + directoryField.flags,
      (section.suspect ? directoryFlag.suspect : 0) |
        (configuration === undefined ? 0 : directoryFlag.hasConfiguration),
    );
    putU53(view, at + directoryField.replicaId, section.replicaId);
    putU53(view, at + directoryField.term, section.hardState.term);
    putU53(view, at + directoryField.vote, section.hardState.vote);
    putU53(view, at + directoryField.commit, section.hardState.commit);
    putU53(view, at + directoryField.firstIndex, section.firstIndex);
    putU53(view, at + directoryField.lastIndex, section.lastIndex);
    putU53(view, at + directoryField.previousTerm, section.previousTerm);
    putU53(view, at + directoryField.logStartIndex, section.logStart.index);
    putU53(view, at + directoryField.logStartTerm, section.logStart.term);
    view.setUint32(at + directoryField.recordsOffset, records.offset, true);
    view.setUint32(at + directoryField.recordsLength, recordsEnd - records.offset, true);
    const checksum = recordsChecksum(records.checksums);
    view.setUint32(at + directoryField.recordsChecksum, checksum, true);
    view.setUint32(at + directoryField.configurationLength, configuration?.length ?? 0, true);
    view.setUint32(at + directoryField.configurationChecksum, section.configurationChecksum, true);
    if (configuration !== undefined) this.#bytes.set(configuration, at + directoryEntryBytes);
  }

  /** Returns where the records end. */
  #writeRecords(start: number, entries: readonly LogEntry[], checksums: Uint32Array): number {
    let at = start;
    let ordinal = 0;
    for (const { term, kind, data } of entries) {
      const end = at + recordHeaderBytes + data.length;
      this.#bytes.fill(0, at, at + recordHeaderBytes);
      putU53(this.#view, at + recordField.term, term);
      this.#view.setUint32(at + recordField.dataLength, data.length, true);
      this.#view.setUint8(at + recordField.kind, kind);
      this.#bytes.set(data, at + recordHeaderBytes);
      checksums[ordinal++] = crc32c(this.#bytes, at, end);
      at = end;
    }
    return at;
  }

  #reserve(length: number): void {
    const tooSmall = this.#bytes.length < length;
    const needlesslyLarge = this.#bytes.length > bufferBytesKept && length <= bufferBytesKept;
    if (!tooSmall && !needlesslyLarge) return;
    this.#bytes = new Uint8Array(
      needlesslyLarge ? length : Math.max(length, 2 * this.#bytes.length),
    );
    this.#view = new DataView(this.#bytes.buffer);
  }
}

export function recordsLength(entries: readonly LogEntry[]): number {
  let length = 0;
  for (const { data } of entries) length += recordHeaderBytes + data.length;
  return length;
}

/** A larger buffer is given back once a smaller one will do, so that one burst does not cost memory for good. */
const bufferBytesKept = 4 * 1024 * 1024;

function entryLength(section: RoundSection): number {
  return directoryEntryBytes + (section.configuration?.length ?? 0);
}
