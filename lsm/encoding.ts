import { copyRange, readU32, writeU32 } from './bytes.ts';

/** Grows as needed. Varints are LEB128 of safe integers (FORMAT.md, SSTable). */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacityBytes = 256) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** A view, good until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    writeU32(this.#bytes, this.#length, value);
    this.#length += 4;
  }

  varint(value: number): void {
    this.#reserve(8);
    const bytes = this.#bytes;
    let rest = value;
    while (rest >= 0x80) {
      bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    bytes[this.#length++] = rest;
  }

  range(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    copyRange(this.#bytes, this.#length, source, start, end);
    this.#length += end - start;
  }

  /** A length as varint, then the bytes. */
  byteString(source: Uint8Array): void {
    this.varint(source.length);
    this.range(source, 0, source.length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Bounds-checked: whatever the bytes say, a read stays inside them or throws what `malformed` makes. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #malformed: (offset: number, reason: string) => Error;
  #at: number;

  constructor(bytes: Uint8Array, malformed: (offset: number, reason: string) => Error, at = 0) {
    this.#bytes = bytes;
    this.#malformed = malformed;
    this.#at = at;
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u32(): number {
    return readU32(this.#bytes, this.#take(4));
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw this.#malformed(this.#at, 'a varint of at most 53 bits');
  }

  /** A copy, so that it does not keep the whole file in memory. */
  byteString(): Uint8Array {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  #take(count: number): number {
    if (count > this.remaining) throw this.#malformed(this.#at, `${count} more bytes`);
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
