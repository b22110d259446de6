import { FieldReader } from '../field-reader.ts';
import { encodeProperties, encodeVariableNumber, type Properties } from './properties.ts';

/**
 * What a message to an ordinary topic brings along beside its payload. The session layer knows nothing of it, so it
 * travels in front of the payload on the way through it:
 *
 *     length of the rest, a variable byte integer; 0: nothing
 *     when it expires, milliseconds since 1970, a 64-bit float, big-endian; 0: never
 *     properties, as in a PUBLISH
 *     payload
 */
export interface Travelling {
  /** As `Message.properties`. */
  readonly properties: Uint8Array;
  readonly expiresAtMs: number | undefined;
}

export const TRAVELS_ALONE: Travelling = { properties: new Uint8Array(0), expiresAtMs: undefined };

const TIME_BYTES = 8;

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

/** What stands in front of the payload. */
export function sealTravelling({ properties, expiresAtMs }: Travelling): Uint8Array {
  if (properties.length === 0 && expiresAtMs === undefined) return Uint8Array.of(0);
  const length = encodeVariableNumber(TIME_BYTES + properties.length);
  const sealed = Buffer.alloc(length.length + TIME_BYTES + properties.length);
  sealed.set(length);
  sealed.writeDoubleBE(expiresAtMs ?? 0, length.length);
  sealed.set(properties, length.length + TIME_BYTES);
  return sealed;
}

/** Takes the two apart again, without copying. */
export function openTravelling(sealed: Uint8Array): Travelling & { readonly payload: Uint8Array } {
  const reader = new FieldReader(sealed, 0, sealed.length);
  const length = reader.variableNumber() ?? 0;
  const start = reader.position;
  const payload = sealed.subarray(start + length);
  if (length === 0) return { ...TRAVELS_ALONE, payload };
  const view = new DataView(sealed.buffer, sealed.byteOffset + start, TIME_BYTES);
  const properties = sealed.subarray(start + TIME_BYTES, start + length);
  return { properties, expiresAtMs: view.getFloat64(0) || undefined, payload };
}

/** Nobody gets it any more [MQTT-3.3.2-5]. */
export function isExpired(
  { expiresAtMs }: Pick<Travelling, 'expiresAtMs'>,
  nowMs: number,
): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}
