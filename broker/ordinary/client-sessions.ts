import assert from 'node:assert/strict';
import { mayReceive } from '../access.ts';
import type { BrokerEnv } from '../env.ts';
import type { LazySet } from '../lazy-set.ts';
import type { PublishedMessage } from '../sessions.ts';
import type { BrokerFacts } from '../sys-topics.ts';
import { AbsentSessions } from './absent-sessions.ts';
import { ClientSession, type SessionClient, type SessionConnection } from './client-session.ts';
import { Deliveries, type DeliveryLimits, queuedOf } from './deliveries.ts';
import { isSharedFilter, type Message } from './message.ts';
import type { ClientClaim, Delivery, PeerEvents, Peers, SharedPick } from './peers.ts';
import { Router } from './router.ts';
import { delayOf, SessionWills } from './session-wills.ts';
import { Spool } from './spool.ts';
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

const CONTEST_AFTER_MS = 1_000;
const NO_PROPERTIES = new Uint8Array(0);

export interface Opening {
  readonly client: SessionClient;
  readonly connection: SessionConnection;
  /** As of `Publisher`. */
  readonly receivedIds: LazySet<number>;
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
  /** As MQTT 5 may change it in the end (§3.14.2.2.2). */
  readonly expirySeconds?: number;
}

interface Options {
  readonly env: BrokerEnv;
  readonly host: SessionHost;
  readonly peers: Peers;
  readonly store: MessageStore;
  readonly limits: DeliveryLimits;
  /** As of `SessionWills`. */
  willLeft(will: StoredWill, user: string): boolean;
  readonly counters: { deliveries: number; messagesDropped: number };
}

/** The clients that are connected here, each with its session, which may come from another node and go to one. */
export class ClientSessions implements PeerEvents, StoreEvents {
  readonly router: Router;
  readonly #options: Options;
  readonly #system = new SystemMessages();
  readonly #absent: AbsentSessions;
  readonly #wills: SessionWills;
  readonly #spool: Spool;
  readonly #here = new Map<string, ClientSession>();
  /** Whose CONNECT was accepted, and whose session is being looked for: of a client the last one. */
  readonly #opening = new Map<string, Opening>();
  /** The last step of a session that was here, until it is stored. */
  readonly #leaving = new Map<string, Promise<void>>();
  #nextNumber = 1;

