import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { NodeError } from '../errors.ts';

/**
 * Keeps a second process out of a data directory. The lock names the process and when it began, so that one
 * left behind by `kill -9` is seen for what it is, also when its process id was given to somebody else.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true });
  const path = `${directory}/lock`;
  const own = `${process.pid} ${await startOf(process.pid)}`;
  for (;;) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(own);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [processId = '', ...began] = (await readFile(path, 'utf8').catch(() => '')).split(' ');
    const start = processId === '' ? undefined : await startOf(Number(processId));
    if (start !== undefined && start === began.join(' ')) {
      throw new NodeError(
        'DIRECTORY_IN_USE',
        `the data directory ${directory} is in use by process ${processId}.`,
      );
    }
    await rm(path, { force: true });
  }
}

/** When a process began; `undefined` if there is none. Where /proc is missing any live one counts. */
async function startOf(processId: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${processId}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    try {
      process.kill(processId, 0);
      return 'unknown';
    } catch {
      return undefined;
    }
  }
}
