import type { BrokerTarget } from './link.ts';

/** How other brokers are reached: the port that `node/edge/foreign-broker.ts` implements with MQTT.js. */
export interface ForeignBrokers {
  /** Connects once. A connection that is closed stays closed: whoever wants another opens one. */
  open(options: ConnectionOptions, events: ConnectionEvents): ForeignConnection;
}

export interface ConnectionOptions {
  readonly target: BrokerTarget;
  readonly clientId: string;
  /**
   * `kept`: the other broker keeps session and unacknowledged messages while nobody is connected, and for the next
   * connection of this client id. `none`: nothing is kept, and what was is dropped.
   */
  readonly session: 'kept' | 'none';
  /** Subscribed to, at QoS 1, before `connected` is called. */
  readonly filters: readonly string[];
  /** So many messages that are not acknowledged the other broker may send. */
  readonly inflightMax: number;
}

/** None is called before `open` has returned, and none after `close` or `closed`. */
export interface ConnectionEvents {
  /** Accepted, and every filter granted. Messages of a kept session may come sooner. */
  connected(): void;
  message(message: ForeignMessage): void;
  /** Refused, lost, or closed by the other side: why, as the end of a sentence. */
  closed(reason: string): void;
}

export interface ForeignMessage {
  readonly topic: string;
  /** Not overwritten later. */
  readonly payload: Uint8Array;
  /** What to acknowledge it by; undefined: it came at QoS 0, and nobody has it any more. */
  readonly packetId: number | undefined;
}

export interface ForeignConnection {
  /** A PUBACK. They have to be in the order in which the messages came [MQTT-4.6.0-2]. */
  acknowledge(packetId: number): void;
  /** While it is held no more messages come, but for some that were read already. */
  hold(held: boolean): void;
  /** At QoS 1, with the retain flag. `done` is called when the other broker has it, or will never take it. */
  publishRetained(
    topic: string,
    payload: Uint8Array,
    done: (outcome: 'acknowledged' | 'refused') => void,
  ): void;
  close(): void;
}
