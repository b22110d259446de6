import { CliError, ExitCode } from './errors.ts';

/** What a node publishes on `dss/reply/me` (DESIGN §7). */
export interface Reply {
  readonly id: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly value?: unknown;
  readonly base64?: unknown;
  readonly message?: string;
  readonly [field: string]: unknown;
}

/** An answer with `ok: false` as the error that ends a command. */
export function replyError(reply: Reply): CliError {
  const code = reply.error ?? 'FAILURE';
  const message = reply.message ?? `the node answered ${code}`;
  return code === 'UNAVAILABLE'
    ? new CliError(ExitCode.unavailable, code, reply.message ?? 'no quorum for this key right now')
    : new CliError(ExitCode.failure, code, message);
}
