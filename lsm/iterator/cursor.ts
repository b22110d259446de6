import type { MaybePromise } from '../engine.ts';

/**
 * A position in something sorted: a memtable, a table, a level, or a merge of them. A cursor goes one way, which
 * is fixed when it is made: ascending, or descending ("reverse"); "next" and "first" are in that direction.
 *
 * Key and value are ranges, not views, so that a scan allocates nothing per entry. They are good until the
 * cursor moves. A move that returns a promise is done when it resolves; nobody may touch the cursor before,
 * nor change the bytes given to `seek`.
 *
 * Every class has these fields and copies them itself: a scan is noticeably slower when the copying is one
 * function that meets cursors of all classes.
 */
export interface Cursor {
  readonly valid: boolean;
  readonly keyBytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueBytes: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Grows with every put; among entries of one key the highest is the truth. */
  readonly seq: number;
  /** An `EntryKind`. Deletions are shown as they are: they hide older entries of their key. */
  readonly kind: number;

  /** Ascending: goes to the first entry at or after `key`. Descending: to the last one before `key`. */
  seek(key: Uint8Array): MaybePromise<void>;
  /** Descending: goes to the last of all. Ascending cursors seek the empty key for the first. */
  seekEnd(): MaybePromise<void>;
  next(): MaybePromise<void>;
}

export const NO_BYTES = new Uint8Array(0);
