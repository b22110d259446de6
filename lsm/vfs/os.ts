import * as fs from 'node:fs';
import { link, mkdir, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { OsFile } from './os-file.ts';
import { lockDirectory } from './os-lock.ts';
import { ReadPace } from './read-pace.ts';
import { ReadScratch } from './read-scratch.ts';
import type { OpenMode, Vfs, VfsFile } from './vfs.ts';

/** The operating system's file system. */
export class OsVfs implements Vfs {
  readonly #pace = new ReadPace(() => performance.now());
  readonly #scratch = new ReadScratch();

  open(path: string, mode: OpenMode): Promise<VfsFile> {
    const mustSync = mode.endsWith('-durable') && !hasDurableWrites;
    return new Promise((resolve, reject) => {
      fs.open(path, openFlags[mode], (error, descriptor) => {
        if (error === null) resolve(this.#file(path, descriptor, mustSync));
        else reject(error);
      });
    });
  }

  #file(path: string, descriptor: number, mustSync = false): OsFile {
    return new OsFile(path, descriptor, this.#pace, this.#scratch, mustSync);
  }

  openSync(path: string): VfsFile {
    return this.#file(path, fs.openSync(path, openFlags.read));
  }

  async readFile(path: string): Promise<Uint8Array> {
    const { buffer, byteOffset, length } = await readFile(path);
    // No Buffer: `slice` of one is a view, and would keep the whole file in memory.
    return new Uint8Array(buffer, byteOffset, length);
  }

  async list(directory: string): Promise<string[]> {
    return (await readdir(directory)).sort();
  }

  async makeDirectory(directory: string): Promise<void> {
    const absolute = resolve(directory);
    const topmostCreated = await mkdir(absolute, { recursive: true });
    if (topmostCreated === undefined) return;
    // A folder is as durable as its name in its parent.
    const topmostParent = dirname(resolve(topmostCreated));
    let parent = absolute;
    do {
      parent = dirname(parent);
      await this.syncDirectory(parent);
    } while (parent !== topmostParent);
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(from, to);
  }

  async link(from: string, to: string): Promise<void> {
    await link(from, to);
  }

  async remove(path: string): Promise<void> {
    await unlink(path);
  }

  async exists(path: string): Promise<boolean> {
    try {
      await stat(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  syncDirectory(directory: string): Promise<void> {
    // Windows cannot open a folder for syncing; NTFS journals names by itself.
    if (process.platform === 'win32') return Promise.resolve();
    return new Promise((resolve, reject) => {
      const descriptor = fs.openSync(directory, 'r');
      fs.fsync(descriptor, (error) => {
        fs.closeSync(descriptor);
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  lock(directory: string): Promise<() => Promise<void>> {
    return lockDirectory(directory);
  }
}

const { O_RDWR, O_CREAT, O_EXCL, O_DSYNC } = fs.constants;

/** Elsewhere it is missing, or does not reach the medium as libuv's `fdatasync` does (macOS). */
const hasDurableWrites = process.platform === 'linux';
const durably = hasDurableWrites ? O_DSYNC : 0;

const openFlags: Readonly<Record<OpenMode, string | number>> = {
  read: 'r',
  create: 'wx+',
  write: 'r+',
  'create-durable': O_RDWR | O_CREAT | O_EXCL | durably,
  'write-durable': O_RDWR | durably,
};
