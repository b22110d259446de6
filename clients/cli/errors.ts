/** What a script can rely on; `dss --help` documents it. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  unavailable: 4,
  conflict: 5,
  removed: 6,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An outcome that ends a command: one sentence for people, a stable code for programs. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: string;
  readonly exitCode: ExitCode;
  /** What programs may want beside the sentence; `--json` shows it. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    exitCode: ExitCode,
    code: string,
    message: string,
    options: ErrorOptions & { readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options);
    this.exitCode = exitCode;
    this.code = code;
    this.details = options.details ?? {};
  }
}

export function usageError(message: string): CliError {
  return new CliError(ExitCode.usage, 'USAGE', message);
}

export function unavailableError(message: string, cause?: unknown): CliError {
  return new CliError(ExitCode.unavailable, 'UNAVAILABLE', message, { cause });
}

/** A file named on the command line cannot be used; `what` goes before its name: `cannot read`. */
export function fileError(what: string, path: string, cause: unknown): CliError {
  const sentence = `${what} '${path}': ${(cause as Error).message}`;
  return new CliError(ExitCode.failure, 'FILE', sentence, { cause });
}

const CLOSED =
  'what listens there closed the connection; if it wants TLS, say mqtts:// and https://';

const WHY_UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no machine of that name is known',
  EAI_AGAIN: 'no machine of that name is known',
  ECONNRESET: CLOSED,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not one that is trusted here: name it with --ca',
  SELF_SIGNED_CERT_IN_CHAIN:
    'nobody that is trusted here has signed its certificate: name the CA with --ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'nobody that is trusted here has signed its certificate: name the CA with --ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'nobody that is trusted here has signed its certificate: name the CA with --ca',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'it wants a client certificate: give --client-cert and --client-key',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what listens there does not speak TLS',
  EPROTO: 'what listens there does not speak TLS',
};

/** Why nobody answered at an address, in words. `closed`: it ended the connection without any. */
export function whyUnreachable(error: unknown): string {
  if (error === 'closed') return CLOSED;
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
