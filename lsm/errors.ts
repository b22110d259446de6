/** Operating failures of the engine and the log. Programmer errors are assertions; absent keys are values. */
export type LsmErrorCode =
  | 'CORRUPTION'
  | 'FORMAT_TOO_NEW'
  | 'LOG_FAILED'
  | 'ENGINE_FAILED'
  | 'ENGINE_CLOSED'
  /** Nothing is lost; work goes on by itself when there is room again. */
  | 'DISK_FULL'
  /** Another process, or another engine of this one, has the directory open. */
  | 'DIRECTORY_IN_USE'
  | 'DIRECTORY_NOT_WRITABLE'
  /** There is no store in the directory, and none was to be made. */
  | 'STORE_NOT_FOUND'
  /** There is a store in the directory, and there should be none. */
  | 'STORE_EXISTS'
  /** The store was made with an option that cannot be changed, and that was given differently. */
  | 'STORE_DIFFERS'
  /** What is in the directory was made by another program. */
  | 'OTHER_DATABASE'
  | 'INVALID_OPTION'
  /** A block is compressed with a codec whose library is not installed here. */
  | 'CODEC_MISSING';

export class LsmError extends Error {
  override readonly name = 'LsmError';
  readonly code: LsmErrorCode;

  constructor(code: LsmErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** For whoever uses what is closed. */
export function closedError(what = 'the engine'): LsmError {
  return new LsmError('ENGINE_CLOSED', `${what} is closed`);
}

/** The typed error for what went wrong while a directory was opened. */
export function openError(directory: string, error: unknown): LsmError {
  if (error instanceof LsmError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    const message = `${directory} cannot be written to (${code})`;
    return new LsmError('DIRECTORY_NOT_WRITABLE', message, { cause: error });
  }
  const message = `cannot open ${directory}: ${reasonOfFailure(error)}`;
  return new LsmError('ENGINE_FAILED', message, { cause: error });
}

/** Why something failed, to be put behind a colon: for errors of the system in words, with their code. */
export function reasonOfFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!isSystemError(error)) return error.message;
  const { code, message } = error;
  // As "EIO: i/o error, read".
  const said = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
  return `${systemReasons[code] ?? said} (${code})`;
}

/** Errors of Node itself have codes, too: ERR_ASSERTION. */
export function isSystemError(error: unknown): error is Error & { readonly code: string } {
  if (error instanceof LsmError || !(error instanceof Error) || !('code' in error)) return false;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code);
}

/** Where the words of the system say less. */
const systemReasons: Partial<Record<string, string>> = {
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  ENAMETOOLONG: 'its name is too long',
  ENOTDIR: 'it is not a directory',
};
