import assert from 'node:assert/strict';
import { copyRange } from '../../lsm/bytes.ts';
import { TOKEN_BYTES } from './engine-key.ts';
import { Needs } from './entry.ts';

/**
 * `WriteBatch` of kv.proto, written and read by a cursor: no object or string per write (DESIGN §5 ▣).
 *
 *     format u8 = 1 · { 0x0a length · { 0x0a length key · [0x12 length value] · [0x18 kind] · [0x28 time] ·
 *                                       [0x30 ttl] · [0x38 if version] · [0x42 length token] } } …
 */
export const BATCH_FORMAT = 1;

const TAG_WRITES = 0x0a;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;
const TAG_KIND = 0x18;
const TAG_SPACE = 0x20;
const TAG_TIME = 0x28;
const TAG_TTL = 0x30;
const TAG_IF_VERSION = 0x38;
const TAG_TOKEN = 0x42;
const KIND_DELETE = 1;
const KIND_EXPIRE = 2;
const INITIAL_BYTES = 4096;

/** A write that counts only if the current value is this one. */
export interface WriteCondition {
  /**
   * `version`: a compare-and-set; `ifVersion` 0 wants the key to have no value, or one that has expired.
   * `expired`: a tombstone for a value that has expired; `ifVersion` is its version.
   */
  readonly kind: 'version' | 'expired';
  readonly ifVersion: number;
  /** Of `TOKEN_BYTES`: while the value that such a request has written is current, its repetition wins again. */
  readonly token?: Uint8Array | undefined;
}

/** Builds one batch; `reset` makes it ready for the next. */
export class WriteBatchBuilder {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #length = 1;
  #count = 0;

  constructor() {
    this.#bytes[0] = BATCH_FORMAT;
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#length;
  }

  /**
   * Appends a put, or a delete when the value is empty. `time` is the write's own event time in version units,
   * `ttlMs` how long the value lives; 0 for none. Returns where it starts.
   */
  add(
    source: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    time: number,
    ttlMs = 0,
    condition?: WriteCondition,
  ): number {
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    const rest = valueBytes === 0 ? 2 : 1 + varintBytes(valueBytes) + valueBytes;
    const timeBytes = time === 0 ? 0 : 1 + varintBytes(time);
    const ttlBytes = ttlMs === 0 ? 0 : 1 + varintBytes(ttlMs);
    const conditionBytes = condition === undefined ? 0 : bytesOfCondition(condition);
    const inner =
      1 + varintBytes(keyBytes) + keyBytes + rest + timeBytes + ttlBytes + conditionBytes;
    const start = this.#length;
    this.#reserve(1 + varintBytes(inner) + inner);
    const bytes = this.#bytes;
    let at = start;
    bytes[at++] = TAG_WRITES;
    at = writeVarint(bytes, at, inner);
    bytes[at++] = TAG_KEY;
    at = writeVarint(bytes, at, keyBytes);
    copyRange(bytes, at, source, keyStart, keyEnd);
    at += keyBytes;
    if (valueBytes === 0) {
      bytes[at++] = TAG_KIND;
      bytes[at++] = condition?.kind === 'expired' ? KIND_EXPIRE : KIND_DELETE;
    } else {
      bytes[at++] = TAG_VALUE;
      at = writeVarint(bytes, at, valueBytes);
      copyRange(bytes, at, source, valueStart, valueEnd);
      at += valueBytes;
    }
    if (time !== 0) {
      bytes[at++] = TAG_TIME;
      at = writeVarint(bytes, at, time);
    }
    if (ttlMs !== 0) {
      bytes[at++] = TAG_TTL;
      at = writeVarint(bytes, at, ttlMs);
    }
    if (condition !== undefined) at = writeCondition(bytes, at, condition);
    this.#length = at;
    this.#count += 1;
    return start;
  }

