import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { fileError, usageError } from './errors.ts';
import type { Shell } from './shell.ts';

/** The three ways to name the bytes that a command sends. */
export interface ValueOptions {
  readonly file?: string;
  readonly stdin?: true;
}

export function addValueOptions(command: Command): Command {
  return command
    .option('--file <path>', 'take the value from a file, byte for byte')
    .option('--stdin', 'take the value from standard input, byte for byte');
}

/** Reads the value from where the command line says; exactly one way must be given. */
export async function readValue(
  shell: Shell,
  value: string | undefined,
  options: ValueOptions,
): Promise<Buffer> {
  const sources = [value !== undefined, options.file !== undefined, options.stdin === true];
  if (sources.filter(Boolean).length !== 1) {
    throw usageError('give exactly one of: a value, --file <path>, --stdin');
  }
  if (value !== undefined) return Buffer.from(value, 'utf8');
  if (options.file === undefined) return buffer(shell.streams.stdin);
  const path = options.file;
  return readFile(path).catch((cause) => {
    throw fileError('cannot read', path, cause);
  });
}
