/**
 * The QoS 2 packet ids that were acknowledged with PUBREC and not yet released, of every persistent session:
 * a put is stored once although its client reconnects before it got the PUBREC [MQTT-4.3.3-2].
 */
export class ReceivedIds {
  readonly #bySession = new Map<string, Set<number>>();

  /** The ids of a connection's session; a clean session begins without [MQTT-3.1.2-6]. */
  open(clientId: string, clean: boolean): Set<number> {
    const ids = (clean ? undefined : this.#bySession.get(clientId)) ?? new Set<number>();
    if (clean) this.#bySession.delete(clientId);
    else this.#bySession.set(clientId, ids);
    return ids;
  }

  /** The connection is gone; ids that still wait for their PUBREL stay with the session. */
  close(clientId: string, ids: Set<number>): void {
    if (ids.size === 0 && this.#bySession.get(clientId) === ids) this.#bySession.delete(clientId);
  }
}
