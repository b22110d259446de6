import assert from 'node:assert/strict';

interface Entry {
  readonly user: string;
  /** Open ones: two while a client takes its own session over. */
  connections: number;
}

/**
 * Which user each client id that is connected here belongs to, and how many connections there are. Client ids are no secret: without this, a user could
 * throw another one's connection out.
 */
export class SessionUsers {
  readonly #byClientId = new Map<string, Entry>();
  readonly #connectionsOf = new Map<string, number>();
  #connections = 0;

  /** Of all users. */
  get connections(): number {
    return this.#connections;
  }

  connectionsOf(user: string): number {
    return this.#connectionsOf.get(user) ?? 0;
  }

  has(clientId: string): boolean {
    return this.#byClientId.has(clientId);
  }

  /** A connection is about to take a client id; false: another user has it. If it may, `release` gives it back. */
  claim(clientId: string, user: string): boolean {
    const entry = this.#byClientId.get(clientId);
    if (entry !== undefined && entry.user !== user) return false;
    this.#connections += 1;
    this.#connectionsOf.set(user, this.connectionsOf(user) + 1);
    if (entry !== undefined) entry.connections += 1;
    else if (clientId !== '') this.#byClientId.set(clientId, { user, connections: 1 });
    return true;
  }

  release(clientId: string, user: string): void {
    const left = this.connectionsOf(user) - 1;
    assert(left >= 0, 'what is released was claimed');
    this.#connections -= 1;
    if (left > 0) this.#connectionsOf.set(user, left);
    else this.#connectionsOf.delete(user);
    if (clientId === '') return;
    const entry = this.#byClientId.get(clientId);
    assert(entry !== undefined && entry.connections > 0, 'what is released was claimed');
    entry.connections -= 1;
    if (entry.connections === 0) this.#byClientId.delete(clientId);
  }
}
