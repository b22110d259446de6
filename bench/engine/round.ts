import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BATCH, CHUNK, prepareBatches } from './batches.ts';
import {
  diskBytes,
  forgetPeakMemory,
  peakMemoryBytes,
  untilQuiet,
  writtenBytes,
} from './process-figures.ts';
import { type ReadingSource, VALUE_BYTES } from './readings.ts';
import { measureReads } from './reads.ts';
import type { Figures, RowId } from './rows.ts';
import { Stopwatch } from './stopwatch.ts';
import type { BenchedStore, Engine } from './stores/store.ts';
import { measureChainedBatches, measureSinglePuts, measureSyncedBatches } from './writes.ts';

export interface RoundOptions {
  readonly directory: string;
  readonly readings: number;
  readonly rows: readonly RowId[];
}

const OPENINGS = 5;
const WRITES_BEFORE_OPENING = 1_000;

/**
 * All rows of one engine, once. First the large database, from which memory and everything read is measured;
 * then the other ways to write, each into a database of its own.
 */
export async function measureRound(
  engine: Engine,
  source: ReadingSource,
  options: RoundOptions,
): Promise<Figures> {
  const figures: Figures = {};
  const wanted = (...rows: RowId[]): boolean => rows.some((row) => options.rows.includes(row));
  const freshDirectory = async (name: string): Promise<string> => {
    const directory = join(options.directory, name);
    await mkdir(directory, { recursive: true });
    return directory;
  };
  if (options.rows.some((row) => !OTHER_DATABASES.includes(row))) {
    const directory = await freshDirectory('loaded');
    Object.assign(figures, await measureLoaded(engine, source, directory, options));
    await rm(directory, { recursive: true });
  }
  if (wanted('puts')) {
    const store = await engine.open(await freshDirectory('puts'));
    figures.puts = await measureSinglePuts(store, source, options.readings);
    await store.close();
    await rm(join(options.directory, 'puts'), { recursive: true });
  }
  if (wanted('chained')) {
    const store = await engine.open(await freshDirectory('chained'));
    const rate = await measureChainedBatches(store, source, options.readings);
    if (rate !== undefined) figures.chained = rate;
    await store.close();
    await rm(join(options.directory, 'chained'), { recursive: true });
  }
  if (wanted('sync-1', 'sync-16')) {
    const store = await engine.open(await freshDirectory('sync'));
    if (wanted('sync-1')) figures['sync-1'] = await measureSyncedBatches(store, source, 0, 1);
    if (wanted('sync-16')) figures['sync-16'] = await measureSyncedBatches(store, source, 1, 16);
    await store.close();
  }
  return figures;
}

const OTHER_DATABASES: readonly RowId[] = ['puts', 'chained', 'sync-1', 'sync-16'];

async function measureLoaded(
  engine: Engine,
  source: ReadingSource,
  directory: string,
  { readings, rows }: RoundOptions,
): Promise<Figures> {
  const figures: Figures = {};
  // What the engine has for it is gone before the peak is counted; the readings of a chunk are in every engine's.
  source.build(0, CHUNK);
  globalThis.gc?.();
  forgetPeakMemory();
  const writtenBefore = writtenBytes();
  const store = await engine.open(directory);
  figures.batches = await load(store, source, readings);
  await untilQuiet();
  const storedBytes = readings * (source.keyBytes + VALUE_BYTES);
  figures.amplification = (writtenBytes() - writtenBefore) / storedBytes;
  Object.assign(figures, await measureReads({ store, source, readings }, rows));
  figures.memory = peakMemoryBytes() / 1e6;
  await store.close();
  if (rows.some((row) => AFTER_CLOSE.includes(row))) {
    Object.assign(figures, await measureOpening(engine, source, directory, readings));
    figures.disk = await measureDisk(engine, directory);
  }
  return figures;
}

const AFTER_CLOSE: readonly RowId[] = ['open', 'open-written', 'close-written', 'disk'];

async function load(store: BenchedStore, source: ReadingSource, readings: number): Promise<number> {
  const watch = new Stopwatch();
  for (let first = 0; first < readings; first += CHUNK) {
    const batches = prepareBatches(store, source, { first, count: CHUNK, batchSize: BATCH });
    await watch.time(async () => {
      for (const batch of batches) await store.batch(batch);
    });
  }
  return watch.rate(readings);
}

/** Opens and closes a few times, with nothing new and with a few writes between. */
async function measureOpening(
  engine: Engine,
  source: ReadingSource,
  directory: string,
  readings: number,
): Promise<Figures> {
  const times = { open: [] as number[], written: [] as number[], close: [] as number[] };
  for (let opening = 0; opening < OPENINGS; opening++) {
    const watch = new Stopwatch();
    const store = await watch.time(() => engine.open(directory));
    times.open.push(watch.elapsedMs);
    await store.close();

    const first = readings + opening * WRITES_BEFORE_OPENING;
    const writing = await engine.open(directory);
    const chunk = source.build(first, WRITES_BEFORE_OPENING);
    await writing.batch(writing.prepareBatch(chunk, 0, WRITES_BEFORE_OPENING));
    const closing = new Stopwatch();
    await closing.time(() => writing.close());
    times.close.push(closing.elapsedMs);

    const afterWriting = new Stopwatch();
    const written = await afterWriting.time(() => engine.open(directory));
    times.written.push(afterWriting.elapsedMs);
    await written.close();
  }
  return {
    open: medianOf(times.open),
    'open-written': medianOf(times.written),
    'close-written': medianOf(times.close),
  };
}

async function measureDisk(engine: Engine, directory: string): Promise<number> {
  const store = await engine.open(directory);
  await store.compact?.();
  await untilQuiet();
  await store.close();
  const bytes = await diskBytes(directory);
  assert(bytes > 0, 'a database is on the disk');
  return bytes / 1e6;
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
