import { spawnSync } from 'node:child_process';

/** A program that is installed, and what it says of itself when it is asked like this; undefined: there is none. */
export function findProgram(
  name: string,
  question: string,
): { readonly path: string; readonly answer: string } | undefined {
  for (const path of [name, `/usr/sbin/${name}`]) {
    const { error, stdout, stderr } = spawnSync(path, [question], { encoding: 'utf8' });
    if (error === undefined) return { path, answer: (stdout || stderr).split('\n')[0] ?? '' };
  }
  return undefined;
}
