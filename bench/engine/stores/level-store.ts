import type { Readings, SeriesRange } from '../readings.ts';
import { type BenchedStore, type ScanRange, touch } from './store.ts';

/** So much of `abstract-level` as is used here; versions 1 and 3 agree on it. */
export interface Level {
  open(): Promise<void>;
  close(): Promise<void>;
  put(key: Buffer, value: Buffer): Promise<void>;
  batch(operations: readonly LevelPut[]): Promise<void>;
  batch(): LevelBatch;
  get(key: Buffer): Promise<Buffer | undefined>;
  getSync?(key: Buffer): Buffer | undefined;
  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]>;
  iterator(options: LevelRange): LevelIterator;
  compactRange?(start: Buffer, end: Buffer): Promise<void>;
}

interface LevelPut {
  readonly type: 'put';
  readonly key: Buffer;
  readonly value: Buffer;
}

interface LevelBatch {
  put(key: Buffer, value: Buffer): unknown;
  write(options?: { sync: boolean }): Promise<void>;
}

interface LevelRange {
  readonly gte?: Buffer;
  readonly lt?: Buffer;
  readonly reverse?: boolean;
  readonly limit?: number;
  /** Ignored where it is unknown. */
  readonly highWaterMarkBytes?: number;
}

interface LevelIterator {
  nextv(count: number): Promise<[Buffer, Buffer][]>;
  close(): Promise<void>;
}

const PAGE_ENTRIES = 1_000;
/** classic-level's manual: at least the entries of a page by their length, so that pages are full. */
const PAGE_BYTES = 256 * 1024;
const SYNC = { sync: true };

/** Our engine, classic-level and rocksdb by the same calls. */
export class LevelStore implements BenchedStore {
  readonly #level: Level;
  readonly get: (key: Buffer) => Promise<Uint8Array | undefined>;
  readonly getSync: ((key: Buffer) => Uint8Array | undefined) | undefined;
  readonly compact: (() => Promise<void>) | undefined;

  /** Opens it. `missingThrows`: `get` rejects for a key that is not there, which `getMany` does not. */
  static async open(level: Level, options = { missingThrows: false }): Promise<LevelStore> {
    await level.open();
    return new LevelStore(level, options.missingThrows);
  }

  private constructor(level: Level, missingThrows: boolean) {
    this.#level = level;
    this.get = missingThrows
      ? async (key) => (await level.getMany([key]))[0]
      : (key) => level.get(key);
    this.getSync = level.getSync ? (key) => level.getSync?.(key) : undefined;
    const last = Buffer.alloc(64, 0xff);
    this.compact = level.compactRange
      ? async () => level.compactRange?.(Buffer.alloc(1), last)
      : undefined;
  }

  put(key: Buffer, value: Buffer): Promise<void> {
    return this.#level.put(key, value);
  }

  prepareBatch({ keys, values }: Readings, first: number, end: number): LevelPut[] {
    const batch: LevelPut[] = [];
    for (let i = first; i < end; i++) {
      batch.push({ type: 'put', key: keys[i] as Buffer, value: values[i] as Buffer });
    }
    return batch;
  }

  /** Without options, which `abstract-level` would spread over each operation: that costs more than all the rest. */
  batch(prepared: LevelPut[]): Promise<void> {
    return this.#level.batch(prepared);
  }

  chainedBatch(prepared: LevelPut[]): Promise<void> {
    return this.#chain(prepared).write();
  }

  syncedBatch(prepared: LevelPut[]): Promise<void> {
    return this.#chain(prepared).write(SYNC);
  }

  #chain(prepared: LevelPut[]): LevelBatch {
    const batch = this.#level.batch();
    for (const { key, value } of prepared) batch.put(key, value);
    return batch;
  }

  async newest({ lower, upper }: SeriesRange): Promise<Uint8Array | undefined> {
    const iterator = this.#level.iterator({ gte: lower, lt: upper, limit: 1 });
    const [entry] = await iterator.nextv(1);
    await iterator.close();
    return entry?.[1];
  }

  async scan({ lower, upper, reverse = false }: ScanRange, countMax: number): Promise<number> {
    const iterator = this.#level.iterator({
      ...(lower && { gte: lower }),
      ...(upper && { lt: upper }),
      reverse,
      highWaterMarkBytes: PAGE_BYTES,
    });
    let count = 0;
    while (count < countMax) {
      const entries = await iterator.nextv(PAGE_ENTRIES);
      if (entries.length === 0) break;
      for (const [key, value] of entries) count += touch(key, value);
    }
    await iterator.close();
    return count;
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}
