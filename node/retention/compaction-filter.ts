import { equalRanges } from '../../lsm/bytes.ts';
import type { CompactionFilter, Verdict } from '../../lsm/compaction/filter.ts';
import {
  ENGINE_KEY_BYTES_MAX,
  isStoredTombstone,
  readUint53,
  SERIES_SUFFIX_BYTES,
  Space,
  storedVersion,
} from '../shard/engine-key.ts';
import { decodeFilterState } from './filter-state.ts';
import type { Retention } from './retention.ts';
import { SeriesFilter } from './series-filter.ts';

/** Names this module to the engine, which loads it where it compacts. */
export const compactionFilterModule: string = import.meta.url;

/** Both as `encodeFilterState` makes them, or empty. `oldestState`: see `RetentionFilter`. */
export function createCompactionFilter(
  state: Uint8Array,
  oldestState: Uint8Array,
): CompactionFilter {
  return new RetentionFilter(decodeFilterState(state), decodeFilterState(oldestState));
}

const KEY_BYTES_MIN = 2 + 1 + SERIES_SUFFIX_BYTES;

/**
 * Drops what no reader sees any more, in the entries of some tables (node/shard/engine-key.ts draws them).
 *
 * The first entry of a series here need not be its newest, newer ones can stand in tables or memtables that
 * are not looked at. So the first one is kept. What is hidden behind it is hidden in truth too: more entries
 * hide more (`SeriesFilter`). An entry that is replaced by a later version at the same time elsewhere does
 * not spoil that: the later version is limited no more than this one, so it is seen if this one is, and
 * counts. And should a hidden entry be dropped here while an earlier version of it at the same time stands
 * in an older table, that one is limited no less, and as hidden.
 *
 * A tombstone of a version before the tombstone cutoff hides itself and all behind it, which is below the cutoff. It can
 * go when nothing is left behind it: in these tables that is dropped with it, other tables are looked at by
 * the engine ('drop-if-alone'). In memtables there is nothing either, if it was before the cutoff already in
 * `oldestState`, which was in force when the oldest write in a memtable was applied. Such a write cannot
 * have been put behind the tombstone: it stands at the tombstone cutoff of its day at the earliest, or behind
 * a newer value (README.md). And a write older than the tombstone is not in memtables if the tombstone
 * is in a table. After a crash the same state is the one from which the log is applied again, and applying
 * comes to the same with the tombstone and without.
 */
class RetentionFilter implements CompactionFilter {
  readonly #bySlot: readonly (Retention | undefined)[];
  readonly #oldestBySlot: readonly (Retention | undefined)[];
  readonly #filter = new SeriesFilter();
  /** The series at hand: its engine key without the time. */
  readonly #series = new Uint8Array(ENGINE_KEY_BYTES_MAX);
  #seriesLength = 0;

  constructor(
    bySlot: readonly (Retention | undefined)[],
    oldestBySlot: readonly (Retention | undefined)[],
  ) {
    this.#bySlot = bySlot;
    this.#oldestBySlot = oldestBySlot;
  }

  judge(
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBytes: Uint8Array,
    valueStart: number,
    _valueEnd: number,
  ): Verdict {
    const slot = keyBytes[keyStart] as number;
    const retention = this.#bySlot[slot];
    if (retention === undefined || keyEnd - keyStart < KEY_BYTES_MIN) return 'keep';
    const space = keyBytes[keyStart + 1];
    if (space === Space.expiries) {
      return readUint53(keyBytes, keyStart + 2) < retention.expiryFloor ? 'drop' : 'keep';
    }
    if (space !== Space.userValues) return 'keep';
    const isFirst = this.#isNewSeries(keyBytes, keyStart, keyEnd);
    if (isFirst) {
      this.#filter.reset(retention.of(keyBytes, keyStart + 2, keyEnd - SERIES_SUFFIX_BYTES - 1));
    }
    const time = Number.MAX_SAFE_INTEGER - readUint53(keyBytes, keyEnd - SERIES_SUFFIX_BYTES);
    const version = storedVersion(valueBytes, valueStart, time);
    if (this.#filter.sees(time, version, isStoredTombstone(valueBytes, valueStart))) return 'keep';
    if (!isFirst) return 'drop';
    const oldest = this.#oldestBySlot[slot];
    if (oldest === undefined) return 'keep';
    const { tombstoneCutoff } = oldest.of(keyBytes, keyStart + 2, keyEnd - SERIES_SUFFIX_BYTES - 1);
    return version < tombstoneCutoff ? 'drop-if-alone' : 'keep';
  }

  #isNewSeries(keyBytes: Uint8Array, keyStart: number, keyEnd: number): boolean {
    const end = keyEnd - SERIES_SUFFIX_BYTES;
    const series = this.#series;
    if (equalRanges(series, 0, this.#seriesLength, keyBytes, keyStart, end)) return false;
    this.#seriesLength = end - keyStart;
    for (let i = keyStart; i < end; i++) series[i - keyStart] = keyBytes[i] as number;
    return true;
  }
}
