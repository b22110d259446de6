import assert from 'node:assert/strict';
import type { MaybePromise } from '../engine.ts';
import { closedError } from '../errors.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { tableFileName } from './format.ts';

/** Whether a read may give a promise (`wait`) or has to answer before it returns (`block`). */
export type Access = 'wait' | 'block';

export interface TableFilesOptions {
  readonly vfs: Vfs;
  readonly directory: string;
  /** So many files stay open; more only while they are read. Default 256. */
  readonly openFilesMax?: number;
}

/**
 * The files of tables, open as long as they are used: the one unused longest is closed when there are too
 * many, and opened again when it is read. A file with a read in flight is closed after it.
 */
export class TableFiles {
  readonly #vfs: Vfs;
  readonly #directory: string;
  readonly #openFilesMax: number;
  /** Least recently used first. */
  readonly #slots = new Map<number, Slot>();
  /** Of files that have no slot any more. */
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: TableFilesOptions) {
    this.#vfs = options.vfs;
    this.#directory = options.directory;
    this.#openFilesMax = options.openFilesMax ?? 256;
    assert(this.#openFilesMax >= 1, 'a file may be open');
  }

  get openCount(): number {
    return this.#slots.size;
  }

  /** Up to `length` bytes; fewer only at the end of the file. */
  read(
    fileNumber: number,
    offset: number,
    length: number,
    access: Access,
  ): MaybePromise<Uint8Array> {
    if (access === 'block') return this.#fileNow(fileNumber).readSync(offset, length);
    const file = this.#slot(fileNumber).file;
    return file?.readNow(offset, length) ?? this.readLater(fileNumber, offset, length);
  }

  /** The same for those who read much and should let others have their turn. */
  readLater(fileNumber: number, offset: number, length: number): Promise<Uint8Array> {
    return this.#use(fileNumber, (file) => file.read(offset, length));
  }

  size(fileNumber: number): Promise<number> {
    return this.#use(fileNumber, (file) => file.size());
  }

  /** Resolves when the file is closed; a later read opens it again. For before it is removed. */
  async close(fileNumber: number): Promise<void> {
    if (this.#slots.has(fileNumber)) await this.#drop(fileNumber);
  }

  /** Resolves when all are closed. Reads fail with ENGINE_CLOSED from now on. */
  async closeAll(): Promise<void> {
    this.#isClosed = true;
    for (const fileNumber of [...this.#slots.keys()]) void this.#drop(fileNumber);
    await Promise.all(this.#closing);
  }

  /** Where a file is, or is about to be: opening one ends the use of the one unused longest. */
  #slot(fileNumber: number): Slot {
    if (this.#isClosed) throw closedError();
    let slot = this.#slots.get(fileNumber);
    // While there is much room the order does not matter.
    if (slot !== undefined && this.#slots.size * 2 <= this.#openFilesMax) return slot;
    if (slot === undefined)
      slot = { file: undefined, opening: undefined, users: 0, idle: undefined };
    else this.#slots.delete(fileNumber);
    this.#slots.set(fileNumber, slot);
    if (this.#slots.size > this.#openFilesMax) {
      const [oldest] = this.#slots.keys();
      void this.#drop(oldest as number);
    }
    return slot;
  }

  #fileNow(fileNumber: number): VfsFile {
    const slot = this.#slot(fileNumber);
    try {
      slot.file ??= this.#vfs.openSync(this.#path(fileNumber));
      return slot.file;
    } catch (error) {
      if (slot.users === 0) this.#slots.delete(fileNumber);
      throw error;
    }
  }

  async #use<T>(fileNumber: number, use: (file: VfsFile) => Promise<T>): Promise<T> {
    const slot = this.#slot(fileNumber);
    slot.users++;
    try {
      slot.opening ??= this.#open(fileNumber, slot);
      return await use(slot.file ?? (await slot.opening));
    } catch (error) {
      if (slot.file === undefined && this.#slots.get(fileNumber) === slot) {
        this.#slots.delete(fileNumber);
      }
      throw error;
    } finally {
      slot.users--;
      if (slot.users === 0) slot.idle?.();
    }
  }

  /** Somebody who cannot wait may be faster. */
  async #open(fileNumber: number, slot: Slot): Promise<VfsFile> {
    if (slot.file !== undefined) return slot.file;
    const file = await this.#vfs.open(this.#path(fileNumber), 'read');
    if (slot.file !== undefined) await closeQuietly(file);
    slot.file ??= file;
    return slot.file;
  }

  #drop(fileNumber: number): Promise<void> {
    const slot = this.#slots.get(fileNumber) as Slot;
    this.#slots.delete(fileNumber);
    const closing = closeWhenIdle(slot).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }

  #path(fileNumber: number): string {
    return `${this.#directory}/${tableFileName(fileNumber)}`;
  }
}

interface Slot {
  file: VfsFile | undefined;
  opening: Promise<VfsFile> | undefined;
  /** Reads in flight. */
  users: number;
  idle: (() => void) | undefined;
}

async function closeWhenIdle(slot: Slot): Promise<void> {
  if (slot.users > 0) {
    await new Promise<void>((resolve) => {
      slot.idle = resolve;
    });
  }
  if (slot.file !== undefined) await closeQuietly(slot.file);
}

/** What was only read loses nothing when closing it fails. */
async function closeQuietly(file: VfsFile): Promise<void> {
  await file.close().catch(() => {});
}
