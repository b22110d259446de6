import { AbstractChainedBatch } from 'abstract-level';
import { WriteBatch } from '../store/write-batch.ts';
import { bytesOf, type Data } from './formats.ts';
import type { ChainedBatchWriteOptions, SyncOption } from './options.ts';

/** What writes a chained batch in the end. */
export type BatchWriter = (batch: WriteBatch, options: SyncOption) => Promise<void>;

/** Operations are encoded as they come, so that a long batch is one growing array and not many objects. */
export class ChainedBatch<TDatabase, K, V> extends AbstractChainedBatch<TDatabase, K, V> {
  readonly #batch = new WriteBatch();
  readonly #write: BatchWriter;

  constructor(database: TDatabase, write: BatchWriter) {
    super(database);
    this.#write = write;
  }

  override write(options: ChainedBatchWriteOptions = {}): Promise<void> {
    return super.write(options);
  }

  _put(key: Data, value: Data): void {
    this.#batch.put(bytesOf(key), bytesOf(value));
  }

  _del(key: Data): void {
    this.#batch.delete(bytesOf(key));
  }

  _clear(): void {
    this.#batch.clear();
  }

  _write(options: SyncOption): Promise<void> {
    return this.#write(this.#batch, options);
  }
}
