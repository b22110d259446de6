/** Operating failures of the engine and the log. Programmer errors are assertions; absent keys are values. */
export type LsmErrorCode =
  | 'CORRUPTION'
  | 'FORMAT_TOO_NEW'
  | 'LOG_FAILED'
  | 'ENGINE_FAILED'
  | 'ENGINE_CLOSED';

export class LsmError extends Error {
  override readonly name = 'LsmError';
  readonly code: LsmErrorCode;

  constructor(code: LsmErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
