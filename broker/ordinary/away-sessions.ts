import { ordinaryPart } from './client-session.ts';
import type { Message } from './message.ts';
import type { SessionRecord, StoredSubscription } from './store.ts';
import { TopicTree } from './topic-tree.ts';

/** A subscription of a session whose client is away, as long as it is. */
interface AwaySubscription {
  readonly clientId: string;
  readonly subscription: StoredSubscription;
  readonly group: string;
  readonly filter: string;
}

export interface AwayMatch {
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly identifiers: number[];
}

/**
 * The sessions of the whole cluster whose clients are not connected anywhere that can be reached. Every node knows
 * them, so the node that takes a message from its publisher keeps it for them, and no other does.
 */
export class AwaySessions {
  readonly #tree = new TopicTree<AwaySubscription>();
  readonly #subscriptions = new Map<string, readonly AwaySubscription[]>();

  add({ clientId, subscriptions }: Pick<SessionRecord, 'clientId' | 'subscriptions'>): void {
    this.delete(clientId);
    const added: AwaySubscription[] = [];
    for (const subscription of subscriptions) {
      const ordinary = ordinaryPart(subscription.filter);
      if (ordinary === undefined || subscription.qos === 0) continue;
      const { group, filter } = ordinary;
      const away = { clientId, subscription, group, filter };
      added.push(away);
      this.#tree.add(filter, away);
    }
    this.#subscriptions.set(clientId, added);
  }

  delete(clientId: string): void {
    for (const away of this.#subscriptions.get(clientId) ?? []) {
      this.#tree.delete(away.filter, away);
    }
    this.#subscriptions.delete(clientId);
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  /**
   * Who is to have a message kept. Of a shared subscription one of its members, and that only if nobody of it is
   * connected anywhere (`isTaken`) [MQTT-4.8.2-5].
   */
  match(
    { topic, qos, retain, from }: Message,
    isTaken: (group: string, filter: string) => boolean,
  ): ReadonlyMap<string, AwayMatch> {
    const matches = new Map<string, AwayMatch>();
    if (qos === 0) return matches;
    const groups = new Set<string>();
    this.#tree.match(topic, ({ clientId, subscription, group, filter }) => {
      if (subscription.noLocal && from === clientId) return;
      if (group !== '') {
        const name = `${group}/${filter}`;
        if (groups.has(name) || isTaken(group, filter)) return;
        groups.add(name);
      }
      const known = matches.get(clientId);
      const granted = subscription.qos < qos ? subscription.qos : qos;
      const identifiers = known?.identifiers ?? [];
      if (subscription.identifier > 0) identifiers.push(subscription.identifier);
      matches.set(clientId, {
        qos: granted === 2 || known?.qos === 2 ? 2 : 1,
        retain: known?.retain === true || (retain && subscription.retainAsPublished),
        identifiers,
      });
    });
    return matches;
  }
}