  /** Takes out what lies in `[start, end)`: whole writes, `count` of them. */
  cut(start: number, end: number, count: number): void {
    assert(start >= 1 && end <= this.#length && count <= this.#count);
    this.#bytes.copyWithin(start, end, this.#length);
    this.#length -= end - start;
    this.#count -= count;
  }

  /** The finished bytes, owned by the caller; the builder is empty again. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.reset();
    return taken;
  }

  reset(): void {
    this.#length = 1;
    this.#count = 0;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Walks over the writes of a batch. All positions are offsets into the bytes given. */
export class WriteBatchCursor {
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  isDelete = false;
  space = 0;
  /** Event time in version units; 0: none, the version counts. */
  time = 0;
  /** 0: none. */
  ttlMs = 0;
  /** Of a write with a condition; -1: it has none. */
  ifVersion = -1;
  /** A tombstone for a value that has expired: the condition is of the kind `expired`. */
  isExpiry = false;
  tokenStart = 0;
  tokenEnd = 0;
  malformed = false;
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start + 1;
    this.#end = end;
    if (start >= end || bytes[start] !== BATCH_FORMAT) this.malformed = true;
  }

  /** Moves to the next write; false at the end or where the bytes make no sense (`malformed`). */
  next(): boolean {
    if (this.malformed || this.#at >= this.#end) return false;
    if (this.#bytes[this.#at++] !== TAG_WRITES) return this.#fail();
    const length = this.#varint();
    const end = this.#at + length;
    if (this.malformed || end > this.#end) return this.#fail();
    this.keyStart = this.keyEnd = this.valueStart = this.valueEnd = 0;
    this.tokenStart = this.tokenEnd = 0;
    this.isDelete = this.isExpiry = false;
    this.space = this.time = this.ttlMs = 0;
    this.ifVersion = -1;
    while (this.#at < end) {
      if (!this.#field(end)) return this.#fail();
    }
    return this.keyEnd > this.keyStart ? true : this.#fail();
  }

  #field(end: number): boolean {
    const tag = this.#varint();
    if (this.malformed) return false;
    switch (tag & 7) {
      case 0: {
        const value = this.#varint();
        this.#number(tag, value);
        return !this.malformed && this.#at <= end;
      }
      case 2: {
        const length = this.#varint();
        const start = this.#at;
        this.#at += length;
        if (this.malformed || this.#at > end) return false;
        if (tag === TAG_KEY) {
          this.keyStart = start;
          this.keyEnd = this.#at;
        } else if (tag === TAG_VALUE) {
          this.valueStart = start;
          this.valueEnd = this.#at;
        } else if (tag === TAG_TOKEN) {
          this.tokenStart = start;
          this.tokenEnd = this.#at;
        }
        return true;
      }
      default:
        return false;
    }
  }

  #number(tag: number, value: number): void {
    if (tag === TAG_KIND) {
      this.isExpiry = value === KIND_EXPIRE;
      this.isDelete = value === KIND_DELETE || this.isExpiry;
    } else if (tag === TAG_SPACE) this.space = value;
    else if (tag === TAG_TIME) this.time = value;
    else if (tag === TAG_TTL) this.ttlMs = value;
    else if (tag === TAG_IF_VERSION) this.ifVersion = value;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      if (this.#at >= this.#end) break;
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    this.malformed = true;
    return 0;
  }

  #fail(): false {
    this.malformed = true;
    return false;
  }
}

/** What must be looked up to apply a batch of exactly `count` well-formed writes; undefined: it is not one. */
export function needsOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): number | undefined {
  const cursor = new WriteBatchCursor(bytes, start, end);
  let seen = 0;
  let needs = 0;
  for (; cursor.next(); seen++) {
    if (cursor.ifVersion >= 0) needs |= Needs.conditions;
    if (cursor.time !== 0) needs |= Needs.times;
  }
  return cursor.malformed || seen !== count ? undefined : needs;
}

function bytesOfCondition({ ifVersion, token }: WriteCondition): number {
  const tokenBytes = token === undefined ? 0 : 2 + token.length;
  return 1 + varintBytes(ifVersion) + tokenBytes;
}

function writeCondition(
  bytes: Uint8Array,
  at: number,
  { ifVersion, token }: WriteCondition,
): number {
  bytes[at++] = TAG_IF_VERSION;
  at = writeVarint(bytes, at, ifVersion);
  if (token === undefined) return at;
  assert(token.length === TOKEN_BYTES, 'tokens have one length');
  bytes[at++] = TAG_TOKEN;
  at = writeVarint(bytes, at, token.length);
  copyRange(bytes, at, token, 0, token.length);
  return at + token.length;
}

/** Divisions where shifts would cut: times have 53 bits. */
function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 0x80;
  bytes[at++] = rest;
  return at;
}
