import { uint16 } from './field-reader.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import { utf8Text } from './json.ts';
import type { BrokerLimits } from './limits.ts';
import { type Publication, type PublishRange, readPublication } from './publication.ts';
import type { Refusal } from './refusals.ts';
import { isOurTopic, isTopicName } from './topics.ts';

/** A PUBLISH whose payload is dropped as it arrives, and what is said about it then. */
export interface SkippedPublish {
  readonly packetId: number;
  readonly qos: number;
  readonly refusal: Refusal;
}

type Limits = Pick<BrokerLimits, 'keyBytesMax' | 'valueBytesMax' | 'packetBytesMax'>;

/** Looks at a PUBLISH that has only just begun and is large. `nowMs` is the wall clock's. */
export function examineLarge(
  frame: FrameSplitter,
  limits: Limits,
  nowMs: number,
): SkippedPublish | 'keep' | 'malformed' | 'too-large' {
  const { buffer, bodyStart, end } = frame;
  const qos = (frame.header >> 1) & 0b11;
  const topicStart = bodyStart + 2;
  const topicEnd = topicStart + uint16(buffer, bodyStart);
  if (qos === 3 || !isTopicName(buffer, topicStart, topicEnd)) return 'malformed';
  const packetId = qos === 0 ? 0 : uint16(buffer, topicEnd);
  if (qos > 0 && packetId === 0) return 'malformed';
  const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
  const range: PublishRange = { topicStart, topicEnd, payloadStart, payloadEnd: end };
  const fits = end - bodyStart <= limits.packetBytesMax;
  if (!isOurTopic(buffer, topicStart, topicEnd)) return fits ? 'keep' : 'too-large';
  if (fits && end - payloadStart <= limits.valueBytesMax) return 'keep';
  const publication = readPublication(buffer, range, limits, nowMs);
  if (publication.kind !== 'refused') return 'too-large';
  return { packetId, qos, refusal: refusalOf(publication, buffer, range) };
}

/** What is said about a PUBLISH that is refused for its own bytes. */
export function refusalOf(
  { code, message, id }: Extract<Publication, { kind: 'refused' }>,
  buffer: Uint8Array,
  { topicStart, topicEnd }: PublishRange,
): Refusal {
  const topic = utf8Text(buffer.subarray(topicStart, topicEnd));
  return id === undefined ? { code, message, topic } : { code, message, id, topic };
}
