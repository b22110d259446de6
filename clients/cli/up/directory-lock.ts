import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError, ExitCode, systemCode } from '../errors.ts';

/**
 * One `dss up` per data directory. The file holds the owner's process id; one that is left over from a
 * process which is gone is taken over.
 */
export async function lockDirectory(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'up.pid');
  await mkdir(dataDir, { recursive: true });
  for (;;) {
    try {
      await writeFile(path, `${process.pid}\n`, { flag: 'wx' });
      return () => rm(path, { force: true });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (await isRunning(owner)) {
      throw new CliError(
        ExitCode.failure,
        'DATA_IN_USE',
        `${dataDir} is used by a 'dss up' that is running (process ${owner})`,
      );
    }
    await rm(path, { force: true });
  }
}

async function isRunning(processId: number): Promise<boolean> {
  if (!(processId > 0) || processId === process.pid) return false;
  try {
    process.kill(processId, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  // Process ids are given out again; where there is a /proc it tells whose this one is now.
  const commandLine = await readFile(`/proc/${processId}/cmdline`, 'utf8').catch(() => undefined);
  return commandLine === undefined || commandLine.split('\0').includes('up');
}
