import assert from 'node:assert/strict';

/** MQTT control packet types (MQTT 3.1.1 §2.2.1): the high nibble of a packet's first byte. */
export const PacketType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

/** First bytes of the four-byte packets that carry nothing but a packet id. */
export const AckHeader = {
  puback: PacketType.puback << 4,
  pubrec: PacketType.pubrec << 4,
  /** PUBREL has a reserved flag that must be set [MQTT-3.6.1-1]. */
  pubrel: (PacketType.pubrel << 4) | 0b0010,
  pubcomp: PacketType.pubcomp << 4,
} as const;

/** CONNACK return codes (MQTT 3.1.1 table 3.1). */
export const ConnectReturn = {
  accepted: 0,
  unacceptableProtocolVersion: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badUserNameOrPassword: 4,
  notAuthorized: 5,
} as const;

const NO_PROPERTIES = new Uint8Array(0);

export const PINGRESP: Uint8Array = Uint8Array.of(PacketType.pingresp << 4, 0);

export function encodeConnack(returnCode: number, sessionPresent = false): Uint8Array {
  return Uint8Array.of(PacketType.connack << 4, 2, sessionPresent ? 1 : 0, returnCode);
}

export interface PublishFrame {
  readonly bytes: Uint8Array;
  /** Where the packet id stands, to be filled in for each receiver; 0 at QoS 0, which has none. */
  readonly packetIdOffset: number;
}

/**
 * A PUBLISH whose topic is `prefix` and `topic` together. Copies everything. `properties` are those of MQTT 5 with
 * their length; 3.1.1 has none.
 */
export function encodePublish(
  prefix: Uint8Array,
  topic: Uint8Array,
  payload: Uint8Array,
  flags: { readonly qos: 0 | 1 | 2; readonly retain: boolean },
  properties: Uint8Array = NO_PROPERTIES,
): PublishFrame {
  const topicBytes = prefix.length + topic.length;
  assert(topicBytes <= 0xffff, 'a topic has at most 65,535 bytes');
  const packetIdBytes = flags.qos === 0 ? 0 : 2;
  const bodyBytes = 2 + topicBytes + packetIdBytes + properties.length + payload.length;
  const header = (PacketType.publish << 4) | (flags.qos << 1) | (flags.retain ? 1 : 0);
  const bytes = frameFor(header, bodyBytes);
  let position = bytes.length - bodyBytes;
  bytes[position++] = topicBytes >> 8;
  bytes[position++] = topicBytes & 0xff;
  bytes.set(prefix, position);
  position += prefix.length;
  bytes.set(topic, position);
  position += topic.length;
  const packetIdOffset = flags.qos === 0 ? 0 : position;
  position += packetIdBytes;
  bytes.set(properties, position);
  bytes.set(payload, position + properties.length);
  return { bytes, packetIdOffset };
}

export function encodeSuback(packetId: number, codes: Uint8Array): Uint8Array {
  const bodyBytes = 2 + codes.length;
  const bytes = frameFor(PacketType.suback << 4, bodyBytes);
  const bodyStart = bytes.length - bodyBytes;
  bytes[bodyStart] = packetId >> 8;
  bytes[bodyStart + 1] = packetId & 0xff;
  bytes.set(codes, bodyStart + 2);
  return bytes;
}

export function frameOf(header: number, body: Uint8Array): Uint8Array {
  const bytes = frameFor(header, body.length);
  bytes.set(body, bytes.length - body.length);
  return bytes;
}

/** With its length before it. */
export function encodeField(bytes: Uint8Array): Uint8Array {
  assert(bytes.length <= 0xffff, 'a field has at most 65,535 bytes');
  const field = new Uint8Array(2 + bytes.length);
  field[0] = bytes.length >> 8;
  field[1] = bytes.length & 0xff;
  field.set(bytes, 2);
  return field;
}

/** A packet with its fixed header (MQTT 3.1.1 §2.2) and room for the body, which is its end. */
function frameFor(header: number, bodyBytes: number): Uint8Array {
  const lengthBytes = bodyBytes < 0x80 ? 1 : bodyBytes < 0x4000 ? 2 : bodyBytes < 0x200000 ? 3 : 4;
  const bytes = new Uint8Array(1 + lengthBytes + bodyBytes);
  bytes[0] = header;
  let rest = bodyBytes;
  for (let i = 1; i <= lengthBytes; i += 1) {
    bytes[i] = (rest & 0x7f) | (i < lengthBytes ? 0x80 : 0);
    rest >>>= 7;
  }
  return bytes;
}
