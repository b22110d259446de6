import type { BrokerEnv } from '../env.ts';
import type { ClientSession } from './client-session.ts';
import { type Delivery, queuedOf } from './deliveries.ts';
import type { MessageStore } from './store.ts';

/** What a client has not acknowledged after this is kept in the store, too. */
const SPOOL_AFTER_MS = 1_000;

interface Sent {
  readonly session: ClientSession;
  readonly delivery: Delivery;
  readonly atMs: number;
}

/**
 * Messages that were sent to clients whose sessions outlive their connections. Most are acknowledged at once; those
 * that are not go to the store after a second, so that they outlive this node.
 */
export class Spool {
  readonly #env: BrokerEnv;
  readonly #store: Pick<MessageStore, 'enqueue'>;
  /** In the order in which they were sent. */
  #sent: Sent[] = [];
  #stop: (() => void) | undefined;

  constructor(env: BrokerEnv, store: Pick<MessageStore, 'enqueue'>) {
    this.#env = env;
    this.#store = store;
  }

  sent(session: ClientSession, delivery: Delivery): void {
    this.#sent.push({ session, delivery, atMs: this.#env.clock.monotonicMs() });
    this.#stop ??= this.#later();
  }

  stop(): void {
    this.#stop?.();
    this.#sent = [];
  }

  #later(): () => void {
    return this.#env.timers.after(SPOOL_AFTER_MS, () => this.#storeOld());
  }

  #storeOld(): void {
    const untilMs = this.#env.clock.monotonicMs() - SPOOL_AFTER_MS;
    const young = this.#sent.findIndex(({ atMs }) => atMs > untilMs);
    const old = this.#sent.splice(0, young === -1 ? this.#sent.length : young);
    for (const { session, delivery } of old) {
      if (!session.isOnItsWay(delivery)) continue;
      // What is there already does not have its packet id.
      const isStored = this.#store.enqueue(session.clientId, queuedOf(delivery));
      delivery.isStored ||= isStored;
    }
    this.#stop = this.#sent.length === 0 ? undefined : this.#later();
  }
}
