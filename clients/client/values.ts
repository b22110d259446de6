import { clientError } from './errors.ts';

/** What can be stored: bytes as they are, text as UTF-8, anything else as its JSON text. */
export type Value = string | Uint8Array | number | boolean | null | object;

/** A time: milliseconds since 1970, or a `Date`. */
export type Time = number | Date;

/** A value as the cluster has it, or had it. */
export class Item {
  readonly key: string;
  /** The bytes that were stored; empty if this is a delete of the history. */
  readonly value: Uint8Array;
  /** The order of writes: of two writes of a key the later one has the greater version. `cas` wants it. */
  readonly version: number;
  /** The reading's own time, else when the cluster took it: milliseconds since 1970. */
  readonly time: number;
  /** When the value expires, in milliseconds since 1970; undefined: never. */
  readonly expiresAt: number | undefined;
  /** Only of an item of the history: from `time` on there was no value. */
  readonly deleted: boolean;

  constructor(fields: Omit<Item, 'text' | 'json'>) {
    this.key = fields.key;
    this.value = fields.value;
    this.version = fields.version;
    this.time = fields.time;
    this.expiresAt = fields.expiresAt;
    this.deleted = fields.deleted;
  }

  /** The value as text; what is not UTF-8 in it becomes U+FFFD. */
  text(): string {
    return decoder.decode(this.value);
  }

  /** The value as JSON. Throws a `SyntaxError` if it is none. */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }
}

/** A value as a node writes it in JSON (docs/MQTT.md, Asking). */
export interface WireValue {
  readonly version: number;
  readonly time: number;
  readonly expiresAt?: number;
  readonly value?: string;
  readonly base64?: string;
  readonly deleted?: boolean;
}

export function itemOf(key: string, wire: WireValue): Item {
  const { version, time, expiresAt, deleted = false } = wire;
  return new Item({ key, value: wireBytes(wire), version, time, expiresAt, deleted });
}

/** The bytes to store, as they are now: a caller may use its array again. Throws `INVALID_REQUEST` where that would be nothing, which is how a delete looks. */
export function bytesOf(value: Value): Uint8Array {
  const bytes = value instanceof Uint8Array ? new Uint8Array(value) : encoder.encode(textOf(value));
  if (bytes.length > 0) return bytes;
  throw clientError('INVALID_REQUEST', 'an empty value cannot be stored; delete the key instead');
}

/** The same as the members of a JSON request: text where it is text, else base64. */
export function wireMembers(
  value: Value,
): { readonly value: string } | { readonly base64: string } {
  const bytes = bytesOf(value);
  if (!(value instanceof Uint8Array)) return { value: textOf(value) };
  try {
    return { value: strictDecoder.decode(bytes) };
  } catch {
    return { base64: toBase64(bytes) };
  }
}

/** As requests want it: milliseconds since 1970. */
export function unixMs(time: Time): number {
  const ms = Math.floor(Number(time));
  if (Number.isSafeInteger(ms)) return ms;
  throw clientError('INVALID_REQUEST', 'a time is a Date, or milliseconds since 1970');
}

/** As requests want it: seconds, to the millisecond. */
export function ttlSeconds(ttlMs: number): number {
  if (Number.isFinite(ttlMs) && ttlMs >= 1) return Math.round(ttlMs) / 1000;
  throw clientError('INVALID_REQUEST', 'ttlMs is a number of milliseconds, at least 1');
}

/** Not by the types alone: in JSON `NaN` would be `null`, which means that there must be no value. */
export function checkExpected(ifVersion: number | null | undefined): void {
  if (ifVersion === null || Number.isSafeInteger(ifVersion)) return;
  const sentence = 'ifVersion is the version that the key has, or null if it must have no value';
  throw clientError('INVALID_REQUEST', sentence);
}

function textOf(value: Exclude<Value, Uint8Array>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw clientError('INVALID_REQUEST', `${value} cannot be stored: JSON has no such number`);
  }
  const json = jsonOf(value);
  if (json !== undefined) return json;
  const what = value === undefined ? 'undefined' : `a ${typeof value}`;
  throw clientError('INVALID_REQUEST', `${what} cannot be stored: it has no JSON`);
}

function jsonOf(value: Exclude<Value, Uint8Array>): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined;
  } catch (error) {
    // A bigint, a cycle, or a `toJSON` that throws.
    const why = (error as Error).message;
    throw clientError('INVALID_REQUEST', `it cannot be stored: it has no JSON (${why})`, error);
  }
}

function wireBytes({ value, base64 }: WireValue): Uint8Array {
  if (base64 === undefined) return encoder.encode(value ?? '');
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const encoder = new TextEncoder();
// A byte order mark is part of the value, too.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strictDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
