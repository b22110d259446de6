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

interface CliErrorOptions extends ErrorOptions {
  readonly details?: Readonly<Record<string, unknown>>;
  /** What to do about it: a sentence that the message ends with. */
  readonly advice?: string;
}

/** An outcome that ends a command: one sentence for people, a stable code for programs. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: string;
  readonly exitCode: ExitCode;
  /** What programs may want beside the sentence; `--json` shows it. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The message without its advice: for whoever says what to do in another way. */
  readonly sentence: string;

  constructor(exitCode: ExitCode, code: string, sentence: string, options: CliErrorOptions = {}) {
    super(options.advice === undefined ? sentence : `${sentence}. ${options.advice}`, options);
    this.sentence = sentence;
    this.exitCode = exitCode;
    this.code = code;
    this.details = options.details ?? {};
  }
}

export function usageError(message: string): CliError {
  return new CliError(ExitCode.usage, 'USAGE', message);
}

export function unavailableError(sentence: string, cause?: unknown): CliError {
  return new CliError(ExitCode.unavailable, 'UNAVAILABLE', sentence, { cause });
}

/** No node answers at the addresses that were given with `flag`, or are the default. */
export function unreachableError(sentence: string, flag: AddressFlag, cause: unknown): CliError {
  const options = { cause, advice: namingAdvice(flag) };
  return new CliError(ExitCode.unavailable, 'UNAVAILABLE', sentence, options);
}

type AddressFlag = '--node' | '--http';

export function namingAdvice(flag: AddressFlag): string {
  const variable = flag === '--node' ? 'DSS_NODE' : 'DSS_HTTP';
  return `Start a cluster with 'dss up', or name a node with ${flag} or ${variable}.`;
}

/** The node has users. Trying again, or elsewhere, would not help. */
export function badCredentialsError(cause?: unknown): CliError {
  const sentence = 'the node wants a user that it knows, with the right password';
  const advice = 'Give --user and DSS_PASSWORD.';
  return new CliError(ExitCode.failure, 'BAD_CREDENTIALS', sentence, { cause, advice });
}

/** In words, without advice on how to name a node: of one that the cluster has named. */
export function whyNot(error: unknown): string {
  if (error instanceof CliError) return error.sentence;
  return error instanceof Error ? error.message : String(error);
}

/** A file named on the command line cannot be used; `what` goes before its name: `cannot read`. */
export function fileError(what: string, path: string, cause: unknown): CliError {
  const why = WHY_NO_FILE[systemCode(cause) ?? ''] ?? (cause as Error).message;
  const sentence = `${what} '${path}': ${why}`;
  return new CliError(ExitCode.failure, 'FILE', sentence, { cause });
}

const WHY_NO_FILE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'not permitted (EACCES)',
  EISDIR: 'it is a directory',
  ENOTDIR: 'what stands before the last / is no directory',
  ENOSPC: 'the disk is full (ENOSPC)',
};

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
