/** Byte strings as the engine orders them: unsigned, lexicographic, a prefix before what it begins. */

import type { KeyRange } from './engine.ts';

/** Negative, zero or positive, as `a[aStart, aEnd)` sorts before, with or after `b[bStart, bEnd)`. */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const common = Math.min(aLength, bLength);
  for (let i = 0; i < common; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length);
}

/** Compared from the end: neighbouring keys differ in their last bytes, the time. */
export function equalRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  const length = aEnd - aStart;
  if (length !== bEnd - bStart) return false;
  for (let i = length - 1; i >= 0; i--) {
    if (a[aStart + i] !== b[bStart + i]) return false;
  }
  return true;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return equalRanges(a, 0, a.length, b, 0, b.length);
}

/** Length of the common beginning of `a[0, aEnd)` and a range of `b`. */
export function commonPrefixLength(
  a: Uint8Array,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const most = Math.min(aEnd, bEnd - bStart);
  let length = 0;
  while (length < most && a[length] === b[bStart + length]) length++;
  return length;
}

export function rangeStartsWith(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefix: Uint8Array,
): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) {
    if (bytes[start + i] !== prefix[i]) return false;
  }
  return true;
}

/** The least byte string above `bytes`. */
export function successor(bytes: Uint8Array): Uint8Array {
  const following = new Uint8Array(bytes.length + 1);
  following.set(bytes);
  return following;
}

/** The least byte string above all that start with `prefix`; `undefined` when there is none. */
export function prefixSuccessor(prefix: Uint8Array): Uint8Array | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    if (prefix[last] !== 0xff) {
      // Not with `slice`, which of a Buffer is a view.
      const successor = new Uint8Array(last + 1);
      successor.set(prefix.subarray(0, last + 1));
      successor[last] = (successor[last] as number) + 1;
      return successor;
    }
  }
  return undefined;
}

/** Copies without making a view when the range is short, where the view would cost more than the copy. */
export function copyRange(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  if (end - start <= 96) {
    for (let i = start, to = at; i < end; i++, to++) target[to] = source[i] as number;
  } else {
    target.set(source.subarray(start, end), at);
  }
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** Orders as the bytes do. */
export function readU32BigEndian(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Whether two ranges have a key in common. */
export function overlap(a: KeyRange, b: KeyRange): boolean {
  const begins = (one: KeyRange, other: KeyRange) =>
    other.upper === undefined || compareBytes(one.lower, other.upper) < 0;
  return begins(a, b) && begins(b, a);
}
