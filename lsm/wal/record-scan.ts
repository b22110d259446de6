import assert from 'node:assert/strict';
import { crc32c } from '../hash/crc32c.ts';
import {
  alignmentBytes,
  decodeRecordHeader,
  fileSeed,
  isRecordHeader,
  payloadChecksum,
  payloadLength,
  recordHeaderBytes,
  recordMarker,
} from './format.ts';

/**
 * Finds the records of one file, whatever state its bytes are in. Numbers go up: what looks like a record and has
 * no higher number than one before it is part of a payload, of somebody who keeps a log in a log. As a header has a
 * checksum of its own, its length can be believed and the search takes time in proportion to the file.
 */
export class RecordScan {
  readonly #bytes: Uint8Array;
  readonly #seed: number;
  #next = alignmentBytes;

  /** Of the present record: where it begins, and where the one before ended. */
  offset = 0;
  afterPrevious = alignmentBytes;
  number = 0;
  syncedRecord = 0;

  constructor(bytes: Uint8Array, fileNumber: number) {
    this.#bytes = bytes;
    this.#seed = fileSeed(fileNumber);
  }

  /** Goes to the next record whose header is sound; false at the end. */
  next(): boolean {
    this.afterPrevious = this.#next;
    for (let at = this.#next; ; at++) {
      at = this.#bytes.indexOf(recordMarker[0] as number, at);
      if (at < 0 || at + recordHeaderBytes > this.#bytes.length) return false;
      if (isRecordHeader(this.#bytes, at, this.#seed) && this.#accept(at)) return true;
    }
  }

  /** Of the present record; not there if it is not what was written. A view. */
  payload(): Uint8Array | undefined {
    assert(this.number > 0, 'next has found a record');
    const start = this.offset + recordHeaderBytes;
    if (this.#next > this.#bytes.length) return undefined;
    if (crc32c(this.#bytes, start, this.#next) !== payloadChecksum(this.#bytes, this.offset)) {
      return undefined;
    }
    return this.#bytes.subarray(start, this.#next);
  }

  #accept(at: number): boolean {
    const { number, syncedRecord } = decodeRecordHeader(this.#bytes, at);
    if (number <= this.number) return false;
    this.offset = at;
    this.number = number;
    this.syncedRecord = syncedRecord;
    this.#next = at + recordHeaderBytes + payloadLength(this.#bytes, at);
    return true;
  }
}
