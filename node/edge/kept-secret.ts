import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
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

/** Draws one, and keeps it. */
export async function keepNewSecret(data: string): Promise<string> {
  const secret = randomBytes(SECRET_BYTES).toString('hex');
  await keepSecret(data, secret);
  return secret;
}

/** Only its owner can read the file. */
export async function keepSecret(data: string, secret: string): Promise<void> {
  if (readKeptSecret(data) === secret) return;
  const path = join(data, FILE);
  await writeFile(`${path}.new`, `${secret}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}
