import type { EngineEvent } from './engine.ts';
import { LsmError } from './errors.ts';

/**
 * Whether something failed only because there was no room for it. Not so when it is unknown what is on the
 * disk, as after a failed sync of something that counts: such an error has this one as its cause. A quota that is
 * used up is a full disk to who has it.
 */
export function isDiskFull(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error instanceof LsmError) return error.code === 'DISK_FULL';
  return 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** `what` is what could not be done. */
export function diskFullError(what: string, cause: unknown): LsmError {
  return new LsmError('DISK_FULL', `the disk is full: ${what}`, { cause });
}

/** A failure of the file system as one of the engine; everything else as it is. `what` is what could not be done. */
export function typedFailure(what: string, error: unknown): unknown {
  if (error instanceof LsmError || !(error instanceof Error) || !('code' in error)) return error;
  if (error.code === 'ERR_ASSERTION') return error;
  const code = isDiskFull(error) ? 'DISK_FULL' : 'ENGINE_FAILED';
  return new LsmError(code, `${what}: ${error.message}`, { cause: error });
}

/** Tells once that the disk is full, and once that it no longer is. Shared by all who write. */
export class DiskRoom {
  readonly #onEvent: (event: EngineEvent) => void;
  #isFull = false;

  constructor(onEvent: (event: EngineEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Since something failed nothing has worked. */
  get isFull(): boolean {
    return this.#isFull;
  }

  full(cause: unknown): void {
    if (this.#isFull) return;
    this.#isFull = true;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#onEvent({ kind: 'disk-full', error });
  }

  /** Something was written. */
  worked(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#onEvent({ kind: 'disk-has-room' });
  }
}
