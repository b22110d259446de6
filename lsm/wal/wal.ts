import assert from 'node:assert/strict';
import { diskFullError, isDiskFull } from '../disk-full.ts';
import type { MaybePromise } from '../engine.ts';
import { LsmError, reasonOfFailure } from '../errors.ts';
import { payloadBytesMax } from './format.ts';
import { RecordBuffer, recordLength } from './record-buffer.ts';
import { type Recovered, type RecoveryOptions, recoverWal } from './recovery.ts';
import { NO_ROOM, type WalCounters, WalFile, WRITE_NOW_BYTES } from './wal-file.ts';
import { WalFiles } from './wal-files.ts';

export interface WalOptions extends RecoveryOptions {
  /** What no longer fits goes into another file. Default 16 MiB. */
  readonly fileBytes?: number;
}

/** Counts are since the log was opened, sizes are of now. */
export interface WalStatistics {
  readonly bytesWritten: number;
  readonly syncs: number;
  readonly fileCount: number;
  readonly bytesOnDisk: number;
}

/**
 * The write-ahead log of an engine that stands alone: records, numbered 1, 2, 3, … without a gap, each written
 * before the engine takes what it says. The bytes, and the rules for writing and reading them, are in FORMAT.md.
 *
 * One operation at a time, but for `removeThrough` and what returns at once.
 */
export class Wal {
  /** What was found when it was opened. */
  readonly recovered: Recovered;
  readonly #fileBytes: number;
  readonly #files: WalFiles;
  readonly #record = new RecordBuffer();
  readonly #counters: WalCounters = { bytesWritten: 0, syncs: 0 };
  #current: WalFile | undefined;
  #hasCreated = false;
  #lastRecord: number;
  #syncedRecord: number;
  /** Everything up to here is in tables and not needed. */
  #removedThrough: number;
  #failure: LsmError | undefined;
  #isBusy = false;
  #isClosed = false;

  /** Replays what is there and writes nothing: a log makes its first file at the first `append`. */
  static async open(options: WalOptions): Promise<Wal> {
    return new Wal(options, await recoverWal(options));
  }

  private constructor(options: WalOptions, recovered: Recovered) {
    this.recovered = recovered;
    this.#fileBytes = options.fileBytes ?? FILE_BYTES;
    this.#lastRecord = recovered.lastRecord;
    this.#syncedRecord = recovered.syncedRecord;
    this.#removedThrough = options.after;
    this.#files = new WalFiles(options, recovered);
  }

  get lastRecord(): number {
    return this.#lastRecord;
  }

  /** It and all before it survive a loss of power. */
  get syncedRecord(): number {
    return this.#syncedRecord;
  }

  /** What it failed with: nothing is written any more. */
  get failure(): LsmError | undefined {
    return this.#failure;
  }

  statistics(): WalStatistics {
    return {
      ...this.#counters,
      fileCount: this.#files.count + (this.#current === undefined ? 0 : 1),
      bytesOnDisk: this.#files.bytes + (this.#current?.sizeBytes ?? 0),
    };
  }

