import type { EngineSnapshot } from '../../lsm/engine.ts';
import type { KeyRetention } from '../retention/prefix-retention.ts';
import { SeriesFilter } from '../retention/series-filter.ts';
import { type CurrentValue, type Pause, readCurrent, visitEntries } from './current-values.ts';
import { afterSeries, engineKeyAt, Space } from './engine-key.ts';

export interface HistoryRange {
  /** In version units, inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/**
 * Visits the values of one key whose time lies in the range, tombstones included, newest first: that is how
 * they stand in the engine. What retention allows to drop is not shown, dropped or not (DESIGN §5 ▣). Ends when
 * `visit` returns false.
 */
export async function scanHistory(
  snapshot: EngineSnapshot,
  slot: number,
  key: Uint8Array,
  range: HistoryRange,
  retention: KeyRetention,
  pause: Pause,
  visit: (item: CurrentValue) => boolean | Promise<boolean>,
): Promise<void> {
  if (range.to <= range.from) return;
  const newest = await readCurrent(snapshot, slot, key);
  if (newest === undefined) return;
  const filter = new SeriesFilter();
  filter.reset(retention);
  if (!filter.sees(newest.time, newest.version, newest.deleted)) return;
  const isInRange = newest.time >= range.from && newest.time < range.to;
  if (isInRange && !(await visit(newest))) return;
  const end = Math.max(range.from, retention.cutoff);
  // Where values are counted, those before the range count too.
  const start = retention.limits.length === 0 ? Math.min(newest.time, range.to) : newest.time;
  if (start === 0 || start <= end) return;
  const lower = engineKeyAt(slot, Space.userValues, key, start - 1);
  const upper = end === 0 ? afterSeries(lower) : engineKeyAt(slot, Space.userValues, key, end - 1);
  const cursor = snapshot.cursor({ lower, upper });
  try {
    const see = (item: CurrentValue) => {
      if (!filter.sees(item.time, item.version, item.deleted)) return !filter.isExhausted;
      return item.time >= range.to || visit(item);
    };
    await visitEntries(cursor, lower, { pause, visit: see, next: undefined });
  } finally {
    cursor.close();
  }
}
