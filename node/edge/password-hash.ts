import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * A password as the configuration file keeps it: `scrypt:N:r:p:<salt>:<hash>`, salt and hash in base64url
 * (RFC 7914; a text without characters that YAML or a shell would take for something else).
 */
export interface PasswordHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/**
 * Of OWASP's equally strong choices the one that takes the least memory, 16 MiB: small machines have more time
 * than memory, and each password is checked once.
 */
const NEW_HASH = { cost: 2 ** 14, blockSize: 8, parallelization: 5 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;
const PARALLELIZATION_MAX = 64;
const FORM = /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([\w-]{11,128}):([\w-]{22,128})$/;

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(Buffer.from(password), { ...NEW_HASH, salt }, HASH_BYTES);
  const { cost, blockSize, parallelization } = NEW_HASH;
  const numbers = `${cost}:${blockSize}:${parallelization}`;
  return `scrypt:${numbers}:${salt.toString('base64url')}:${hash.toString('base64url')}`;
}

/** Undefined: it is not a hash, or one that would cost more memory or time than a node gives it. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [cost = 0, blockSize = 0, parallelization = 0] = match.slice(1, 4).map(Number);
  const isPower = cost >= 2 && Math.log2(cost) % 1 === 0;
  if (!isPower || blockSize < 1 || parallelization < 1) return undefined;
  if (memoryBytes(cost, blockSize) > MEMORY_BYTES_MAX) return undefined;
  if (parallelization > PARALLELIZATION_MAX) return undefined;
  const [salt, hash] = match.slice(4).map((part) => Buffer.from(part, 'base64url'));
  return { cost, blockSize, parallelization, salt: salt as Buffer, hash: hash as Buffer };
}

/** Off the main thread; takes the same time whether it is right or wrong. */
export async function verifyPassword(
  password: Uint8Array,
  expected: PasswordHash,
): Promise<boolean> {
  const { hash } = expected;
  return timingSafeEqual(await derive(password, expected, hash.length), hash);
}

function derive(
  password: Uint8Array,
  { cost, blockSize, parallelization, salt }: Omit<PasswordHash, 'hash'>,
  length: number,
): Promise<Buffer> {
  const options: ScryptOptions = {
    cost,
    blockSize,
    parallelization,
    maxmem: 2 * memoryBytes(cost, blockSize) + 1024 * blockSize * parallelization,
  };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
}

function memoryBytes(cost: number, blockSize: number): number {
  return 128 * cost * blockSize;
}
