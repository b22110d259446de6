import { rmdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { type AbstractBatchOperation, AbstractLevel } from 'abstract-level';
import type { EngineEntry, MaybePromise } from '../engine.ts';
import { Store, type StoreStatistics } from '../store/store.ts';
import { WriteBatch } from '../store/write-batch.ts';
import { OsVfs } from '../vfs/os.ts';
import { ChainedBatch } from './chained-batch.ts';
import { LevelError, levelError, throwLevelError } from './errors.ts';
import { EventLoopShare } from './event-loop-share.ts';
import { bytesOf, copyOf, type Data, dataOf, type Format, ownBytesOf } from './formats.ts';
import {
  EntryIterator,
  type IteratorOptions,
  type IteratorSource,
  KeyIterator,
  ValueIterator,
} from './iterators.ts';
import { LazyOffload } from './lazy-offload.ts';
import {
  type BatchOptions,
  type DelOptions,
  type DssLevelOpenOptions,
  type DssLevelOptions,
  engineOptionsOf,
  type PutOptions,
  type SyncOption,
} from './options.ts';
import { keyRangeOf, type RangeOptions } from './range.ts';
import { LevelSnapshot } from './snapshot.ts';

/** What of abstract-level's methods takes more options here. */
export interface DssLevel<KDefault, VDefault> {
  open(options?: DssLevelOpenOptions): Promise<void>;
  put(key: KDefault, value: VDefault): Promise<void>;
  put<K = KDefault, V = VDefault>(key: K, value: V, options: PutOptions<K, V>): Promise<void>;
  del(key: KDefault): Promise<void>;
  del<K = KDefault>(key: K, options: DelOptions<K>): Promise<void>;
  batch(operations: AbstractBatchOperation<this, KDefault, VDefault>[]): Promise<void>;
  batch<K = KDefault, V = VDefault>(
    operations: AbstractBatchOperation<this, K, V>[],
    options: BatchOptions<K, V>,
  ): Promise<void>;
  batch(): ChainedBatch<this, KDefault, VDefault>;
}

/** The engine as an `abstract-level` database: what runs on `classic-level` runs on this. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are there, in the class it extends
export class DssLevel<KDefault = string, VDefault = string> extends AbstractLevel<
  string | Buffer | Uint8Array,
  KDefault,
  VDefault
> {
  readonly #location: string;
  readonly #share = new EventLoopShare();
  readonly #batch = new WriteBatch();
  #offload: LazyOffload | undefined;
  #store: Store | undefined;
  /** Writes of one group have one promise, and so they have one here. */
  #group: Promise<void> | undefined;
  #written: Promise<void> | undefined;

  /** `location` is the directory that it is in, and that nothing else may be in. */
  constructor(location: string, options?: DssLevelOptions<KDefault, VDefault>) {
    checkLocation(location);
    super(manifest, options);
    this.#location = location;
  }

  /** Removes a database that nobody has open, and its directory if nothing else is in it. */
  static async destroy(location: string): Promise<void> {
    checkLocation(location);
    await Store.destroy(new OsVfs(), location).catch(throwLevelError);
    await rmdir(location).catch(() => {});
  }

  get location(): string {
    return this.#location;
  }

  /** Sizes, and counts since it was opened. */
  statistics(): StoreStatistics {
    return this.#opened.statistics();
  }

  /**
   * The first entry whose key starts with `prefix`: of a series the newest, with `seriesSuffixBytes` and an inverted
   * time at the end of keys. Costs about what `get` costs, which no iterator does.
   */
  async first<K = KDefault, V = VDefault>(
    prefix: K,
    options: EncodingOptions = {},
  ): Promise<[K, V] | undefined> {
    if (this.status === 'opening') return this.deferAsync(() => this.first(prefix, options));
    const keyEncoding = this.#encodingOf<K>(this.keyEncoding(options.keyEncoding as 'utf8'));
    const valueEncoding = this.#encodingOf<V>(this.valueEncoding(options.valueEncoding as 'utf8'));
    const entry = await this.#firstOf(bytesOf(keyEncoding.encode(prefix)));
    if (entry === undefined) return undefined;
    return [
      keyEncoding.decode(dataOf(copyOf(entry.key), keyEncoding.format)),
      valueEncoding.decode(dataOf(copyOf(entry.value), valueEncoding.format)),
    ];
  }

  /** Bytes on disk between two keys, about; what is in memory only is not counted. */
  async approximateSize<K = KDefault>(
    start: K,
    end: K,
    options: Pick<EncodingOptions, 'keyEncoding'> = {},
  ): Promise<number> {
    if (start === undefined || end === undefined) {
      throw new TypeError("The arguments 'start' and 'end' are required");
    }
    if (this.status === 'opening') {
      return this.deferAsync(() => this.approximateSize(start, end, options));
    }
    const { encode } = this.#encodingOf<K>(this.keyEncoding(options.keyEncoding as 'utf8'));
    const range = { lower: bytesOf(encode(start)), upper: bytesOf(encode(end)) };
    return this.#opened.approximateSize(range);
  }

  /**
   * Merges tables until what is in them is in one level and without what was overwritten or deleted. It
   * does so for all keys; a range is taken for compatibility and for what may come.
   */
  async compactRange(_start?: unknown, _end?: unknown, _options?: unknown): Promise<void> {
    if (this.status === 'opening') return this.deferAsync(() => this.compactRange());
    await this.#opened.compact().catch(throwLevelError);
  }

  /** Resolves when everything written before the call is in tables. */
  async flush(): Promise<void> {
    if (this.status === 'opening') return this.deferAsync(() => this.flush());
    await this.#opened.flush().catch(throwLevelError);
  }

  /**
   * Makes a database in another directory of the same file system that has what was written before the call. Tables
   * are not copied but linked, so that it takes little time and space. Nothing may be in the directory.
   */
  async checkpoint(location: string): Promise<void> {
    checkLocation(location);
    if (this.status === 'opening') return this.deferAsync(() => this.checkpoint(location));
    await this.#opened.checkpoint(location).catch(throwLevelError);
  }

  /** Reads all tables and looks at every byte; what is damaged is also reported to `onEvent`. */
  async verify(): ReturnType<Store['verify']> {
    if (this.status === 'opening') return this.deferAsync(() => this.verify());
    return this.#opened.verify().catch(throwLevelError);
  }

  async _open(options: DssLevelOpenOptions): Promise<void> {
    const vfs = new OsVfs();
    const offload = new LazyOffload(vfs);
    try {
      this.#store = await Store.open({
        ...engineOptionsOf(options),
        vfs,
        directory: this.#location,
        offload,
        giveWay: () => this.#share.giveWay(),
        // Somebody may be waiting for a write: the program does not end meanwhile.
        pause: (milliseconds) => setTimeout(milliseconds),
      });
      this.#offload = offload;
    } catch (error) {
      await offload.close();
      throw levelError(error);
    }
  }

  async _close(): Promise<void> {
    try {
      await this.#store?.close().catch(throwLevelError);
    } finally {
      await this.#offload?.close();
      this.#store = undefined;
    }
  }

  _put(key: Data, value: Data, options: SyncOption): Promise<void> {
    try {
      return this.#acknowledged(this.#opened.put(bytesOf(key), bytesOf(value), options));
    } catch (error) {
      throwLevelError(error);
    }
  }

  _del(key: Data, options: SyncOption): Promise<void> {
    try {
      return this.#acknowledged(this.#opened.delete(bytesOf(key), options));
    } catch (error) {
      throwLevelError(error);
    }
  }

  _batch(operations: readonly BatchOperation[], options: SyncOption): Promise<void> {
    const batch = this.#batch;
    batch.clear();
    for (const { type, key, value } of operations) {
      if (type === 'put') batch.put(bytesOf(key), bytesOf(value));
      else batch.delete(bytesOf(key));
    }
    return this.#write(batch, options);
  }

  _chainedBatch(): ChainedBatch<this, KDefault, VDefault> {
    return new ChainedBatch(this, (batch, options) => this.#write(batch, options));
  }

  _get(key: Data, options: ReadOptions): MaybePromise<Data | undefined> {
    const turn = this.#share.giveWaySometimes();
    if (turn !== undefined) {
      const own = ownBytesOf(key);
      return turn.then(() => this._get(own, options));
    }
    const format = options.valueEncoding;
    const found = this.#find(bytesOf(key), options);
    if (found instanceof Promise) return found.then((value) => dataOrNothing(value, format));
    return dataOrNothing(found, format);
  }

  _getSync(key: Data, options: ReadOptions): Data | undefined {
    try {
      const view = options.snapshot?.view ?? this.#opened;
      return dataOrNothing(view.getSync(bytesOf(key)), options.valueEncoding);
    } catch (error) {
      throwLevelError(error);
    }
  }

  /** All as of one moment. */
  async _getMany(keys: readonly Data[], options: ReadOptions): Promise<(Data | undefined)[]> {
    const format = options.valueEncoding;
    const values = await this.#findAll(keys, options);
    return values.map((value) => dataOrNothing(value, format));
  }

  async _has(key: Data, options: ReadOptions): Promise<boolean> {
    return (await this.#find(bytesOf(key), options)) !== undefined;
  }

  async _hasMany(keys: readonly Data[], options: ReadOptions): Promise<boolean[]> {
    const values = await this.#findAll(keys, options);
    return values.map((value) => value !== undefined);
  }

  async _clear(options: RangeOptions & ClearOptions): Promise<void> {
    const { reverse, limit, snapshot } = options;
    const wanted = { reverse, limit: limit < 0 ? undefined : limit, snapshot: snapshot?.view };
    await this.#opened.clear(keyRangeOf(options), wanted).catch(throwLevelError);
  }

  _iterator(options: IteratorOptions & SnapshotOption) {
    return new EntryIterator(this, this.#source(options), options);
  }

  _keys(options: IteratorOptions & SnapshotOption) {
    return new KeyIterator(this, this.#source(options), options);
  }

  _values(options: IteratorOptions & SnapshotOption) {
    return new ValueIterator(this, this.#source(options), options);
  }

  _snapshot(options: object): LevelSnapshot {
    return new LevelSnapshot(this.#opened.snapshot(), options);
  }

  get #opened(): Store {
    if (this.#store !== undefined) return this.#store;
    throw new LevelError('LEVEL_DATABASE_NOT_OPEN', 'Database is not open');
  }

  #firstOf(prefix: Uint8Array): MaybePromise<EngineEntry | undefined> {
    try {
      const found = this.#opened.first(prefix);
      return found instanceof Promise ? found.catch(throwLevelError) : found;
    } catch (error) {
      throwLevelError(error);
    }
  }

  /** Encodings may be left out and may be objects, which the types of abstract-level say only in overloads. */
  #encodingOf<T>(encoding: unknown): LevelEncoding<T> {
    return encoding as LevelEncoding<T>;
  }

  #write(batch: WriteBatch, options: SyncOption): Promise<void> {
    try {
      return this.#acknowledged(this.#opened.write(batch, options));
    } catch (error) {
      throwLevelError(error);
    }
  }

  #acknowledged(group: Promise<void>): Promise<void> {
    if (group !== this.#group || this.#written === undefined) {
      this.#group = group;
      this.#written = group.catch(throwLevelError);
    }
    return this.#written;
  }

  #find(key: Uint8Array, { snapshot }: ReadOptions): MaybePromise<Uint8Array | undefined> {
    try {
      const found = (snapshot?.view ?? this.#opened).get(key);
      return found instanceof Promise ? found.catch(throwLevelError) : found;
    } catch (error) {
      throwLevelError(error);
    }
  }

  async #findAll(keys: readonly Data[], options: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    const view = options.snapshot?.view ?? this.#opened.snapshot();
    try {
      // What one throws at once must not leave the promises of others to nobody.
      return await Promise.all(keys.map(async (key) => view.get(bytesOf(key))));
    } catch (error) {
      throw levelError(error);
    } finally {
      if (options.snapshot === undefined) view.close();
    }
  }

  #source({ snapshot }: SnapshotOption): IteratorSource {
    const view = snapshot?.view ?? this.#opened.snapshot();
    const release = snapshot === undefined ? () => view.close() : () => {};
    return { snapshot: view, release, share: this.#share };
  }
}

