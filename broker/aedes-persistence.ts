/** What aedes' own persistence, in memory, offers and its type does not say. */
export interface AedesPersistence {
  subscriptionsByClient(client: { id: string }): Promise<readonly { topic: string; qos: number }[]>;
  addSubscriptions(client: unknown, subscriptions: readonly { topic: string }[]): Promise<void>;
  cleanSubscriptions(client: { id: string }): Promise<void>;
  cleanIncoming(client: { id: string }): Promise<void>;
  outgoingEnqueueCombi(
    subscriptions: readonly { clientId: string }[],
    packet: { topic: string },
  ): Promise<void>;
  outgoingStream(client: { id: string }): AsyncIterable<{ messageId?: number | undefined }>;
  outgoingClearMessageId(
    client: { id: string },
    packet: { messageId?: number | undefined },
  ): Promise<unknown>;
}

/**
 * Keeps out of a persistent session what its user may not have, and puts right how aedes 1.2.0 takes back what it
 * has queued for a session and then does not deliver: such a packet has no id yet, and aedes would remove the
 * oldest one without an id, another one often enough, and end the connection that waits for that.
 *
 * Returns what ends a session: nothing of it is left for the next one under its client id.
 */
export function guardPersistence(
  persistence: AedesPersistence,
  rules: {
    mayGrant(client: unknown, filter: string): boolean;
    mayReceive(clientId: string, topic: string): boolean;
  },
): (clientId: string) => Promise<void> {
  const { addSubscriptions, outgoingEnqueueCombi, outgoingClearMessageId } = persistence;
  const added = new WeakSet<object>();
  // aedes hands in all filters of a SUBSCRIBE once for each of them, the refused ones too.
  persistence.addSubscriptions = async (client, subscriptions) => {
    if (added.has(subscriptions)) return;
    added.add(subscriptions);
    const granted = subscriptions.filter(({ topic }) => rules.mayGrant(client, topic));
    await addSubscriptions.call(persistence, client, granted);
  };
  persistence.outgoingEnqueueCombi = (subscriptions, packet) => {
    const allowed = subscriptions.filter(({ clientId }) =>
      rules.mayReceive(clientId, packet.topic),
    );
    return outgoingEnqueueCombi.call(persistence, allowed, packet);
  };
  persistence.outgoingClearMessageId = async (client, packet) => {
    if (packet.messageId === undefined) return undefined;
    return outgoingClearMessageId.call(persistence, client, packet);
  };
  return async (id) => {
    await persistence.cleanSubscriptions({ id });
    await persistence.cleanIncoming({ id });
    for await (const packet of persistence.outgoingStream({ id })) {
      await outgoingClearMessageId.call(persistence, { id }, packet);
    }
  };
}
