import assert from 'node:assert/strict';
import { isDiskFull } from '../disk-full.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { isSpareFileName, segmentFileName, spareFileName } from './format.ts';

interface Spare {
  readonly path: string;
  readonly size: number;
}

export interface SegmentFilesOptions {
  readonly vfs: Vfs;
  readonly directory: string;
  /** What is written ahead reaches no further, and a smaller file is no spare. */
  readonly segmentBytes: number;
  /** How much is written ahead of small rounds; 0: nothing. */
  readonly zerosAheadBytes: number;
}

/**
 * The files of the segments: opened when first needed, then kept open. Their number is bounded by the log's size.
 *
 * A sync of a file that does not grow is one write of the device; of one that grows it waits for the file system's
 * journal, and with it for what everybody else, flushes and compactions too, has written to new blocks. So some files
 * that are not needed any more become spares, which later segments write over, and where there is none zeros are
 * written ahead of small rounds.
 */
export class SegmentFiles {
  readonly #options: SegmentFilesOptions;
  /** In ascending order of the segment. */
  readonly #sizes = new Map<number, number>();
  readonly #handles = new Map<number, Promise<VfsFile>>();
  readonly #spares: Spare[] = [];
  #writes = 0;
  #bytesWritten = 0;

  constructor(options: SegmentFilesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sizes.size;
  }

  /** Of the segments, without the spares. */
  get bytes(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  /** Of this segment and those after it. */
  bytesFrom(first: number): number {
    let sum = 0;
    for (const [segment, size] of this.#sizes) if (segment >= first) sum += size;
    return sum;
  }

  get spareBytes(): number {
    return this.#spares.reduce((sum, { size }) => sum + size, 0);
  }

  /** Each is one sync. */
  get writes(): number {
    return this.#writes;
  }

  /** With the zeros. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get oldest(): number | undefined {
    for (const segment of this.#sizes.keys()) return segment;
    return undefined;
  }

  /** A file that was found at start; to be told of in ascending order. */
  add(segment: number, size: number): void {
    this.#sizes.set(segment, size);
  }

  /** `syncDirectory` must follow before it counts. A spare is full of rounds of older segments, which nobody reads. */
  async create(segment: number): Promise<void> {
    const spare = this.#spares.pop();
    this.#sizes.set(segment, spare?.size ?? 0);
    const opening = this.#open(segment, spare);
    this.#handles.set(segment, opening);
    await opening;
  }

  async #open(segment: number, spare: Spare | undefined): Promise<VfsFile> {
    const { vfs } = this.#options;
    const path = this.#path(segment);
    if (spare === undefined) return vfs.open(path, 'create-durable');
    await vfs.rename(spare.path, path);
    return vfs.open(path, 'write-durable');
  }

  /** Of a segment that was created here; durable when it resolves. */
  async write(segment: number, position: number, bytes: Uint8Array): Promise<void> {
    const file = await this.#handles.get(segment);
    assert(file !== undefined, `segment ${segment} is gone`);
    if (position > 0) await this.#writeAhead(segment, file, position + bytes.length, bytes.length);
    await this.#write(segment, file, position, bytes);
  }

  /** Not of large rounds: they would write as much again to save little. */
  async #writeAhead(
    segment: number,
    file: VfsFile,
    end: number,
    roundBytes: number,
  ): Promise<void> {
    const { segmentBytes, zerosAheadBytes } = this.#options;
    const size = this.#sizes.get(segment) ?? 0;
    const aheadEnd = Math.min(size + zerosAheadBytes, segmentBytes);
    if (end <= size || end >= aheadEnd || roundBytes > zerosAheadBytes / 4) return;
    try {
      await this.#write(segment, file, size, new Uint8Array(aheadEnd - size));
    } catch (error) {
      // There may be room for the round.
      if (!isDiskFull(error)) throw error;
    }
  }

  async #write(segment: number, file: VfsFile, position: number, bytes: Uint8Array): Promise<void> {
    await file.write(position, bytes);
    this.#writes++;
    this.#bytesWritten += bytes.length;
    this.#grow(segment, position + bytes.length);
  }

  #grow(segment: number, end: number): void {
    const size = this.#sizes.get(segment);
    assert(size !== undefined, `segment ${segment} is gone`);
    this.#sizes.set(segment, Math.max(size, end));
  }

  async read(segment: number, position: number, length: number): Promise<Uint8Array> {
    let opening = this.#handles.get(segment);
    if (opening === undefined) {
      opening = this.#options.vfs.open(this.#path(segment), 'read');
      this.#handles.set(segment, opening);
      opening.catch(() => this.#handles.delete(segment));
    }
    return (await opening).read(position, length);
  }

  /** Forgets the segment at once, and then removes the file, durably, or makes it a spare. */
  async retire(segment: number): Promise<void> {
    const { vfs, directory, segmentBytes } = this.#options;
    const size = this.#sizes.get(segment) ?? 0;
    if (size < segmentBytes || this.#spares.length >= SPARES_MAX) return this.remove(segment);
    await this.#forget(segment);
    const path = `${directory}/${spareFileName(segment)}`;
    await vfs.rename(this.#path(segment), path);
    await this.syncDirectory();
    this.#spares.push({ path, size });
  }

  /** Forgets the segment at once, and then removes the file, durably. */
  async remove(segment: number): Promise<void> {
    await this.#forget(segment);
    await this.#options.vfs.remove(this.#path(segment));
    await this.syncDirectory();
  }

  /**
   * Of an earlier process: when it died, one may have held rounds of a segment whose name was not durable yet, and whose
   * number is given again.
   */
  async removeOldSpares(): Promise<void> {
    const { vfs, directory } = this.#options;
    for (const name of await vfs.list(directory)) {
      if (isSpareFileName(name)) await vfs.remove(`${directory}/${name}`);
    }
  }

  async #forget(segment: number): Promise<void> {
    this.#sizes.delete(segment);
    const opening = this.#handles.get(segment);
    this.#handles.delete(segment);
    await (await opening)?.close();
  }

  async syncDirectory(): Promise<void> {
    await this.#options.vfs.syncDirectory(this.#options.directory);
  }

  async close(): Promise<void> {
    const openings = [...this.#handles.values()];
    this.#handles.clear();
    for (const opened of await Promise.allSettled(openings)) {
      if (opened.status === 'fulfilled') await opened.value.close();
    }
  }

  #path(segment: number): string {
    return `${this.#options.directory}/${segmentFileName(segment)}`;
  }
}

/** What one flush lets go is about a segment. */
const SPARES_MAX = 2;
