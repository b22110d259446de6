import { FieldReader } from './field-reader.ts';
import { isTopicFilter } from './topics.ts';

export interface SubscribePacket {
  readonly packetId: number;
  readonly requests: readonly SubscribeRequest[];
}

export interface SubscribeRequest {
  readonly filter: string;
  readonly qos: number;
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
    requests.push({ filter, qos });
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
): readonly string[] | undefined {
  const reader = new FieldReader(buffer, bodyStart, end);
  const packetId = reader.number();
  const filters: string[] = [];
  while (!reader.failed && !reader.atEnd) {
    const filter = reader.text();
    if (filter === undefined || !isTopicFilter(filter)) return undefined;
    filters.push(filter);
  }
  return reader.failed || !packetId || filters.length === 0 ? undefined : filters;
}
