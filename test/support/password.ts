import { scryptSync } from 'node:crypto';

/** The hash of a password that is cheap to check, as tests need it. */
export function cheapHash(password: string, cost = 2): string {
  const salt = Buffer.from('a salt of a test');
  const hash = scryptSync(password, salt, 32, { cost, blockSize: 1, parallelization: 1 });
  return `scrypt:${cost}:1:1:${salt.toString('base64url')}:${hash.toString('base64url')}`;
}
