import { isUtf8 } from 'node:buffer';
import { utf8Text } from './json.ts';

/** Reads the fields that MQTT packets are made of; a field that is not there makes it fail for good. */
export class FieldReader {
  position: number;
  failed = false;
  readonly #buffer: Uint8Array;
  readonly #end: number;

  constructor(buffer: Uint8Array, start: number, end: number) {
    this.#buffer = buffer;
    this.position = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.position >= this.#end;
  }

  byte(): number | undefined {
    if (this.position + 1 > this.#end) return this.#fail();
    return this.#buffer[this.position++];
  }

  number(): number | undefined {
    if (this.position + 2 > this.#end) return this.#fail();
    this.position += 2;
    return uint16(this.#buffer, this.position - 2);
  }

  bytes(): Uint8Array | undefined {
    const length = this.number();
    if (length === undefined || this.position + length > this.#end) return this.#fail();
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
