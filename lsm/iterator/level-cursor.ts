import type { MaybePromise } from '../engine.ts';
import { EntryKind } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { firstReaching, firstStartingAt } from '../version/version.ts';
import { type Cursor, NO_BYTES } from './cursor.ts';

/** Tables that follow one another without overlap, as one cursor. A table is opened when it is reached. */
export class LevelCursor implements Cursor {
  readonly #tables: readonly TableMeta[];
  /** Of the direction of this one. Throws CORRUPTION for a damaged table: reads that need it fail. */
  readonly #open: (table: TableMeta) => Cursor;
  readonly #reverse: boolean;
  #place = -1;
  #current: Cursor | undefined;

  valid = false;
  keyBytes: Uint8Array = NO_BYTES;
  keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  seq = 0;
  kind: number = EntryKind.put;

  constructor(tables: readonly TableMeta[], open: (table: TableMeta) => Cursor, reverse = false) {
    this.#tables = tables;
    this.#open = open;
    this.#reverse = reverse;
  }

  seek(key: Uint8Array): MaybePromise<void> {
    return this.#reverse
      ? this.#enter(firstStartingAt(this.#tables, key) - 1, key)
      : this.#enter(firstReaching(this.#tables, key), key);
  }

  seekEnd(): MaybePromise<void> {
    return this.#enter(this.#tables.length - 1, undefined);
  }

  next(): MaybePromise<void> {
    const wait = (this.#current as Cursor).next();
    if (wait !== undefined) return wait.then(() => this.#afterNext());
    return this.#afterNext();
  }

  #afterNext(): MaybePromise<void> {
    if (this.#current?.valid === true) this.#show();
    else if (this.#reverse) return this.#enter(this.#place - 1, undefined);
    else return this.#enter(this.#place + 1, NO_BYTES);
  }

  /** Without a key: at the end of the table. */
  #enter(place: number, key: Uint8Array | undefined): MaybePromise<void> {
    const table = this.#tables[place];
    this.valid = false;
    if (table === undefined) {
      this.#place = place;
      this.#current = undefined;
      return;
    }
    if (place !== this.#place || this.#current === undefined) {
      this.#current = this.#open(table);
      this.#place = place;
    }
    const wait = key === undefined ? this.#current.seekEnd() : this.#current.seek(key);
    if (wait !== undefined) return wait.then(() => this.#show());
    this.#show();
  }

  #show(): void {
    const current = this.#current as Cursor;
    this.valid = current.valid;
    this.keyBytes = current.keyBytes;
    this.keyStart = current.keyStart;
    this.keyEnd = current.keyEnd;
    this.valueBytes = current.valueBytes;
    this.valueStart = current.valueStart;
    this.valueEnd = current.valueEnd;
    this.seq = current.seq;
    this.kind = current.kind;
  }
}
