import type { Duplex } from 'node:stream';

/**
 * What is answered on a connection: its CONNECT, SUBSCRIBEs and UNSUBSCRIBEs. The fronts feed it; aedes implements it
 * (`aedes.ts`). What is published, and who gets it, is not its affair.
 */
export interface Sessions {
  start(): Promise<void>;

  /** Takes one client's packets, its CONNECT first. It closes `stream` to end the connection. */
  attach(stream: Duplex, owner: SessionOwner): void;

  close(): Promise<void>;
}

/** The front behind a stream. */
export interface SessionOwner {
  /** Whether a filter is granted: asked once for each filter of a SUBSCRIBE, before it is answered. */
  mayGrant(filter: string): Promise<boolean>;
}

/** A message to an ordinary topic, as it came. */
export interface PublishedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** As `Message.properties`; absent: none. */
  readonly properties?: Uint8Array;
  /** As of `Message`. */
  readonly expiresAtMs?: number | undefined;
}

/** What happens inside the sessions that concerns the rest of the broker. */
export interface SessionEvents {
  failed(error: Error): void;
}
