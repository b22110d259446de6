import { type Access, mayReceive } from '../access.ts';
import type { LazySet } from '../lazy-set.ts';
import type { Output } from '../output.ts';
import type { PacketIds } from '../packet-ids.ts';
import type { PacketWriter } from '../packet-writer.ts';
import { type Deliveries, type Delivery, type IdOwner, newDelivery } from './deliveries.ts';
import { type Message, parseFilter } from './message.ts';
import { OutgoingMessage } from './outgoing-message.ts';
import type { SessionHost, SessionRecord, StoredSubscription, StoredWill } from './store.ts';

/** What the session needs of the connection that it has. */
export interface SessionConnection {
  readonly address: string;
  readonly output: Output;
  readonly packetIds: PacketIds<IdOwner>;
  readonly writer: PacketWriter;
  isOpen(): boolean;
  /** The same client has connected elsewhere: the connection ends. */
  takenOver(): void;
  /** Another user is connected under this client id, at another node: the CONNECT is refused. */
  occupied(): void;
}

export interface SessionClient {
  readonly clientId: string;
  readonly access: Access;
  /**
   * A broker that passes messages on: it wants to know what is retained, and not what it has sent itself, as if it had
   * said so with MQTT 5.
   */
  readonly isBridge: boolean;
}

const NO_IDENTIFIERS: readonly number[] = [];

/** A client that is connected here: what it has subscribed to, and what it left as its will. */
export class ClientSession {
  readonly client: SessionClient;
  readonly connection: SessionConnection;
  readonly deliveries: Deliveries;
  readonly subscriptions = new Map<string, StoredSubscription>();
  will: StoredWill | undefined;
  readonly receivedIds: LazySet<number>;
  /** Seconds that it outlives its connection; Infinity: for ever. */
  expirySeconds: number;
  /** The store had it when its client connected. */
  readonly #goesOn: boolean;
  /** The store was told that its client is here. */
  isSaved = false;
  /** The store says that its client is not here, and it will be looked at again. */
  isContested = false;

  /** While a message is matched: which one it was last offered, and how. */
  #offered: OutgoingMessage | undefined;
  #qos: 0 | 1 | 2 = 0;
  #retain = false;
  #identifiers: readonly number[] = NO_IDENTIFIERS;

  constructor(options: {
    client: SessionClient;
    connection: SessionConnection;
    deliveries: Deliveries;
    receivedIds: LazySet<number>;
    expirySeconds: number;
    will: StoredWill | undefined;
    goesOn: boolean;
  }) {
    this.client = options.client;
    this.connection = options.connection;
    this.deliveries = options.deliveries;
    this.receivedIds = options.receivedIds;
    this.expirySeconds = options.expirySeconds;
    this.will = options.will;
    this.#goesOn = options.goesOn;
  }

  get clientId(): string {
    return this.client.clientId;
  }

  get isPersistent(): boolean {
    return this.expirySeconds > 0;
  }

  /** Whether other nodes have to know of it: what outlives it here is theirs to carry on. */
  get isRecorded(): boolean {
    return this.isPersistent || this.will !== undefined || this.#goesOn;
  }

  /** As it is stored. `host`: where its client is connected. */
  record(host: SessionHost | undefined): SessionRecord {
    const { clientId, client, expirySeconds, subscriptions, receivedIds, will } = this;
    return {
      clientId,
      user: client.access.user,
      host,
      expirySeconds,
      awaySinceMs: 0,
      subscriptions: [...subscriptions.values()],
      receivedIds: [...receivedIds],
      will,
    };
  }

  /** Whether a delivery was sent and not acknowledged yet. */
  isOnItsWay(delivery: Delivery): boolean {
    return this.connection.packetIds.owner(delivery.packetId) === delivery;
  }

  /**
   * One of its subscriptions matches. However many do, it gets one copy, at the highest QoS that any of them has
   * [MQTT-3.3.5-1], with all their identifiers [MQTT-3.3.4-5]. Returns whether it is the first that gives it a copy.
   */
  offer(outgoing: OutgoingMessage, subscription: StoredSubscription): boolean {
    const { message } = outgoing;
    const { isBridge, clientId } = this.client;
    if ((subscription.noLocal || isBridge) && message.from === clientId) return false;
    const isFirst = this.#offered !== outgoing;
    if (isFirst) {
      this.#offered = outgoing;
      this.#qos = 0;
      this.#retain = false;
      this.#identifiers = NO_IDENTIFIERS;
    }
    if (subscription.qos > this.#qos) this.#qos = subscription.qos;
    if (message.retain && (subscription.retainAsPublished || isBridge)) this.#retain = true;
    if (subscription.identifier > 0) {
      this.#identifiers = [...this.#identifiers, subscription.identifier];
    }
    return isFirst;
  }

  /** Sends what was offered last. */
  deliver(outgoing: OutgoingMessage): void {
    const { message } = outgoing;
    this.#offered = undefined;
    if (!mayReceive(this.client.access, message.topic)) return;
    const qos = Math.min(message.qos, this.#qos) as 0 | 1 | 2;
    this.deliveries.send(outgoing, { qos, retain: this.#retain }, this.#identifiers);
  }

  /** The retained messages that a subscription begins with, one after the other, as they are when they are sent. */
  *retainedFor(
    subscription: StoredSubscription,
    retained: {
      topics(filter: string): readonly string[];
      message(topic: string): Message | undefined;
    },
  ): Generator<Delivery> {
    const { access, clientId } = this.client;
    const { filter, noLocal, identifier } = subscription;
    const identifiers = identifier > 0 ? [identifier] : [];
    for (const topic of retained.topics(filter)) {
      if (this.subscriptions.get(filter) !== subscription) return;
      const message = mayReceive(access, topic) ? retained.message(topic) : undefined;
      if (message === undefined || (noLocal && message.from === clientId)) continue;
      const qos = Math.min(message.qos, subscription.qos) as 0 | 1 | 2;
      yield newDelivery(new OutgoingMessage(message), { qos, retain: true }, identifiers);
    }
  }
}

/** What a filter asks of ordinary topics; undefined: nothing, it is for values alone, or for this connection. */
export function ordinaryPart(
  text: string,
): { readonly group: string; readonly filter: string } | undefined {
  const parsed = parseFilter(text);
  if (parsed === undefined) return undefined;
  const [first, second] = parsed.filter.split('/', 2);
  const isOurs = first === 'dss' && second !== undefined && !['+', '#', 'sys'].includes(second);
  return isOurs ? undefined : parsed;
}
