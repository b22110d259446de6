import { mayReceive } from '../access.ts';
import type { BrokerEnv } from '../env.ts';
import type { ReceivedIds } from '../received-ids.ts';
import type { PublishedMessage } from '../sessions.ts';
import type { BrokerFacts } from '../sys-topics.ts';
import { type AwayMatch, AwaySessions } from './away-sessions.ts';
import { ClientSession, type SessionClient, type SessionConnection } from './client-session.ts';
import { Deliveries, type Delivery, type DeliveryLimits, queuedOf } from './deliveries.ts';
import { Lingering } from './lingering.ts';
import type { Message } from './message.ts';
import type {
  ClientClaim,
  Delivery as PeerDelivery,
  PeerEvents,
  Peers,
  SharedPick,
} from './peers.ts';
import { Router } from './router.ts';
import type {
  MessageStore,
  QueuedMessage,
  SessionHost,
  SessionRecord,
  StoredSubscription,
  StoredWill,
  StoreEvents,
} from './store.ts';
import { SystemMessages } from './system-messages.ts';

/** What a client has not acknowledged after this is kept in the store, too. */
const SPOOL_AFTER_MS = 1_000;
/** A node that cannot be reached for so long has died: the wills of its clients are published. */
const DEAD_AFTER_MS = 15_000;
/** The store may take a moment to show what was kept for a session by somebody who thought its client away. */
const LOOK_AGAIN_MS = [100, 2_000];

const NO_PROPERTIES = new Uint8Array(0);

export interface Opening {
  readonly client: SessionClient;
  readonly connection: SessionConnection;
  readonly receivedIds: ReceivedIds;
  readonly cleanStart: boolean;
  readonly expirySeconds: number;
  readonly will: StoredWill | undefined;
}

export interface Opened {
  readonly session: ClientSession;
  /** There was one [MQTT-3.2.2-2]. */
  readonly isPresent: boolean;
}

export interface Closing {
  /** The client has said goodbye, and does not want its will published. */
  readonly isGraceful: boolean;
}

interface Options {
  readonly env: BrokerEnv;
  readonly host: SessionHost;
  readonly peers: Peers;
  readonly store: MessageStore;
  readonly limits: DeliveryLimits;
  /** A will on one of our topics, or one that an ingest rule stores. Returns whether it is to be delivered, too. */
  willLeft(will: StoredWill, user: string): boolean;
  readonly counters: { deliveries: number; messagesDropped: number };
}

/**
 * The clients that are connected here, each with its session; and those that are not connected anywhere, as far as this
 * node has to do something for them.
 */
