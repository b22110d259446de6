import type { BrokerEnv } from '../env.ts';
import type { Message } from './message.ts';
import type { StoredWill } from './store.ts';

export interface SessionWillsOptions {
  readonly env: BrokerEnv;
  newMessageId(): string;
  publish(message: Message): void;
  /** A will on one of our topics, or one that an ingest rule stores. Returns whether it is to be delivered, too. */
  willLeft(will: StoredWill, user: string): boolean;
}

/** The wills of clients that were lost, now or after the delay that they asked for (MQTT 5 §3.1.3.2.2). */
export class SessionWills {
  readonly #options: SessionWillsOptions;
  /** By client id: what takes the will back. */
  readonly #delayed = new Map<string, () => void>();

  constructor(options: SessionWillsOptions) {
    this.#options = options;
  }

  /** The session ends, at the latest, after `expirySeconds`; its will does not wait longer [MQTT-3.1.3-9]. */
  leave(client: { clientId: string; user: string; expirySeconds: number }, will: StoredWill): void {
    const { clientId, user, expirySeconds } = client;
    const delaySeconds = Math.min(will.delaySeconds, expirySeconds);
    if (delaySeconds === 0) return this.publish(will, user);
    const cancel = this.#options.env.timers.after(delaySeconds * 1_000, () => {
      this.#delayed.delete(clientId);
      this.publish(will, user);
    });
    this.#delayed.set(clientId, cancel);
  }

  /** The client is back, here or elsewhere, before it was time. */
  recall(clientId: string): void {
    this.#delayed.get(clientId)?.();
    this.#delayed.delete(clientId);
  }

  publish(will: StoredWill, user: string): void {
    const { env, newMessageId, publish, willLeft } = this.#options;
    if (!willLeft(will, user)) return;
    const { expirySeconds, message } = will;
    const expiresAtMs =
      expirySeconds === undefined ? undefined : env.clock.nowMs() + expirySeconds * 1_000;
    publish({ ...message, id: newMessageId(), expiresAtMs });
  }

  stop(): void {
    for (const cancel of this.#delayed.values()) cancel();
    this.#delayed.clear();
  }
}
