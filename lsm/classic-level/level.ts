import type { ChainedBatch, ClassicLevel, Iterator, Snapshot } from 'classic-level';
import { LsmError } from '../errors.ts';
import {
  ALL_MARKERS,
  FORMAT_KEY,
  FORMAT_VERSION,
  LARGEST_SUFFIX_KEY,
  type LevelRange,
  POSITIONS_KEY,
} from './keys.ts';

/** LevelDB as `classic-level` gives it, with bytes for keys and values. */
export type Level = ClassicLevel<Uint8Array, Uint8Array>;
export type LevelBatch = ChainedBatch<Level, Uint8Array, Uint8Array>;
export type LevelIterator = Iterator<Level, Uint8Array, Uint8Array>;
export type LevelSnapshot = Snapshot;
export type LevelEntry = readonly [key: Uint8Array, value: Uint8Array];

export interface LevelOptions {
  readonly directory: string;
  readonly writeBufferBytes: number;
  readonly blockCacheBytes: number;
  readonly blockSizeBytes: number;
  readonly tableBytes: number;
}

/** What the engine said of itself when it was written to last. */
export interface OwnRecords {
  readonly positions: Uint8Array | undefined;
  readonly largestSuffix: Uint8Array | undefined;
  readonly markers: readonly LevelEntry[];
}

/** Opens or creates. `classic-level` is loaded not before it is wanted: it is native, and optional. */
export async function openLevel(options: LevelOptions): Promise<Level> {
  const { ClassicLevel } = await import('classic-level').catch((error: unknown) => {
    const message = `the package classic-level cannot be loaded: ${(error as Error).message}`;
    throw new LsmError('ENGINE_FAILED', message, { cause: error });
  });
  const level = new ClassicLevel<Uint8Array, Uint8Array>(options.directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: true,
    compression: true,
    writeBufferSize: options.writeBufferBytes,
    cacheSize: options.blockCacheBytes,
    blockSize: options.blockSizeBytes,
    maxFileSize: options.tableBytes,
  });
  await level.open();
  return level;
}

/** Also claims a new database. */
export async function readOwnRecords(level: Level): Promise<OwnRecords> {
  const format = await level.get(FORMAT_KEY);
  if (format === undefined) {
    await level.put(FORMAT_KEY, Uint8Array.of(FORMAT_VERSION), { sync: true });
  } else if ((format[0] ?? 0) > FORMAT_VERSION) {
    throw new LsmError('FORMAT_TOO_NEW', `${level.location} has format ${format[0]}`);
  }
  const positions = await level.get(POSITIONS_KEY);
  const largestSuffix = await level.get(LARGEST_SUFFIX_KEY);
  const markers = await level.iterator(ALL_MARKERS).all();
  return {
    positions: positions && plain(positions),
    largestSuffix: largestSuffix && plain(largestSuffix),
    markers: markers.map(([key, value]) => [plain(key), plain(value)]),
  };
}

/** LevelDB gives Buffers, of which a slice is no copy. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The first or last key in a range; `undefined` when there is none. */
export async function endOf(
  level: Level,
  range: LevelRange,
  end: 'first' | 'last',
): Promise<Uint8Array | undefined> {
  const [key] = await level.keys({ ...range, reverse: end === 'last', limit: 1 }).all();
  return key && plain(key);
}

/** What LevelDB says of a level: sizes in whole MiB, since it was opened. */
export interface LevelStatistics {
  readonly files: number;
  readonly bytes: number;
  readonly writtenBytes: number;
}

/** Levels that have neither files nor work behind them are left out by LevelDB. */
export function levelStatistics(level: Level): LevelStatistics[] {
  const statistics: LevelStatistics[] = [];
  for (const line of level.getProperty('leveldb.stats').split('\n')) {
    const columns = line.trim().split(/\s+/).map(Number);
    if (columns.length !== 6 || columns.some(Number.isNaN)) continue;
    const [number = 0, files = 0, mebibytes = 0, , , writtenMebibytes = 0] = columns;
    statistics[number] = {
      files,
      bytes: mebibytes * MIB,
      writtenBytes: writtenMebibytes * MIB,
    };
  }
  return Array.from(statistics, (each) => each ?? { files: 0, bytes: 0, writtenBytes: 0 });
}

const MIB = 1024 * 1024;
