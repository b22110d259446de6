import type { Message, SubscriptionOptions } from './message.ts';

/**
 * What outlives a node of ordinary MQTT: retained messages, sessions and their queues. It lives in the replicated
 * store; `broker/stored` implements this over the data plane. Nothing here waits for the store: without a quorum it
 * goes on from memory, bounded, and is written when the quorum is back.
 */
export interface MessageStore {
  /**
   * Resolves when it knows the sessions and retained messages that were there when this node started, or it is clear
   * that this takes longer. Before, there is nobody whom a message would be kept for.
   */
  readonly known: Promise<void>;

  /** Calls `visit` for every retained message whose topic matches, in no order. */
  retained(filter: string, visit: (message: Message) => void): void;
  readonly retainedCount: number;
  /** The retained message of one topic. */
  retainedAt(topic: string): Message | undefined;
  /** Replaces the retained message of a topic; an empty payload removes it [MQTT-3.3.1-10]. */
  retain(message: Message): void;

  /** About as many as `sessions` has, at no cost. */
  readonly sessionCount: number;
  /** Every session that outlives its connection, and every connection with a will, of the whole cluster. */
  sessions(): Iterable<SessionRecord>;
  session(clientId: string): SessionRecord | undefined;
  /** Whether there is such a session, or a node that has just started does not know. */
  mayHaveSession(clientId: string): boolean;
  /**
   * As `session`, and read from a quorum if there is one. A node that has just started does not know the sessions, and
   * must not begin another one in place of what there is: this waits until it knows, or nobody wants it any more.
   */
  loadSession(clientId: string, isWanted: () => boolean): Promise<SessionRecord | undefined>;
  /** Resolves when it is stored, or it is clear that it takes longer. */
  saveSession(record: SessionRecord): Promise<void>;
  /** The will of a client that is away is published, though its session may be over by now. */
  willIsLeft(clientId: string): void;
  /** And all that is queued for it. */
  endSession(clientId: string): void;

  /** Keeps a message for a session. Twice the same id is once. False: the queue is full, it is dropped and counted. */
  enqueue(clientId: string, queued: QueuedMessage): boolean;
  /** Resolves when what was done here to the queue of a session is stored, or will never be. */
  queueStored(clientId: string): Promise<void>;
  /** What is queued for a session, oldest first, read from a quorum if there is one. */
  queued(clientId: string): Promise<readonly QueuedMessage[]>;
  /** It is delivered. */
  dequeue(clientId: string, id: string): void;

  /** Resolves when everything is stored, or it is clear that it takes longer; nothing is stored or told any more. */
  close(): Promise<void>;

  /** How it is: for `dss/sys/cluster`. */
  readonly state: 'replicated' | 'memory';
  readonly dropped: number;
}

export interface StoreEvents {
  /** A session anywhere in the cluster has changed, by what was saved here too; undefined: it is over. */
  sessionChanged(
    clientId: string,
    record: SessionRecord | undefined,
    before: SessionRecord | undefined,
  ): void;
  /** `queued` did not see all that is in the store, for want of a quorum; now it would. */
  queueReadable(clientId: string): void;
}

export interface SessionRecord {
  readonly clientId: string;
  readonly user: string;
  /** Where the client is connected; undefined: it is away. */
  readonly host: SessionHost | undefined;
  /** Seconds from the end of the connection to that of the session; Infinity: never (MQTT 5 §3.1.2.11.2). */
  readonly expirySeconds: number;
  /** When it went away, by the wall clock; 0 while it is connected. */
  readonly awaySinceMs: number;
  readonly subscriptions: readonly StoredSubscription[];
  /** QoS 2 packet ids that were received when it was saved and not released. */
  readonly receivedIds: readonly number[];
  /** Of a client that is away: it was lost, and its will waits. */
  readonly will: StoredWill | undefined;
}

export interface SessionHost {
  readonly node: string;
  /** Of that node: its sessions are not connected any more when it has started again. */
  readonly startCounter: number;
}

export interface StoredSubscription extends SubscriptionOptions {
  /** As it was asked for, `$share/…` included. */
  readonly filter: string;
}

export interface StoredWill {
  readonly message: Omit<Message, 'id' | 'expiresAtMs'>;
  /** Seconds; undefined: the message does not expire. */
  readonly expirySeconds: number | undefined;
  readonly delaySeconds: number;
}

export interface QueuedMessage {
  readonly message: Message;
  /** At which it is delivered. */
  readonly qos: 1 | 2;
  /** Retain flag of the delivery. */
  readonly retain: boolean;
  readonly identifiers: readonly number[];
  /** Under which it was sent; 0: it was not yet. */
  readonly packetId: number;
  /** The client has it, and knows it only by its packet id: PUBREL is what it waits for [MQTT-4.3.3-1]. */
  readonly isReleased: boolean;
}
