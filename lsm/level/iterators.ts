import { AbstractIterator, AbstractKeyIterator, AbstractValueIterator } from 'abstract-level';
import type { EngineEntry, EngineSnapshot, MaybePromise } from '../engine.ts';
import { abortError, throwLevelError } from './errors.ts';
import type { EventLoopShare } from './event-loop-share.ts';
import { type Data, dataOf, type Format, ownBytesOf } from './formats.ts';
import { keyRangeOf, type RangeOptions } from './range.ts';
import { RangeReader } from './range-reader.ts';

/** As abstract-level hands them on. */
export interface IteratorOptions extends RangeOptions {
  readonly reverse: boolean;
  /** -1 for none. */
  readonly limit: number;
  readonly keyEncoding: Format;
  readonly valueEncoding: Format;
  readonly keys?: boolean;
  readonly values?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface IteratorSource {
  readonly snapshot: EngineSnapshot;
  /** Called when nothing more is read; closes the snapshot if it is the iterator's own. */
  readonly release: () => void;
  readonly share: EventLoopShare;
}

/** What the three kinds of iterators have in common; they differ in what they make of an entry. */
class Items<T> {
  readonly #reader: RangeReader;
  readonly #source: IteratorSource;
  readonly #signal: AbortSignal | undefined;
  readonly #itemOf: (entry: EngineEntry) => T;
  /** Entries read ahead for `next`. */
  #ahead: EngineEntry[] = [];
  #position = 0;
  #isFirst = true;
  /** What the limit leaves, so that nothing is read for nothing. */
  #left: number;

  constructor(source: IteratorSource, options: IteratorOptions, itemOf: (entry: EngineEntry) => T) {
    this.#source = source;
    this.#reader = new RangeReader(source.snapshot, keyRangeOf(options), options.reverse);
    this.#signal = options.signal ?? undefined;
    this.#left = options.limit < 0 ? Number.POSITIVE_INFINITY : options.limit;
    this.#itemOf = itemOf;
  }

  next(): MaybePromise<T | undefined> {
    if (this.#position < this.#ahead.length) return this.#shift();
    // Often only one is wanted at first, or after a seek.
    const count = this.#isFirst ? 1 : READ_AHEAD_MAX;
    const read = this.#read(count);
    if (read instanceof Promise) return read.then((entries) => this.#first(entries));
    return this.#first(read);
  }

  many(count: number): MaybePromise<T[]> {
    if (this.#position < this.#ahead.length) {
      const end = Math.min(this.#ahead.length, this.#position + count);
      const some = this.#ahead.slice(this.#position, end);
      this.#position = end;
      return this.#all(some);
    }
    const read = this.#read(count);
    if (read instanceof Promise) return read.then((entries) => this.#all(entries));
    return this.#all(read);
  }

  seek(target: Data): void {
    this.#left += this.#ahead.length - this.#position;
    this.#ahead = [];
    this.#position = 0;
    this.#isFirst = true;
    this.#reader.seek(ownBytesOf(target));
  }

  close(): void {
    this.#ahead = [];
    this.#position = 0;
    this.#reader.close();
    this.#source.release();
  }

  #read(countMax: number): MaybePromise<EngineEntry[]> {
    this.#isFirst = false;
    const turn = this.#source.share.giveWay();
    if (turn !== undefined || this.#signal !== undefined) return this.#readLater(turn, countMax);
    return this.#readNow(countMax);
  }

  async #readLater(turn: Promise<void> | undefined, countMax: number): Promise<EngineEntry[]> {
    await turn;
    if (this.#signal?.aborted) throw abortError();
    return this.#readNow(countMax);
  }

  #readNow(countMax: number): MaybePromise<EngineEntry[]> {
    const count = Math.min(countMax, this.#left);
    if (count === 0) return [];
    try {
      const entries = this.#reader.read(count);
      if (entries instanceof Promise)
        return entries.then((read) => this.#counted(read), throwLevelError);
      return this.#counted(entries);
    } catch (error) {
      throwLevelError(error);
    }
  }

  #counted(entries: EngineEntry[]): EngineEntry[] {
    this.#left -= entries.length;
    return entries;
  }

  #first(entries: EngineEntry[]): T | undefined {
    this.#ahead = entries;
    this.#position = 0;
    return entries.length === 0 ? undefined : this.#shift();
  }

  #shift(): T {
    return this.#itemOf(this.#ahead[this.#position++] as EngineEntry);
  }

  /** In place: nobody else has the array. */
  #all(entries: EngineEntry[]): T[] {
    const items = entries as unknown[];
    for (let i = 0; i < entries.length; i++) items[i] = this.#itemOf(entries[i] as EngineEntry);
    return items as T[];
  }
}

/** Read ahead by `next`: enough that a chunk costs little, not so many that it takes long. */
const READ_AHEAD_MAX = 256;

type Entry = [Data | undefined, Data | undefined];

export class EntryIterator<TDatabase, K, V> extends AbstractIterator<TDatabase, K, V> {
  readonly #items: Items<Entry>;

  constructor(database: TDatabase, source: IteratorSource, options: IteratorOptions) {
    super(database, options as object);
    const { keyEncoding, valueEncoding, keys = true, values = true } = options;
    this.#items = new Items(source, options, ({ key, value }) => [
      keys ? dataOf(key, keyEncoding) : undefined,
      values ? dataOf(value, valueEncoding) : undefined,
    ]);
  }

  async _next(): Promise<Entry | undefined> {
    return this.#items.next();
  }

  async _nextv(size: number): Promise<Entry[]> {
    return this.#items.many(size);
  }

  _seek(target: Data): void {
    this.#items.seek(target);
  }

  async _close(): Promise<void> {
    this.#items.close();
  }
}

export class KeyIterator<TDatabase, K> extends AbstractKeyIterator<TDatabase, K> {
  readonly #items: Items<Data>;

  constructor(database: TDatabase, source: IteratorSource, options: IteratorOptions) {
    super(database, options as object);
    this.#items = new Items(source, options, ({ key }) => dataOf(key, options.keyEncoding));
  }

  async _next(): Promise<Data | undefined> {
    return this.#items.next();
  }

  async _nextv(size: number): Promise<Data[]> {
    return this.#items.many(size);
  }

  _seek(target: Data): void {
    this.#items.seek(target);
  }

  async _close(): Promise<void> {
    this.#items.close();
  }
}

export class ValueIterator<TDatabase, K, V> extends AbstractValueIterator<TDatabase, K, V> {
  readonly #items: Items<Data>;

  constructor(database: TDatabase, source: IteratorSource, options: IteratorOptions) {
    super(database, options as object);
    this.#items = new Items(source, options, ({ value }) => dataOf(value, options.valueEncoding));
  }

  async _next(): Promise<Data | undefined> {
    return this.#items.next();
  }

  async _nextv(size: number): Promise<Data[]> {
    return this.#items.many(size);
  }

  _seek(target: Data): void {
    this.#items.seek(target);
  }

  async _close(): Promise<void> {
    this.#items.close();
  }
}
