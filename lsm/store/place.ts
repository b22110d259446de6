import { LsmError } from '../errors.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { StoreOptions } from './options.ts';

/**
 * Looks where a store is to be opened, and refuses when what is there is not what was asked for. Returns whether
 * there is a directory.
 */
export async function findPlace(options: StoreOptions): Promise<boolean> {
  const { vfs, directory, createIfMissing = true, errorIfExists = false } = options;
  const names = await namesIn(vfs, directory);
  const isStore = names?.some((name) => STORE_FILE.test(name)) ?? false;
  if (!isStore && names?.includes('CURRENT')) {
    const message = `${directory} holds a LevelDB database; open it with classic-level and copy it, or choose an empty directory`;
    throw new LsmError('OTHER_DATABASE', message);
  }
  if (!isStore && !createIfMissing) {
    throw new LsmError('STORE_NOT_FOUND', `${directory} does not exist (createIfMissing is false)`);
  }
  if (isStore && errorIfExists) {
    throw new LsmError('STORE_EXISTS', `${directory} exists (errorIfExists is true)`);
  }
  return names !== undefined;
}

/** Removes all files of a store that nobody has open. */
export async function destroyStore(vfs: Vfs, directory: string): Promise<void> {
  if ((await namesIn(vfs, directory)) === undefined) return;
  const unlock = await vfs.lock(directory);
  try {
    for (const name of await vfs.list(directory)) {
      if (OUR_FILE.test(name)) await vfs.remove(`${directory}/${name}`);
    }
    await vfs.syncDirectory(directory);
  } finally {
    await unlock();
  }
}

/** LevelDB's numbers have six digits. */
const STORE_FILE = /^(MANIFEST-\d{10,}|\d{10,}\.(wal|sst))$/;
const OUR_FILE = /^(MANIFEST-\d{10,}|\d{10,}\.(wal|sst|sst\.damaged|sst\.tmp))$/;

async function namesIn(vfs: Vfs, directory: string): Promise<string[] | undefined> {
  try {
    return await vfs.list(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
