import assert from 'node:assert/strict';
import { requireBytes } from '../arguments.ts';
import { copyRange } from '../bytes.ts';
import { OperationKind } from './operations.ts';

/**
 * Writes that happen together or not at all. The bytes are copied when they are added, in the form in which the
 * write-ahead log keeps them (FORMAT.md, Operations), so that writing a batch copies once more and allocates
 * nothing. May be cleared and used again as soon as `Store.write` has returned.
 */
export class WriteBatch {
  #bytes: Uint8Array;
  #end = 0;
  #count = 0;
  #keyBytesMin = Number.POSITIVE_INFINITY;

  constructor(capacityBytes = 1024) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  get operationCount(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#end;
  }

  /** Length of the shortest key. */
  get keyBytesMin(): number {
    return this.#keyBytesMin;
  }

  /** The operations as the log keeps them: a view, good until the next change. */
  get encoded(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    requireBytes(key, 'key');
    requireBytes(value, 'value');
    const keyLength = key.length;
    const valueLength = value.length;
    this.#reserve(HEADER_BYTES_MAX + keyLength + valueLength);
    const bytes = this.#bytes;
    let at = this.#end;
    bytes[at++] = OperationKind.put;
    at = writeVarint(bytes, at, keyLength);
    at = writeVarint(bytes, at, valueLength);
    copyRange(bytes, at, key, 0, keyLength);
    at += keyLength;
    copyRange(bytes, at, value, 0, valueLength);
    this.#end = at + valueLength;
    this.#added(keyLength);
  }

  delete(key: Uint8Array): void {
    requireBytes(key, 'key');
    this.#reserve(HEADER_BYTES_MAX + key.length);
    const bytes = this.#bytes;
    let at = this.#end;
    bytes[at++] = OperationKind.deletion;
    at = writeVarint(bytes, at, key.length);
    copyRange(bytes, at, key, 0, key.length);
    this.#end = at + key.length;
    this.#added(key.length);
  }

  /** Adds all that is in another. */
  append(other: WriteBatch): void {
    assert(other !== this, 'a batch is not added to itself');
    this.#reserve(other.#end);
    copyRange(this.#bytes, this.#end, other.#bytes, 0, other.#end);
    this.#end += other.#end;
    this.#count += other.#count;
    this.#keyBytesMin = Math.min(this.#keyBytesMin, other.#keyBytesMin);
  }

  clear(): void {
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = new Uint8Array(1024);
    this.#end = 0;
    this.#count = 0;
    this.#keyBytesMin = Number.POSITIVE_INFINITY;
  }

  #added(keyLength: number): void {
    this.#count++;
    if (keyLength < this.#keyBytesMin) this.#keyBytesMin = keyLength;
  }

  #reserve(count: number): void {
    const needed = this.#end + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}

/** One large batch does not hold on to memory for good. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
/** A kind and two varints of at most five bytes: no array is longer than 2^35. */
const HEADER_BYTES_MAX = 11;

function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at++] = rest;
  return at;
}
