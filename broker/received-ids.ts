/** What is remembered of the QoS 2 PUBLISHes of one session that we acknowledge. */
export interface SessionIds {
  /** Acknowledged with PUBREC and not yet released. */
  readonly received: Set<number>;
  /** Of ordinary topics that are stored: the session layer has them too, and answers their PUBREL. */
  readonly shared: Set<number>;
}

/**
 * The QoS 2 packet ids of every persistent session: a put is stored once although its client reconnects before
 * it got the PUBREC [MQTT-4.3.3-2].
 */
export class ReceivedIds {
  readonly #bySession = new Map<string, SessionIds>();

  /** The ids of a connection's session; a clean one begins without [MQTT-3.1.2-6], and may end with it. */
  open(
    clientId: string,
    { startsClean, isKept }: { readonly startsClean: boolean; readonly isKept: boolean },
  ): SessionIds {
    const known = startsClean ? undefined : this.#bySession.get(clientId);
    const ids = known ?? { received: new Set(), shared: new Set() };
    if (isKept) this.#bySession.set(clientId, ids);
    else this.#bySession.delete(clientId);
    return ids;
  }

  /** The session is over. */
  forget(clientId: string): void {
    this.#bySession.delete(clientId);
  }

  /** The connection is gone; ids that still wait for their PUBREL stay with the session. */
  close(clientId: string, ids: SessionIds): void {
    if (ids.received.size > 0 || ids.shared.size > 0) return;
    if (this.#bySession.get(clientId) === ids) this.#bySession.delete(clientId);
  }
}
