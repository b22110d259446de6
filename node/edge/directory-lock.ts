import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { NodeError } from '../errors.ts';

/**
 * Keeps a second process out of a data directory. The lock names the process and when it began, so that one
 * left behind by `kill -9` is seen for what it is, also when its process id was given to somebody else.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true });
  const path = `${directory}/lock`;
  const holder = await take(path, `${process.pid} ${await startOf(process.pid)}`);
  if (holder === undefined) return () => rm(path, { force: true });
  throw new NodeError(
    'DIRECTORY_IN_USE',
    `the data directory ${directory} is in use by process ${holder.split(' ')[0]}.`,
  );
}

/** Makes the lock, in the place of a stale one if need be. Returns what a live process has written into it. */
async function take(path: string, own: string): Promise<string | undefined> {
  for (;;) {
    if (await create(path, own)) return undefined;
    const found = await contentOf(path);
    if (found === GONE) continue;
    if (await isAlive(found)) return found;
    // Several may start at once and find it stale: only who holds this may remove it, and only if it still is.
    const removal = `${path}.stale`;
    if ((await take(removal, own)) !== undefined) {
      await setTimeout(POLL_MS);
      continue;
    }
    if ((await contentOf(path)) === found) await rm(path, { force: true });
    await rm(removal, { force: true });
  }
}

async function create(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

const GONE = 'gone';
const POLL_MS = 50;
const UNWRITTEN_MAX_MS = 1_000;

/** Empty if nobody has written it for a while: whoever made it may be about to. */
async function contentOf(path: string): Promise<string> {
  for (let waitedMs = 0; waitedMs < UNWRITTEN_MAX_MS; waitedMs += POLL_MS) {
    const content = await readFile(path, 'utf8').catch(() => GONE);
    if (content !== '') return content;
    await setTimeout(POLL_MS);
  }
  return '';
}

async function isAlive(holder: string): Promise<boolean> {
  const [processId = '', ...began] = holder.split(' ');
  const start = processId === '' ? undefined : await startOf(Number(processId));
  return start !== undefined && start === began.join(' ');
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
