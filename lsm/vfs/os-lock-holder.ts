import { readFileSync, readlinkSync } from 'node:fs';
import { answers } from './os-lock-socket.ts';

/** Who has a directory, as the lock says it; `unknown` where there is no /proc. */
export interface Holder {
  readonly processId: number;
  /** When it began, in ticks since the machine was booted. */
  readonly began: string;
  readonly bootId: string;
  /** The process namespace, in which alone the process id means something. */
  readonly namespace: string;
  /** Missing where none could be made. */
  readonly socketName: string | undefined;
}

/** In FORMAT.md, "Lock". */
export function encodeHolder({ processId, began, bootId, namespace, socketName }: Holder): string {
  return `${processId} ${began} ${bootId} ${namespace} ${socketName ?? 'none'}`;
}

/** `undefined` for what nobody wrote as a lock: a loss of power may leave a file of zeros. */
export function parseHolder(text: string): Holder | undefined {
  const match = /^(\d+) (\S+) (\S+) (\S+) (none|lock\.[0-9a-f]+)$/.exec(text);
  if (match === null) return undefined;
  const [, processId, began = '', bootId = '', namespace = '', socketName] = match;
  return {
    processId: Number(processId),
    began,
    bootId,
    namespace,
    socketName: socketName === 'none' ? undefined : socketName,
  };
}

export function ownIdentity(): Omit<Holder, 'socketName'> {
  own ??= {
    processId: process.pid,
    // Not /proc/<process id>: /proc may be that of another namespace.
    began: beganIn(read('/proc/self/stat')) ?? UNKNOWN,
    bootId: read('/proc/sys/kernel/random/boot_id')?.trim() ?? UNKNOWN,
    namespace: link('/proc/self/ns/pid') ?? UNKNOWN,
  };
  return own;
}

const UNKNOWN = 'unknown';
let own: Omit<Holder, 'socketName'> | undefined;

/**
 * Whether the holder of a lock lives; `untold` where its process cannot be seen from here and it has no socket
 * that could be asked. A missing socket proves nothing: somebody may have cleaned up.
 */
export async function judge(
  holder: Holder,
  directory: string,
): Promise<'alive' | 'alive elsewhere' | 'dead' | 'untold'> {
  const { bootId, namespace } = ownIdentity();
  const areBootsKnown = holder.bootId !== UNKNOWN && bootId !== UNKNOWN;
  if (areBootsKnown && holder.bootId !== bootId) return 'dead';
  if (holder.namespace === namespace && showsOwnProcesses()) {
    return isAlive(holder) ? 'alive' : 'dead';
  }
  const answer =
    holder.socketName === undefined ? undefined : await answers(directory, holder.socketName);
  if (answer === undefined) return 'untold';
  return answer ? 'alive elsewhere' : 'dead';
}

/** After `unshare --pid` without a mount, /proc shows the processes of another namespace. */
function showsOwnProcesses(): boolean {
  const self = link('/proc/self');
  return self === undefined || self === String(process.pid);
}

function isAlive({ processId, began }: Holder): boolean {
  const stat = read(`/proc/${processId}/stat`);
  if (stat !== undefined) return began === UNKNOWN || beganIn(stat) === began;
  // There is no /proc, or it hides the processes of others (hidepid).
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of `/proc/<process>/stat`; the second one may contain anything. */
function beganIn(stat: string | undefined): string | undefined {
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
