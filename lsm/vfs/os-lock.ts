import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { LsmError } from '../errors.ts';

/**
 * Keeps everybody else out of a directory, which must exist: other processes, and this one too. The lock names the
 * process and when it began, so that one left behind by `kill -9` is seen for what it is, also when its
 * process id was given to somebody else.
 *
 * Without waiting for a thread: where nobody holds it these are three system calls, and everybody who opens an
 * engine makes them.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = `${directory}/lock`;
  ownStart ??= startOf(process.pid);
  const own = `${process.pid} ${ownStart}`;
  const holder = create(path, own) ? undefined : await take(path, own);
  if (holder === undefined) return async () => remove(path);
  throw new LsmError(
    'DIRECTORY_IN_USE',
    `${directory} is in use by process ${holder.split(' ')[0]}`,
  );
}

let ownStart: string | undefined;

/** Makes the lock, in the place of a stale one if need be. Returns what a live process has written into it. */
async function take(path: string, own: string): Promise<string | undefined> {
  for (;;) {
    if (create(path, own)) return undefined;
    const found = await contentOf(path);
    if (found === GONE) continue;
    if (isAlive(found)) return found;
    // Several may start at once and find it stale: only who holds this may remove it, and only if it still is.
    const removal = `${path}.stale`;
    if ((await take(removal, own)) !== undefined) {
      await setTimeout(POLL_MS);
      continue;
    }
    if ((await contentOf(path)) === found) remove(path);
    remove(removal);
  }
}

function create(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const GONE = 'gone';
const POLL_MS = 50;
const UNWRITTEN_MAX_MS = 1_000;

/** Empty if nobody has written it for a while: whoever made it may be about to. */
async function contentOf(path: string): Promise<string> {
  for (let waitedMs = 0; waitedMs < UNWRITTEN_MAX_MS; waitedMs += POLL_MS) {
    const content = read(path) ?? GONE;
    if (content !== '') return content;
    await setTimeout(POLL_MS);
  }
  return '';
}

function isAlive(holder: string): boolean {
  const [processId = '', ...began] = holder.split(' ');
  const start = processId === '' ? undefined : startOf(Number(processId));
  return start !== undefined && start === began.join(' ');
}

/** When a process began; `undefined` if there is none. Where /proc is missing any live one counts. */
function startOf(processId: number): string | undefined {
  const stat = read(`/proc/${processId}/stat`);
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  try {
    process.kill(processId, 0);
    return 'unknown';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'unknown' : undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
