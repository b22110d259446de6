import { isUtf8 } from 'node:buffer';
import { utf8Text } from './json.ts';
import type { Properties } from './mqtt5/properties.ts';
import { travelling } from './mqtt5/travelling.ts';
import type { PublishView } from './packet-reader.ts';
import type { PublishRange } from './publication.ts';
import type { Refusal } from './refusals.ts';
import type { PublishedMessage } from './sessions.ts';
import { isBridgeNotice } from './topics.ts';

const SLASH = 0x2f;

/** Where a PUBLISH stands, and what it is to be acknowledged under. */
export interface IncomingPublish {
  readonly buffer: Uint8Array;
  readonly range: PublishRange;
  readonly packetId: number;
  readonly qos: number;
  readonly retain: boolean;
  readonly nowMs: number;
  readonly properties: Properties | undefined;
}

export function packetOf(view: PublishView, nowMs: number): IncomingPublish {
  const { buffer, topicStart, topicEnd, payloadStart, payloadEnd } = view;
  const { packetId, qos, header, properties } = view;
  const range = { topicStart, topicEnd, payloadStart, payloadEnd };
  const retain = (header & 1) === 1;
  return { buffer, range, packetId, qos, retain, nowMs, properties };
}

export function topicOf({ buffer, range }: IncomingPublish): string {
  return utf8Text(buffer.subarray(range.topicStart, range.topicEnd));
}

/** A message to an ordinary topic. Its bytes are those of the packet. `wallMs`: by the wall clock. */
export function messageOf(
  packet: IncomingPublish,
  topic: string,
  wallMs: number,
): PublishedMessage {
  const { buffer, range, qos, retain, properties } = packet;
  const payload = buffer.subarray(range.payloadStart, range.payloadEnd);
  const message = { topic, payload, qos: qos as 0 | 1 | 2, retain };
  return properties === undefined ? message : { ...message, ...travelling(properties, wallMs) };
}

/** Whether the properties of a put have to be looked at. */
export function saysMore({ userProperties, responseTopic, payloadFormat }: Properties): boolean {
  return userProperties !== undefined || responseTopic !== undefined || payloadFormat === 1;
}

/** What is wrong with a PUBLISH to an ordinary topic. */
export function invalidOrdinary(
  packet: IncomingPublish,
  topic: string,
  topicLevelsMax: number,
): Refusal | undefined {
  const { buffer, range, properties } = packet;
  if (topic.startsWith('$SYS/') && !isBridgeNotice(topic)) {
    return { code: 'RESERVED_TOPIC', message: 'topics under $SYS/ are reserved', topic };
  }
  if (levelsOf(packet) > topicLevelsMax) {
    const message = `a topic has at most ${topicLevelsMax} levels`;
    return { code: 'INVALID_TOPIC', message, topic };
  }
  const { payloadStart, payloadEnd } = range;
  if (properties?.payloadFormat !== 1 || isUtf8(buffer.subarray(payloadStart, payloadEnd))) {
    return undefined;
  }
  return { code: 'MALFORMED_TEXT', message: 'the payload is said to be UTF-8, and is not', topic };
}

/** More than a topic may have make whoever matches it work more than others do. */
function levelsOf({ buffer, range }: IncomingPublish): number {
  let levels = 1;
  for (let i = range.topicStart; i < range.topicEnd; i += 1) if (buffer[i] === SLASH) levels += 1;
  return levels;
}
