import { decode, kv, ProtocolError } from '../protos/index.ts';
import type { DataPlane, WriteFailure, WriteSink } from './data-plane.ts';
import { unixMsToVersion } from './data-plane.ts';
import { parseJsonArray, utf8Bytes, utf8Text } from './json.ts';
import type { BrokerLimits } from './limits.ts';
import type { RefusalCode } from './refusals.ts';
import { type Member, timeMember } from './request-members.ts';
import { isTopicName } from './topics.ts';

/** One write of a batch, checked. */
export interface BatchWrite {
  readonly key: Uint8Array;
  /** Empty deletes. */
  readonly value: Uint8Array;
  /** In version units; 0: none. */
  readonly time: number;
}

export type ParsedBatch =
  | { readonly kind: 'batch'; readonly writes: readonly BatchWrite[] }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string };

type Limits = Pick<BrokerLimits, 'keyBytesMax' | 'valueBytesMax'>;

/** The tag of `DeviceBatch.format`, with which no JSON begins. */
const PROTOBUF_FIRST_BYTE = 0x08;
const ELEMENT_MEMBERS = ['key', 'value', 'base64', 'time', 'delete'];
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Reads the payload of `dss/batch[/<prefix>]`, JSON or `DeviceBatch`. All of it is checked before any of it is
 * written: one bad element refuses the batch, and its place is named.
 */
export function parseBatch(prefix: Uint8Array, payload: Uint8Array, limits: Limits): ParsedBatch {
  const parsed = payload[0] === PROTOBUF_FIRST_BYTE ? fromProtobuf(payload) : fromJson(payload);
  if (parsed.kind === 'refused') return parsed;
  const writes: BatchWrite[] = [];
  for (const [i, element] of parsed.elements.entries()) {
    const write = 'wrong' in element ? element : check(prefix, element.value, limits);
    if ('wrong' in write) {
      return refused(
        'INVALID_REQUEST',
        `element ${i} of the batch: ${write.wrong}; nothing was stored`,
      );
    }
    writes.push(write.value);
  }
  return { kind: 'batch', writes };
}

/**
 * The writes of one batch on their way. They share one token of the connection: it is committed when all are,
 * and fails when one does. The others may be stored all the same: a batch is not atomic.
 */
export class BatchSink implements WriteSink {
  readonly #outcome: { committed(): void; failed(failure: WriteFailure): void; drained(): void };
  #left: number;
  #failed = false;

  constructor(
    count: number,
    outcome: { committed(): void; failed(failure: WriteFailure): void; drained(): void },
  ) {
    this.#left = count;
    this.#outcome = outcome;
  }

  writeCommitted(): void {
    this.#left -= 1;
    if (this.#left === 0 && !this.#failed) this.#outcome.committed();
  }

  writeFailed(_token: number, failure: WriteFailure): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#outcome.failed(failure);
  }

  writesDrained(): void {
    this.#outcome.drained();
  }
}

/** Hands all writes in under one token. Returns false when the data plane asks to read no more. */
export function writeEach(
  dataPlane: DataPlane,
  sink: WriteSink,
  token: number,
  writes: readonly BatchWrite[],
): boolean {
  let hasRoom = true;
  for (const { key, value, time } of writes) {
    const bytes = Buffer.concat([key, value]);
    const keyEnd = key.length;
    const taken = dataPlane.write(sink, token, bytes, 0, keyEnd, keyEnd, bytes.length, time);
    hasRoom = hasRoom && taken;
  }
  return hasRoom;
}

type Elements =
  | { readonly kind: 'elements'; readonly elements: readonly Member<BatchWrite>[] }
  | Extract<ParsedBatch, { kind: 'refused' }>;

