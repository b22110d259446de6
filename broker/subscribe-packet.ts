import { FieldReader } from './field-reader.ts';
import { encodeField, frameOf, PacketType } from './frame-encoder.ts';
import type { SubscriptionOptions } from './ordinary/message.ts';
import { isTopicFilter } from './topics.ts';

export interface SubscribePacket {
  readonly packetId: number;
  readonly requests: readonly SubscribeRequest[];
}

export interface SubscribeRequest extends SubscriptionOptions {
  readonly filter: string;
}

export interface UnsubscribePacket {
  readonly packetId: number;
  readonly filters: readonly string[];
}

/** What MQTT 3.1.1 means by a subscription. */
export function plainRequest(filter: string, qos: 0 | 1 | 2): SubscribeRequest {
  const options = { noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 };
  return { filter, qos, ...options } as const as SubscribeRequest;
}

/** Reads the body of a SUBSCRIBE (MQTT 3.1.1 §3.8). Undefined: malformed. */
export function parseSubscribe(
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
): SubscribePacket | undefined {
  const reader = new FieldReader(buffer, bodyStart, end);
  const packetId = reader.number();
  const requests: SubscribeRequest[] = [];
  while (!reader.failed && !reader.atEnd) {
    const filter = reader.text();
    const qos = reader.byte();
    // [MQTT-3.8.3-4]: the upper six bits are reserved.
    if (filter === undefined || qos === undefined || qos > 2 || !isTopicFilter(filter))
      return undefined;
    requests.push(plainRequest(filter, qos as 0 | 1 | 2));
  }
  // [MQTT-2.3.1-1], [MQTT-3.8.3-3]
  if (reader.failed || !packetId || requests.length === 0) return undefined;
  return { packetId, requests };
}

/** Reads the filters of an UNSUBSCRIBE (MQTT 3.1.1 §3.10). Undefined: malformed. */
export function parseUnsubscribe(
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
): UnsubscribePacket | undefined {
  const reader = new FieldReader(buffer, bodyStart, end);
  const packetId = reader.number();
  const filters = readFilters(reader);
  return packetId && filters !== undefined ? { packetId, filters } : undefined;
}

/** All filters up to the end; undefined: malformed, or there are none [MQTT-3.10.3-2]. */
export function readFilters(reader: FieldReader): readonly string[] | undefined {
  const filters: string[] = [];
  while (!reader.failed && !reader.atEnd) {
    const filter = reader.text();
    if (filter === undefined || !isTopicFilter(filter)) return undefined;
    filters.push(filter);
  }
  return reader.failed || filters.length === 0 ? undefined : filters;
}

/** In the form that the session understands, MQTT 3.1.1. */
export function encodeSubscribe({ packetId, requests }: SubscribePacket): Uint8Array {
  const fields = requests.flatMap(({ filter, qos }) => [textField(filter), Uint8Array.of(qos)]);
  return withPacketId(PacketType.subscribe, packetId, fields);
}

export function encodeUnsubscribe({ packetId, filters }: UnsubscribePacket): Uint8Array {
  return withPacketId(PacketType.unsubscribe, packetId, filters.map(textField));
}

function textField(text: string): Uint8Array {
  return encodeField(Buffer.from(text));
}

/** SUBSCRIBE and UNSUBSCRIBE have a reserved flag that must be set [MQTT-3.8.1-1] [MQTT-3.10.1-1]. */
function withPacketId(type: number, packetId: number, fields: readonly Uint8Array[]): Uint8Array {
  const id = Uint8Array.of(packetId >> 8, packetId & 0xff);
  return frameOf((type << 4) | 0b0010, Buffer.concat([id, ...fields]));
}
