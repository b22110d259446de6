import assert from 'node:assert/strict';
import { type ReadingSource, randomNumbers, VALUE_BYTES } from './readings.ts';
import type { Figures, RowId } from './rows.ts';
import { keepOutstanding, Stopwatch } from './stopwatch.ts';
import type { BenchedStore, ScanRange } from './stores/store.ts';

const GETS = 200_000;
const GETS_OUTSTANDING = 1_000;
const NEWEST = 20_000;
const NEWEST_OUTSTANDING = 100;
const SERIES_SCANS = 1_000;
/** Of a full scan, so that one of ten million does not take all the time there is. */
const SCANNED_MAX = 2_000_000;
const SEED = 1;

/** A database with so many readings. */
export interface Loaded {
  readonly store: BenchedStore;
  readonly source: ReadingSource;
  readonly readings: number;
}

/** The same random choice for every engine. What is found is counted, and must be what was written. */
export async function measureReads(loaded: Loaded, rows: readonly RowId[]): Promise<Figures> {
  const { store, source, readings } = loaded;
  await checkSome(loaded);
  const figures: Figures = {};
  const measure = async (row: RowId, run: () => Promise<number | undefined>): Promise<void> => {
    if (!rows.includes(row)) return;
    globalThis.gc?.();
    const figure = await run();
    if (figure !== undefined) figures[row] = figure;
  };
  const chosen = randomNumbers(GETS, readings, SEED);
  const existing = () => source.keysOf(chosen);
  const missing = () => source.missingKeysOf(chosen);
  await measure('get-sync', async () => getsSync(store, existing(), GETS));
  await measure('missing-sync', async () => getsSync(store, missing(), 0));
  await measure('get', () => gets(store, existing(), GETS));
  await measure('missing', () => gets(store, missing(), 0));
  await measure('newest', () => newest(store, source));
  await measure('series', () => scanSeries(loaded));
  await measure('scan', () => scanAll(loaded, {}));
  await measure('reverse', () => scanAll(loaded, { reverse: true }));
  return figures;
}

function getsSync(
  store: BenchedStore,
  keys: readonly Buffer[],
  expected: number,
): number | undefined {
  if (!store.getSync) return undefined;
  const watch = new Stopwatch();
  const found = watch.timeSync(() => {
    let count = 0;
    for (const key of keys) if (store.getSync?.(key)?.length === VALUE_BYTES) count += 1;
    return count;
  });
  assert.equal(found, expected, 'what was written is found, and nothing else');
  return watch.rate(keys.length);
}

async function gets(
  store: BenchedStore,
  keys: readonly Buffer[],
  expected: number,
): Promise<number | undefined> {
  let found = 0;
  const look = (value: Uint8Array | undefined): void => {
    if (value?.length === VALUE_BYTES) found += 1;
  };
  const watch = new Stopwatch();
  if (store.get) {
    await watch.time(() =>
      keepOutstanding(keys.length, GETS_OUTSTANDING, (i) =>
        store.get?.(keys[i] as Buffer).then(look),
      ),
    );
  } else if (store.getMany) {
    for (let first = 0; first < keys.length; first += GETS_OUTSTANDING) {
      const page = keys.slice(first, first + GETS_OUTSTANDING);
      const values = await watch.time(async () => store.getMany?.(page));
      values?.forEach(look);
    }
  } else {
    return undefined;
  }
  assert.equal(found, expected, 'what was written is found, and nothing else');
  return watch.rate(keys.length);
}

async function newest(store: BenchedStore, source: ReadingSource): Promise<number> {
  const ranges = randomNumbers(NEWEST, source.seriesCount, SEED).map((series) =>
    source.seriesRange(series),
  );
  let found = 0;
  const look = (value: Uint8Array | undefined): void => {
    if (value?.length === VALUE_BYTES) found += 1;
  };
  const watch = new Stopwatch();
  await watch.time(() =>
    keepOutstanding(NEWEST, NEWEST_OUTSTANDING, (i) => {
      const answer = store.newest(ranges[i] as (typeof ranges)[number]);
      return answer instanceof Promise ? answer.then(look) : look(answer);
    }),
  );
  assert.equal(found, NEWEST, 'every series has a newest value');
  return watch.rate(NEWEST);
}

/** Thousands of entries per second, one series after another. */
async function scanSeries({ store, source, readings }: Loaded): Promise<number> {
  const perSeries = readings / source.seriesCount;
  const ranges = randomNumbers(SERIES_SCANS, source.seriesCount, SEED).map((series) =>
    source.seriesRange(series),
  );
  const watch = new Stopwatch();
  let scanned = 0;
  await watch.time(async () => {
    for (const range of ranges) scanned += await store.scan(range, Number.POSITIVE_INFINITY);
  });
  assert.equal(scanned, SERIES_SCANS * perSeries, 'a scan gives a whole series');
  return watch.rate(scanned);
}

async function scanAll({ store, readings }: Loaded, range: ScanRange): Promise<number> {
  const watch = new Stopwatch();
  const scanned = await watch.time(() => store.scan(range, SCANNED_MAX));
  assert(scanned >= Math.min(readings, SCANNED_MAX), 'a scan gives everything');
  return watch.rate(scanned);
}

/** Before the clock runs: values and neighbours are right, in both directions. */
async function checkSome({ store, source, readings }: Loaded): Promise<void> {
  for (const reading of randomNumbers(50, readings, SEED + 1)) {
    const [key] = source.keysOf([reading]) as [Buffer];
    const value = store.getSync ? store.getSync(key) : await store.get?.(key);
    assert.equal(value && Buffer.from(value).toString('latin1'), source.valueOf(reading));
    const range = source.seriesRange(reading % source.seriesCount);
    const last = readings - source.seriesCount + (reading % source.seriesCount);
    const first = await store.newest(range);
    assert.equal(first && Buffer.from(first).toString('latin1'), source.valueOf(last));
  }
}
