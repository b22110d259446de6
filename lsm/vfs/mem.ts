import { LsmError } from '../errors.ts';
import { CrashableContent } from './mem-content.ts';
import { CrashableNames, normalize } from './mem-names.ts';
import { systemError } from './system-error.ts';
import type { OpenMode, Vfs, VfsFile } from './vfs.ts';

/**
 * A file system in memory that can lose power: it remembers what was synced and what was not, for the
 * bytes of files and for the names in folders alike. The root `/` and the working folder `` exist.
 */
export class CrashableMemVfs implements Vfs {
  /**
   * Called before each operation takes effect. What it throws is what the operation fails with, without
   * effect (a failing `sync` gives up the unsynced writes for good); while its promise is pending the disk is slow.
   * Blocking operations do not wait for it.
   */
  onOperation: ((operation: VfsOperation) => void | Promise<void>) | undefined;
  /** Whether `readNow` reads; otherwise everybody has to wait, as for a slow device. */
  readsNow = false;
  /** A write that would make all files together larger fails with ENOSPC, without effect. */
  bytesMax = Number.POSITIVE_INFINITY;

  #locked = new Set<string>();
  #names = new CrashableNames();

  constructor() {
    this.#names.makeDirectory('/');
    this.#names.makeDirectory('');
  }

  /**
   * The disk as it could look if the power went now. Every 512-byte sector of an unsynced write and every unsynced
   * change of a name is there with probability `unsyncedKeepRatio` (default 0.5); what was synced always is.
   * `random` gives numbers in [0, 1). Independent of this one, and without its `onOperation`.
   */
  crashClone(options: { unsyncedKeepRatio?: number; random: () => number }): CrashableMemVfs {
    const ratio = options.unsyncedKeepRatio ?? 0.5;
    const keep = () => options.random() < ratio;
    const copies = this.#copyContents((content) => content.afterPowerCut(keep));
    const clone = new CrashableMemVfs();
    clone.#names = this.#names.afterPowerCut(copies, keep);
    return clone;
  }

  /** What the next process finds after a `kill -9`: everything, and what was not synced still is not. */
  processCrashClone(): CrashableMemVfs {
    const clone = new CrashableMemVfs();
    clone.#names = this.#names.afterKill(this.#copyContents((content) => content.afterKill()));
    return clone;
  }

  /** Flips bits of one byte on the disk, as worn flash does. */
  damage(path: string, offset: number, xorByte: number): void {
    this.#existing(path).damage(offset, xorByte);
  }

