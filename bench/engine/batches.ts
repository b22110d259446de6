import type { ReadingSource } from './readings.ts';
import type { BenchedStore } from './stores/store.ts';

/** Entries whose keys, values and operations are made at once, while the clock stands still. */
export const CHUNK = 100_000;
export const BATCH = 1_000;

/** The readings from number `first` on, as batches that the store takes. */
export function prepareBatches(
  store: BenchedStore,
  source: ReadingSource,
  options: { readonly first: number; readonly count: number; readonly batchSize: number },
): unknown[] {
  const { first, count, batchSize } = options;
  const chunk = source.build(first, count);
  const batches: unknown[] = [];
  for (let at = 0; at < count; at += batchSize) {
    batches.push(store.prepareBatch(chunk, at, Math.min(count, at + batchSize)));
  }
  return batches;
}
