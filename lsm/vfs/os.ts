import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Vfs, VfsFile } from './vfs.ts';

/** The operating system's file system. */
export class OsVfs implements Vfs {
  async open(path: string, mode: 'read' | 'create' | 'write'): Promise<VfsFile> {
    return new OsFile(await open(path, openFlags[mode]));
  }

  async readFile(path: string): Promise<Uint8Array> {
    return readFile(path);
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

  async syncDirectory(directory: string): Promise<void> {
    // Windows cannot open a folder for syncing; NTFS journals names by itself.
    if (process.platform === 'win32') return;
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

const openFlags = { read: 'r', create: 'wx+', write: 'r+' } as const;

class OsFile implements VfsFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, position + done);
      if (bytesRead === 0) return bytes.subarray(0, done);
      done += bytesRead;
    }
    return bytes;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(
        bytes,
        done,
        bytes.length - done,
        position + done,
      );
      done += bytesWritten;
    }
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async truncate(length: number): Promise<void> {
    await this.#handle.truncate(length);
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
