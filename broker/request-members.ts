import { unixMsToVersion } from './data-plane.ts';
import type { JsonObject } from './json.ts';

/** Members that several requests have. Each reader returns the value, or a sentence that says what is allowed. */

export type Member<T> = { readonly value: T } | { readonly wrong: string };

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const KEY_BYTES_MAX = 0xffff;
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
  return { value: Buffer.from(given) };
}

/**
 * A time as DESIGN §7 writes it, milliseconds since 1970 or RFC 3339 with a zone, in version units: the first
 * of its millisecond. Times before 2020, when versions begin, are that beginning.
 */
export function timeMember(object: JsonObject, name: string): Member<number | undefined> {
  const given = object[name];
  if (given === undefined) return { value: undefined };
  const unixMs = typeof given === 'string' && RFC_3339.test(given) ? Date.parse(given) : given;
  const version = typeof unixMs === 'number' ? unixMsToVersion(Math.floor(unixMs)) : Number.NaN;
  if (Number.isSafeInteger(version)) return { value: Math.max(0, version) };
  return {
    wrong: `"${name}" must be milliseconds since 1970, or a time with a zone such as "2026-11-20T08:00:00Z"`,
  };
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
