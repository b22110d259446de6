import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The cluster secret of a node that nobody gave a file with it: it has drawn the secret itself, or joined with a token.
 * So that it can start again without either.
 */
const FILE = 'cluster-secret';
const SECRET_BYTES = 32;

/** Undefined if none is kept in this data directory. */
export function readKeptSecret(data: string): string | undefined {
  try {
    return readFileSync(join(data, FILE), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The one that is kept from now on: this one, or a new one if it is empty. Only its owner can read the file. */
export async function keepSecret(data: string, secret: string): Promise<string> {
  const kept = secret === '' ? randomBytes(SECRET_BYTES).toString('hex') : secret;
  if (readKeptSecret(data) !== kept) {
    await writeFile(join(data, FILE), `${kept}\n`, { mode: 0o600, flush: true });
  }
  return kept;
}
