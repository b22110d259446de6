import { ShortKeyError } from '../arguments.ts';
import { isSystemError, LsmError, type LsmErrorCode, reasonOfFailure } from '../errors.ts';

/** An error with a code as users of abstract-level know them. Ours, which says more, is the `cause`. */
export class LevelError extends Error {
  override readonly name: string;
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions & { name?: string }) {
    super(message, options);
    this.name = options?.name ?? 'LevelError';
    this.code = code;
  }
}

/**
 * What classic-level calls the same troubles, and LevelDB where that gives no code. All others are troubles with
 * files.
 */
const levelCodes: Partial<Record<LsmErrorCode, string>> = {
  CORRUPTION: 'LEVEL_CORRUPTION',
  DIRECTORY_IN_USE: 'LEVEL_LOCKED',
  ENGINE_CLOSED: 'LEVEL_DATABASE_NOT_OPEN',
  STORE_NOT_FOUND: 'LEVEL_INVALID_ARGUMENT',
  STORE_EXISTS: 'LEVEL_INVALID_ARGUMENT',
  STORE_DIFFERS: 'LEVEL_INVALID_ARGUMENT',
  OTHER_DATABASE: 'LEVEL_INVALID_ARGUMENT',
  INVALID_OPTION: 'LEVEL_INVALID_ARGUMENT',
};

export function levelError(error: unknown): unknown {
  if (error instanceof ShortKeyError) {
    return new LevelError('LEVEL_INVALID_KEY', error.message, { cause: error });
  }
  if (isSystemError(error)) {
    return new LevelError('LEVEL_IO_ERROR', reasonOfFailure(error), { cause: error });
  }
  if (!(error instanceof LsmError)) return error;
  return new LevelError(levelCodes[error.code] ?? 'LEVEL_IO_ERROR', error.message, {
    cause: error,
  });
}

export function throwLevelError(error: unknown): never {
  throw levelError(error);
}

/** Named as the web names it. */
export function abortError(): LevelError {
  return new LevelError('LEVEL_ABORTED', 'Operation has been aborted', { name: 'AbortError' });
}
