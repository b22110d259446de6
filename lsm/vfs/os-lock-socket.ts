import { renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';

/**
 * A socket in a directory that nobody says anything on. The system takes connections to it as long as its process
 * lives, also from other containers, which find it by its path, and refuses them from the moment when it has ended.
 */
export class LifeSocket {
  readonly name: string;
  readonly #server: Server;

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
  }

  /** `undefined` where the file system has no sockets, or the path is too long for one. Does not keep the process. */
  static listen(directory: string): LifeSocket | undefined {
    const name = `lock.${Math.random().toString(16).slice(2)}`;
    const path = `${directory}/${name}`;
    const firstPath = `${path}.new`;
    if (Buffer.byteLength(firstPath) > PATH_BYTES_MAX) return undefined;
    const server = createServer((connection) => connection.destroy());
    // What goes wrong is reported later; whether it listens is known at once.
    server.on('error', () => {});
    try {
      // `exclusive`: not that of the parent of a cluster of processes.
      server.listen({ path: firstPath, exclusive: true }).unref();
      if (!server.listening) return undefined;
      // Node removes a socket when the process ends without closing it, by the name that it was made with. This one
      // has to stay and refuse: that is the proof that its process has ended.
      renameSync(firstPath, path);
      return new LifeSocket(name, server);
    } catch {
      // The file system cannot rename it, or the process is forbidden to have sockets.
      server.close();
      return undefined;
    }
  }

  /** Removes it from the directory too. */
  close(directory: string): void {
    try {
      rmSync(`${directory}/${this.name}`, { force: true });
    } finally {
      this.#server.close();
    }
  }
}

/** `sockaddr_un`, less the zero at its end. */
const PATH_BYTES_MAX = 107;

/** Whether somebody listens on a socket; `undefined` if that cannot be told. */
export function answers(directory: string, name: string): Promise<boolean | undefined> {
  const path = `${directory}/${name}`;
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const connection = connect(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', ({ code }: NodeJS.ErrnoException) => {
      // Too many who ask at once are refused with EAGAIN, by somebody who lives.
      resolve(code === 'ECONNREFUSED' ? false : code === 'EAGAIN' ? true : undefined);
    });
  });
}
