import { compareBytes } from '../../lsm/bytes.ts';
import type { EngineSnapshot } from '../../lsm/engine.ts';
import { type CurrentValue, currentValue } from './current-values.ts';
import { afterSeries, engineKeyAt, Space } from './engine-key.ts';

export interface HistoryRange {
  /** In version units, inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/**
 * Visits the values of one key whose time lies in the range, tombstones included, newest first: that is how
 * they stand in the engine. Ends when `visit` returns false.
 */
export async function scanHistory(
  snapshot: EngineSnapshot,
  slot: number,
  key: Uint8Array,
  range: HistoryRange,
  visit: (item: CurrentValue) => boolean | Promise<boolean>,
): Promise<void> {
  if (range.to <= range.from) return;
  const lower = engineKeyAt(slot, Space.userValues, key, range.to - 1);
  const upper =
    range.from === 0
      ? afterSeries(lower)
      : engineKeyAt(slot, Space.userValues, key, range.from - 1);
  if (compareBytes(lower, upper) >= 0) return;
  const cursor = snapshot.cursor({ lower, upper });
  try {
    const positioned = cursor.seek(lower);
    if (positioned !== undefined) await positioned;
    while (cursor.valid) {
      const goOn = visit(currentValue(cursor.key, cursor.value));
      if (!(typeof goOn === 'boolean' ? goOn : await goOn)) return;
      const moved = cursor.next();
      if (moved !== undefined) await moved;
    }
  } finally {
    cursor.close();
  }
}
