import { isUtf8 } from 'node:buffer';
import { utf8Text } from './json.ts';
import type { Properties } from './mqtt5/properties.ts';
import type { PublishView } from './packet-reader.ts';
import type { PublishRange } from './publication.ts';
import type { Refusal } from './refusals.ts';
import { isBridgeNotice } from './topics.ts';

const SLASH = 0x2f;

/** Where a PUBLISH stands, and what it is to be acknowledged under. */
export interface IncomingPublish {
  readonly buffer: Uint8Array;
  readonly range: PublishRange;
  readonly packetId: number;
  readonly qos: number;
  readonly nowMs: number;
  readonly properties: Properties | undefined;
}

export function packetOf(view: PublishView, nowMs: number): IncomingPublish {
  const { buffer, topicStart, topicEnd, payloadStart, payloadEnd } = view;
  const { packetId, qos, properties } = view;
  const range = { topicStart, topicEnd, payloadStart, payloadEnd };
  return { buffer, range, packetId, qos, nowMs, properties };
}

export function topicOf({ buffer, range }: IncomingPublish): string {
  return utf8Text(buffer.subarray(range.topicStart, range.topicEnd));
}

/** Whether the properties of a put have to be looked at. */
export function saysMore({ userProperties, responseTopic, payloadFormat }: Properties): boolean {
  return userProperties !== undefined || responseTopic !== undefined || payloadFormat === 1;
}

/** What of an ordinary PUBLISH the session would close the connection for, or nobody would look at. */
export function invalidOrdinary(
  packet: IncomingPublish,
  topicLevelsMax: number,
): Refusal | undefined {
  const { buffer, range, properties } = packet;
  const topic = topicOf(packet);
  if (topic.startsWith('$SYS/') && !isBridgeNotice(topic)) {
    return { code: 'RESERVED_TOPIC', message: 'topics under $SYS/ are reserved', topic };
  }
  const tooDeep = tooDeepTopic(packet, topicLevelsMax);
  if (tooDeep !== undefined) return tooDeep;
  const { payloadStart, payloadEnd } = range;
  if (properties?.payloadFormat !== 1 || isUtf8(buffer.subarray(payloadStart, payloadEnd))) {
    return undefined;
  }
  return { code: 'MALFORMED_TEXT', message: 'the payload is said to be UTF-8, and is not', topic };
}

/** More levels than a topic may have make whoever matches it work more than others do. */
export function tooDeepTopic(packet: IncomingPublish, topicLevelsMax: number): Refusal | undefined {
  const { buffer, range } = packet;
  let levels = 1;
  for (let i = range.topicStart; i < range.topicEnd; i += 1) if (buffer[i] === SLASH) levels += 1;
  if (levels <= topicLevelsMax) return undefined;
  const message = `a topic has at most ${topicLevelsMax} levels`;
  return { code: 'INVALID_TOPIC', message, topic: topicOf(packet) };
}
