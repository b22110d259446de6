import { decode, kv, ProtocolError } from '../protos/index.ts';
import { unixMsToVersion } from './data-plane.ts';
import { isJsonObject, isWellFormed, parseJsonArray, utf8Bytes } from './json.ts';
import { type BrokerLimits, CLOCK_AHEAD_MAX_MS } from './limits.ts';
import { type RefusalCode, shorten } from './refusals.ts';
import {
  type Member,
  type Timing,
  TTL_OF_A_DELETE,
  ttlMember,
  unixMsMember,
  valueMember,
} from './request-members.ts';
import { isTopicName } from './topics.ts';

/** One write of a batch, checked. */
export interface BatchWrite {
  readonly key: Uint8Array;
  /** Empty deletes. */
  readonly value: Uint8Array;
  /** In version units; 0: none. */
  readonly time: number;
  /** 0: for ever. */
  readonly ttlMs: number;
}

export type ParsedBatch =
  | {
      readonly kind: 'batch';
      readonly writes: readonly BatchWrite[];
      /** How many event times are before 2020 or in the future: the writes count as of when they are taken. */
      readonly timesNotBelieved: number;
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string };

const NO_TIMING: Timing = { unixMs: undefined, ttlMs: 0 };

type Limits = Pick<BrokerLimits, 'keyBytesMax' | 'valueBytesMax'>;

/** The tag of `DeviceBatch.format`, with which no JSON begins. */
const PROTOBUF_FIRST_BYTE = 0x08;
const ELEMENT_MEMBERS = ['key', 'value', 'base64', 'time', 'ttl', 'delete'];

/**
 * Reads the payload of `dss/batch[/<prefix>]`, JSON or `DeviceBatch`. All of it is checked before any of it is
 * written: one bad element refuses the batch, and its place is named. `nowMs` is the wall clock's. `timing` is that of
 * elements which have none of their own.
 */
export function parseBatch(
  prefix: Uint8Array,
  payload: Uint8Array,
  limits: Limits,
  nowMs: number,
  timing: Timing = NO_TIMING,
): ParsedBatch {
  const parsed = payload[0] === PROTOBUF_FIRST_BYTE ? fromProtobuf(payload) : fromJson(payload);
  if (parsed.kind === 'refused') return parsed;
  const writes: BatchWrite[] = [];
  let timesNotBelieved = 0;
  for (const [i, element] of parsed.elements.entries()) {
    const write = 'wrong' in element ? element : check(prefix, element.value, limits);
    if ('wrong' in write) {
      return refused(
        'INVALID_REQUEST',
        `element ${i} of the batch: ${write.wrong}; nothing was stored`,
      );
    }
    const { key, value, unixMs = timing.unixMs, ttlMs } = write.value;
    const batch = oneWrite(key, value, { unixMs, ttlMs: ttlMs || timing.ttlMs }, nowMs);
    timesNotBelieved += batch.timesNotBelieved;
    writes.push(...batch.writes);
  }
  return { kind: 'batch', writes, timesNotBelieved };
}

/** A write that brings its own time, or is to expire. A delete does not. */
export function oneWrite(
  key: Uint8Array,
  value: Uint8Array,
  { unixMs, ttlMs }: Timing,
  nowMs: number,
): Extract<ParsedBatch, { kind: 'batch' }> {
  const write = { key, value, time: versionTime(unixMs), ttlMs: value.length === 0 ? 0 : ttlMs };
  const isBelievable = unixMs === undefined || isBelieved(unixMs, nowMs);
  return { kind: 'batch', writes: [write], timesNotBelieved: isBelievable ? 0 : 1 };
}

/** As it stands in the payload. */
interface Element {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly unixMs: number | undefined;
  readonly ttlMs: number;
}

type Elements =
  | { readonly kind: 'elements'; readonly elements: readonly Member<Element>[] }
  | Extract<ParsedBatch, { kind: 'refused' }>;

function fromProtobuf(payload: Uint8Array): Elements {
  try {
    const { format, readings } = decode(kv.DeviceBatch, payload);
    if (format !== 1)
      return refused('MALFORMED_PROTOBUF', `DeviceBatch has format ${format}; known is 1`);
    const elements = (readings as kv.Reading[]).map(({ key, value, timeMs }) => ({
      value: { key: utf8Bytes(key), value, unixMs: timeMs === 0 ? undefined : timeMs, ttlMs: 0 },
    }));
    return { kind: 'elements', elements };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return refused('MALFORMED_PROTOBUF', `the payload is no DeviceBatch: ${error.message}`);
  }
}

/** None as well for what is before versions begin, or beyond the last of them. */
function versionTime(unixMs: number | undefined): number {
  const time = unixMs === undefined ? 0 : unixMsToVersion(unixMs);
  return Number.isSafeInteger(time) ? Math.max(0, time) : 0;
}

function isBelieved(unixMs: number, nowMs: number): boolean {
  return unixMsToVersion(unixMs) >= 0 && unixMs <= nowMs + CLOCK_AHEAD_MAX_MS;
}

function fromJson(payload: Uint8Array): Elements {
  const parsed = parseJsonArray(payload);
  if (parsed.kind === 'malformed') return refused('MALFORMED_JSON', parsed.message);
  return { kind: 'elements', elements: parsed.array.map(jsonElement) };
}

function jsonElement(object: unknown): Member<Element> {
  if (!isJsonObject(object)) {
    return { wrong: 'it must be an object such as {"key":"temp","value":21.5}' };
  }
  const unknown = Object.keys(object).find((name) => !ELEMENT_MEMBERS.includes(name));
  if (unknown !== undefined) {
    return {
      wrong: `unknown member "${shorten(unknown)}"; allowed are ${ELEMENT_MEMBERS.join(', ')}`,
    };
  }
  if (typeof object.key !== 'string' || !isWellFormed(object.key)) {
    return { wrong: '"key" must be a string of Unicode characters' };
  }
  const unixMs = unixMsMember(object, 'time');
  if ('wrong' in unixMs) return unixMs;
  const value = valueMember(object);
  if ('wrong' in value) return value;
  const ttlMs = ttlMember(object);
  if ('wrong' in ttlMs) return ttlMs;
  if (ttlMs.value > 0 && value.value.length === 0) return { wrong: TTL_OF_A_DELETE };
  return {
    value: {
      key: utf8Bytes(object.key),
      value: value.value,
      unixMs: unixMs.value,
      ttlMs: ttlMs.value,
    },
  };
}

function check(prefix: Uint8Array, write: Element, limits: Limits): Member<Element> {
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
