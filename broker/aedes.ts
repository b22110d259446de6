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
import type { OrdinaryMessage, SessionEvents, SessionOwner, Sessions } from './sessions.ts';
import { filterUse } from './topics.ts';

/** Frozen subscribers are dropped after this; until then aedes keeps their messages in memory. */
const DRAIN_TIMEOUT_MS = 10_000;
/** The front has its own, for the whole handshake. */
const CONNECT_TIMEOUT_MS = 60_000;
/** MQTT 3.1 allows 23 characters; every broker takes more, and devices rely on it. */
const CLIENT_ID_CHARACTERS_MAX = 0xffff;

type Done = (error?: Error | null) => void;
type PublishMethod = (packet: PublishPacket, client: Client | null, done: Done) => void;

/** What aedes' own persistence offers and its type does not say. */
interface Persistence {
  subscriptionsByClient(client: { id: string }): Promise<readonly { topic: string; qos: number }[]>;
}

/** Sessions and ordinary topics by aedes 1.2.0. The only file that knows it. */
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

  publish({ topic, payload, qos, retain }: OrdinaryMessage): void {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.#aedes.publishUnchecked({
      cmd: 'publish',
      topic,
      payload: bytes,
      qos,
      retain,
      dup: false,
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#aedes.close(() => resolve());
    });
  }
}

/**
 * Hooks must neither throw nor be `async`: aedes calls them bare, so an error in one would end the process.
 */
class DivertingAedes extends Aedes {
  readonly #events: SessionEvents;

  constructor(
    id: string,
    events: SessionEvents,
    ownerOf: (client: Client) => SessionOwner | undefined,
  ) {
    super({
      id,
      // Unlimited: with a limit one frozen subscriber stops delivery to all, and the queue behind it
      // costs O(n) per message.
      concurrency: 0,
      drainTimeout: DRAIN_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxClientsIdLength: CLIENT_ID_CHARACTERS_MAX,
      authorizePublish,
      authorizeSubscribe,
      authorizeForward,
    });
    this.#events = events;
    this.preConnect = this.#restore(ownerOf);
    this.on('error' as 'closed', ((error: Error) => events.failed(error)) as () => void);
  }

  /**
   * Every publish passes here: clients' packets, wills, aedes' own notices. Our topics go to the verbs.
   * Bridges announce their state under `$SYS`, which is not theirs; refusing it would make them
   * reconnect for ever, so it is dropped.
   */
  override publish(packet: PublishPacket, client: unknown, done?: unknown): void {
    const finish = (typeof client === 'function' ? client : (done ?? noop)) as Done;
    const from = isClient(client) ? client : null;
    if (packet.topic.startsWith('dss/')) {
      const payload = Buffer.from(packet.payload);
      this.#events.ourMessage({ topic: packet.topic, payload, clientId: from?.id ?? '' });
      finish();
    } else if (from !== null && isBridgeNotice(packet.topic)) {
      finish();
    } else {
      (super.publish as unknown as PublishMethod).call(this, packet, from, finish);
    }
  }

  publishUnchecked(packet: PublishPacket): void {
    (super.publish as unknown as PublishMethod).call(this, packet, null, (error) => {
      if (error) this.#events.failed(error);
    });
  }

  /** Tells the owner which subscriptions a persistent session has, before aedes goes on. */
  #restore(ownerOf: (client: Client) => SessionOwner | undefined): PreConnectHandler {
    return (client, packet, done) => {
      const owner = ownerOf(client);
      if (packet.clean !== false || owner === undefined) {
        done(null, true);
        return;
      }
      const { persistence } = this as unknown as { persistence: Persistence };
      persistence.subscriptionsByClient({ id: packet.clientId }).then(
        (subscriptions) => {
          owner.restored(subscriptions.map(({ topic, qos }) => ({ filter: topic, qos })));
          done(null, true);
        },
        (error: Error) => done(error, false),
      );
    };
  }
}

const authorizePublish: AuthorizePublishHandler = (_client, packet, done) => {
  const reserved = packet.topic.startsWith('$SYS/') && !isBridgeNotice(packet.topic);
  done(reserved ? new Error('topics under $SYS/ are reserved') : null);
};

const authorizeSubscribe: AuthorizeSubscribeHandler = (_client, subscription, done) => {
  done(null, filterUse(subscription.topic).refusal === undefined ? subscription : null);
};

/**
 * The last gate before a client: none of our topics but `dss/sys/` is delivered from here, and aedes' notices
 * under `$SYS/`, which would tell everybody's client ids, not at all.
 */
const authorizeForward: AuthorizeForwardHandler = (
  _client: Client,
  packet: AedesPublishPacket,
): AedesPublishPacket | null => {
  const { topic } = packet;
  if (topic.startsWith('$SYS/')) return null;
  return topic.startsWith('dss/') && !topic.startsWith('dss/sys/') ? null : packet;
};

function isBridgeNotice(topic: string): boolean {
  return topic.startsWith('$SYS/broker/connection/');
}

function isClient(client: unknown): client is Client {
  return typeof client === 'object' && client !== null;
}

function noop(): void {}
