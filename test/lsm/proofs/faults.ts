import type { CrashableMemVfs, VfsOperation } from '../../../lsm/vfs/mem.ts';

export type FaultCode = 'EIO' | 'ENOSPC';

/** Makes operations of a disk fail: the n-th, or all from then on until it is repaired. */
export class Faults {
  readonly #vfs: CrashableMemVfs;
  readonly #code: FaultCode;
  readonly #concerns: (operation: VfsOperation) => boolean;
  operations = 0;
  failed = 0;

  constructor(
    vfs: CrashableMemVfs,
    code: FaultCode,
    concerns: (operation: VfsOperation) => boolean = () => true,
  ) {
    this.#vfs = vfs;
    this.#code = code;
    this.#concerns = concerns;
  }

  failAt(n: number, goesOn = false): void {
    this.#vfs.onOperation = (operation) => {
      if (!this.#concerns(operation)) return;
      this.operations++;
      if (goesOn ? this.operations < n : this.operations !== n) return;
      this.failed++;
      const message = `${this.#code}: ${operation.kind} ${operation.path}`;
      throw Object.assign(new Error(message), { code: this.#code });
    };
  }

  repair(): void {
    this.#vfs.onOperation = undefined;
  }
}

/** Rejects when nothing is going to happen any more and the promise is still pending. */
export async function answered<T>(promise: Promise<T>, what: string): Promise<T> {
  let isDone = false;
  const done = promise.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  // Everything here is in memory: what is not done after so many turns waits for nobody.
  for (let turns = 0; turns < TURNS_MAX && !isDone; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (!isDone) throw new Error(`${what} does not end`);
  return done;
}

const TURNS_MAX = 3000;
