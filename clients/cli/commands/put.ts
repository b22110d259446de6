import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { CliError, ExitCode, usageError } from '../errors.ts';
import { checkKey } from '../key.ts';
import { parseInteger, type Shell } from '../shell.ts';

interface PutOptions {
  readonly file?: string;
  readonly stdin?: true;
  readonly qos: 0 | 1 | 2;
}

export function addPut(program: Command, shell: Shell): void {
  program
    .command('put')
    .description('store a value; done when a quorum has it on disk')
    .argument('<key>', 'such as plant1/line3/dev42/temp')
    .argument('[value]', 'the value as text')
    .option('--file <path>', 'take the value from a file, byte for byte')
    .option('--stdin', 'take the value from standard input, byte for byte')
    .option('--qos <0|1|2>', '0 does not wait for the quorum', parseInteger('--qos', 0, 2), 1)
    .addHelpText(
      'after',
      `
Examples:
  dss put dev42/temp 21.5
  dss put dev42/photo --file photo.jpg
  date | dss put clock --stdin`,
    )
    .action(async (key: string, value: string | undefined, _options, command: Command) => {
      const options = shell.options<PutOptions>(command);
      checkKey(key);
      const bytes = await readValue(shell, value, options);
      await shell.withConnection(command, (node) => node.put(key, bytes, options.qos));
      const stored = options.qos > 0;
      shell.output.result({ ok: true, key, bytes: bytes.length, stored }, () =>
        stored ? `stored ${key}` : `sent ${key}`,
      );
    });
}

async function readValue(
  shell: Shell,
  value: string | undefined,
  options: PutOptions,
): Promise<Buffer> {
  const sources = [value !== undefined, options.file !== undefined, options.stdin === true];
  if (sources.filter(Boolean).length !== 1) {
    throw usageError('give exactly one of: a value, --file <path>, --stdin');
  }
  const bytes =
    value !== undefined
      ? Buffer.from(value, 'utf8')
      : options.file !== undefined
        ? await readValueFile(options.file)
        : await buffer(shell.streams.stdin);
  if (bytes.length === 0) throw usageError("an empty value would delete the key: use 'dss del'");
  return bytes;
}

async function readValueFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const sentence = `cannot read '${path}': ${(cause as Error).message}`;
    throw new CliError(ExitCode.failure, 'FILE', sentence, { cause });
  }
}
