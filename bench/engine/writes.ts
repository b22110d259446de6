import { BATCH, CHUNK, prepareBatches } from './batches.ts';
import type { ReadingSource } from './readings.ts';
import { keepOutstanding, Stopwatch } from './stopwatch.ts';
import type { BenchedStore } from './stores/store.ts';

const PUTS_MAX = 1_000_000;
const PUTS_OUTSTANDING = 1_000;
const SYNCED_BATCH = 100;
/** Depends on the disk more than on the engine: so long, or until a chunk has been written. */
const SYNCED_MS = 2_000;

/** Thousands of entries per second, each put by a call of its own. */
export async function measureSinglePuts(
  store: BenchedStore,
  source: ReadingSource,
  readings: number,
): Promise<number> {
  const count = Math.min(readings, PUTS_MAX);
  const watch = new Stopwatch();
  for (let first = 0; first < count; first += CHUNK) {
    const { keys, values } = source.build(first, CHUNK);
    await watch.time(() =>
      keepOutstanding(CHUNK, PUTS_OUTSTANDING, (i) =>
        store.put(keys[i] as Buffer, values[i] as Buffer),
      ),
    );
  }
  return watch.rate(count);
}

/** Undefined where an engine has no such call. */
export async function measureChainedBatches(
  store: BenchedStore,
  source: ReadingSource,
  readings: number,
): Promise<number | undefined> {
  if (!store.chainedBatch) return undefined;
  const count = Math.min(readings, PUTS_MAX);
  const watch = new Stopwatch();
  for (let first = 0; first < count; first += CHUNK) {
    const batches = prepareBatches(store, source, { first, count: CHUNK, batchSize: BATCH });
    await watch.time(async () => {
      for (const batch of batches) await store.chainedBatch?.(batch);
    });
  }
  return watch.rate(count);
}

/** Thousands of entries per second in batches that survive power loss when they are answered. */
export async function measureSyncedBatches(
  store: BenchedStore,
  source: ReadingSource,
  chunk: number,
  outstanding: number,
): Promise<number> {
  const first = chunk * CHUNK;
  const batches = prepareBatches(store, source, { first, count: CHUNK, batchSize: SYNCED_BATCH });
  const watch = new Stopwatch();
  const endsMs = performance.now() + SYNCED_MS;
  let written = 0;
  await watch.time(() =>
    keepOutstanding(batches.length, outstanding, (i) => {
      if (performance.now() > endsMs) return undefined;
      written += SYNCED_BATCH;
      return store.syncedBatch(batches[i]);
    }),
  );
  return watch.rate(written);
}
