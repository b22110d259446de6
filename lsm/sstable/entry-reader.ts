import type { Block } from './block.ts';
import { EntryKind } from './format.ts';

/** Reads the entries of a block, all but their keys, which depend on the entries before. */
export class EntryReader {
  /** Where the entry begins that was read last. */
  entryAt = 0;
  /** How much of the key is that of the entry before, and how much stands at `keyAt`, up to `valueStart`. */
  shared = 0;
  unshared = 0;
  keyAt = 0;
  valueStart = 0;
  valueEnd = 0;
  seq = 0;
  kind: number = EntryKind.put;
  /** Where varints are read from; moved by `#varint`. */
  #at = 0;

  /**
   * The next entry begins at `valueEnd`. Whatever stands there, the array is not left before the check at the
   * end: entries end eight bytes before it, and what is read here without looking is no more.
   */
  readEntry(block: Block, start: number): void {
    const { bytes, restartsAt } = block;
    this.entryAt = start;
    let at = start + 3;
    let shared = bytes[start] as number;
    let unshared = bytes[start + 1] as number;
    let valueLength = bytes[start + 2] as number;
    if ((shared | unshared | valueLength) >= 0x80) {
      this.#at = start;
      shared = this.#varint(block);
      unshared = this.#varint(block);
      valueLength = this.#varint(block);
      at = this.#at;
    }
    const kind = bytes[at] as number;
    if (kind > EntryKind.put) throw block.malformed('a known kind', kind);
    let seq = bytes[++at] as number;
    if (seq < 0x80) {
      at++;
    } else {
      this.#at = at;
      seq = this.#varint(block);
      at = this.#at;
    }
    if (unshared + valueLength > restartsAt - at) {
      throw block.malformed('an entry inside its block', `${unshared} + ${valueLength} bytes`);
    }
    this.shared = shared;
    this.unshared = unshared;
    this.keyAt = at;
    this.kind = kind;
    this.seq = seq;
    this.valueStart = at + unshared;
    this.valueEnd = at + unshared + valueLength;
  }

  /** Only `shared`, `unshared` and `valueEnd`, for a search that passes over it; returns where the key is. */
  skimEntry(block: Block, start: number): number {
    const { bytes, restartsAt } = block;
    const shared = bytes[start] as number;
    const unshared = bytes[start + 1] as number;
    const valueLength = bytes[start + 2] as number;
    if ((shared | unshared | valueLength) >= 0x80) {
      this.readEntry(block, start);
      return this.keyAt;
    }
    let at = start + 4;
    while ((bytes[at] as number) >= 0x80 && at < restartsAt) at++;
    at++;
    const end = at + unshared + valueLength;
    if (end > restartsAt) throw block.malformed('an entry inside its block', `to ${end}`);
    this.shared = shared;
    this.unshared = unshared;
    this.valueEnd = end;
    return at;
  }

  #varint(block: Block): number {
    const { bytes, restartsAt } = block;
    let at = this.#at;
    let value = 0;
    // Up to four bytes without leaving 32-bit arithmetic.
    for (let shift = 0; shift < 28 && at < restartsAt; shift += 7) {
      const byte = bytes[at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#at = at;
        return value;
      }
    }
    for (let scale = 2 ** 28; scale <= 2 ** 49 && at < restartsAt; scale *= 0x80) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        this.#at = at;
        return value;
      }
    }
    throw block.malformed('a varint of at most 53 bits', 'other bytes');
  }
}
