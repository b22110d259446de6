import * as fs from 'node:fs';
import type { ReadPace } from './read-pace.ts';
import type { ReadScratch } from './read-scratch.ts';
import { systemError } from './system-error.ts';
import type { VfsFile } from './vfs.ts';

/** One descriptor for waiting and for blocking calls; a FileHandle of Node has the former only. */
export class OsFile implements VfsFile {
  readonly #path: string;
  readonly #pace: ReadPace;
  readonly #scratch: ReadScratch;
  /** After each `write`, for that to be durable. */
  readonly #mustSync: boolean;
  #descriptor: number;
  /**
   * Operations under way. The descriptor is closed when there are none: its number may be given to another file at
   * once, and theirs would go there.
   */
  #pending = 0;
  #whenIdle: (() => void) | undefined;

  /** Pace and scratch are those of the file system: all its files share them. */
  constructor(
    path: string,
    descriptor: number,
    pace: ReadPace,
    scratch: ReadScratch,
    mustSync: boolean,
  ) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#pace = pace;
    this.#scratch = scratch;
    this.#mustSync = mustSync;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = await this.#call<number>((descriptor, callback) =>
        fs.read(descriptor, bytes, done, length - done, position + done, callback),
      );
      if (count === 0) return bytes.subarray(0, done);
      done += count;
    }
    return bytes;
  }

  readSync(position: number, length: number): Uint8Array {
    const descriptor = this.#open();
    const bytes = this.#scratch.take(length);
    let done = 0;
    while (done < length) {
      const count = fs.readSync(descriptor, bytes, done, length - done, position + done);
      if (count === 0) return bytes.subarray(0, done);
      done += count;
    }
    return bytes;
  }

  readNow(position: number, length: number): Uint8Array | undefined {
    if (!this.#pace.begin()) return undefined;
    const bytes = this.readSync(position, length);
    this.#pace.end();
    return bytes;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      done += await this.#call<number>((descriptor, callback) =>
        fs.write(descriptor, bytes, done, bytes.length - done, position + done, callback),
      );
    }
    if (this.#mustSync) await this.sync();
  }

  writeSync(position: number, bytes: Uint8Array): void {
    const descriptor = this.#open();
    let done = 0;
    while (done < bytes.length) {
      done += fs.writeSync(descriptor, bytes, done, bytes.length - done, position + done);
    }
  }

  sync(): Promise<void> {
    return this.#call((descriptor, callback) => fs.fdatasync(descriptor, callback));
  }

  truncate(length: number): Promise<void> {
    return this.#call((descriptor, callback) => fs.ftruncate(descriptor, length, callback));
  }

  async size(): Promise<number> {
    const { size } = await this.#call<fs.Stats>((descriptor, callback) =>
      fs.fstat(descriptor, callback),
    );
    return size;
  }

  async close(): Promise<void> {
    const descriptor = this.#open();
    this.#descriptor = CLOSED;
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    await new Promise<void>((resolve, reject) => {
      fs.close(descriptor, (error) => (error ? reject(error) : resolve()));
    });
  }

  #call<T = void>(begin: (descriptor: number, callback: Callback<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const descriptor = this.#open();
      begin(descriptor, (error, result) => {
        if (--this.#pending === 0) this.#whenIdle?.();
        if (error) reject(error);
        else resolve(result as T);
      });
      // After it: when the arguments are wrong it throws and will not call back.
      this.#pending++;
    });
  }

  #open(): number {
    if (this.#descriptor !== CLOSED) return this.#descriptor;
    throw systemError('EBADF', this.#path);
  }
}

const CLOSED = -1;

type Callback<T> = (error: NodeJS.ErrnoException | null, result?: T) => void;
