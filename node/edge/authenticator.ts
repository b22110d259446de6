import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Access, type Authenticator, FilteredAccess } from '../../broker/access.ts';
import type { User } from '../config/users.ts';
import { type PasswordHash, verifyPassword } from './password-hash.ts';

/** Half of libuv's threads: the others are there for the log's fsyncs, which must not wait for a login. */
const CHECKS_AT_ONCE = 2;
const CHECKS_WAITING_MAX = 1_000;
const REMEMBERED_FAILURES_MAX = 1_000;
const NO_PASSWORD = new Uint8Array(0);

interface Known {
  readonly access: Access;
  readonly password: PasswordHash;
  /** Digest of the right password, once somebody has given it. */
  verified: Buffer | undefined;
}

/**
 * The users of the configuration file. What a password costs to check is paid once and by nobody's turn of
 * the event loop: scrypt runs beside it, a few at a time, and its outcome is remembered, so that a fleet which
 * comes back at once gets in at once.
 */
export class ConfiguredUsers implements Authenticator {
  readonly #users: ReadonlyMap<string, Known>;
  /** Answers for names that do not exist, at the same cost. */
  readonly #decoy: PasswordHash;
  /** Remembered passwords are of no use outside of this process. */
  readonly #digestKey = randomBytes(32);
  readonly #failures = new Set<string>();
  /** Checks that run or wait, by digest: who comes with the same words shares the outcome. */
  readonly #checks = new Map<string, Promise<boolean | undefined>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(users: readonly [User, ...User[]]) {
    this.#users = new Map(
      users.map((user) => [
        user.name,
        {
          access: new FilteredAccess(user.name, user),
          password: user.password,
          verified: undefined,
        },
      ]),
    );
    const { password } = users[0];
    this.#decoy = { ...password, hash: randomBytes(password.hash.length) };
  }

  async authenticate(
    username = '',
    password = NO_PASSWORD,
  ): Promise<Access | 'bad-credentials' | 'busy'> {
    const known = this.#users.get(username);
    const digest = this.#digest(username, password);
    if (known?.verified !== undefined && timingSafeEqual(known.verified, digest)) {
      return known.access;
    }
    const name = digest.toString('base64');
    if (this.#failures.has(name)) return 'bad-credentials';
    const check = this.#checks.get(name) ?? this.#start(name, password, known?.password);
    if (check === undefined) return 'busy';
    const matches = await check;
    if (matches === undefined) return 'busy';
    const isRight = matches && known !== undefined;
    if (isRight) known.verified = digest;
    else this.#rememberFailure(name);
    return isRight ? known.access : 'bad-credentials';
  }

  accessOf(user: string): Access | undefined {
    return this.#users.get(user)?.access;
  }

  #start(
    name: string,
    password: Uint8Array,
    expected: PasswordHash | undefined,
  ): Promise<boolean | undefined> | undefined {
    if (this.#waiting.length >= CHECKS_WAITING_MAX) return undefined;
    // A packet's bytes are not ours to keep while we wait.
    const check = this.#check(password.slice(), expected ?? this.#decoy);
    this.#checks.set(name, check);
    return check.finally(() => this.#checks.delete(name));
  }

  /** Undefined: there was not enough memory to check. */
  async #check(password: Uint8Array, expected: PasswordHash): Promise<boolean | undefined> {
    if (this.#running >= CHECKS_AT_ONCE) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await verifyPassword(password, expected);
    } catch {
      return undefined;
    } finally {
      // Who waits longest takes the place over; else it is free.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** Users do not change while the process runs, so what was wrong once stays wrong. */
  #rememberFailure(name: string): void {
    this.#failures.add(name);
    if (this.#failures.size <= REMEMBERED_FAILURES_MAX) return;
    for (const oldest of this.#failures) {
      this.#failures.delete(oldest);
      return;
    }
  }

  #digest(username: string, password: Uint8Array): Buffer {
    const hmac = createHmac('sha256', this.#digestKey);
    return hmac
      .update(`${Buffer.byteLength(username)}:${username}`)
      .update(password)
      .digest();
  }
}
