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
  /** By user and client id. */
  readonly #bySession = new Map<string, SessionIds>();

  /** The ids of a connection's session; a clean session begins without [MQTT-3.1.2-6]. */
  open(session: string, clean: boolean): SessionIds {
    const known = clean ? undefined : this.#bySession.get(session);
    const ids = known ?? { received: new Set(), shared: new Set() };
    if (clean) this.#bySession.delete(session);
    else this.#bySession.set(session, ids);
    return ids;
  }

  /** The connection is gone; ids that still wait for their PUBREL stay with the session. */
  close(session: string, ids: SessionIds): void {
    if (ids.received.size > 0 || ids.shared.size > 0) return;
    if (this.#bySession.get(session) === ids) this.#bySession.delete(session);
  }
}
