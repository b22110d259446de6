import type { BrokerEnv } from '../env.ts';
import type { Message } from './message.ts';
import type { SessionRecord, StoredWill } from './store.ts';

export interface SessionWillsOptions {
  readonly env: BrokerEnv;
  newMessageId(): string;
  publish(message: Message): void;
  /** A will on one of our topics, or one that an ingest rule stores. Returns whether it is to be delivered, too. */
  willLeft(will: StoredWill, user: string): boolean;
  /** A will that had to wait is published: the store need not keep it. */
  willIsLeft(clientId: string): void;
  /** Whether this node does what only one is to do. */
  isFirst(): boolean;
}

/** Whose will it is. Its session ends, at the latest, `expirySeconds` after its connection. */
export type WillOwner = Pick<SessionRecord, 'clientId' | 'user' | 'expirySeconds'>;

/** A will that waits for so much longer than it should was left with a node that is not there any more. */
const OVERDUE_MS = 5_000;

interface Waiting {
  /** It was left here. */
  readonly isOwn: boolean;
  readonly cancel: () => void;
}

/** Seconds until it is published; the end of the session does not wait [MQTT-3.1.3-9]. */
export function delayOf(will: StoredWill, { expirySeconds }: Pick<WillOwner, 'expirySeconds'>) {
  return Math.min(will.delaySeconds, expirySeconds);
}

/**
 * The wills of clients that were lost, now or after the delay that they asked for (MQTT 5 §3.1.3.2.2). One that waits is
 * with its session in the store, too: if the node where it was left is not there any more, the first of the others
 * publishes it.
 */
export class SessionWills {
  readonly #options: SessionWillsOptions;
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: SessionWillsOptions) {
    this.#options = options;
  }

  leave(owner: WillOwner, will: StoredWill): void {
    const delaySeconds = delayOf(will, owner);
    if (delaySeconds === 0) return this.#publish(will, owner.user);
    this.#wait(owner.clientId, true, delaySeconds * 1_000, () => this.#publishLate(owner, will));
  }

  /** A session of a client that is not here has changed; undefined: it is over. */
  changed(clientId: string, record: SessionRecord | undefined): void {
    const will = record?.host === undefined ? record?.will : undefined;
    if (record === undefined || will === undefined) return this.recall(clientId);
    if (this.#waiting.get(clientId)?.isOwn === true) return;
    const dueAtMs = record.awaySinceMs + delayOf(will, record) * 1_000;
    const dueInMs = Math.max(0, dueAtMs - this.#options.env.clock.nowMs());
    this.#waitForFirst(record, will, dueInMs + OVERDUE_MS);
  }

  /** The client is back, here or elsewhere, before it was time. */
  recall(clientId: string): void {
    this.#waiting.get(clientId)?.cancel();
    this.#waiting.delete(clientId);
  }

  stop(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  #waitForFirst(owner: WillOwner, will: StoredWill, delayMs: number): void {
    this.#wait(owner.clientId, false, delayMs, () => {
      if (this.#options.isFirst()) this.#publishLate(owner, will);
      else this.#waitForFirst(owner, will, OVERDUE_MS);
    });
  }

  #wait(clientId: string, isOwn: boolean, delayMs: number, task: () => void): void {
    this.recall(clientId);
    const cancel = this.#options.env.timers.after(delayMs, () => {
      this.#waiting.delete(clientId);
      task();
    });
    this.#waiting.set(clientId, { isOwn, cancel });
  }

  #publishLate({ clientId, user }: WillOwner, will: StoredWill): void {
    this.#publish(will, user);
    this.#options.willIsLeft(clientId);
  }

  #publish(will: StoredWill, user: string): void {
    const { env, newMessageId, publish, willLeft } = this.#options;
    if (!willLeft(will, user)) return;
    const { expirySeconds, message } = will;
    const expiresAtMs =
      expirySeconds === undefined ? undefined : env.clock.nowMs() + expirySeconds * 1_000;
    publish({ ...message, id: newMessageId(), expiresAtMs });
  }
}
