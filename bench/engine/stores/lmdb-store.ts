import type { Readings, SeriesRange } from '../readings.ts';
import { type BenchedStore, type ScanRange, touch } from './store.ts';

/** So much of lmdb's interface as is used here. */
export interface Lmdb {
  open(options: Record<string, unknown>): LmdbDatabase;
}

interface LmdbDatabase {
  put(key: Buffer, value: Buffer): Promise<boolean>;
  batch(action: () => void): Promise<boolean>;
  readonly flushed: Promise<boolean>;
  get(key: Buffer): Buffer | undefined;
  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]>;
  getRange(options: {
    start?: Buffer;
    end?: Buffer;
    reverse?: boolean;
    limit?: number;
  }): Iterable<{ key: Buffer; value: Buffer }>;
  close(): Promise<void>;
}

interface LmdbBatch extends Readings {
  readonly first: number;
  readonly end: number;
}

/** lmdb by its own interface: reads are synchronous, writes are committed by a thread and flushed after that. */
export class LmdbStore implements BenchedStore {
  readonly #database: LmdbDatabase;

  constructor(lmdb: Lmdb, directory: string) {
    this.#database = lmdb.open({ path: directory, keyEncoding: 'binary', encoding: 'binary' });
  }

  put(key: Buffer, value: Buffer): Promise<boolean> {
    return this.#database.put(key, value);
  }

  prepareBatch(readings: Readings, first: number, end: number): LmdbBatch {
    return { ...readings, first, end };
  }

  async batch({ keys, values, first, end }: LmdbBatch): Promise<void> {
    const database = this.#database;
    // The promises of single puts are the batch's: it rejects when they do.
    await database.batch(() => {
      for (let i = first; i < end; i++) void database.put(keys[i] as Buffer, values[i] as Buffer);
    });
  }

  async syncedBatch(prepared: LmdbBatch): Promise<void> {
    await this.batch(prepared);
    await this.#database.flushed;
  }

  getSync(key: Buffer): Uint8Array | undefined {
    return this.#database.get(key);
  }

  getMany(keys: readonly Buffer[]): Promise<(Uint8Array | undefined)[]> {
    return this.#database.getMany(keys);
  }

  newest({ lower, upper }: SeriesRange): Uint8Array | undefined {
    for (const { value } of this.#database.getRange({ start: lower, end: upper, limit: 1 })) {
      return value;
    }
    return undefined;
  }

  /** Backwards a range begins at its greater end, which it includes as it does the beginning otherwise. */
  async scan({ lower, upper, reverse = false }: ScanRange, countMax: number): Promise<number> {
    let count = 0;
    const [start, end] = reverse ? [upper, lower] : [lower, upper];
    const limit = Number.isFinite(countMax) ? { limit: countMax } : {};
    const range = { ...(start && { start }), ...(end && { end }), ...limit, reverse };
    for (const { key, value } of this.#database.getRange(range)) count += touch(key, value);
    return count;
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
