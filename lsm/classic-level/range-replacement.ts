import assert from 'node:assert/strict';
import { compareBytes } from '../bytes.ts';
import { ExportedBlocksCursor } from '../compaction/exported-block.ts';
import type { EngineEntry, KeyRange, RangeReplacement } from '../engine.ts';
import { NO_BYTES } from '../iterator/cursor.ts';
import { entryKey, entryRange, markerOf, NOWHERE } from './keys.ts';
import type { Level } from './level.ts';
import type { Turns } from './turns.ts';

export interface ReplacementOptions {
  readonly level: Level;
  readonly writes: Turns;
  /** Throws when the engine takes no more writes. */
  readonly check: () => void;
  /** Reports that LevelDB did not write, and throws it as a typed error. */
  readonly failed: (error: unknown) => never;
  /** Brings what is in memory into LevelDB: written later, it would be taken for newer than the blocks. */
  readonly flush: () => Promise<void>;
  /** From here on the range is not what it was. */
  readonly began: () => void;
  /** Durably writes the positions, with all that is in memory and without the marker. */
  readonly commit: RangeReplacement['commit'];
  readonly ended: () => void;
}

/**
 * LevelDB cannot replace a range in one step. So a marker says durably that the range is not what it was, before
 * anything is deleted, and goes with the commit: a range that has one holds nothing of use.
 */
export class LevelRangeReplacement implements RangeReplacement {
  readonly #range: KeyRange;
  readonly #options: ReplacementOptions;
  #state: 'untouched' | 'begun' | 'ended' = 'untouched';
  #lastKey: Uint8Array | undefined;

  constructor(range: KeyRange, options: ReplacementOptions) {
    this.#range = range;
    this.#options = options;
  }

  async add(block: Uint8Array): Promise<void> {
    assert(this.#state !== 'ended', 'a replacement that has ended takes no blocks');
    const entries = entriesOf(block);
    for (const { key } of entries) this.#checkPlace(key);
    await this.#write(async () => {
      await this.#begin();
      const { level, writes } = this.#options;
      const batch = level.batch();
      for (const { key, value } of entries) batch.put(entryKey(key), value);
      await writes.take(() => batch.write());
    });
  }

  async commit(positionsAfter: Parameters<RangeReplacement['commit']>[0]): Promise<void> {
    assert(this.#state !== 'ended', 'a replacement ends once');
    const { level, commit, ended } = this.#options;
    await this.#write(async () => {
      await this.#begin();
      // A synced write of LevelDB says nothing of what stands in a log before the present one. Compacting what is
      // nowhere puts all that is in logs into tables, which are synced.
      await level.compactRange(NOWHERE, NOWHERE);
      await commit(positionsAfter);
    });
    this.#state = 'ended';
    ended();
  }

  async abandon(): Promise<void> {
    assert(this.#state !== 'ended', 'a replacement ends once');
    const { level, writes, ended } = this.#options;
    if (this.#state === 'begun') {
      await this.#write(() => writes.take(() => level.clear(entryRange(this.#range))));
    }
    this.#state = 'ended';
    ended();
  }

  async #begin(): Promise<void> {
    if (this.#state === 'begun') return;
    const { level, writes, flush, began } = this.#options;
    await flush();
    this.#state = 'begun';
    began();
    await writes.take(async () => {
      const { key, value } = markerOf(this.#range);
      await level.put(key, value, { sync: true });
      await level.clear(entryRange(this.#range));
    });
  }

  async #write(write: () => Promise<void>): Promise<void> {
    this.#options.check();
    try {
      await write();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #checkPlace(key: Uint8Array): void {
    const { lower, upper } = this.#range;
    const isInside =
      compareBytes(key, lower) >= 0 && (upper === undefined || compareBytes(key, upper) < 0);
    assert(isInside, 'blocks are in the range');
    const last = this.#lastKey;
    assert(last === undefined || compareBytes(last, key) < 0, 'blocks are added in order');
    this.#lastKey = key;
  }
}

function entriesOf(block: Uint8Array): EngineEntry[] {
  const entries: EngineEntry[] = [];
  const cursor = new ExportedBlocksCursor([block], 0);
  for (cursor.seek(NO_BYTES); cursor.valid; cursor.next()) {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
    const key = keyBytes.slice(keyStart, keyEnd);
    entries.push({ key, value: valueBytes.slice(valueStart, valueEnd) });
  }
  return entries;
}
