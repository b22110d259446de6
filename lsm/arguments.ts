import type { KeyRange } from './engine.ts';
import { LsmError } from './errors.ts';

/** What callers hand in, looked at where it comes in: a string taken for bytes would be the wrong key without a word. */

export function requireBytes(value: unknown, name: string): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) refuse(value, name);
}

/** For writes. What is shorter cannot be there, so that reads need not ask. */
export function requireKey(key: unknown, suffixBytes: number): asserts key is Uint8Array {
  requireBytes(key, 'key');
  if (key.length < suffixBytes) throw new ShortKeyError(key.length, suffixBytes);
}

/** A bound that is no bytes would be none, and a range without bounds is everything. */
export function requireRange({ lower, upper }: KeyRange): void {
  requireBytes(lower, 'lower');
  if (upper !== undefined) requireBytes(upper, 'upper');
}

export class ShortKeyError extends RangeError {
  constructor(keyBytes: number, suffixBytes: number) {
    const has = `the key has ${keyBytes} bytes`;
    super(`${has}, but must hold its suffix of ${suffixBytes} (seriesSuffixBytes)`);
  }
}

/** @throws {LsmError} INVALID_OPTION */
export function invalidOption(name: string, value: unknown, mustBe: string): LsmError {
  return new LsmError('INVALID_OPTION', `${name} is ${shown(value)}, but must be ${mustBe}`);
}

/** Also right for the arrays of another realm, such as that of a test runner. */
function refuse(value: unknown, name: string): void {
  if (Object.prototype.toString.call(value) === '[object Uint8Array]') return;
  throw new TypeError(`${name} must be a Uint8Array, got ${nameOfKind(value)}`);
}

function nameOfKind(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const kind = Array.isArray(value) ? 'array' : typeof value;
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  const isPlain =
    value === undefined || value === null || /number|bigint|boolean/.test(typeof value);
  return isPlain ? String(value) : nameOfKind(value);
}
