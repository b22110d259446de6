import type { MaybePromise } from '../engine.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { firstReaching } from '../version/version.ts';
import { type Cursor, NO_BYTES } from './cursor.ts';

/** Tables that follow one another without overlap, as one cursor. A table is opened when it is reached. */
export class LevelCursor implements Cursor {
  readonly #tables: readonly TableMeta[];
  /** Throws CORRUPTION for a damaged table: reads that need it fail. */
  readonly #open: (table: TableMeta) => Cursor;
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

  constructor(tables: readonly TableMeta[], open: (table: TableMeta) => Cursor) {
    this.#tables = tables;
    this.#open = open;
  }

  seek(key: Uint8Array): MaybePromise<void> {
    return this.#enter(firstReaching(this.#tables, key), key);
  }

  next(): MaybePromise<void> {
    const wait = (this.#current as Cursor).next();
    if (wait !== undefined) return wait.then(() => this.#afterNext());
    return this.#afterNext();
  }

  #afterNext(): MaybePromise<void> {
    if (this.#current?.valid === true) this.#show();
    else return this.#enter(this.#place + 1, NO_BYTES);
  }

  #enter(place: number, key: Uint8Array): MaybePromise<void> {
    const table = this.#tables[place];
    this.valid = false;
    if (table === undefined) {
      this.#place = this.#tables.length;
      this.#current = undefined;
      return;
    }
    if (place !== this.#place || this.#current === undefined) {
      this.#current = this.#open(table);
      this.#place = place;
    }
    const wait = this.#current.seek(key);
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
  }
}
