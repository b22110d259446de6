import type { PublishFrame } from './frame-encoder.ts';
import type { Properties } from './mqtt5/properties.ts';
import type { MessageDelivery } from './mqtt5/publish-frame.ts';
import type { Ending } from './mqtt5/reason-codes.ts';
import type { Message } from './ordinary/message.ts';
import type { Refusal } from './refusals.ts';
import type { ValueFrames } from './value-frames.ts';

/** What a subscription gets: a QoS, or nothing. */
export type Grant = 0 | 1 | 2 | Refusal;

/** What is sent on one client's connection: one implementation for each form that MQTT has had. */
export interface PacketWriter {
  /**
   * An acknowledgement can say that something was refused, and why. Where it cannot, no acknowledgement and a closed
   * connection have to say it (DESIGN §7).
   */
  readonly hasReasonCodes: boolean;
  /** What travels with a message reaches the client. */
  readonly hasProperties: boolean;
  /** Values as this client gets them. */
  readonly frames: ValueFrames;
  /** So many deliveries of values may be unacknowledged. */
  readonly inflightMax: number;
  /** So many deliveries at QoS 1 and 2 may be, whoever sends them [MQTT-3.3.4-9]. */
  readonly receiveMaximum: number;
  /** Longer packets are not sent, and count as delivered [MQTT-3.1.2-24] [MQTT-3.1.2-25]. */
  readonly packetBytesMax: number;

  connack(sessionPresent: boolean): void;
  /** Success. `header` is the packet's first byte (`AckHeader`). */
  ack(header: number, packetId: number): void;
  /** Only with reason codes. */
  refuse(header: number, packetId: number, refusal: Refusal): void;
  suback(packetId: number, grants: readonly Grant[]): void;
  /** `existed` says of each filter whether there was a subscription. */
  unsuback(packetId: number, existed: readonly boolean[]): void;
  /** The PUBLISH of a message; undefined: it is not to be sent, and counts as delivered. */
  encodeMessage(message: Message, delivery: MessageDelivery): PublishFrame | undefined;
  /** What stands between head and payload of a PUBLISH: empty where there are no properties. */
  encodeProperties(properties: Properties): Uint8Array;
  /** Says why the connection ends. Returns whether this client can be told. */
  disconnect(ending: Ending): boolean;
}
