import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of this package, from wherever in it this file was compiled to. */
export function packageVersion(): string {
  for (let directory = import.meta.dirname; ; directory = dirname(directory)) {
    try {
      const text = readFileSync(join(directory, 'package.json'), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch (error) {
      if (directory === dirname(directory)) throw error;
    }
  }
}
