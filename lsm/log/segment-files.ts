import assert from 'node:assert/strict';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { segmentFileName } from './format.ts';

/** The files of the segments: opened when first needed, then kept open. Their number is bounded by the log's size. */
export class SegmentFiles {
  readonly #vfs: Vfs;
  readonly #directory: string;
  /** In ascending order of the segment. */
  readonly #sizes = new Map<number, number>();
  readonly #handles = new Map<number, Promise<VfsFile>>();

  constructor(vfs: Vfs, directory: string) {
    this.#vfs = vfs;
    this.#directory = directory;
  }

  get count(): number {
    return this.#sizes.size;
  }

  get bytes(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  get oldest(): number | undefined {
    for (const segment of this.#sizes.keys()) return segment;
    return undefined;
  }

  /** A file that was found at start; to be told of in ascending order. */
  add(segment: number, size: number): void {
    this.#sizes.set(segment, size);
  }

  /** `syncDirectory` must follow before it counts. */
  async create(segment: number): Promise<VfsFile> {
    this.#sizes.set(segment, 0);
    const opening = this.#vfs.open(this.#path(segment), 'create');
    this.#handles.set(segment, opening);
    return opening;
  }

  grow(segment: number, bytes: number): void {
    const size = this.#sizes.get(segment);
    assert(size !== undefined, `segment ${segment} is gone`);
    this.#sizes.set(segment, size + bytes);
  }

  async read(segment: number, position: number, length: number): Promise<Uint8Array> {
    let opening = this.#handles.get(segment);
    if (opening === undefined) {
      opening = this.#vfs.open(this.#path(segment), 'read');
      this.#handles.set(segment, opening);
      opening.catch(() => this.#handles.delete(segment));
    }
    return (await opening).read(position, length);
  }

  /** Forgets the segment at once, and then removes the file, durably. */
  async remove(segment: number): Promise<void> {
    this.#sizes.delete(segment);
    const opening = this.#handles.get(segment);
    this.#handles.delete(segment);
    await (await opening)?.close();
    await this.#vfs.remove(this.#path(segment));
    await this.syncDirectory();
  }

  async syncDirectory(): Promise<void> {
    await this.#vfs.syncDirectory(this.#directory);
  }

  async close(): Promise<void> {
    const openings = [...this.#handles.values()];
    this.#handles.clear();
    for (const opened of await Promise.allSettled(openings)) {
      if (opened.status === 'fulfilled') await opened.value.close();
    }
  }

  #path(segment: number): string {
    return `${this.#directory}/${segmentFileName(segment)}`;
  }
}
