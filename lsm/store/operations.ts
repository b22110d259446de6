import { corruption } from '../corruption.ts';
import type { Db } from '../db.ts';
import { LsmError } from '../errors.ts';

/**
 * The operations in a record of the write-ahead log (FORMAT.md, Operations):
 *
 *     put        1 · key length varint · value length varint · key · value
 *     deletion   0 · key length varint · key
 */
export const OperationKind = { deletion: 0, put: 1 } as const;

/** What operations are carried out on: an engine. */
export type OperationTarget = Pick<Db, 'put' | 'delete'>;

/**
 * Carries out the operations of a record. Its checksum has been looked at; what cannot be understood nevertheless is
 * CORRUPTION, or FORMAT_TOO_NEW, and what came before it has been carried out.
 */
export function applyOperations(bytes: Uint8Array, target: OperationTarget): void {
  const reader = new OperationReader(bytes);
  while (reader.next()) {
    const { keyStart, keyEnd, valueEnd } = reader;
    if (reader.kind === OperationKind.put) {
      target.put(bytes, keyStart, keyEnd, bytes, keyEnd, valueEnd);
    } else {
      target.delete(bytes, keyStart, keyEnd);
    }
  }
}

class OperationReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  kind = 0;
  keyStart = 0;
  keyEnd = 0;
  /** Of a put: the value begins where the key ends. */
  valueEnd = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    this.kind = this.#bytes[this.#at++] as number;
    if (this.kind > OperationKind.put) {
      throw new LsmError('FORMAT_TOO_NEW', `the log has an operation of kind ${this.kind}`);
    }
    const keyLength = this.#varint();
    const valueLength = this.kind === OperationKind.put ? this.#varint() : 0;
    this.keyStart = this.#at;
    this.keyEnd = this.#at + keyLength;
    this.valueEnd = this.keyEnd + valueLength;
    if (this.valueEnd > this.#bytes.length) throw this.#malformed('a whole operation');
    this.#at = this.valueEnd;
    return true;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.#malformed('a varint');
  }

  #malformed(expected: string): Error {
    return corruption(
      'a record of the log',
      this.#at,
      expected,
      `${this.#bytes.length} bytes in all`,
    );
  }
}
