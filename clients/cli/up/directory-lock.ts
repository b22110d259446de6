import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError, ExitCode, systemCode } from '../errors.ts';

/**
 * One `dss up` per data directory. The file holds the owner's process id; one that is left over from a
 * process which is gone is taken over.
 */
export async function lockDirectory(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'up.pid');
  await mkdir(dataDir, { recursive: true }).catch((error) => refuseDirectory(dataDir, error));
  for (;;) {
    try {
      await writeFile(path, `${process.pid}\n`, { flag: 'wx' });
      return () => rm(path, { force: true });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') refuseDirectory(dataDir, error);
    }
    const owner = await readOwner(path);
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

/** The process that runs this node, as far as `/proc` tells: somebody may have started it by hand. */
export async function findNodeProcess(dataDir: string, name: string): Promise<number | undefined> {
  const owner = await readOwner(join(dataDir, name, 'lock'));
  const words = await readCommandLine(owner);
  return words?.includes('--name') && words.includes(name) ? owner : undefined;
}

/** Both kinds of lock begin with the owner's process id. */
async function readOwner(path: string): Promise<number> {
  return Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
}

function refuseDirectory(dataDir: string, cause: unknown): never {
  const why =
    systemCode(cause) === 'EEXIST' || systemCode(cause) === 'ENOTDIR'
      ? 'there is a file in its place'
      : (cause as Error).message;
  const sentence = `${dataDir} cannot be the data directory: ${why}`;
  throw new CliError(ExitCode.failure, 'FILE', sentence, { cause });
}

async function isRunning(processId: number): Promise<boolean> {
  if (!(processId > 0) || processId === process.pid) return false;
  try {
    process.kill(processId, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  // Process ids are given out again; where there is a /proc it tells whose this one is now.
  const words = await readCommandLine(processId);
  return words === undefined || words.includes('up');
}

async function readCommandLine(processId: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${processId}/cmdline`, 'utf8').catch(() => undefined);
  return text?.split('\0');
}
