import { LazyMap } from './lazy-map.ts';

/** What an acknowledgement still waits for. */
interface Joint {
  readonly token: number;
  isStored: boolean;
  sessionHasIt: boolean;
}

/**
 * PUBLISHes to ordinary topics that are stored, too: the session delivers them at once, and acknowledges at once;
 * the client is told when both the store and the session have them. By packet id: until then it is in use.
 */
export class JointAcks {
  readonly #byPacketId = new LazyMap<number, Joint>();
  #sessionIsGone = false;

  begin(packetId: number, token: number): void {
    this.#byPacketId.set(packetId, { token, isStored: false, sessionHasIt: false });
  }

  /** All of it is committed. Returns the token that has earned its acknowledgement by that, if it has. */
  stored(packetId: number): number | undefined {
    const joint = this.#byPacketId.get(packetId);
    if (joint === undefined) return undefined;
    joint.isStored = true;
    return this.#earned(packetId, joint);
  }

  /** Whether an acknowledgement of the session is one of these, which must not reach the client. */
  has(packetId: number): boolean {
    return this.#byPacketId.has(packetId);
  }

  /** The session has acknowledged it. As with `stored`. */
  sessionAcknowledged(packetId: number): number | undefined {
    const joint = this.#byPacketId.get(packetId);
    if (joint === undefined) return undefined;
    joint.sessionHasIt = true;
    return this.#earned(packetId, joint);
  }

  /** The session says nothing any more. Returns the tokens of what waited for it alone. */
  sessionGone(): readonly number[] {
    this.#sessionIsGone = true;
    const waiting = [...this.#byPacketId].filter(([, { isStored }]) => isStored);
    for (const [packetId] of waiting) this.#byPacketId.delete(packetId);
    return waiting.map(([, { token }]) => token);
  }

  #earned(packetId: number, joint: Joint): number | undefined {
    const sessionIsDone = joint.sessionHasIt || this.#sessionIsGone;
    if (!joint.isStored || !sessionIsDone) return undefined;
    this.#byPacketId.delete(packetId);
    return joint.token;
  }
}
