import type { Duplex } from 'node:stream';
import {
  Aedes,
  type AedesPublishPacket,
  type AuthorizeForwardHandler,
  type AuthorizePublishHandler,
  type AuthorizeSubscribeHandler,
  type Client,
  type PreConnectHandler,
  type PublishPacket,
} from 'aedes';
import { mayReceive } from './access.ts';
import { type AedesPersistence, guardPersistence } from './aedes-persistence.ts';
import {
  isExpired,
  openTravelling,
  sealTravelling,
  TRAVELS_ALONE,
  type Travelling,
  travelling,
} from './mqtt5/travelling.ts';
import type { OrdinaryMessage, SessionEvents, SessionOwner, Sessions } from './sessions.ts';
import { plainRequest } from './subscribe-packet.ts';
import { isBridgeNotice } from './topics.ts';

/** Frozen subscribers are dropped after this; until then aedes keeps their messages in memory. */
const DRAIN_TIMEOUT_MS = 10_000;
/** The front has its own, for the whole handshake. */
const CONNECT_TIMEOUT_MS = 60_000;
/** MQTT 3.1 allows 23 characters; every broker takes more, and devices rely on it. */
const CLIENT_ID_CHARACTERS_MAX = 0xffff;

type Done = (error?: Error | null) => void;
type PublishMethod = (packet: PublishPacket, client: Client | null, done: Done) => void;

/** Sessions and ordinary topics by aedes 1.2.0. Nobody else knows it. */
export class AedesSessions implements Sessions {
  readonly #aedes: DivertingAedes;
  readonly #owners = new WeakMap<object, SessionOwner>();

  constructor(nodeId: string, events: SessionEvents) {
    this.#aedes = new DivertingAedes(nodeId, events, (client) => this.#owners.get(client.conn));
  }

  async start(): Promise<void> {
    await this.#aedes.listen();
  }

  attach(stream: Duplex, owner: SessionOwner): void {
    this.#owners.set(stream, owner);
    this.#aedes.handle(stream);
  }

  publish({ topic, payload, qos, retain, properties }: OrdinaryMessage): void {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const packet = { cmd: 'publish', topic, payload: bytes, qos, retain, dup: false } as const;
    const along = properties === undefined ? {} : { properties };
    this.#aedes.publishUnchecked(packet, { ...TRAVELS_ALONE, ...along });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#aedes.close(() => resolve());
    });
  }
}

type OwnerOf = (client: Client) => SessionOwner | undefined;

/**
 * Hooks must neither throw nor be `async`: aedes calls them bare, so an error in one would end the process.
 */
class DivertingAedes extends Aedes {
  readonly #events: SessionEvents;
  readonly #ownerOf: OwnerOf;
  #endSession: (clientId: string) => Promise<void> = async () => {};

  constructor(id: string, events: SessionEvents, ownerOf: OwnerOf) {
    super({
      id,
      // Unlimited: with a limit one frozen subscriber stops delivery to all, and the queue behind it
      // costs O(n) per message.
      concurrency: 0,
      drainTimeout: DRAIN_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxClientsIdLength: CLIENT_ID_CHARACTERS_MAX,
      authorizePublish,
      authorizeSubscribe: authorizeSubscribe(ownerOf),
      authorizeForward: authorizeForward(ownerOf, events),
    });
    this.#events = events;
    this.#ownerOf = ownerOf;
    this.preConnect = this.#restore();
    this.on('error' as 'closed', ((error: Error) => events.failed(error)) as () => void);
  }

