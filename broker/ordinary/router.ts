import type { AbsentSessions } from './absent-sessions.ts';
import { type ClientSession, ordinaryPart } from './client-session.ts';
import { type Message, parseFilter } from './message.ts';
import { OutgoingMessage } from './outgoing-message.ts';
import type { Interest, Peers, SharedPick } from './peers.ts';
import type { MessageStore, StoredSubscription } from './store.ts';
import { isSystemMessage, type SystemMessages } from './system-messages.ts';
import { TopicTree } from './topic-tree.ts';

/** A subscription of a client that is connected here. */
interface Local {
  readonly session: ClientSession;
  readonly subscription: StoredSubscription;
}

interface Parts {
  readonly peers: Peers;
  readonly store: Pick<MessageStore, 'retain'>;
  readonly system: SystemMessages;
  readonly absent: AbsentSessions;
  /** Whoever is connected here under a client id. */
  session(clientId: string): ClientSession | undefined;
}

/**
 * Who gets a message to an ordinary topic: clients that are connected here, other nodes that have some who want it, and
 * the queues of those who are away. A message is sent on by the node that its publisher is connected to, and by no
 * other; nobody waits for the store.
 */
export class Router {
  readonly #parts: Parts;
  readonly #tree = new TopicTree<Local>();
  readonly #places = new Map<StoredSubscription, Local>();
  /** Of the message that is being matched; kept so that matching allocates nothing. */
  readonly #targets: ClientSession[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Shared subscriptions are not matched here: who gets a message is decided in the whole cluster. */
  add(session: ClientSession, subscription: StoredSubscription): void {
    const interest = interestIn(subscription.filter, session.clientId);
    if (interest === undefined) return;
    if (interest.group === '') {
      const local = { session, subscription };
      this.#places.set(subscription, local);
      this.#tree.add(interest.filter, local);
    }
    this.#parts.peers.announce(interest);
  }

  /** Nothing goes there any more; other nodes may go on sending until `forget`. */
  delete(subscription: StoredSubscription): void {
    const local = this.#places.get(subscription);
    if (local === undefined) return;
    this.#places.delete(subscription);
    this.#tree.delete(subscription.filter, local);
  }

  /** Other nodes need not send any more what only this subscription wanted. */
  withdraw(clientId: string, { filter }: StoredSubscription): void {
    const interest = interestIn(filter, clientId);
    if (interest !== undefined) this.#parts.peers.withdraw(interest);
  }

  /** A publisher here has sent it, or this node itself. */
  publish(message: Message): void {
    const { peers, store, system } = this.#parts;
    const outgoing = new OutgoingMessage(message);
    if (isSystemMessage(message.topic)) {
      if (!message.retain || system.set(message)) this.#deliver(outgoing);
      return;
    }
    if (message.retain) store.retain(message);
    this.#deliver(outgoing);
    peers.publish(message);
    const picks = peers.share(message);
    this.#deliverShared(outgoing, picks);
    this.#keep(message);
  }

  /** Another node's publisher has sent it: that node sees to those who are away. */
  received(message: Message, shared: readonly SharedPick[]): void {
    const outgoing = new OutgoingMessage(message);
    if (shared.length === 0) this.#deliver(outgoing);
    else this.#deliverShared(outgoing, shared);
  }

  #deliver(outgoing: OutgoingMessage): void {
    const targets = this.#targets;
    this.#tree.match(outgoing.message.topic, ({ session, subscription }) => {
      if (session.offer(outgoing, subscription)) targets.push(session);
    });
    for (const session of targets) session.deliver(outgoing);
    targets.length = 0;
  }

  #deliverShared(outgoing: OutgoingMessage, picks: readonly SharedPick[]): void {
    for (const { group, filter, clientId } of picks) {
      const session = this.#parts.session(clientId);
      const subscription = session?.subscriptions.get(`$share/${group}/${filter}`);
      if (session === undefined || subscription === undefined) continue;
      session.offer(outgoing, subscription);
      session.deliver(outgoing);
    }
  }

  #keep(message: Message): void {
    const { absent, peers } = this.#parts;
    const isTaken = (group: string, filter: string) => peers.hasMember(group, filter);
    for (const [clientId, match] of absent.away.match(message, isTaken)) {
      absent.keep(clientId, { message, ...match, packetId: 0, isReleased: false });
    }
  }
}

/** What other nodes are to know of a filter: those of values only where members are to share them. */
function interestIn(text: string, clientId: string): Interest | undefined {
  const parsed = parseFilter(text);
  if (parsed !== undefined && parsed.group !== '') return { ...parsed, clientId };
  const ordinary = ordinaryPart(text);
  return ordinary && { ...ordinary, clientId: '' };
}
