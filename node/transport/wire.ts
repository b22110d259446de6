import { ProtocolError } from '../../protos/index.ts';

/**
 * Protobuf's wire format by hand, for the messages that come with every entry: the generated code makes several
 * objects of each of them. A tag is the field's number × 8 + its wire type.
 */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Reads one message, or a part of it. Numbers above 2^53 - 1 and lengths beyond the end are refused. */
export class WireReader {
  readonly bytes: Uint8Array;
  at: number;
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  varint(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 0x80;
    for (let count = 1; count < 10; count++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value <= Number.MAX_SAFE_INTEGER) return value;
        break;
      }
      scale *= 0x80;
    }
    throw new ProtocolError(`no safe integer before ${this.at}`);
  }

  fixed32(): number {
    const start = this.#take(4);
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + start, 4).getUint32(0, true);
  }

  /** The length of what follows; it is all there. */
  length(): number {
    const length = this.varint();
    if (length > this.end - this.at)
      throw new ProtocolError(`${length} bytes run out of a message`);
    return length;
  }

  /** A view. */
  view(): Uint8Array {
    const length = this.length();
    const start = this.#take(length);
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, length);
  }

  /** A field that this version does not know, or that is not what it should be. */
  skip(tag: number): void {
    const type = tag % 8;
    if (type === WireType.varint) this.#skipVarint();
    else if (type === WireType.bytes) this.#take(this.length());
    else if (type === WireType.fixed32) this.#take(4);
    else if (type === WireType.fixed64) this.#take(8);
    else throw new ProtocolError(`wire type ${type} before ${this.at}`);
  }

  #skipVarint(): void {
    for (let count = 0; count < 10; count++) if (this.#byte() < 0x80) return;
    throw new ProtocolError(`a varint is too long before ${this.at}`);
  }

  #byte(): number {
    if (this.at >= this.end) throw new ProtocolError('a message is cut short');
    return this.bytes[this.at++] as number;
  }

  #take(count: number): number {
    if (count > this.end - this.at) throw new ProtocolError('a message is cut short');
    const start = this.at;
    this.at += count;
    return start;
  }
}

export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** What a field with a number takes; nothing, if that is 0. Fields up to 15 have a tag of one byte. */
export function numberBytes(value: number): number {
  return value === 0 ? 0 : 1 + varintBytes(value);
}

/** What a field of so many bytes takes. */
export function lengthBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

/** Writes into a buffer of exactly the right size. */
export class WireWriter {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  varint(value: number): void {
    const { bytes } = this;
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes[this.at++] = (rest % 0x80) | 0x80;
    bytes[this.at++] = rest;
  }

  number(field: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.at++] = field * 8 + WireType.varint;
    this.varint(value);
  }

  /** The tag and length of a field; its bytes follow. */
  begin(field: number, length: number): void {
    this.bytes[this.at++] = field * 8 + WireType.bytes;
    this.varint(length);
  }

  copy(field: number, source: Uint8Array): void {
    this.begin(field, source.length);
    this.bytes.set(source, this.at);
    this.at += source.length;
  }

  /** ASCII only. */
  text(field: number, text: string): void {
    if (text === '') return;
    this.begin(field, text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i);
  }

  fixed32(field: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.at++] = field * 8 + WireType.fixed32;
    for (let shift = 0; shift < 32; shift += 8) this.bytes[this.at++] = value >>> shift;
  }
}