export class ClientSessions implements PeerEvents, StoreEvents {
  readonly router: Router;
  readonly system = new SystemMessages();
  readonly #options: Options;
  readonly #away = new AwaySessions();
  readonly #here = new Map<string, ClientSession>();
  /** The last step of a session that was here, until it is stored. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #lingering: Lingering;
  /** Wills that wait for their delay, by client id: to be called when the client is back. */
  readonly #delayedWills = new Map<string, () => void>();
  /** For these this node has kept something since they went away. */
  readonly #keptFor = new Set<string>();
  /** Sent, in order, and not yet so old that the store should have it. */
  #spool: {
    readonly session: ClientSession;
    readonly delivery: Delivery;
    readonly atMs: number;
  }[] = [];
  #stopSpooling: (() => void) | undefined;
  #nextNumber = 1;

  constructor(options: Options) {
    this.#options = options;
    const { peers, store } = options;
    this.#lingering = new Lingering(options.env, (clientId, subscriptions) => {
      for (const each of subscriptions) this.router.withdraw(clientId, each);
    });
    this.router = new Router({
      peers,
      store: this.#watchedStore(store),
      system: this.system,
      away: this.#away,
      session: (clientId) => this.#here.get(clientId),
    });
  }

  /** Somebody here has published: a client (`from`), or the broker itself. */
  publish(published: PublishedMessage, from: string): void {
    const { topic, qos, retain } = published;
    // The packet it came in is overwritten by what comes after it.
    const payload = published.payload.slice();
    const rest = { properties: NO_PROPERTIES, expiresAtMs: undefined, from };
    this.router.publish({ id: this.#newName(), topic, payload, qos, retain, ...rest });
  }

  /** For a client that does not say who it is [MQTT-3.1.3-6]. */
  newClientId(): string {
    return `auto/${this.#newName()}`;
  }

  /** Never given twice in the cluster. */
  #newName(): string {
    const { node, startCounter } = this.#options.host;
    return `${node}/${startCounter}/${this.#nextNumber++}`;
  }

  get(clientId: string): ClientSession | undefined {
    return this.#here.get(clientId);
  }

  /** As of now, for those who want to know how the broker is doing. */
  facts(): BrokerFacts {
    let subscriptions = 0;
    for (const session of this.#here.values()) subscriptions += session.subscriptions.size;
    const { store } = this.#options;
    return {
      clientsConnected: this.#here.size,
      clientsDisconnected: this.#away.size,
      subscriptions,
      retainedMessages: store.retainedCount + this.system.size,
    };
  }

  /** A client's CONNECT was accepted: from now on it is here and nowhere else [MQTT-3.1.4-2]. */
  async open(opening: Opening): Promise<Opened> {
    const { env, peers, store, host } = this.#options;
    const { client, connection, receivedIds, cleanStart, expirySeconds, will } = opening;
    const { clientId } = client;
    const connectedAtMs = env.clock.nowMs();
    const { user } = client.access;
    const { address } = connection;
    const displacedAddress = await this.#letGo(clientId);
    await peers.takeOver({ clientId, user, connectedAtMs, address, displacedAddress });
    const record = await this.#recordOf(clientId, user, cleanStart);
    this.#delayedWills.get(clientId)?.();
    const session = new ClientSession({
      client,
      connection,
      deliveries: this.#deliveries(opening, () => session),
      connectedAtMs,
      receivedIds,
      expirySeconds,
      will,
    });
    // Two connections under one client id may have come this far together; the later one stays.
    this.#here.get(clientId)?.connection.takenOver();
    this.#here.set(clientId, session);
    this.#away.delete(clientId);
    receivedIds.restore(record?.receivedIds ?? []);
    for (const each of record?.subscriptions ?? []) {
      session.subscriptions.set(each.filter, each);
      this.router.add(session, each);
    }
    this.#lingering.end(clientId);
    if (session.isPersistent || will !== undefined) {
      // Who learns that it is here keeps nothing for it any more, and has to know what to send.
      void peers.announced().then(() => {
        if (this.#here.get(clientId) === session) void store.saveSession(recordOf(session, host));
      });
    }
    return { session, isPresent: record !== undefined };
  }

  /** Its CONNACK is written: deliveries begin, with what was kept for it. */
  async begin(session: ClientSession, isPresent: boolean): Promise<void> {
    const queued = isPresent ? await this.#queuedFor(session) : [];
    if (this.#here.get(session.clientId) === session) session.deliveries.open(queued);
  }

  /** The connection is gone. */
  close(session: ClientSession, { isGraceful }: Closing): void {
    const { clientId } = session;
    if (this.#here.get(clientId) !== session) return;
    this.#here.delete(clientId);
    const subscriptions = [...session.subscriptions.values()];
    for (const each of subscriptions) this.router.delete(each);
    const { will } = session;
    if (isGraceful) session.will = undefined;
    if (session.isPersistent) this.#keep(session);
    else {
      for (const each of subscriptions) this.router.withdraw(clientId, each);
      if (will !== undefined) this.#options.store.endSession(clientId);
    }
    if (will !== undefined && !isGraceful) this.#leaveWill(session, will);
  }

  /** Resolves when the session would survive this node with it. Returns whether it had no such subscription. */
  async subscribe(session: ClientSession, subscription: StoredSubscription): Promise<boolean> {
    const { filter } = subscription;
    const earlier = session.subscriptions.get(filter);
    session.subscriptions.set(filter, subscription);
    this.router.add(session, subscription);
    if (earlier !== undefined) {
      this.router.delete(earlier);
      this.router.withdraw(session.clientId, earlier);
    }
    await this.#saved(session);
    return earlier === undefined;
  }

  /** Returns whether there was one. */
  async unsubscribe(session: ClientSession, filter: string): Promise<boolean> {
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined) return false;
    session.subscriptions.delete(filter);
    this.router.delete(subscription);
    this.router.withdraw(session.clientId, subscription);
    await this.#saved(session);
    return true;
  }

  /** The retained messages that a subscription begins with (MQTT 5 §3.8.3.1, retain handling). */
  sendRetained(session: ClientSession, filter: string, isNew: boolean): void {
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined || filter.startsWith('$share/')) return;
    const { retainHandling } = subscription;
    if (retainHandling === 2 || (retainHandling === 1 && !isNew)) return;
    session.deliveries.addRetained(
      session.retainedFor(subscription, {
        topics: (wanted) => this.#retainedTopics(wanted),
        message: (topic) => this.system.get(topic) ?? this.#options.store.retainedAt(topic),
      }),
    );
  }

  /** Of a node that is stopping: its clients are gone, and what they have not got is in the store. */
  async stop(): Promise<void> {
    this.#stopSpooling?.();
    this.#lingering.stop();
    for (const cancel of [...this.#delayedWills.values()]) cancel();
    await Promise.all(this.#leaving.values());
  }

  received(message: Message, shared: readonly SharedPick[]): void {
    this.router.received(message, shared);
    for (const [clientId, match] of this.#lingering.match(message)) {
      this.#enqueue(clientId, message, match);
    }
  }

  async takenOver({ clientId, user }: ClientClaim): Promise<string> {
    const session = this.#here.get(clientId);
    if (session !== undefined && session.client.access.user !== user) return '';
    this.#delayedWills.get(clientId)?.();
    return this.#letGo(clientId);
  }

  /** What was sent to a node that did not take it goes to the queues of the sessions that are, or were, there. */
  undelivered(node: string, deliveries: readonly PeerDelivery[]): void {
    const { store } = this.#options;
    const there = new AwaySessions();
    for (const record of store.sessions()) {
      if (record.host?.node === node && record.expirySeconds > 0) there.add(record);
    }
    for (const { message, shared } of deliveries) {
      const isTaken = (group: string, filter: string) =>
        !shared.some((pick) => pick.group === group && pick.filter === filter);
      for (const [clientId, match] of there.match(message, isTaken))
        this.#enqueue(clientId, message, match);
    }
  }

  hinted(clientId: string): void {
    const { env } = this.#options;
    for (const delayMs of LOOK_AGAIN_MS) {
      env.timers.after(delayMs, () => {
        const session = this.#here.get(clientId);
        if (session === undefined) return;
        void this.#queuedFor(session).then((queued) => {
          if (this.#here.get(clientId) === session) session.deliveries.add(queued);
        });
      });
    }
  }

  unreachable(node: string): void {
    const { env, peers } = this.#options;
    this.#placeAllOf(node);
    env.timers.after(DEAD_AFTER_MS, () => {
      if (!peers.isReachable(node) && peers.isFirst) this.#buryClientsOf({ node });
    });
  }

  reachable(node: string): void {
    this.#placeAllOf(node);
  }

  sessionChanged(clientId: string, record: SessionRecord | undefined): void {
    if (this.#here.has(clientId)) return;
    const { host } = this.#options;
    const isOfEarlierStart =
      record?.host?.node === host.node && record.host.startCounter < host.startCounter;
    if (isOfEarlierStart) this.#bury(record);
    else this.#place(clientId, record);
  }

  #place(clientId: string, record: SessionRecord | undefined): void {
    const isAway =
      record !== undefined && record.expirySeconds > 0 && !this.#isConnected(record.host);
    if (isAway) this.#away.add(record);
    else this.#away.delete(clientId);
    if (!isAway) this.#hint(clientId);
  }

  #isConnected(host: SessionHost | undefined): boolean {
    if (host === undefined) return false;
    return this.#options.peers.startCounterOf(host.node) === host.startCounter;
  }

  /** Ends a connection here, for the same client connects again. Returns its address, empty if there was none. */
  async #letGo(clientId: string): Promise<string> {
    const connection = this.#here.get(clientId)?.connection;
    connection?.takenOver();
    await this.#leaving.get(clientId);
    return connection?.address ?? '';
  }

  /** Keeps a message for a session that is, or was, somewhere else. */
  #enqueue(clientId: string, message: Message, match: AwayMatch): void {
    this.#keptFor.add(clientId);
    this.#options.store.enqueue(clientId, { message, ...match, packetId: 0, isReleased: false });
    this.#hint(clientId);
  }

  #placeAllOf(node: string): void {
    for (const record of this.#options.store.sessions()) {
      if (record.host?.node === node && !this.#here.has(record.clientId)) {
        this.#place(record.clientId, record);
      }
    }
  }

  /** Whoever has its session now may not know what this node has kept for it. */
  #hint(clientId: string): void {
    const host = this.#options.store.session(clientId)?.host;
    if (host === undefined || host.node === this.#options.host.node) return;
    if (this.#keptFor.delete(clientId)) this.#options.peers.hint(host.node, clientId);
  }

  #buryClientsOf({ node }: { readonly node: string }): void {
    for (const record of [...this.#options.store.sessions()]) {
      if (record.host?.node === node) this.#bury(record);
    }
  }

  /** The node that it was connected to has died, and could not do this. */
  #bury(record: SessionRecord): void {
    const { store, env } = this.#options;
    const { clientId, will, expirySeconds } = record;
    if (expirySeconds > 0) {
      const away = { ...record, host: undefined, will: undefined, awaySinceMs: env.clock.nowMs() };
      void store.saveSession(away);
      this.#place(clientId, away);
    } else store.endSession(clientId);
    if (will !== undefined) this.#publishWill(will, record.user);
  }

  async #recordOf(
    clientId: string,
    user: string,
    cleanStart: boolean,
  ): Promise<SessionRecord | undefined> {
    const { store } = this.#options;
    const record = cleanStart ? store.session(clientId) : await store.loadSession(clientId);
    if (record === undefined) return undefined;
    // Another user's session is not continued, and neither is one that only stood for a will.
    if (!cleanStart && record.user === user && record.expirySeconds > 0) return record;
    store.endSession(clientId);
    return undefined;
  }

  /** Who kept it did not know what the client may read. */
  async #queuedFor({ clientId, client }: ClientSession): Promise<readonly QueuedMessage[]> {
    const { store } = this.#options;
    const queued = await store.queued(clientId);
    return queued.filter(({ message }) => {
      const isAllowed = mayReceive(client.access, message.topic);
      if (!isAllowed) store.dequeue(clientId, message.id);
      return isAllowed;
    });
  }

  #deliveries({ connection }: Opening, session: () => ClientSession): Deliveries {
    const { env, store, limits, counters } = this.#options;
    const { output, packetIds, encoder } = connection;
    return new Deliveries({
      output,
      packetIds,
      encoder,
      limits,
      hooks: {
        nowMs: () => env.clock.nowMs(),
        writePubrel: (packetId) => connection.writePubrel(packetId),
        sent: (delivery) => {
          if (session().isPersistent && !delivery.isStored) this.#spoolLater(session(), delivery);
        },
        done: ({ isStored, outgoing }) => {
          if (isStored) store.dequeue(session().clientId, outgoing.message.id);
        },
        dropped: () => {
          counters.messagesDropped += 1;
        },
      },
      counters,
    });
  }

  #spoolLater(session: ClientSession, delivery: Delivery): void {
    const { env } = this.#options;
    this.#spool.push({ session, delivery, atMs: env.clock.monotonicMs() });
    this.#stopSpooling ??= env.timers.after(SPOOL_AFTER_MS, () => this.#spoolOld());
  }

  /** What is still not acknowledged goes to the store, so that it outlives this node. */
  #spoolOld(): void {
    const { env, store } = this.#options;
    const untilMs = env.clock.monotonicMs() - SPOOL_AFTER_MS;
    const young = this.#spool.findIndex(({ atMs }) => atMs > untilMs);
    const old = this.#spool.splice(0, young === -1 ? this.#spool.length : young);
    for (const { session, delivery } of old) {
      const isOpen = session.connection.packetIds.owner(delivery.packetId) === delivery;
      if (!isOpen || delivery.isStored || this.#here.get(session.clientId) !== session) continue;
      delivery.isStored = store.enqueue(session.clientId, queuedOf(delivery));
    }
    this.#stopSpooling =
      this.#spool.length === 0
        ? undefined
        : env.timers.after(SPOOL_AFTER_MS, () => this.#spoolOld());
  }

  /** Its client went: whoever takes a message for it keeps it from now on. */
  #keep(session: ClientSession): void {
    const { store, env } = this.#options;
    const { clientId } = session;
    const subscriptions = [...session.subscriptions.values()];
    // Members of shared subscriptions that are still there get what it would have got.
    const [shared, own] = partition(subscriptions, ({ filter }) => filter.startsWith('$share/'));
    for (const each of shared) this.router.withdraw(clientId, each);
    for (const delivery of session.deliveries.unfinished()) {
      store.enqueue(clientId, queuedOf(delivery));
    }
    this.#keptFor.add(clientId);
    const record = { ...recordOf(session, undefined), awaySinceMs: env.clock.nowMs() };
    this.#away.add(record);
    this.#lingering.begin(clientId, own);
    const stored = store.saveSession(record).then(() => {
      if (this.#leaving.get(clientId) === stored) this.#leaving.delete(clientId);
    });
    this.#leaving.set(clientId, stored);
  }

  #leaveWill({ clientId, client, expirySeconds }: ClientSession, will: StoredWill): void {
    const { user } = client.access;
    const delaySeconds = Math.min(will.delaySeconds, expirySeconds);
    if (delaySeconds === 0) return this.#publishWill(will, user);
    const cancel = this.#options.env.timers.after(delaySeconds * 1_000, () => {
      this.#delayedWills.delete(clientId);
      this.#publishWill(will, user);
    });
    this.#delayedWills.set(clientId, () => {
      this.#delayedWills.delete(clientId);
      cancel();
    });
  }

  #publishWill(will: StoredWill, user: string): void {
    const { env, willLeft } = this.#options;
    if (!willLeft(will, user)) return;
    const { expirySeconds } = will;
    const expiresAtMs =
      expirySeconds === undefined ? undefined : env.clock.nowMs() + expirySeconds * 1_000;
    this.router.publish({ ...will.message, id: this.#newName(), expiresAtMs });
  }

  async #saved(session: ClientSession): Promise<void> {
    const { store, host } = this.#options;
    if (session.isPersistent) await store.saveSession(recordOf(session, host));
  }

  #retainedTopics(filter: string): string[] {
    const topics = this.system.topics(filter);
    this.#options.store.retained(filter, ({ topic }) => topics.push(topic));
    return topics;
  }

  /** Notes for whom this node keeps something. */
  #watchedStore(store: MessageStore): Pick<MessageStore, 'retain' | 'enqueue'> {
    return {
      retain: (message) => store.retain(message),
      enqueue: (clientId, queued) => {
        this.#keptFor.add(clientId);
        return store.enqueue(clientId, queued);
      },
    };
  }
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function recordOf(session: ClientSession, host: SessionHost | undefined): SessionRecord {
  const { clientId, client, expirySeconds, subscriptions, receivedIds, will } = session;
  return {
    clientId,
    user: client.access.user,
    host,
    expirySeconds,
    awaySinceMs: 0,
    subscriptions: [...subscriptions.values()],
    receivedIds: receivedIds.all(),
    will,
  };
}
