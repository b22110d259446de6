import { type Access, type Authenticator, FilteredAccess } from '../../broker/access.ts';
import type { ConnectOptions } from '../support/mqtt-frames.ts';

export interface Rights {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
}

/** Users whose password is their name backwards. */
export class FakeUsers implements Authenticator {
  readonly #users: ReadonlyMap<string, Access>;
  /** `true`: logins wait for `answer`. */
  hold = false;
  busy = false;
  readonly asked: (string | undefined)[] = [];
  #waiting: (() => void)[] = [];

  constructor(users: Readonly<Record<string, Rights>>) {
    this.#users = new Map(
      Object.entries(users).map(([name, { read = [], write = [] }]) => [
        name,
        new FilteredAccess(name, { read, write }),
      ]),
    );
  }

  async authenticate(username: string | undefined, password: Uint8Array | undefined) {
    this.asked.push(username);
    const given = password === undefined ? undefined : Buffer.from(password).toString();
    if (this.hold) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.busy) return 'busy';
    const access = this.#users.get(username ?? '');
    if (access === undefined || given !== passwordOf(username ?? '')) return 'bad-credentials';
    return access;
  }

  accessOf(user: string): Access | undefined {
    return this.#users.get(user);
  }

  answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

export function passwordOf(username: string): string {
  return [...username].reverse().join('');
}

/** A CONNECT of that user. */
export function as(username: string, options: ConnectOptions = {}): ConnectOptions {
  return { username, password: passwordOf(username), clientId: username, ...options };
}
