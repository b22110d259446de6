import { encodeProperties, type Properties } from './properties.ts';

/** What a message to an ordinary topic brings along beside its payload. */
export interface Travelling {
  /** As `Message.properties`. */
  readonly properties: Uint8Array;
  readonly expiresAtMs: number | undefined;
}

/** Of the properties of a PUBLISH or a will those that reach the subscriber [MQTT-3.3.2-17], as they are sent. */
export function travelling(properties: Properties, nowMs: number): Travelling {
  const { payloadFormat, contentType, responseTopic, correlationData } = properties;
  const { userProperties, messageExpirySeconds } = properties;
  return {
    properties: encodeProperties({
      ...(payloadFormat === undefined ? {} : { payloadFormat }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined ? {} : { correlationData }),
      ...(userProperties === undefined ? {} : { userProperties }),
    }),
    expiresAtMs:
      messageExpirySeconds === undefined ? undefined : nowMs + messageExpirySeconds * 1000,
  };
}

/** Nobody gets it any more [MQTT-3.3.2-5]. */
export function isExpired(
  { expiresAtMs }: Pick<Travelling, 'expiresAtMs'>,
  nowMs: number,
): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}