  async open(path: string, mode: OpenMode): Promise<VfsFile> {
    await this.#operation('open', path);
    if (!mode.startsWith('create')) return this.#file(path, this.#existing(path), mode);
    if (this.#names.get(path) !== undefined) throw systemError('EEXIST', path);
    this.#existingParent(path);
    const content = new CrashableContent();
    this.#names.change([path, content]);
    return this.#file(path, content, mode);
  }

  openSync(path: string): VfsFile {
    this.#operationNow('open', path);
    return this.#file(path, this.#existing(path), 'read');
  }

  async readFile(path: string): Promise<Uint8Array> {
    await this.#operation('read', path);
    const content = this.#existing(path);
    return content.read(0, content.length);
  }

  async list(directory: string): Promise<string[]> {
    await this.#operation('list', directory);
    const names = this.#names.list(directory);
    if (names === undefined) throw systemError('ENOENT', directory);
    return names;
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.#operation('makeDirectory', directory);
    this.#names.makeDirectory(directory);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operation('rename', from);
    const content = this.#existing(from);
    this.#existingParent(to);
    this.#names.change([from, undefined], [to, content]);
  }

  async link(from: string, to: string): Promise<void> {
    await this.#operation('link', from);
    const content = this.#existing(from);
    if (this.#names.get(to) !== undefined) throw systemError('EEXIST', to);
    this.#existingParent(to);
    this.#names.change([to, content]);
  }

  async remove(path: string): Promise<void> {
    await this.#operation('remove', path);
    this.#existing(path);
    this.#names.change([path, undefined]);
  }

  async exists(path: string): Promise<boolean> {
    await this.#operation('exists', path);
    return this.#names.get(path) !== undefined || this.#names.hasDirectory(path);
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#operation('syncDirectory', directory);
    if (!this.#names.hasDirectory(directory)) throw systemError('ENOENT', directory);
    this.#names.syncDirectory(directory);
  }

  async lock(directory: string): Promise<() => Promise<void>> {
    await this.#operation('lock', directory);
    if (!this.#names.hasDirectory(directory)) throw systemError('ENOENT', directory);
    const path = normalize(directory);
    if (this.#locked.has(path)) throw new LsmError('DIRECTORY_IN_USE', `${directory} is in use`);
    this.#locked.add(path);
    return async () => {
      this.#locked.delete(path);
    };
  }

  #file(path: string, content: CrashableContent, mode: OpenMode): VfsFile {
    return new MemFile(path, content, mode, {
      readsNow: () => this.readsNow,
      operation: (kind) => this.#operation(kind, path),
      operationNow: (kind) => this.#operationNow(kind, path),
      makeRoom: (bytes) => this.#makeRoom(bytes, path),
    });
  }

  #makeRoom(bytes: number, path: string): void {
    if (bytes <= 0 || this.bytesMax === Number.POSITIVE_INFINITY) return;
    if (this.#names.bytes + bytes > this.bytesMax) throw systemError('ENOSPC', path);
  }

  #operationNow(kind: VfsOperation['kind'], path: string): void {
    this.#operation(kind, path)?.catch(() => {});
  }

  #operation(kind: VfsOperation['kind'], path: string): void | Promise<void> {
    return this.onOperation?.({ kind, path });
  }

  #existing(path: string): CrashableContent {
    const content = this.#names.get(path);
    if (content === undefined) throw systemError('ENOENT', path);
    return content;
  }

  #existingParent(path: string): void {
    const slash = path.lastIndexOf('/');
    const parent = slash === 0 ? '/' : path.slice(0, Math.max(0, slash));
    if (!this.#names.hasDirectory(parent)) throw systemError('ENOENT', path);
  }

  #copyContents(copy: (content: CrashableContent) => CrashableContent) {
    const copies = new Map<CrashableContent, CrashableContent>();
    for (const content of this.#names.contents()) copies.set(content, copy(content));
    return copies;
  }
}

export interface VfsOperation {
  readonly kind:
    | 'open'
    | 'read'
    | 'write'
    | 'sync'
    | 'truncate'
    | 'size'
    | 'list'
    | 'exists'
    | 'makeDirectory'
    | 'rename'
    | 'link'
    | 'lock'
    | 'remove'
    | 'syncDirectory';
  readonly path: string;
}

/** What a file needs of its disk. */
interface Disk {
  readonly readsNow: () => boolean;
  readonly operation: (kind: VfsOperation['kind']) => void | Promise<void>;
  readonly operationNow: (kind: VfsOperation['kind']) => void;
  /** Fails when the disk is too full to hold so many bytes more. */
  readonly makeRoom: (bytes: number) => void;
}

class MemFile implements VfsFile {
  readonly #path: string;
  readonly #content: CrashableContent;
  readonly #mode: OpenMode;
  readonly #disk: Disk;
  #closed = false;

  constructor(path: string, content: CrashableContent, mode: OpenMode, disk: Disk) {
    this.#path = path;
    this.#content = content;
    this.#mode = mode;
    this.#disk = disk;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    await this.#begin('read');
    return this.#content.read(position, length);
  }

  readSync(position: number, length: number): Uint8Array {
    this.#beginNow('read');
    return this.#content.read(position, length);
  }

  readNow(position: number, length: number): Uint8Array | undefined {
    return this.#disk.readsNow() ? this.readSync(position, length) : undefined;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    this.#assertWritable();
    await this.#begin('write');
    this.#put(position, bytes);
    if (this.#mode.endsWith('-durable')) await this.sync();
  }

  writeSync(position: number, bytes: Uint8Array): void {
    this.#assertWritable();
    this.#beginNow('write');
    this.#put(position, bytes);
  }

  async sync(): Promise<void> {
    try {
      await this.#begin('sync');
    } catch (error) {
      this.#content.failSync();
      throw error;
    }
    this.#content.sync();
  }

  async truncate(length: number): Promise<void> {
    this.#assertWritable();
    await this.#begin('truncate');
    this.#disk.makeRoom(length - this.#content.length);
    this.#content.truncate(length);
  }

  async size(): Promise<number> {
    await this.#begin('size');
    return this.#content.length;
  }

  async close(): Promise<void> {
    if (this.#closed) throw systemError('EBADF', this.#path);
    this.#closed = true;
  }

  #put(position: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#disk.makeRoom(position + bytes.length - this.#content.length);
    this.#content.write(position, bytes);
  }

  /** An operation that has begun is let through when the file is closed meanwhile, as `OsFile` does. */
  #begin(kind: VfsOperation['kind']): void | Promise<void> {
    this.#assertOpen();
    return this.#disk.operation(kind);
  }

  #beginNow(kind: VfsOperation['kind']): void {
    this.#assertOpen();
    this.#disk.operationNow(kind);
  }

  #assertOpen(): void {
    if (this.#closed) throw systemError('EBADF', this.#path);
  }

  #assertWritable(): void {
    if (this.#mode === 'read') throw systemError('EBADF', this.#path);
  }
}
