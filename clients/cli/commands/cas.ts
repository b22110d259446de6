import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { CliError, ExitCode, usageError } from '../errors.ts';
import { checkKey } from '../key.ts';
import { toJsonValue } from '../payload.ts';
import { type Reply, replyError } from '../reply.ts';
import type { Shell } from '../shell.ts';
import { formatTime, parseDuration } from '../time.ts';
import { addValueOptions, readValue, type ValueOptions } from '../value-source.ts';

interface CasOptions extends ValueOptions {
  readonly if: number | 'none';
  readonly ttl?: number;
  readonly id?: string;
  readonly delete?: true;
}

export function defineCas(self: Command, shell: Shell): void {
  const cas = self
    .argument('<key>')
    .argument('[value]', 'the value as text')
    .requiredOption(
      '--if <version>',
      "the version that must be current; 'none': the key must have no value",
      parseVersion,
    )
    .option('--ttl <time>', 'the value expires so long after it was stored', parseDuration('--ttl'))
    .option('--delete', 'delete the key instead')
    .option('--id <text>', 'repeating the command with the same id is the same request');
  addValueOptions(cas)
    .addHelpText(
      'after',
      `
Exit code 5 when the key has another version, which the error names.
Examples:
  dss cas lease/pump1 node-a --if none --ttl 30s     take a lease that nobody holds
  dss cas lease/pump1 node-a --if <version> --ttl 30s     keep it
  dss cas lease/pump1 --if <version> --delete     give it back
  dss get counter --json     shows the version`,
    )
    .action(async (key: string, value: string | undefined, _options, command: Command) => {
      checkKey(key);
      const options = shell.options<CasOptions>(command);
      const body = await requestBody(shell, value, options);
      const reply = await ask(shell, command, key, options.id, body);
      if (!reply.ok) throw casError(key, reply);
      const { version, expiresAt } = reply as { version?: number; expiresAt?: number };
      shell.output.result({ ok: true, key, version, expiresAt }, () =>
        [
          `${options.delete ? 'deleted' : 'stored'} ${key}, version ${version}`,
          ...(expiresAt === undefined ? [] : [`expires ${formatTime(expiresAt)}`]),
        ].join(', '),
      );
    });
}

function parseVersion(text: string): number | 'none' {
  if (text === 'none') return text;
  const version = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(version)) return version;
  throw usageError(`--if needs a version, as 'dss get --json' shows it, or none, not '${text}'`);
}

async function requestBody(
  shell: Shell,
  value: string | undefined,
  options: CasOptions,
): Promise<Record<string, unknown>> {
  const expected = { if: options.if === 'none' ? null : options.if };
  if (options.delete) {
    if (value !== undefined || options.file !== undefined || options.stdin) {
      throw usageError('--delete goes without a value');
    }
    if (options.ttl !== undefined) throw usageError('--delete goes without --ttl');
    return { ...expected, delete: true };
  }
  const bytes = await readValue(shell, value, options);
  if (bytes.length === 0) throw usageError('an empty value would delete the key: use --delete');
  const ttl = options.ttl === undefined ? {} : { ttl: options.ttl / 1000 };
  return { ...expected, ...toJsonValue(bytes), ...ttl };
}

/**
 * A repetition is known by its client id and its request id: within one command when the connection is lost,
 * and with `--id` from one command to the next.
 */
async function ask(
  shell: Shell,
  command: Command,
  key: string,
  id: string | undefined,
  body: Record<string, unknown>,
): Promise<Reply> {
  const topic = `dss/cas/${key}`;
  if (id === undefined) return shell.withConnection(command, (node) => node.request(topic, body));
  const clientId = `dss-cas-${digest(id)}`;
  const question = { id, ...body };
  return shell.withOwnConnection(command, (node) => node.request(topic, question), { clientId });
}

/** Ids may be long and hold anything; client ids had better not. */
function digest(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 12);
}

function casError(key: string, reply: Reply): CliError {
  if (reply.error !== 'VERSION_MISMATCH') return replyError(reply);
  const { version } = reply as { version?: number | null };
  const now = version == null ? 'has no value' : `has version ${version}`;
  return new CliError(ExitCode.conflict, 'VERSION_MISMATCH', `'${key}' ${now}: nothing changed`, {
    details: { version: version ?? null },
  });
}
