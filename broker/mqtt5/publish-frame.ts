import { encodePublish, type PublishFrame } from '../frame-encoder.ts';
import type { Message } from '../ordinary/message.ts';
import { encodeProperties, withLength } from './properties.ts';
import { isExpired } from './travelling.ts';

/** How one subscriber gets a message. */
export interface MessageDelivery {
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Of all subscriptions of this client that it is for, those that they were given [MQTT-3.3.4-3] [MQTT-3.3.4-4]. */
  readonly identifiers: readonly number[];
}

const NO_PREFIX = new Uint8Array(0);

/** The PUBLISH of a message, with or without what MQTT 5 adds; undefined: nobody is to get it any more. */
export function encodeMessage(
  message: Message,
  delivery: MessageDelivery,
  options: { readonly nowMs: number; readonly hasProperties: boolean },
): PublishFrame | undefined {
  const { nowMs, hasProperties } = options;
  if (isExpired(message, nowMs)) return undefined;
  const properties = hasProperties
    ? messageProperties(message, delivery.identifiers, nowMs)
    : NO_PREFIX;
  const topic = Buffer.from(message.topic);
  return encodePublish(NO_PREFIX, topic, message.payload, delivery, properties);
}

/** With their length: what travels, what is left of the time until it expires, and the identifiers. */
function messageProperties(
  { properties, expiresAtMs }: Pick<Message, 'properties' | 'expiresAtMs'>,
  identifiers: readonly number[],
  nowMs: number,
): Uint8Array {
  const ours = encodeProperties({
    // [MQTT-3.3.2-6]; what is about to expire has not expired yet.
    ...(expiresAtMs === undefined
      ? {}
      : { messageExpirySeconds: Math.max(1, Math.ceil((expiresAtMs - nowMs) / 1000)) }),
    ...(identifiers.length === 0 ? {} : { subscriptionIdentifiers: identifiers }),
  });
  return withLength(ours.length === 0 ? properties : Buffer.concat([properties, ours]));
}
