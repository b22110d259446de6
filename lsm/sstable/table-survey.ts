import { compareBytes, successor } from '../bytes.ts';
import { isCorruption } from '../corruption.ts';
import type { KeyRange } from '../engine.ts';
import type { Block } from './block.ts';
import { BlockCursor } from './block-cursor.ts';
import { decodeHandle } from './block-handle.ts';
import { ReadAheadBlocks, type ReadableTable } from './block-source.ts';
import type { BlockHandle } from './format.ts';
import { keysOf, type TableMeta } from './table-meta.ts';

/** What can still be read of a table, block by block, and what cannot, by its keys. Both ascending. */
export interface TableSurvey {
  readonly sound: readonly BlockHandle[];
  readonly lost: readonly KeyRange[];
}

/** Reads every data block of a table. Where there is more than so much damage, all between is given up. */
export async function surveyTable(
  table: ReadableTable,
  meta: TableMeta,
  lostMax: number,
): Promise<TableSurvey> {
  const { sound, lost } = await new Survey(table, meta).run();
  const [first, last] = [lost[0], lost.at(-1)];
  if (lost.length <= lostMax || first === undefined || last === undefined) {
    return { sound: sound.map(({ handle }) => handle), lost };
  }
  const { upper = meta.largest } = last;
  const outside = sound.filter(
    ({ lastKey }) => compareBytes(lastKey, first.lower) < 0 || compareBytes(lastKey, upper) >= 0,
  );
  return { sound: outside.map(({ handle }) => handle), lost: [{ lower: first.lower, upper }] };
}

/** Where an index leads, and the last key that is there. */
interface IndexEntry {
  readonly lastKey: Uint8Array;
  readonly handle: BlockHandle;
}

class Survey {
  readonly #meta: TableMeta;
  readonly #blocks: ReadAheadBlocks;
  readonly #sound: IndexEntry[] = [];
  readonly #lost: { lower: Uint8Array; upper: Uint8Array }[] = [];
  /** The least key that is not accounted for. */
  #next: Uint8Array;

  constructor(table: ReadableTable, meta: TableMeta) {
    this.#meta = meta;
    this.#blocks = new ReadAheadBlocks(table, READ_AHEAD_BYTES);
    this.#next = keysOf(meta).lower;
  }

  async run(): Promise<{ readonly sound: IndexEntry[]; readonly lost: KeyRange[] }> {
    const indexes = await attempt(async () => entriesIn(await this.#blocks.topIndex()));
    for (const index of indexes ?? []) {
      const entries = await attempt(async () => entriesIn(await this.#blocks.index(index.handle)));
      for (const entry of entries ?? []) await this.#see(entry);
      this.#loseUpTo(index.lastKey);
    }
    this.#loseUpTo(this.#meta.largest);
    return { sound: this.#sound, lost: this.#lost };
  }

  async #see(entry: IndexEntry): Promise<void> {
    const isSound = await attempt(async () => {
      const cursor = new BlockCursor();
      cursor.reset(await this.#blocks.data(entry.handle));
      for (cursor.seekFirst(); cursor.valid; ) cursor.next();
      return true;
    });
    if (isSound !== true) return this.#loseUpTo(entry.lastKey);
    this.#sound.push(entry);
    this.#next = successor(entry.lastKey);
  }

  /** Nothing more was found up to this key, which should have been there. */
  #loseUpTo(lastKey: Uint8Array): void {
    if (compareBytes(lastKey, this.#next) < 0) return;
    const upper = successor(lastKey);
    const before = this.#lost.at(-1);
    if (before !== undefined && compareBytes(before.upper, this.#next) === 0) before.upper = upper;
    else this.#lost.push({ lower: this.#next, upper });
    this.#next = upper;
  }
}

function entriesIn(index: Block): IndexEntry[] {
  const entries: IndexEntry[] = [];
  const cursor = new BlockCursor();
  cursor.reset(index);
  for (cursor.seekFirst(); cursor.valid; cursor.next()) {
    entries.push({
      lastKey: cursor.keyBytes.slice(0, cursor.keyEnd),
      handle: decodeHandle(cursor),
    });
  }
  return entries;
}

/** `undefined` where there is damage. */
async function attempt<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isCorruption(error)) return undefined;
    throw error;
  }
}

const READ_AHEAD_BYTES = 256 * 1024;
