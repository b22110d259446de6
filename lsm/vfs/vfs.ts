/**
 * The file system as the engine sees it. Everything that touches a disk goes through a `Vfs`: `os.ts` in
 * production, `mem.ts` (crashable) in tests and in the simulator.
 *
 * What is not promised: that written bytes survive a crash before `sync()` of the file, or that a created,
 * renamed or removed name survives one before `syncDirectory()` of its folder. Paths use `/`.
 */
export interface Vfs {
  /**
   * Opens a file.
   * - `read`: it must exist.
   * - `create`: new and empty, for reading and writing; an existing one is an error (`EEXIST`).
   * - `write`: an existing one, for reading and writing.
   * - `create-durable`, `write-durable`: the same, and `write` resolves when what it wrote is durable. What `sync` would
   *   do as a second call, the system does in one where it can.
   * Errors carry Node's codes (`ENOENT`, `EEXIST`, `ENOSPC`, …).
   */
  open(path: string, mode: OpenMode): Promise<VfsFile>;
  /** Opens an existing file for reading and blocks meanwhile: for readers that cannot wait. */
  openSync(path: string): VfsFile;
  /** Whole file at once; for small files. */
  readFile(path: string): Promise<Uint8Array>;
  /** Names in a folder, sorted, so that the order is the same on every run. */
  list(directory: string): Promise<string[]>;
  /** Creates a folder and its parents, durably; nothing happens if it is there. */
  makeDirectory(directory: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file (hard link). `EXDEV` or `EPERM` where the file system has none. */
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Makes creations, renames and removals in this folder durable. */
  syncDirectory(directory: string): Promise<void>;
  /**
   * Keeps everybody else out of a folder until what it returns is called; a lock left behind by a process that
   * died is taken over. Fails with DIRECTORY_IN_USE, naming the holder.
   */
  lock(directory: string): Promise<() => Promise<void>>;
}

export type OpenMode = 'read' | 'create' | 'write' | 'create-durable' | 'write-durable';

export interface VfsFile {
  /** Reads up to `length` bytes at `position`; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** The same, blocking. What it gives is good until the next `readSync` or `readNow` of the file system. */
  readSync(position: number, length: number): Uint8Array;
  /**
   * As `readSync`, if lately reads did not wait for the device (what is in the page cache costs less to copy
   * than to wait for); `undefined` when `read` had better be used.
   */
  readNow(position: number, length: number): Uint8Array | undefined;
  /** Writes all of `bytes` at `position`. The caller must not change `bytes` until it resolves. */
  write(position: number, bytes: Uint8Array): Promise<void>;
  /** Writes all of `bytes` at `position`, blocking: for small writes that need no sync. */
  writeSync(position: number, bytes: Uint8Array): void;
  /** fdatasync: data, and the size if it changed. After a failure the file must not be trusted (fsyncgate). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Writes a small file so that after a crash it holds either the old content or the new one, whole.
 * Ordinary rename dance: temporary file, sync, rename, sync of the folder.
 */
export async function writeFileAtomically(
  vfs: Vfs,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${directory}/${name}.tmp`;
  if (await vfs.exists(temporary)) await vfs.remove(temporary);
  const file = await vfs.open(temporary, 'create');
  try {
    await file.write(0, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await vfs.rename(temporary, `${directory}/${name}`);
  await vfs.syncDirectory(directory);
}
