import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

let found: string | undefined;

/** Of this package, as it was when the process began. */
export function packageVersion(): string {
  found ??= readVersion();
  return found;
}

/** From wherever in the package this file was compiled to. */
function readVersion(): string {
  for (let directory = import.meta.dirname; ; directory = dirname(directory)) {
    try {
      const text = readFileSync(join(directory, 'package.json'), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch (error) {
      if (directory === dirname(directory)) throw error;
    }
  }
}
