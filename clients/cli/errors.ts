/** What a script can rely on; `dss --help` documents it. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  unavailable: 4,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An outcome that ends a command: one sentence for people, a stable code for programs. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.code = code;
  }
}

export function usageError(message: string): CliError {
  return new CliError(ExitCode.usage, 'USAGE', message);
}

export function unavailableError(message: string, cause?: unknown): CliError {
  return new CliError(ExitCode.unavailable, 'UNAVAILABLE', message, { cause });
}

const WHY_UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no machine of that name is known',
  EAI_AGAIN: 'no machine of that name is known',
  ECONNRESET: 'what listens there closed the connection',
  UND_ERR_SOCKET: 'what listens there closed the connection',
};

/** Why nobody answered at an address, in words. */
export function whyUnreachable(error: unknown): string {
  const known = WHY_UNREACHABLE[systemCode(error) ?? ''];
  if (known !== undefined) return known;
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError' || error.message === 'connack timeout') {
    return 'no answer in time';
  }
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** The system's code for a failed call, such as `ECONNREFUSED`; undefined where there is none. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return systemCode(error.errors[0]);
  if (!(error instanceof Error)) return undefined;
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : systemCode(error.cause);
}
