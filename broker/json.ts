import { isUtf8 } from 'node:buffer';

export type JsonObject = Readonly<Record<string, unknown>>;

export type ParsedJson =
  | { readonly kind: 'object'; readonly object: JsonObject }
  | { readonly kind: 'malformed'; readonly message: string };

/** Reads a payload as a JSON object. An empty payload is the empty object. */
export function parseJsonObject(payload: Uint8Array): ParsedJson {
  if (payload.length === 0) return { kind: 'object', object: {} };
  if (!isUtf8(payload)) return malformed('the payload is not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(utf8Text(payload));
  } catch (error) {
    return malformed(`the payload is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return malformed('the payload must be a JSON object, such as {"id":1}, or empty');
  }
  return { kind: 'object', object: value as JsonObject };
}

/**
 * A value in JSON: its text where it is UTF-8, else base64, so that what comes out can be sent back
 * unchanged (DESIGN §7).
 */
export function valueMembers(value: Uint8Array): { value: string } | { base64: string } {
  if (isUtf8(value)) return { value: utf8Text(value) };
  return { base64: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') };
}

/** Text of bytes that are known to be UTF-8. A leading U+FEFF stays, unlike with `TextDecoder`. */
export function utf8Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function malformed(message: string): ParsedJson {
  return { kind: 'malformed', message };
}
