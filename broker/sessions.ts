import type { Duplex } from 'node:stream';
import type { SubscribeRequest } from './subscribe-packet.ts';

/**
 * The part of MQTT that is not ours: sessions, subscriptions and delivery of ordinary topics, wills. The
 * fronts feed it; aedes implements it (`aedes.ts`).
 */
export interface Sessions {
  start(): Promise<void>;

  /** Takes one client's packets, its CONNECT first. It closes `stream` to end the connection. */
  attach(stream: Duplex, owner: SessionOwner): void;

  /** Publishes a message of the broker's own, unchecked. */
  publish(message: OrdinaryMessage): void;

  close(): Promise<void>;
}

export interface OrdinaryMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** The front behind a stream. */
export interface SessionOwner {
  /** The subscriptions that a persistent session brings along; before its CONNACK. */
  restored(subscriptions: readonly SubscribeRequest[]): void;
}

/** What happens inside the sessions that concerns the rest of the broker. */
export interface SessionEvents {
  /**
   * A message to one of our topics (`dss/…`) was published inside: a will. It goes where packets from a
   * socket go and is not delivered.
   */
  ourMessage(message: {
    readonly topic: string;
    readonly payload: Uint8Array;
    readonly clientId: string;
  }): void;
  failed(error: Error): void;
}