  /**
   * Writes the next record, which is `lastRecord` from then on; the payload is the parts, one after the other. With
   * `sync` it is done when this record and all before it survive a loss of power. A small record without `sync`
   * is written at once, and nothing is returned. Do not change the parts before it is done.
   *
   * Throws or rejects with DISK_FULL: the record is not there, another may be tried; with LOG_FAILED: it may or may
   * not be there after the next open, and nothing is written any more.
   */
  append(parts: readonly Uint8Array[], options: { readonly sync: boolean }): MaybePromise<void> {
    this.#assertUsable();
    const length = recordLength(parts);
    assert(length <= payloadBytesMax, `a record of ${length} bytes is too long`);
    const file = this.#current;
    if (options.sync || length > WRITE_NOW_BYTES || !file?.hasRoom(length)) {
      return this.#alone(() => this.#append(parts, length, options.sync));
    }
    this.#encode(parts, file);
    try {
      file.writeNow(this.#record);
    } catch (error) {
      return this.#alone(() => file.takeBack(error));
    }
    this.#lastRecord++;
  }

  /** Resolves when all records survive a loss of power. */
  async sync(): Promise<void> {
    this.#assertUsable();
    if (this.#syncedRecord < this.#lastRecord) await this.#alone(() => this.#sync());
  }

  /**
   * To be told that everything up to a record is in tables, durably. Removes files that hold nothing else; the one being
   * written stays until `close`. Rejects with LOG_FAILED.
   */
  async removeThrough(record: number): Promise<void> {
    assert(record <= this.#lastRecord, `there is no record ${record}`);
    this.#removedThrough = Math.max(this.#removedThrough, record);
    try {
      await this.#files.removeThrough(record);
    } catch (error) {
      // Some file systems need room to remove something. The next call tries again.
      if (!isDiskFull(error)) throw this.#fail(error);
    }
  }

  /** Syncs nothing. A log that holds nothing any more leaves no file, and the next open has nothing to read. */
  async close(): Promise<void> {
    assert(!this.#isBusy && !this.#isClosed, 'a log is closed once, when nobody uses it');
    this.#isClosed = true;
    await this.#retire();
    if (this.#removedThrough === this.#lastRecord && this.#failure === undefined) {
      await this.removeThrough(this.#lastRecord);
    }
    await this.#files.close();
  }

  async #append(parts: readonly Uint8Array[], length: number, sync: boolean): Promise<void> {
    if (!this.#current?.hasRoom(length)) {
      await this.#retire();
      this.#current = await this.#create();
    }
    this.#encode(parts, this.#current);
    if (sync) await this.#current.writeToSync(this.#record);
    else await this.#current.write(this.#record);
    this.#lastRecord++;
    if (sync) await this.#sync();
  }

  #encode(parts: readonly Uint8Array[], file: WalFile): void {
    const header = { number: this.#lastRecord + 1, syncedRecord: this.#syncedRecord };
    this.#record.encode(parts, header, file.seed);
  }

  /** Older files first is of no account: nothing is promised before all of them are synced. */
  async #sync(): Promise<void> {
    this.#counters.syncs += await this.#files.sync();
    await this.#current?.sync();
    this.#syncedRecord = this.#lastRecord;
  }

  /**
   * The header of the first file of a life is durable before any record is. It makes void what a cut tail left in
   * older files, which would come back when tables hold as many records as that tail did.
   */
  async #create(): Promise<WalFile> {
    try {
      const { fileNumber, handle } = await this.#files.create();
      const header = {
        fileNumber,
        firstRecord: this.#lastRecord + 1,
        syncedRecord: this.#syncedRecord,
      };
      const options = { bytesMax: this.#fileBytes, counters: this.#counters };
      const file = new WalFile(header, handle, options);
      try {
        await file.writeHeader(header);
        if (!this.#hasCreated) {
          await file.sync();
          this.#counters.syncs += await this.#files.syncNames();
        }
      } catch (error) {
        await this.#files.discard(fileNumber, handle);
        throw error;
      }
      this.#hasCreated = true;
      return file;
    } catch (error) {
      throw isDiskFull(error) ? diskFullError(NO_ROOM, error) : error;
    }
  }

  async #retire(): Promise<void> {
    const file = this.#current;
    if (file === undefined) return;
    this.#current = undefined;
    const isSynced = this.#syncedRecord === this.#lastRecord;
    const { fileNumber, sizeBytes, handle } = file;
    await this.#files.retire({
      fileNumber,
      sizeBytes,
      lastRecord: this.#lastRecord,
      isSynced,
      handle,
    });
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await work();
    } catch (error) {
      throw error instanceof LsmError ? error : this.#fail(error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** For good: after a failed fsync nobody knows what is on the disk (fsyncgate). */
  #fail(cause: unknown): LsmError {
    this.#failure ??= new LsmError(
      'LOG_FAILED',
      `the write-ahead log failed and is written no more: ${reasonOfFailure(cause)}`,
      {
        cause,
      },
    );
    return this.#failure;
  }

  #assertUsable(): void {
    assert(!this.#isClosed, 'the log is closed');
    assert(!this.#isBusy, 'a log does one thing at a time');
    if (this.#failure !== undefined) throw this.#failure;
  }
}

const FILE_BYTES = 16 * 1024 * 1024;
