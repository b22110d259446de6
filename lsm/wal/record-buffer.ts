import { encodeRecordHeader, type RecordHeader, recordHeaderBytes } from './format.ts';

/** Lays out a record for one write, in memory that is used again. */
export class RecordBuffer {
  #memory = new Uint8Array(0);
  #length = 0;

  /** The record. A view, good until the next one. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  encode(parts: readonly Uint8Array[], header: RecordHeader, fileSeed: number): void {
    this.#length = recordLength(parts);
    this.#reserve(this.#length);
    let at = recordHeaderBytes;
    for (const part of parts) {
      this.#memory.set(part, at);
      at += part.length;
    }
    encodeRecordHeader(this.#memory, 0, this.#length - recordHeaderBytes, header, fileSeed);
  }

  /** The record and zeros behind it, `totalBytes` in all. */
  padded(totalBytes: number): Uint8Array {
    if (totalBytes > this.#memory.length) {
      const record = this.bytes;
      this.#memory = new Uint8Array(totalBytes);
      this.#memory.set(record);
    }
    return this.#memory.fill(0, this.#length, totalBytes).subarray(0, totalBytes);
  }

  #reserve(length: number): void {
    const tooSmall = this.#memory.length < length;
    const needlesslyLarge = this.#memory.length > bytesKept && length <= bytesKept;
    if (!tooSmall && !needlesslyLarge) return;
    this.#memory = new Uint8Array(tooSmall ? Math.max(length, 2 * this.#memory.length) : length);
  }
}

export function recordLength(parts: readonly Uint8Array[]): number {
  let length = recordHeaderBytes;
  for (const part of parts) length += part.length;
  return length;
}

/** A larger buffer is given back once a smaller one will do, so that one burst does not cost memory for good. */
const bytesKept = 4 * 1024 * 1024;
