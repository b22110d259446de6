import type { FrameSplitter } from './frame-splitter.ts';
import type { Properties } from './mqtt5/properties.ts';
import type { Ending } from './mqtt5/reason-codes.ts';
import type { PublishRange } from './publication.ts';
import type { SubscribePacket, UnsubscribePacket } from './subscribe-packet.ts';

const EMPTY = new Uint8Array(0);

/**
 * Reads the packets of one client after its CONNECT: one implementation for each form that MQTT has had. What is
 * asked for every reading is in fields, so that it costs no object. Methods return why a packet breaks the protocol.
 */
export interface PacketReader {
  /** The PUBLISH read last. */
  readonly publish: PublishView;
  readPublish(frame: FrameSplitter): Ending | undefined;
  /** The PUBLISH read last in the form that the session understands; undefined: as it came. */
  publishForSession(nowMs: number): Uint8Array | undefined;

  /** Whether the head of a PUBLISH says enough of it to refuse it before all of it is there. */
  readonly readsLarge: boolean;

  /** Of the PUBACK, PUBREC, PUBREL or PUBCOMP read last. */
  readonly packetId: number;
  /** It says that the client did not take what it acknowledges. */
  readonly hasFailed: boolean;
  readAck(frame: FrameSplitter): Ending | undefined;

  readSubscribe(frame: FrameSplitter): SubscribePacket | Ending;
  readUnsubscribe(frame: FrameSplitter): UnsubscribePacket | Ending;
  readDisconnect(frame: FrameSplitter): ClientDisconnect | Ending;
}

/** Where a PUBLISH lies in a buffer, and what its head says. Written over by the next one. */
export class PublishView implements PublishRange {
  buffer: Uint8Array = EMPTY;
  topicStart = 0;
  topicEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  qos = 0;
  /** 0 at QoS 0. */
  packetId = 0;
  /** The first byte of the packet. */
  header = 0;
  /** Undefined: it has none. */
  properties: Properties | undefined;
}

/** How a client takes its leave. */
export interface ClientDisconnect {
  /** It wants its will published all the same. */
  readonly publishesWill: boolean;
  /** Of its session; undefined: as it said when it connected. */
  readonly sessionExpirySeconds: number | undefined;
}
