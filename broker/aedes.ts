import type { Duplex } from 'node:stream';
import {
  Aedes,
  type AuthorizePublishHandler,
  type AuthorizeSubscribeHandler,
  type Client,
  type PublishPacket,
} from 'aedes';
import type { SessionEvents, SessionOwner, Sessions } from './sessions.ts';
import { isBridgeNotice } from './topics.ts';

/** The front has its own, for the whole handshake. */
const CONNECT_TIMEOUT_MS = 60_000;

type Done = (error?: Error | null) => void;

/** The inbound side of ordinary MQTT by aedes 1.2.0. Nobody else knows it. */
export class AedesSessions implements Sessions {
  readonly #aedes: InboundAedes;
  readonly #owners = new WeakMap<object, SessionOwner>();

  constructor(nodeId: string, events: SessionEvents) {
    this.#aedes = new InboundAedes(nodeId, events, (client) => this.#owners.get(client.conn));
  }

  async start(): Promise<void> {
    await this.#aedes.listen();
  }

  attach(stream: Duplex, owner: SessionOwner): void {
    this.#owners.set(stream, owner);
    this.#aedes.handle(stream);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#aedes.close(() => resolve());
    });
  }
}

/** What aedes' own persistence, in memory, offers and its type does not say. */
interface Incoming {
  incomingStorePacket(client: Client, packet: { messageId: number }): Promise<void>;
  incomingDelPacket(client: Client, packet: { messageId: number }): Promise<void>;
}

type OwnerOf = (client: Client) => SessionOwner | undefined;

/**
 * aedes without its outbound side: it knows no subscriptions and stores no messages but those of a QoS 2 exchange that
 * is under way. Hooks must neither throw nor be `async`: it calls them bare, so an error in one would end the process.
 */
class InboundAedes extends Aedes {
  readonly #ownerOf: OwnerOf;

  constructor(id: string, events: SessionEvents, ownerOf: OwnerOf) {
    super({
      id,
      connectTimeout: CONNECT_TIMEOUT_MS,
      authorizePublish: authorizePublish(ownerOf),
      authorizeSubscribe: authorizeSubscribe(ownerOf),
    });
    this.#ownerOf = ownerOf;
    this.on('error' as 'closed', ((error: Error) => events.failed(error)) as () => void);
  }

  /** What a client has released of QoS 2; the rest was published, or is aedes' own notice to nobody. */
  override publish(packet: PublishPacket, client: unknown, done?: unknown): void {
    const finish = (typeof client === 'function' ? client : (done ?? noop)) as Done;
    if (isClient(client) && packet.qos === 2) publishFor(this.#ownerOf(client), packet);
    finish();
  }

  override async listen(): Promise<void> {
    await super.listen();
    this.#watchExchanges((this as unknown as { persistence: Incoming }).persistence);
  }

  override subscribe(_topic: string, _deliver: unknown, done: () => void): void {
    done();
  }

  override unsubscribe(_topic: string, _deliver: unknown, done: () => void = noop): void {
    done();
  }

  /** Tells the owners which QoS 2 exchanges are open: aedes remembers them no longer than the connection. */
  #watchExchanges(persistence: Incoming): void {
    const { incomingStorePacket, incomingDelPacket } = persistence;
    persistence.incomingStorePacket = async (client, packet) => {
      await incomingStorePacket.call(persistence, client, packet);
      this.#ownerOf(client)?.received(packet.messageId);
    };
    persistence.incomingDelPacket = async (client, packet) => {
      await incomingDelPacket.call(persistence, client, packet);
      this.#ownerOf(client)?.released(packet.messageId);
    };
  }
}

/** Asked in the order in which packets came; aedes overtakes itself later, so what may be published is, here. */
function authorizePublish(ownerOf: OwnerOf): AuthorizePublishHandler {
  return (client, packet, done) => {
    const isReserved = packet.topic.startsWith('$SYS/') && !isBridgeNotice(packet.topic);
    if (!isReserved && packet.qos < 2 && client !== null) publishFor(ownerOf(client), packet);
    done(isReserved ? new Error('topics under $SYS/ are reserved') : null);
  };
}

/**
 * Bridges announce their state under `$SYS`, which is not theirs; refusing it would make them reconnect for ever, so
 * it is dropped.
 */
function publishFor(
  owner: SessionOwner | undefined,
  { topic, payload, qos, retain }: PublishPacket,
): void {
  if (!isBridgeNotice(topic)) owner?.published({ topic, payload: payload as Buffer, qos, retain });
}

function authorizeSubscribe(ownerOf: OwnerOf): AuthorizeSubscribeHandler {
  return (client, subscription, done) => {
    const granting = ownerOf(client as Client)?.mayGrant(subscription.topic);
    if (granting === undefined) done(null, null);
    else void granting.then((isGranted) => done(null, isGranted ? subscription : null));
  };
}

function isClient(client: unknown): client is Client {
  return typeof client === 'object' && client !== null;
}

function noop(): void {}
