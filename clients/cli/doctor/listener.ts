import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that listens. */
export interface ListeningProcess {
  readonly processId: number;
  /** With its arguments, as far as it tells. */
  readonly command: string;
}

const LISTENING = '0A';

/** Who listens on a port, by proc(5); undefined where there is no /proc, or for processes of others. */
export function whoListens(port: number): ListeningProcess | undefined {
  const sockets = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => inodesOf(path, port)),
  );
  if (sockets.size === 0) return undefined;
  const processId = list('/proc').find((name) => /^\d+$/.test(name) && holds(name, sockets));
  if (processId === undefined) return undefined;
  const command = read(`/proc/${processId}/cmdline`).replaceAll('\0', ' ').trim();
  return { processId: Number(processId), command };
}

function inodesOf(path: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(path)
    .split('\n')
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      return local.endsWith(suffix) && state === LISTENING ? [`socket:[${inode}]`] : [];
    });
}

function holds(processId: string, sockets: ReadonlySet<string>): boolean {
  return list(`/proc/${processId}/fd`).some((file) => {
    try {
      return sockets.has(readlinkSync(`/proc/${processId}/fd/${file}`));
    } catch {
      return false;
    }
  });
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
