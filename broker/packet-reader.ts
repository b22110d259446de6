import { UNEXPECTED } from './endings.ts';
import { PacketType } from './frame-encoder.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import type { Properties } from './mqtt5/properties.ts';
import { type Ending, malformed } from './mqtt5/reason-codes.ts';
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

/** The flags that a packet a client may send must have [MQTT-2.2.2-2]; PUBLISH has flags of its own. */
const REQUIRED_FLAGS: Readonly<Record<number, number>> = {
  [PacketType.puback]: 0,
  [PacketType.pubrec]: 0,
  [PacketType.pubrel]: 0b0010,
  [PacketType.pubcomp]: 0,
  [PacketType.subscribe]: 0b0010,
  [PacketType.unsubscribe]: 0b0010,
  [PacketType.pingreq]: 0,
  [PacketType.disconnect]: 0,
};

/** Why a packet that begins so is none that a client may send after its CONNECT. */
export function unexpectedHeader(header: number): Ending | undefined {
  const flags = REQUIRED_FLAGS[header >> 4];
  if (flags === undefined) return UNEXPECTED;
  return flags === (header & 0b1111) ? undefined : malformed('unexpected flags of a packet');
}
