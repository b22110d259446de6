import { unixMsToVersion } from './data-plane.ts';
import { isWellFormed, type JsonObject, utf8Bytes } from './json.ts';

/** Members that several requests have. Each reader returns the value, or a sentence that says what is allowed. */

export type Member<T> = { readonly value: T } | { readonly wrong: string };

/** When a write happened and how long it holds, as far as whoever sent it says so. */
export interface Timing {
  /** Milliseconds since 1970. */
  readonly unixMs: number | undefined;
  /** 0: for ever. */
  readonly ttlMs: number;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const KEY_BYTES_MAX = 0xffff;
const TTL_SECONDS_MAX = 10 * 365 * 24 * 3600;
/** Of a value that is stored as its JSON text. */
const NESTING_MAX = 100;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

export function limitMember({ limit = LIMIT_DEFAULT }: JsonObject): Member<number> {
  if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) {
    return { value: limit };
  }
  return { wrong: `"limit" must be a whole number from 1 to ${LIMIT_MAX}` };
}

export function booleanMember(object: JsonObject, name: string): Member<boolean> {
  const given = object[name] ?? false;
  return typeof given === 'boolean'
    ? { value: given }
    : { wrong: `"${name}" must be true or false` };
}

/** A key; `undefined` if it is not given. */
export function keyMember(object: JsonObject, name: string): Member<Uint8Array | undefined> {
  const given = object[name];
  if (given === undefined) return { value: undefined };
  if (typeof given !== 'string' || Buffer.byteLength(given) > KEY_BYTES_MAX) {
    return { wrong: `"${name}" must be a key, as a string` };
  }
  if (!isWellFormed(given)) return { wrong: `"${name}" must be a string of Unicode characters` };
  return { value: utf8Bytes(given) };
}

/**
 * A time as DESIGN §7 writes it, milliseconds since 1970 or RFC 3339 with a zone, in version units: the first
 * of its millisecond. Times before 2020, when versions begin, are that beginning.
 */
export function timeMember(object: JsonObject, name: string): Member<number | undefined> {
  const time = unixMsMember(object, name);
  if ('wrong' in time || time.value === undefined) return time;
  return { value: Math.max(0, unixMsToVersion(time.value)) };
}

/** The same in milliseconds since 1970. */
export function unixMsMember(object: JsonObject, name: string): Member<number | undefined> {
  const given = object[name];
  if (given === undefined) return { value: undefined };
  const parsed = typeof given === 'string' && RFC_3339.test(given) ? Date.parse(given) : given;
  const unixMs = typeof parsed === 'number' ? Math.floor(parsed) : Number.NaN;
  if (Number.isSafeInteger(unixMsToVersion(unixMs))) return { value: unixMs };
  return {
    wrong: `"${name}" must be milliseconds since 1970, or a time with a zone such as "2026-11-20T08:00:00Z"`,
  };
}

/** Seconds, in milliseconds; 0 if it is not given. */
export function ttlMember({ ttl }: JsonObject): Member<number> {
  if (ttl === undefined) return { value: 0 };
  if (typeof ttl === 'number' && ttl > 0 && ttl <= TTL_SECONDS_MAX) {
    return { value: Math.max(1, Math.round(ttl * 1000)) };
  }
  return { wrong: `"ttl" must be a number of seconds over 0 and up to ${TTL_SECONDS_MAX}` };
}

export const TTL_OF_A_DELETE = '"ttl" goes with a value, not with a delete';

/** Version 0 is no value's, so that nobody takes it for "none". */
export function expectedVersionMember(object: JsonObject): Member<number | null> {
  const version = object.if;
  if (version === null) return { value: null };
  if (typeof version === 'number' && Number.isSafeInteger(version) && version > 0) {
    return { value: version };
  }
  return {
    wrong: '"if" must be the version that the key has, or null if it must have no value',
  };
}

/**
 * A value to store: exactly one of `value`, `base64` and `delete`; empty deletes. A string is its text; any other
 * JSON type is stored as its JSON text (DESIGN §7).
 */
export function valueMember(object: JsonObject): Member<Uint8Array> {
  const { value, base64, delete: isDelete } = object;
  const given = [value, base64, isDelete].filter((member) => member !== undefined).length;
  if (given !== 1) return { wrong: 'it must have exactly one of "value", "base64" and "delete"' };
  if (isDelete !== undefined) {
    return isDelete === true ? { value: NOTHING } : { wrong: '"delete" must be true' };
  }
  if (base64 === undefined) return valueBytes(value);
  if (typeof base64 !== 'string' || base64.length % 4 !== 0 || !BASE64.test(base64)) {
    return { wrong: '"base64" must be base64 with padding' };
  }
  return { value: Buffer.from(base64, 'base64') };
}

function valueBytes(value: unknown): Member<Uint8Array> {
  if (typeof value === 'string') {
    if (isWellFormed(value)) return { value: utf8Bytes(value) };
    return { wrong: '"value" must be a string of Unicode characters' };
  }
  if (canBeWritten(value, NESTING_MAX)) return { value: utf8Bytes(JSON.stringify(value)) };
  return {
    wrong: `"value" has more than ${NESTING_MAX} levels, or a number that a double cannot hold`,
  };
}

/** JSON can be read more deeply nested than it can be written, and 1e999 would be written as null. */
function canBeWritten(value: unknown, levels: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => canBeWritten(member, levels - 1));
}

export function choiceMember<T extends string>(
  object: JsonObject,
  name: string,
  choices: readonly [T, ...T[]],
): Member<T> {
  const given = object[name] ?? choices[0];
  const found = choices.find((choice) => choice === given);
  if (found !== undefined) return { value: found };
  return { wrong: `"${name}" must be ${choices.map((choice) => `"${choice}"`).join(' or ')}` };
}

const NOTHING = new Uint8Array(0);