function fromProtobuf(payload: Uint8Array): Elements {
  try {
    const { format, readings } = decode(kv.DeviceBatch, payload);
    if (format !== 1)
      return refused('MALFORMED_PROTOBUF', `DeviceBatch has format ${format}; known is 1`);
    const elements = (readings as kv.Reading[]).map(({ key, value, timeMs }) => ({
      value: { key: utf8Bytes(key), value, time: timeMs === 0 ? 0 : versionTime(timeMs) },
    }));
    return { kind: 'elements', elements };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return refused('MALFORMED_PROTOBUF', `the payload is no DeviceBatch: ${error.message}`);
  }
}

function versionTime(unixMs: number): number {
  return Math.max(0, unixMsToVersion(unixMs));
}

function fromJson(payload: Uint8Array): Elements {
  const parsed = parseJsonArray(payload);
  if (parsed.kind === 'malformed') return refused('MALFORMED_JSON', parsed.message);
  return { kind: 'elements', elements: parsed.array.map(jsonElement) };
}

function jsonElement(element: unknown): Member<BatchWrite> {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) {
    return { wrong: 'it must be an object such as {"key":"temp","value":21.5}' };
  }
  const object = element as Record<string, unknown>;
  const unknown = Object.keys(object).find((name) => !ELEMENT_MEMBERS.includes(name));
  if (unknown !== undefined) {
    return { wrong: `unknown member "${unknown}"; allowed are ${ELEMENT_MEMBERS.join(', ')}` };
  }
  if (typeof object.key !== 'string' || !isWellFormed(object.key)) {
    return { wrong: '"key" must be a string of Unicode characters' };
  }
  const time = timeMember(object, 'time');
  if ('wrong' in time) return time;
  const value = jsonValue(object);
  if ('wrong' in value) return value;
  return { value: { key: utf8Bytes(object.key), value: value.value, time: time.value ?? 0 } };
}

/** JSON can name half of a surrogate pair, which has no UTF-8. */
function isWellFormed(text: string): boolean {
  return utf8Text(utf8Bytes(text)) === text;
}

/** A string is its text; any other JSON type is stored as its JSON text (DESIGN §7). */
function jsonValue(object: Record<string, unknown>): Member<Uint8Array> {
  const { value, base64, delete: isDelete } = object;
  const given = [value, base64, isDelete].filter((member) => member !== undefined).length;
  if (given !== 1) return { wrong: 'it must have exactly one of "value", "base64" and "delete"' };
  if (isDelete !== undefined) {
    return isDelete === true ? { value: new Uint8Array(0) } : { wrong: '"delete" must be true' };
  }
  if (base64 === undefined) {
    return { value: utf8Bytes(typeof value === 'string' ? value : JSON.stringify(value)) };
  }
  if (typeof base64 !== 'string' || base64.length % 4 !== 0 || !BASE64.test(base64)) {
    return { wrong: '"base64" must be base64 with padding' };
  }
  return { value: Buffer.from(base64, 'base64') };
}

function check(prefix: Uint8Array, write: BatchWrite, limits: Limits): Member<BatchWrite> {
  const { key: relative, value } = write;
  if (relative.length === 0) return { wrong: 'the key is empty' };
  if (!isTopicName(relative, 0, relative.length)) {
    return { wrong: 'the key must be UTF-8 without "+", "#" and U+0000' };
  }
  const key = prefix.length === 0 ? relative : joined(prefix, relative);
  if (key.length > limits.keyBytesMax) {
    return { wrong: `the key has ${key.length} bytes; at most ${limits.keyBytesMax} are allowed` };
  }
  if (value.length > limits.valueBytesMax) {
    return {
      wrong: `the value has ${value.length} bytes; at most ${limits.valueBytesMax} are allowed`,
    };
  }
  return { value: { ...write, key } };
}

function joined(prefix: Uint8Array, relative: Uint8Array): Uint8Array {
  const key = new Uint8Array(prefix.length + 1 + relative.length);
  key.set(prefix);
  key[prefix.length] = 0x2f;
  key.set(relative, prefix.length + 1);
  return key;
}

function refused(code: RefusalCode, message: string): Extract<ParsedBatch, { kind: 'refused' }> {
  return { kind: 'refused', code, message };
}
