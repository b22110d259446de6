import { diskFullError, isDiskFull } from '../disk-full.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { align, alignmentBytes, encodeFileHeader, type FileHeader, fileSeed } from './format.ts';
import type { RecordBuffer } from './record-buffer.ts';

/** Counts are since the log was opened. */
export interface WalCounters {
  bytesWritten: number;
  syncs: number;
}

/** The file that is being written. Errors are those of the file system, but for DISK_FULL. */
export class WalFile {
  readonly fileNumber: number;
  readonly handle: VfsFile;
  /** For the checksums of its records. */
  readonly seed: number;
  readonly #bytesMax: number;
  readonly #counters: WalCounters;
  /** Where the next record begins. */
  #end = alignmentBytes;
  /** With the zeros behind it. Invariant: at least `#end`. */
  #sizeBytes = alignmentBytes;
  #lastWasSynced = false;

  constructor(
    header: FileHeader,
    handle: VfsFile,
    options: { readonly bytesMax: number; readonly counters: WalCounters },
  ) {
    this.fileNumber = header.fileNumber;
    this.handle = handle;
    this.seed = fileSeed(header.fileNumber);
    this.#bytesMax = options.bytesMax;
    this.#counters = options.counters;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** A record that is larger than a file has one of its own. */
  hasRoom(recordBytes: number): boolean {
    return this.#end + recordBytes <= this.#bytesMax || this.#end === alignmentBytes;
  }

  async writeHeader(header: FileHeader): Promise<void> {
    const bytes = encodeFileHeader(header);
    await this.handle.write(0, bytes);
    this.#counters.bytesWritten += bytes.length;
  }

  /** A record that nobody has to wait for. When this throws, `takeBack` must follow. */
  writeNow(record: RecordBuffer): void {
    this.handle.writeSync(this.#end, record.bytes);
    this.#wrote(record.bytes.length, record.bytes.length);
    this.#lastWasSynced = false;
  }

  async write(record: RecordBuffer): Promise<void> {
    await this.#write(record, record.bytes.length).catch((error) => this.takeBack(error));
    this.#lastWasSynced = false;
  }

  /**
   * Writes a record for which `sync` will follow. It fills its last block, so that nothing written later can tear
   * it. Where one such record follows another, zeros are written ahead: an fdatasync that need not make
   * the file larger spares the file system a commit of its journal and takes about half the time.
   */
  async writeToSync(record: RecordBuffer): Promise<void> {
    const end = align(this.#end + record.bytes.length);
    const isAhead = this.#lastWasSynced && end > this.#sizeBytes;
    const aheadEnd = isAhead ? this.#aheadOf(end) : end;
    try {
      await this.#write(record, aheadEnd - this.#end);
    } catch (error) {
      const failure = await this.takeBack(error).catch((failure: unknown) => failure);
      if (aheadEnd === end || !isDiskFull(failure)) throw failure;
      await this.#write(record, end - this.#end).catch((error) => this.takeBack(error));
    }
    this.#lastWasSynced = true;
  }

  async sync(): Promise<void> {
    await this.handle.sync();
    this.#counters.syncs++;
    this.#end = align(this.#end);
    this.#sizeBytes = Math.max(this.#sizeBytes, this.#end);
  }

  /**
   * After a write that failed. On a full disk some of the record may be in the file, or all of it but the zeros. It is
   * refused and must not be found after a crash, so its removal is durable before anybody is told.
   */
  async takeBack(error: unknown): Promise<never> {
    if (!isDiskFull(error)) throw error;
    await this.handle.truncate(this.#end);
    this.#sizeBytes = this.#end;
    this.#lastWasSynced = false;
    await this.handle.sync();
    this.#counters.syncs++;
    throw diskFullError(NO_ROOM, error);
  }

  async #write(record: RecordBuffer, lengthWithZeros: number): Promise<void> {
    const bytes = record.padded(lengthWithZeros);
    if (bytes.length <= WRITE_NOW_BYTES) this.handle.writeSync(this.#end, bytes);
    else await this.handle.write(this.#end, bytes);
    this.#wrote(record.bytes.length, bytes.length);
  }

  #wrote(recordBytes: number, bytes: number): void {
    this.#counters.bytesWritten += bytes;
    this.#sizeBytes = Math.max(this.#sizeBytes, this.#end + bytes);
    this.#end += recordBytes;
  }

  #aheadOf(end: number): number {
    const aheadEnd = Math.ceil((end + 1) / AHEAD_BYTES) * AHEAD_BYTES;
    return Math.max(end, Math.min(aheadEnd, this.#bytesMax));
  }
}

/** To copy so much into the page cache takes less time than to hand it to a thread. */
export const WRITE_NOW_BYTES = 256 * 1024;
const AHEAD_BYTES = 256 * 1024;

/** What a full disk is said to have kept from happening. */
export const NO_ROOM = 'a record could not be written';
