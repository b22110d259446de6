import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const START_TIMEOUT_MS = 5_000;
const LOOK_MS = 20;

/** A server that runs as a process of its own and is asked to end with SIGTERM. */
export class ChildServer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it listens. */
  static async start(
    path: string,
    args: readonly string[],
    { name, port }: { readonly name: string; readonly port: number },
  ): Promise<ChildServer> {
    const child = spawn(path, args, { stdio: 'ignore' });
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    while (!(await accepts(port))) {
      if (child.exitCode !== null || performance.now() > deadlineMs) {
        child.kill('SIGKILL');
        throw new Error(`${name} did not start`);
      }
      await delay(LOOK_MS);
    }
    return new ChildServer(child);
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null) return resolve();
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGTERM');
    });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
