import assert from 'node:assert/strict';
import { type Access, mayReceive } from './access.ts';

interface Entry {
  readonly access: Access;
  /** Open ones: two while a client takes its own session over. */
  connections: number;
  /** The session outlives its connections. */
  isPersistent: boolean;
}

/**
 * Which user each client id belongs to, while a connection or a session has it. Client ids are no secret: without
 * this, a user could come by what waits for another one's session, or throw its connection out.
 */
export class SessionUsers {
  readonly #byClientId = new Map<string, Entry>();

  /**
   * A connection is about to take a client id; if it may, `release` gives it back. `own`: nobody else has it.
   * `not-own`: the session there was another user's and must end. `taken`: another user is connected under it.
   */
  claim(clientId: string, access: Access, clean: boolean): 'own' | 'not-own' | 'taken' {
    if (clientId === '') return 'own';
    const entry = this.#byClientId.get(clientId);
    const isOwn = entry === undefined || entry.access.user === access.user;
    if (!isOwn && entry.connections > 0) return 'taken';
    const connections = (entry?.connections ?? 0) + 1;
    this.#byClientId.set(clientId, { access, connections, isPersistent: !clean });
    return isOwn ? 'own' : 'not-own';
  }

  release(clientId: string): void {
    if (clientId === '') return;
    const entry = this.#byClientId.get(clientId);
    assert(entry !== undefined && entry.connections > 0, 'what is released was claimed');
    entry.connections -= 1;
    if (entry.connections === 0 && !entry.isPersistent) this.#byClientId.delete(clientId);
  }

  /** Whether the client has connected once more, so that its older connection has to go. */
  isTakenOver(clientId: string): boolean {
    return (this.#byClientId.get(clientId)?.connections ?? 0) > 1;
  }

  /** Whether a message to an ordinary topic may be kept for a session, even while its client is away. */
  mayReceive(clientId: string, topic: string): boolean {
    const entry = this.#byClientId.get(clientId);
    return entry !== undefined && mayReceive(entry.access, topic);
  }
}
