import assert from 'node:assert/strict';

interface Entry {
  readonly user: string;
  /** Open ones: two while a client takes its own session over. */
  connections: number;
}

/**
 * Which user each client id that is connected here belongs to. Client ids are no secret: without this, a user could
 * throw another one's connection out.
 */
export class SessionUsers {
  readonly #byClientId = new Map<string, Entry>();

  /** A connection is about to take a client id; false: another user has it. If it may, `release` gives it back. */
  claim(clientId: string, user: string): boolean {
    if (clientId === '') return true;
    const entry = this.#byClientId.get(clientId);
    if (entry !== undefined && entry.user !== user) return false;
    if (entry === undefined) this.#byClientId.set(clientId, { user, connections: 1 });
    else entry.connections += 1;
    return true;
  }

  release(clientId: string): void {
    if (clientId === '') return;
    const entry = this.#byClientId.get(clientId);
    assert(entry !== undefined && entry.connections > 0, 'what is released was claimed');
    entry.connections -= 1;
    if (entry.connections === 0) this.#byClientId.delete(clientId);
  }
}
