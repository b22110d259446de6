import { LsmError } from '../../lsm/errors.ts';
import { OsVfs } from '../../lsm/vfs/os.ts';
import { NodeError } from '../errors.ts';

/** Makes the data directory if it is not there, and keeps other processes out. Resolves with how to let them in. */
export async function lockData(directory: string): Promise<() => Promise<void>> {
  const vfs = new OsVfs();
  await vfs.makeDirectory(directory);
  try {
    return await vfs.lock(directory);
  } catch (error) {
    if (!(error instanceof LsmError && error.code === 'DIRECTORY_IN_USE')) throw error;
    const sentence = `the data directory ${error.message}.`;
    throw new NodeError('DIRECTORY_IN_USE', sentence, { cause: error });
  }
}
