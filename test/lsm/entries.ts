import { compareBytes } from '../../lsm/bytes.ts';
import { type Cursor, NO_BYTES } from '../../lsm/iterator/cursor.ts';
import { EntryKind } from '../../lsm/sstable/format.ts';
import { hex, text, utf8 } from '../support/text.ts';

export { hex, text, utf8 };

/** A series key as DSS makes them: slot, space, name, terminator. */
export function seriesKey(slot: number, name: string): Uint8Array {
  return Uint8Array.from([slot, 0, ...utf8(name), 0]);
}

/** A key: newer times sort first. */
export function keyAt(series: Uint8Array, time: number): Uint8Array {
  const key = new Uint8Array(series.length + 8);
  key.set(series);
  new DataView(key.buffer).setBigUint64(series.length, 0xffff_ffff_ffff_ffffn - BigInt(time));
  return key;
}

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly seq: number;
  /** An `EntryKind`; a put when it is not said. */
  readonly kind?: number;
}

export function sorted(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => compareBytes(a.key, b.key));
}

/** Over a sorted list; with `slow` every move is a promise. */
export class ListCursor implements Cursor {
  readonly #entries: readonly Entry[];
  readonly #slow: boolean;
  readonly #reverse: boolean;
  #at = 0;
  moves = 0;

  valid = false;
  keyBytes: Uint8Array = NO_BYTES;
  keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  seq = 0;
  kind: number = EntryKind.put;

  constructor(entries: readonly Entry[], slow = false, reverse = false) {
    this.#entries = entries;
    this.#slow = slow;
    this.#reverse = reverse;
  }

  seek(key: Uint8Array): void | Promise<void> {
    return this.#go(() =>
      this.#reverse
        ? this.#entries.findLastIndex((entry) => compareBytes(entry.key, key) < 0)
        : this.#entries.findIndex((entry) => compareBytes(entry.key, key) >= 0),
    );
  }

  seekEnd(): void | Promise<void> {
    return this.#go(() => this.#entries.length - 1);
  }

  next(): void | Promise<void> {
    return this.#go(() => this.#at + (this.#reverse ? -1 : 1));
  }

  #go(place: () => number): void | Promise<void> {
    this.moves++;
    const show = () => {
      this.#at = place();
      const entry = this.#entries[this.#at];
      this.valid = entry !== undefined;
      if (entry === undefined) return;
      this.keyBytes = entry.key;
      this.keyEnd = entry.key.length;
      this.valueBytes = entry.value;
      this.valueEnd = entry.value.length;
      this.seq = entry.seq;
      this.kind = entry.kind ?? EntryKind.put;
    };
    if (this.#slow) return Promise.resolve().then(show);
    show();
  }
}

export const keyOf = (cursor: Cursor): Uint8Array =>
  cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd);
export const valueBytesOf = (cursor: Cursor): Uint8Array =>
  cursor.valueBytes.slice(cursor.valueStart, cursor.valueEnd);

/** All entries of a cursor from `from` on, or from its end on. */
export async function drain(
  cursor: Cursor,
  from: Uint8Array | 'end' = NO_BYTES,
): Promise<Required<Entry>[]> {
  const found: Required<Entry>[] = [];
  await (from === 'end' ? cursor.seekEnd() : cursor.seek(from));
  while (cursor.valid) {
    const { seq, kind } = cursor;
    found.push({ key: keyOf(cursor), value: valueBytesOf(cursor), seq, kind });
    await cursor.next();
  }
  return found;
}
