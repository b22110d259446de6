import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { LsmError } from '../errors.ts';
import { encodeHolder, type Holder, judge, ownIdentity, parseHolder } from './os-lock-holder.ts';
import { LifeSocket } from './os-lock-socket.ts';

/**
 * Keeps everybody else of this machine out of a directory, which must exist: other processes, also those of other
 * containers, and this one too. The lock names the process and when it began, so that one left behind by `kill -9`
 * is seen for what it is, also when its process id was given to somebody else. To containers, which do not see each
 * other's processes, a socket beside it tells whether its holder lives.
 *
 * Without waiting for a thread: where nobody holds it these are a few system calls, and everybody who opens an
 * engine makes them.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const place = new Place(directory);
  try {
    const own = encodeHolder({ ...ownIdentity(), socketName: place.socket?.name });
    if (!create(`${directory}/lock`, own)) await take(place, 'lock', own);
    return async () => place.leave();
  } catch (error) {
    place.close();
    throw error;
  }
}

/**
 * A directory that is being locked, and the socket in it. It is held open where that is possible, because a folder
 * that was renamed meanwhile has to be left too, and another one that came into its place must not be touched.
 */
class Place {
  readonly directory: string;
  /** Made before the lock, so that whoever reads the lock finds it. */
  readonly socket: LifeSocket | undefined;
  readonly #descriptor: number | undefined;

  constructor(directory: string) {
    this.directory = directory;
    this.#descriptor = openFolder(directory);
    if (this.#descriptor !== undefined) this.socket = LifeSocket.listen(this.path);
  }

  /** Short, wherever the directory is: the name of a socket has at most 107 bytes. */
  get path(): string {
    const short = `/proc/self/fd/${this.#descriptor}`;
    return this.#descriptor !== undefined && existsSync(short) ? short : this.directory;
  }

  /** The lock goes first: one whose socket is missing cannot be told from that of somebody alive. */
  leave(): void {
    try {
      remove(`${this.path}/lock`);
    } finally {
      this.close();
    }
  }

  close(): void {
    try {
      this.socket?.close(this.path);
    } finally {
      if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    }
  }
}

/** Only where there may be namespaces; that it cannot be opened is no reason not to lock it. */
function openFolder(directory: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
}

/** Makes the lock, in the place of a stale one if need be. Fails with DIRECTORY_IN_USE where it is not stale. */
async function take(place: Place, name: string, own: string): Promise<void> {
  const path = `${place.directory}/${name}`;
  for (;;) {
    if (create(path, own)) return;
    const found = await contentOf(path);
    if (found === GONE) continue;
    const holder = parseHolder(found);
    const verdict = holder === undefined ? 'dead' : await judge(holder, place.path);
    if (holder !== undefined && verdict !== 'dead') {
      // The holder may have left since.
      if ((await contentOf(path)) !== found) continue;
      throw inUse(place.directory, path, holder, verdict);
    }
    // Several may start at once and find it stale: only who holds this may remove it, and only if it still is.
    const removal = `${name}.stale`;
    if (!(await tryTake(place, removal, own))) {
      await setTimeout(POLL_MS);
      continue;
    }
    if ((await contentOf(path)) === found) {
      remove(path);
      if (holder?.socketName !== undefined) remove(`${place.directory}/${holder.socketName}`);
    }
    remove(`${place.directory}/${removal}`);
  }
}

/** False while somebody alive, for milliseconds, has it. */
async function tryTake(place: Place, removal: string, own: string): Promise<boolean> {
  try {
    await take(place, removal, own);
    return true;
  } catch (error) {
    const isHeld = error instanceof LsmError && error.code === 'DIRECTORY_IN_USE';
    if (isHeld && !(error instanceof UntoldError)) return false;
    throw error;
  }
}

/** Somebody of another container has it, of whom it cannot be told whether he lives: waiting does not help. */
class UntoldError extends LsmError {}

function inUse(
  directory: string,
  path: string,
  { processId, namespace }: Holder,
  verdict: 'alive' | 'alive elsewhere' | 'untold',
): LsmError {
  const where = ` of another container (process namespace ${namespace})`;
  const who = `${directory} is in use by process ${processId}${verdict === 'alive' ? '' : where}`;
  if (verdict !== 'untold') return new LsmError('DIRECTORY_IN_USE', who);
  const advice = `cannot be told whether it lives: if it has certainly ended, remove ${path} by hand`;
  return new UntoldError('DIRECTORY_IN_USE', `${who}; it ${advice}`);
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

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