  override async listen(): Promise<void> {
    await super.listen();
    this.#endSession = guardPersistence(this.#persistence, {
      mayGrant: (client, filter) => this.#ownerOf(client as Client)?.mayGrant(filter) === true,
      mayReceive: (clientId, topic) => this.#events.mayReceive(clientId, topic),
    });
  }

  /**
   * Every publish passes here: clients' packets, wills, aedes' own notices. Our topics go to the verbs.
   * Bridges announce their state under `$SYS`, which is not theirs; refusing it would make them
   * reconnect for ever, so it is dropped.
   */
  override publish(packet: PublishPacket, client: unknown, done?: unknown): void {
    const finish = (typeof client === 'function' ? client : (done ?? noop)) as Done;
    const from = isClient(client) ? client : null;
    const isOurs = packet.topic.startsWith('dss/');
    if (from !== null && isBridgeNotice(packet.topic)) {
      finish();
    } else if (from !== null && isWillOf(from, packet)) {
      if (this.#mayDeliverWill(packet, from)) {
        const properties = this.#ownerOf(from)?.willProperties ?? {};
        const along = travelling(properties, this.#events.nowMs());
        this.#deliver(seal(packet, along), from, finish);
      } else {
        finish();
      }
    } else if (isOurs) {
      finish();
    } else if (from !== null && this.#ownerOf(from)?.seesTravelling) {
      const { payload, ...along } = openTravelling(packet.payload as Buffer);
      this.#deliver(seal({ ...packet, payload: payload as Buffer }, along), from, finish);
    } else {
      this.#deliver(seal(packet, TRAVELS_ALONE), from, finish);
    }
  }

  publishUnchecked(packet: PublishPacket, along: Travelling): void {
    this.#deliver(seal(packet, along), null, (error) => {
      if (error) this.#events.failed(error);
    });
  }

  get #persistence(): AedesPersistence {
    return (this as unknown as { persistence: AedesPersistence }).persistence;
  }

  #deliver(packet: PublishPacket, from: Client | null, done: Done): void {
    (super.publish as unknown as PublishMethod).call(this, packet, from, done);
  }

  #mayDeliverWill({ topic, payload }: PublishPacket, from: Client): boolean {
    const owner = this.#ownerOf(from);
    if (owner === undefined) return false;
    const properties = owner.willProperties;
    return this.#events.willLeft({ topic, payload: Buffer.from(payload), properties }, owner);
  }

  /** Tells the owner which subscriptions a persistent session has, before aedes goes on. */
  #restore(): PreConnectHandler {
    return (client, packet, done) => {
      const owner = this.#ownerOf(client);
      if (packet.clean !== false || owner === undefined) {
        done(null, true);
        return;
      }
      this.#subscriptionsOf(packet.clientId, owner).then(
        (subscriptions) => {
          owner.restored(
            subscriptions.map(({ topic, qos }) => plainRequest(topic, qos as 0 | 1 | 2)),
          );
          done(null, true);
        },
        (error: Error) => done(error, false),
      );
    };
  }

  async #subscriptionsOf(id: string, { endsOther }: SessionOwner) {
    if (endsOther) await this.#endSession(id);
    return this.#persistence.subscriptionsByClient({ id });
  }
}

const authorizePublish: AuthorizePublishHandler = (_client, packet, done) => {
  const reserved = packet.topic.startsWith('$SYS/') && !isBridgeNotice(packet.topic);
  done(reserved ? new Error('topics under $SYS/ are reserved') : null);
};

function authorizeSubscribe(ownerOf: OwnerOf): AuthorizeSubscribeHandler {
  return (client, subscription, done) => {
    const isGranted = ownerOf(client)?.mayGrant(subscription.topic) === true;
    done(null, isGranted ? subscription : null);
  };
}

/**
 * The last gate before a client: none of our topics but `dss/sys/` is delivered from here, and aedes' notices
 * under `$SYS/`, which would tell everybody's client ids, not at all. Nor is anything its user may not read.
 */
function authorizeForward(ownerOf: OwnerOf, events: SessionEvents): AuthorizeForwardHandler {
  return (client: Client, packet: AedesPublishPacket): AedesPublishPacket | null => {
    const { topic } = packet;
    if (topic.startsWith('$SYS/')) return null;
    if (topic.startsWith('dss/') && !topic.startsWith('dss/sys/')) return null;
    const owner = ownerOf(client);
    if (owner === undefined || !mayReceive(owner.access, topic)) return null;
    const opened = openTravelling(packet.payload as Buffer);
    if (isExpired(opened, events.nowMs())) return null;
    // The packet is this client's own copy, and what aedes sends is not always what this returns.
    if (!owner.seesTravelling) packet.payload = opened.payload as Buffer;
    return packet;
  };
}

/**
 * Inside, what travels along stands in front of every payload; but an empty one, which removes what is retained, has to
 * stay empty.
 */
function seal(packet: PublishPacket, along: Travelling): PublishPacket {
  const payload = packet.payload as Buffer;
  if (packet.retain && payload.length === 0) return packet;
  return { ...packet, payload: Buffer.concat([sealTravelling(along), payload]) };
}

/** aedes publishes a will as what it is, and packets from a client as others. */
function isWillOf(client: Client, packet: PublishPacket): boolean {
  return (client as unknown as { will: unknown }).will === packet;
}

function isClient(client: unknown): client is Client {
  return typeof client === 'object' && client !== null;
}

function noop(): void {}
