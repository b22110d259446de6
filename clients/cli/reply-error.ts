import type { Reply } from './connection.ts';
import { CliError, ExitCode } from './errors.ts';

/** An answer with `ok: false` as the error that ends a command. */
export function replyError(reply: Reply): CliError {
  const code = reply.error ?? 'FAILURE';
  const message = reply.message ?? `the node answered ${code}`;
  return code === 'UNAVAILABLE'
    ? new CliError(ExitCode.unavailable, code, reply.message ?? 'no quorum for this key right now')
    : new CliError(ExitCode.failure, code, message);
}
