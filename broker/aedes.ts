import type { Duplex } from 'node:stream';
import { Aedes, type AuthorizeSubscribeHandler, type Client } from 'aedes';
import type { SessionEvents, SessionOwner, Sessions } from './sessions.ts';

/** The front has its own, for the whole handshake. */
const CONNECT_TIMEOUT_MS = 60_000;

type Done = () => void;

/** What is answered on connections, by aedes 1.2.0. Nobody else knows it. */
export class AedesSessions implements Sessions {
  readonly #aedes: AnsweringAedes;
  readonly #owners = new WeakMap<object, SessionOwner>();

  constructor(nodeId: string, events: SessionEvents) {
    this.#aedes = new AnsweringAedes(nodeId, events, (client) => this.#owners.get(client.conn));
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

type OwnerOf = (client: Client) => SessionOwner | undefined;

/**
 * aedes without messages and subscriptions. Hooks must neither throw nor be `async`: it calls them bare, so an error in
 * one would end the process.
 */
class AnsweringAedes extends Aedes {
  constructor(id: string, events: SessionEvents, ownerOf: OwnerOf) {
    super({
      id,
      connectTimeout: CONNECT_TIMEOUT_MS,
      authorizeSubscribe: authorizeSubscribe(ownerOf),
    });
    this.on('error' as 'closed', ((error: Error) => events.failed(error)) as () => void);
  }

  /** It is aedes' own notice, to nobody: no PUBLISH comes here. */
  override publish(_packet: unknown, client: unknown, done?: unknown): void {
    ((typeof client === 'function' ? client : (done ?? noop)) as Done)();
  }

  override subscribe(_topic: string, _deliver: unknown, done: () => void): void {
    done();
  }

  override unsubscribe(_topic: string, _deliver: unknown, done: () => void = noop): void {
    done();
  }
}

function authorizeSubscribe(ownerOf: OwnerOf): AuthorizeSubscribeHandler {
  return (client, subscription, done) => {
    const granting = ownerOf(client as Client)?.mayGrant(subscription.topic);
    if (granting === undefined) done(null, null);
    else void granting.then((isGranted) => done(null, isGranted ? subscription : null));
  };
}

function noop(): void {}
