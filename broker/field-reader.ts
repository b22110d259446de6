import { isUtf8 } from 'node:buffer';
import { utf8Text } from './json.ts';

/** Reads the fields that MQTT packets are made of; a field that is not there makes it fail for good. */
export class FieldReader {
  position: number;
  failed = false;
  readonly end: number;
  readonly #buffer: Uint8Array;

  constructor(buffer: Uint8Array, start: number, end: number) {
    this.#buffer = buffer;
    this.position = start;
    this.end = end;
  }

  get atEnd(): boolean {
    return this.position >= this.end;
  }

  /** Reads from where this one is, up to `end`. */
  until(end: number): FieldReader {
    return new FieldReader(this.#buffer, this.position, end);
  }

  byte(): number | undefined {
    if (this.position + 1 > this.end) return this.#fail();
    return this.#buffer[this.position++];
  }

  number(): number | undefined {
    if (this.position + 2 > this.end) return this.#fail();
    this.position += 2;
    return uint16(this.#buffer, this.position - 2);
  }

  /** Four bytes. */
  longNumber(): number | undefined {
    const high = this.number();
    const low = this.number();
    return high === undefined || low === undefined ? undefined : high * 0x10000 + low;
  }

  /** A variable byte integer (MQTT 5 §1.5.5): at most four bytes, and no more than it needs [MQTT-1.5.5-1]. */
  variableNumber(): number | undefined {
    let value = 0;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.byte();
      if (byte === undefined) return undefined;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return byte === 0 && shift > 0 ? this.#fail() : value;
    }
    return this.#fail();
  }

  bytes(): Uint8Array | undefined {
    const length = this.number();
    if (length === undefined || this.position + length > this.end) return this.#fail();
    const bytes = this.#buffer.subarray(this.position, this.position + length);
    this.position += length;
    return bytes;
  }

  /** Well-formed UTF-8 without U+0000 [MQTT-1.5.3-1] [MQTT-1.5.3-2]. */
  text(): string | undefined {
    const bytes = this.bytes();
    if (bytes === undefined || bytes.includes(0) || !isUtf8(bytes)) return this.#fail();
    return utf8Text(bytes);
  }

  #fail(): undefined {
    this.failed = true;
    return undefined;
  }
}

/** The number at `offset`: 16 bits, the high ones first, as everywhere in MQTT. */
export function uint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
}
