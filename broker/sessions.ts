import type { Duplex } from 'node:stream';
import type { Access } from './access.ts';
import type { Properties } from './mqtt5/properties.ts';
import type { SubscribeRequest } from './subscribe-packet.ts';
import type { Will } from './wills.ts';

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
  /** As `Message.properties`; absent: none. */
  readonly properties?: Uint8Array;
}

/** The front behind a stream. */
export interface SessionOwner {
  readonly clientId: string;
  readonly access: Access;
  /** What is left of the session that has this client id must not reach the new one: it is another user's. */
  readonly endsOther: boolean;
  /**
   * The payloads of its PUBLISHes begin with what travels along (`mqtt5/travelling.ts`), both ways; not that of its
   * will.
   */
  readonly seesTravelling: boolean;
  /** What its will has beside topic and payload. */
  readonly willProperties: Properties;
  /** Whether a filter is granted. */
  mayGrant(filter: string): boolean;
  /** The subscriptions that a persistent session brings along; before its CONNACK. */
  restored(subscriptions: readonly SubscribeRequest[]): void;
}

/** What happens inside the sessions that concerns the rest of the broker. */
export interface SessionEvents {
  /**
   * A client went without DISCONNECT, so its will is published. Returns whether the sessions deliver it; else it
   * is the broker's, like packets from a socket.
   */
  willLeft(will: Will, owner: SessionOwner): boolean;
  /** Whether a message to an ordinary topic may be kept for a session whose client is away. */
  mayReceive(clientId: string, topic: string): boolean;
  /** Wall clock. */
  nowMs(): number;
  failed(error: Error): void;
}
