import type { EngineCursor, EngineSnapshot, KeyRange } from '../engine.ts';
import type { ClearOptions } from './options.ts';
import { WriteBatch } from './write-batch.ts';

export interface ClearTarget {
  /** Of now. */
  snapshot(): EngineSnapshot;
  /** Writes and applies a batch, all or nothing. */
  commit(deletions: WriteBatch): Promise<void>;
  /** Empties the range in one durable change. */
  drop(range: KeyRange): Promise<void>;
}

/**
 * Removes what is in a range. The caller sees to it that nobody writes meanwhile.
 *
 * Few entries are deleted one by one in one batch; of many the whole range is dropped, which costs the same for a
 * thousand as for a billion. With a limit or a snapshot only the keys found may go: these are deleted in several
 * batches, so that of many a crash may leave the later ones.
 */
export async function clearRange(
  range: KeyRange,
  options: ClearOptions,
  target: ClearTarget,
): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY, reverse = false } = options;
  const isWhole = options.snapshot === undefined && limit === Number.POSITIVE_INFINITY;
  const snapshot = options.snapshot ?? target.snapshot();
  try {
    const cursor = snapshot.cursor(range, { reverse });
    await cursor.seekFirst();
    const deletions = new WriteBatch();
    for (let left = limit; left > 0 && cursor.valid; left -= deletions.operationCount) {
      deletions.clear();
      await gather(cursor, Math.min(left, DELETIONS_MAX), deletions);
      if (isWhole && cursor.valid) return await target.drop(range);
      await target.commit(deletions);
    }
    cursor.close();
  } finally {
    if (options.snapshot === undefined) snapshot.close();
  }
}

/** In one batch. */
const DELETIONS_MAX = 1000;

async function gather(cursor: EngineCursor, count: number, deletions: WriteBatch): Promise<void> {
  while (cursor.valid && deletions.operationCount < count) {
    deletions.delete(cursor.key);
    const moved = cursor.next();
    if (moved !== undefined) await moved;
  }
}
