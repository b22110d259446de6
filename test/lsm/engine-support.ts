import { compareBytes } from '../../lsm/bytes.ts';
import { Db } from '../../lsm/db.ts';
import type { EngineEvent, EngineSnapshot } from '../../lsm/engine.ts';
import { type Cursor, NO_BYTES } from '../../lsm/iterator/cursor.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import type { DbOptions } from '../../lsm/options.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { scan, WHOLE } from '../support/scan.ts';
import { hex, text, utf8 } from '../support/text.ts';

export { hex, text, utf8, WHOLE };

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
}

export function sorted(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => compareBytes(a.key, b.key));
}

/** Over a sorted list; with `slow` every move is a promise. */
export class ListCursor implements Cursor {
  readonly #entries: readonly Entry[];
  readonly #slow: boolean;
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

  constructor(entries: readonly Entry[], slow = false) {
    this.#entries = entries;
    this.#slow = slow;
  }

  seek(key: Uint8Array): void | Promise<void> {
    return this.#go(() => this.#entries.findIndex((entry) => compareBytes(entry.key, key) >= 0));
  }

  next(): void | Promise<void> {
    return this.#go(() => this.#at + 1);
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
    };
    if (this.#slow) return Promise.resolve().then(show);
    show();
  }
}

export const keyOf = (cursor: Cursor): Uint8Array =>
  cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd);
export const valueBytesOf = (cursor: Cursor): Uint8Array =>
  cursor.valueBytes.slice(cursor.valueStart, cursor.valueEnd);

/** All entries of a cursor from `from` on. */
export async function drain(cursor: Cursor, from: Uint8Array = NO_BYTES): Promise<Entry[]> {
  const found: Entry[] = [];
  await cursor.seek(from);
  while (cursor.valid) {
    found.push({ key: keyOf(cursor), value: valueBytesOf(cursor), seq: cursor.seq });
    await cursor.next();
  }
  return found;
}

/** Everything a snapshot sees, as `hex key -> text`. */
export async function contentOf(snapshot: EngineSnapshot): Promise<Map<string, string>> {
  return new Map((await scan(snapshot)).map(({ key, value }) => [hex(key), text(value)]));
}

export interface OpenedDb {
  readonly db: Db;
  readonly vfs: CrashableMemVfs;
  readonly events: EngineEvent[];
  /** What `notePositions` gives. */
  position: number;
}

/** An engine with sizes so small that a few hundred entries reach the lower levels. */
export async function openSmall(
  vfs = new CrashableMemVfs(),
  more: Partial<DbOptions> = {},
): Promise<OpenedDb> {
  const events: EngineEvent[] = [];
  const opened = { vfs, events, position: 0 };
  const db = await Db.open({
    vfs,
    directory: '/db',
    offload: new InlineOffload(vfs),
    notePositions: () => utf8(String(opened.position)),
    onEvent: (event) => events.push(event),
    memtableBytes: 6000,
    blockSizeBytes: 256,
    tableBytes: 2000,
    levelBaseBytes: 6000,
    levelMultiplier: 3,
    blockCacheBytes: 4000,
    ...more,
  });
  return Object.assign(opened, { db });
}

export function put(db: Db, key: Uint8Array, value: Uint8Array): void {
  db.put(key, 0, key.length, value, 0, value.length);
}