function checkLocation(location: unknown): void {
  if (typeof location === 'string' && location !== '') return;
  throw new TypeError("The first argument 'location' must be a non-empty string");
}

const manifest = {
  encodings: { buffer: true, utf8: true, view: true },
  has: true,
  createIfMissing: true,
  errorIfExists: true,
  explicitSnapshots: true,
  getSync: true,
  additionalMethods: {
    approximateSize: true,
    checkpoint: true,
    compactRange: true,
    first: true,
    flush: true,
    statistics: true,
    verify: true,
  },
  signals: { iterators: true },
};

interface EncodingOptions {
  readonly keyEncoding?: string | undefined;
  readonly valueEncoding?: string | undefined;
}

interface LevelEncoding<T> {
  readonly format: Format;
  encode(this: void, data: T): Data;
  decode(this: void, data: Data): T;
}

interface SnapshotOption {
  readonly snapshot?: LevelSnapshot | undefined;
}

interface ReadOptions extends SnapshotOption {
  readonly valueEncoding: Format;
}

interface ClearOptions extends SnapshotOption {
  readonly reverse: boolean;
  /** -1 for none. */
  readonly limit: number;
}

interface BatchOperation {
  readonly type: 'put' | 'del';
  readonly key: Data;
  readonly value: Data;
}

function dataOrNothing(bytes: Uint8Array | undefined, format: Format): Data | undefined {
  return bytes === undefined ? undefined : dataOf(bytes, format);
}
