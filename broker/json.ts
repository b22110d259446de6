import { isUtf8 } from 'node:buffer';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface Malformed {
  readonly kind: 'malformed';
  readonly message: string;
}

export type ParsedJson = { readonly kind: 'object'; readonly object: JsonObject } | Malformed;

/** Reads a payload as a JSON object. An empty payload is the empty object. */
export function parseJsonObject(payload: Uint8Array): ParsedJson {
  if (payload.length === 0) return { kind: 'object', object: {} };
  const parsed = parseJson(payload);
  if (parsed.kind === 'malformed') return parsed;
  if (isJsonObject(parsed.value)) return { kind: 'object', object: parsed.value };
  return malformed('the payload must be a JSON object, such as {"id":1}, or empty');
}

export function parseJsonArray(
  payload: Uint8Array,
): { readonly kind: 'array'; readonly array: readonly unknown[] } | Malformed {
  const parsed = parseJson(payload);
  if (parsed.kind === 'malformed') return parsed;
  if (Array.isArray(parsed.value)) return { kind: 'array', array: parsed.value };
  return malformed('the payload must be a JSON array, such as [{"key":"temp","value":21.5}]');
}

function parseJson(
  payload: Uint8Array,
): { readonly kind: 'json'; readonly value: unknown } | Malformed {
  if (!isUtf8(payload)) return malformed('the payload is not UTF-8');
  try {
    return { kind: 'json', value: JSON.parse(utf8Text(payload)) };
  } catch (error) {
    return malformed(`the payload is not JSON: ${(error as Error).message}`);
  }
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

export function utf8Bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** Whether the text can be written as UTF-8: JSON can name half of a surrogate pair, which cannot. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function malformed(message: string): Malformed {
  return { kind: 'malformed', message };
}