  constructor(options: Options) {
    this.#options = options;
    const { env, peers, store, willLeft } = options;
    this.#spool = new Spool(env, store);
    this.#wills = new SessionWills({
      env,
      willLeft,
      newMessageId: () => this.#newName(),
      publish: (message) => this.router.publish(message),
      willIsLeft: (clientId) => store.willIsLeft(clientId),
      isFirst: () => peers.isFirst,
    });
    this.#absent = new AbsentSessions({
      ...options,
      isHere: (clientId) => this.#here.has(clientId),
      lookAgain: (clientId) => this.queueReadable(clientId),
      leaveWill: (record, will) => this.#wills.leave(record, will),
      withdraw: (clientId, subscriptions) => {
        for (const each of subscriptions) this.router.withdraw(clientId, each);
      },
    });
    this.router = new Router({
      peers,
      store,
      system: this.#system,
      absent: this.#absent,
      session: (clientId) => this.#here.get(clientId),
    });
  }

  /** Somebody here has published: a client (`from`), or the broker itself. */
  publish(published: PublishedMessage, from: string): void {
    const { topic, qos, retain, expiresAtMs } = published;
    // The packet it came in is overwritten by what comes after it.
    const payload = published.payload.slice();
    const properties = published.properties?.slice() ?? NO_PROPERTIES;
    const id = this.#newName();
    this.router.publish({ id, topic, payload, qos, retain, properties, expiresAtMs, from });
  }

  /** For a client that does not say who it is [MQTT-3.1.3-6]. */
  newClientId(): string {
    return `auto-${this.#newName()}`;
  }

  /** Whether one more session may outlive its connection, or there is one of this client already. */
  hasRoomFor(clientId: string, sessionsMax: number): boolean {
    const { store } = this.#options;
    return store.sessionCount < sessionsMax || store.session(clientId) !== undefined;
  }

  /** As of now, for those who want to know how the broker is doing. */
  facts(): BrokerFacts {
    const { store } = this.#options;
    let subscriptions = 0;
    let messagesWaiting = 0;
    for (const session of this.#here.values()) {
      subscriptions += session.subscriptions.size;
      messagesWaiting += session.deliveries.waitingCount;
    }
    return {
      clientsConnected: this.#here.size,
      clientsDisconnected: this.#absent.away.size,
      subscriptions,
      retainedMessages: store.retainedCount + this.#system.size,
      messagesWaiting,
      isStoreReplicated: store.state === 'replicated',
    };
  }

  /**
   * A client's CONNECT was accepted: from now on it is here and nowhere else [MQTT-3.1.4-2]. Undefined: the connection is
   * gone before that, maybe because the client has connected once more.
   */
  async open(opening: Opening): Promise<Opened | undefined> {
    const { clientId } = opening.client;
    this.#opening.get(clientId)?.connection.takenOver();
    this.#opening.set(clientId, opening);
    const { peers, store } = this.#options;
    try {
      // Who is let in earlier finds nothing retained, and publishes past those who are away or at other nodes.
      await store.known;
      await peers.acquainted();
      if (!(await this.#claim(opening))) {
        opening.connection.occupied();
        return undefined;
      }
      const record = await this.#recordOf(opening);
      return opening.connection.isOpen() ? this.#opened(opening, record) : undefined;
    } finally {
      if (this.#opening.get(clientId) === opening) this.#opening.delete(clientId);
    }
  }

  /** Its CONNACK is written: deliveries begin, with what was kept for it. */
  async begin(session: ClientSession, isPresent: boolean): Promise<void> {
    const queued = isPresent ? await this.#queuedFor(session) : [];
    if (this.#here.get(session.clientId) === session) session.deliveries.open(queued);
  }

  /** The connection is gone. */
  close(session: ClientSession, { isGraceful, expirySeconds }: Closing): void {
    const { clientId, client, will } = session;
    if (this.#here.get(clientId) !== session) return;
    const { isRecorded } = session;
    if (expirySeconds !== undefined) session.expirySeconds = expirySeconds;
    this.#here.delete(clientId);
    const isLeft = will !== undefined && !isGraceful;
    if (!isLeft || delayOf(will, session) === 0) session.will = undefined;
    for (const each of session.subscriptions.values()) this.router.delete(each);
    if (session.isPersistent) this.#leave(session);
    else this.#end(session, { isRecorded });
    const { user } = client.access;
    if (isLeft) this.#wills.leave({ clientId, user, expirySeconds: session.expirySeconds }, will);
  }

  /**
   * Resolves when other nodes send what it asks for, and the session would survive this node with it. Returns whether it
   * had no such subscription.
   */
  async subscribe(session: ClientSession, subscription: StoredSubscription): Promise<boolean> {
    const { filter } = subscription;
    // The session layer may ask after the connection has ended: nobody would end this subscription.
    if (this.#here.get(session.clientId) !== session) return false;
    const earlier = session.subscriptions.get(filter);
    session.subscriptions.set(filter, subscription);
    this.router.add(session, subscription);
    if (earlier !== undefined) this.#unsubscribe(session, earlier);
    const { peers, host } = this.#options;
    await peers.announced();
    if (session.isPersistent) await this.#save(session, host);
    return earlier === undefined;
  }

  /** Returns whether there was such a subscription. */
  async unsubscribe(session: ClientSession, filter: string): Promise<boolean> {
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined) return false;
    session.subscriptions.delete(filter);
    this.#unsubscribe(session, subscription);
    if (session.isPersistent) await this.#save(session, this.#options.host);
    return true;
  }

  /** The retained messages that a subscription begins with (MQTT 5 §3.8.3.1, retain handling). */
  sendRetained(session: ClientSession, filter: string, isNew: boolean): void {
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined || isSharedFilter(filter)) return;
    const { retainHandling } = subscription;
    if (retainHandling === 2 || (retainHandling === 1 && !isNew)) return;
    session.deliveries.addRetained(
      session.retainedFor(subscription, {
        topics: (wanted) => this.#retainedTopics(wanted),
        message: (topic) => this.#system.get(topic) ?? this.#options.store.retainedAt(topic),
      }),
    );
  }

  /** Of a node that is stopping: its clients are gone, and what they have not got is in the store. */
  async stop(): Promise<void> {
    this.#spool.stop();
    this.#absent.stop();
    this.#wills.stop();
    await Promise.all(this.#leaving.values());
    await this.#options.store.close();
  }

  received(message: Message, shared: readonly SharedPick[]): void {
    this.router.received(message, shared);
    this.#absent.received(message);
  }

  undelivered(node: string, deliveries: readonly Delivery[]): void {
    this.#absent.undelivered(node, deliveries);
  }

  async takenOver({ clientId, user }: ClientClaim): Promise<string | undefined> {
    const { client } = this.#here.get(clientId) ?? this.#opening.get(clientId) ?? {};
    if (client !== undefined && client.access.user !== user) return undefined;
    this.#wills.recall(clientId);
    this.#opening.get(clientId)?.connection.takenOver();
    return this.#letGo(clientId);
  }

  hinted(clientId: string): void {
    this.queueReadable(clientId);
  }

  unreachable(node: string): void {
    this.#absent.unreachable(node);
  }

  reachable(node: string): void {
    this.#absent.reachable(node);
  }

  sessionChanged(
    clientId: string,
    record: SessionRecord | undefined,
    before: SessionRecord | undefined,
  ): void {
    this.#absent.changed(clientId, record, before);
    const session = this.#here.get(clientId);
    if (session === undefined) this.#wills.changed(clientId, record);
    if (session !== undefined && !this.#isTrueOf(session, record)) this.#contestSoon(session);
  }

  queueReadable(clientId: string): void {
    const session = this.#here.get(clientId);
    if (session !== undefined) void this.#lookAgain(session);
  }

  /** Never given twice in the cluster. */
  #newName(): string {
    const { node, startCounter } = this.#options.host;
    return `${node}-${startCounter}-${this.#nextNumber++}`;
  }

  /** All others let go of the client, here and at other nodes; false: one of another user stays. */
  async #claim({ client, connection }: Opening): Promise<boolean> {
    const { env, peers } = this.#options;
    const { clientId, access } = client;
    const { user } = access;
    const { address } = connection;
    const connectedAtMs = env.clock.nowMs();
    const displacedAddress = await this.#letGo(clientId);
    return peers.takeOver({ clientId, user, connectedAtMs, address, displacedAddress });
  }

  /** Ends a connection here, as the same client connects again. Returns its address, empty if there was none. */
  async #letGo(clientId: string): Promise<string> {
    const connection = this.#here.get(clientId)?.connection;
    connection?.takenOver();
    await this.#leaving.get(clientId);
    return connection?.address ?? '';
  }

  /** The session that the client goes on with. */
  async #recordOf({ client, connection, cleanStart }: Opening): Promise<SessionRecord | undefined> {
    const { store } = this.#options;
    const { clientId, access } = client;
    if (cleanStart) {
      if (store.mayHaveSession(clientId)) store.endSession(clientId);
      return undefined;
    }
    const record = await store.loadSession(clientId, () => connection.isOpen());
    if (record === undefined || !connection.isOpen()) return undefined;
    // Another user's session is not continued, and neither is one that only stood for a will.
    if (record.user === access.user && record.expirySeconds > 0) return record;
    store.endSession(clientId);
    return undefined;
  }

  #opened(opening: Opening, record: SessionRecord | undefined): Opened {
    const { peers, host } = this.#options;
    const { client, connection, receivedIds, expirySeconds, will } = opening;
    const { clientId } = client;
    assert(!this.#here.has(clientId), 'whoever connects again has let go of the connection before');
    this.#wills.recall(clientId);
    const deliveries = this.#deliveries(connection, () => session);
    const goesOn = record !== undefined;
    const parts = { client, connection, deliveries, receivedIds, expirySeconds, will, goesOn };
    const session = new ClientSession(parts);
    this.#here.set(clientId, session);
    for (const packetId of record?.receivedIds ?? []) receivedIds.add(packetId);
    for (const each of record?.subscriptions ?? []) {
      session.subscriptions.set(each.filter, each);
      this.router.add(session, each);
    }
    this.#absent.arrived(clientId);
    // Who learns that it is here keeps nothing for it any more, and has to know before what to send.
    if (session.isRecorded) {
      void peers.announced().then(() => this.#save(session, host));
    }
    return { session, isPresent: goesOn };
  }

  /** Whether the store says of a client that is connected here what this node has told it, or is about to. */
  #isTrueOf(session: ClientSession, record: SessionRecord | undefined): boolean {
    const { host } = this.#options;
    if (!session.isRecorded) return record === undefined;
    const isHere =
      record?.host?.node === host.node && record.host.startCounter === host.startCounter;
    return isHere || !session.isSaved;
  }

  /**
   * Another node has taken the client over, or was cut off and has said only now what was true before. It is put right,
   * not so often that two nodes that both have the client, and do not reach each other, would do little else.
   */
  #contestSoon(session: ClientSession): void {
    if (session.isContested) return;
    session.isContested = true;
    this.#options.env.timers.after(CONTEST_AFTER_MS, () => {
      session.isContested = false;
      if (this.#here.get(session.clientId) === session) this.#contest(session);
    });
  }

  #contest(session: ClientSession): void {
    const { host, peers, store } = this.#options;
    const { clientId, client, isRecorded, connection } = session;
    const record = store.session(clientId);
    const isOfOther = record !== undefined && record.user !== client.access.user;
    if (isOfOther || this.#isTrueOf(session, record)) return;
    const isElsewhere =
      record?.host !== undefined &&
      peers.startCounterOf(record.host.node) === record.host.startCounter;
    if (isElsewhere) connection.takenOver();
    else if (isRecorded) void this.#save(session, host);
    else store.endSession(clientId);
  }

  #deliveries(connection: SessionConnection, session: () => ClientSession): Deliveries {
    const { env, store, limits, counters } = this.#options;
    const { output, packetIds, writer } = connection;
    return new Deliveries({
      output,
      packetIds,
      writer,
      limits,
      counters,
      hooks: {
        nowMs: () => env.clock.nowMs(),
        sent: (delivery) => {
          if (session().isPersistent) this.#spool.sent(session(), delivery);
        },
        done: ({ isStored, outgoing }) => {
          if (isStored) store.dequeue(session().clientId, outgoing.message.id);
        },
        dropped: () => {
          counters.messagesDropped += 1;
        },
      },
    });
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

  async #lookAgain(session: ClientSession): Promise<void> {
    const queued = await this.#queuedFor(session);
    if (this.#here.get(session.clientId) === session) session.deliveries.add(queued);
  }

  /** Its client went, and may come back: whoever takes a message for it keeps it from now on. */
  #leave(session: ClientSession): void {
    const { store, env } = this.#options;
    const { clientId } = session;
    const subscriptions = [...session.subscriptions.values()];
    const isShared = ({ filter }: StoredSubscription) => isSharedFilter(filter);
    // Members of shared subscriptions that are still there get what it would have got.
    for (const each of subscriptions.filter(isShared)) this.router.withdraw(clientId, each);
    for (const delivery of session.deliveries.unfinished()) {
      const isStored = store.enqueue(clientId, queuedOf(delivery));
      delivery.isStored ||= isStored;
    }
    const record = { ...session.record(undefined), awaySinceMs: env.clock.nowMs() };
    this.#absent.left(
      record,
      subscriptions.filter((each) => !isShared(each)),
    );
    const stored = store.saveSession(record).then(() => {
      if (this.#leaving.get(clientId) === stored) this.#leaving.delete(clientId);
    });
    this.#leaving.set(clientId, stored);
  }

  /** Its session ends with the connection. */
  #end(
    { clientId, subscriptions }: ClientSession,
    { isRecorded }: { readonly isRecorded: boolean },
  ): void {
    for (const each of subscriptions.values()) this.router.withdraw(clientId, each);
    if (isRecorded) this.#options.store.endSession(clientId);
  }

  #unsubscribe({ clientId }: ClientSession, subscription: StoredSubscription): void {
    this.router.delete(subscription);
    this.router.withdraw(clientId, subscription);
  }

  async #save(session: ClientSession, host: SessionHost): Promise<void> {
    if (this.#here.get(session.clientId) !== session) return;
    session.isSaved = true;
    await this.#options.store.saveSession(session.record(host));
  }

  #retainedTopics(filter: string): string[] {
    const topics = this.#system.topics(filter);
    this.#options.store.retained(filter, ({ topic }) => topics.push(topic));
    return topics;
  }
}
