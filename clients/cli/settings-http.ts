import type { Command } from 'commander';
import { CliError, ExitCode } from './errors.ts';
import { askHttp, type HttpQuestion } from './http.ts';
import type { Shell } from './shell.ts';

/** Reads or changes a setting of the cluster at the first of `--http` that answers. */
export async function askSettings<T>(
  shell: Shell,
  command: Command,
  question: HttpQuestion,
): Promise<T> {
  try {
    return await askHttp<T>(shell.httpDoor(command), question);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'NOT_FOUND') throw error;
    throw new CliError(ExitCode.notFound, 'NOT_FOUND', error.message, { cause: error });
  }
}
