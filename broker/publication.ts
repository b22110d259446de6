import { isUtf8 } from 'node:buffer';
import { oneWrite, type ParsedBatch, parseBatch } from './batch.ts';
import { utf8Text } from './json.ts';
import type { BrokerLimits } from './limits.ts';
import type { Properties } from './mqtt5/properties.ts';
import { type Beside, NOTHING_BESIDE, readBeside } from './publish-properties.ts';
import type { RefusalCode } from './refusals.ts';
import {
  type ParsedRequest,
  parseCas,
  parseGet,
  parseHistory,
  parseList,
  parseRange,
  type ReplyAddress,
  type Request,
} from './requests.ts';
import { parseOurTopic, VERBS, type Verb } from './topics.ts';

/** What a PUBLISH to one of our topics asks for. Ranges are of the buffer it was read from. */
export type Publication =
  | {
      readonly kind: 'write';
      readonly keyStart: number;
      readonly keyEnd: number;
      readonly valueStart: number;
      readonly valueEnd: number;
    }
  | (Extract<ParsedBatch, { kind: 'batch' }> & { readonly answer?: WriteAnswer })
  | { readonly kind: 'request'; readonly request: Request }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly id?: string | number;
    };

/** Whoever wrote wants to be told more than that it is stored. */
export interface WriteAnswer {
  readonly op: 'put' | 'delete' | 'batch';
  /** The key, of a batch the prefix. */
  readonly name: string;
  readonly address: ReplyAddress;
}

/** Where a PUBLISH lies in its buffer. The payload ends with the packet. */
export interface PublishRange {
  readonly topicStart: number;
  readonly topicEnd: number;
  readonly payloadStart: number;
  /** May lie beyond the buffer when the payload is too large to be looked at. */
  readonly payloadEnd: number;
}

/** Verbs whose topic may end here: they speak of all keys then. */
const TAKES_PREFIX: ReadonlySet<Verb> = new Set(['list', 'range', 'batch']);

type Limits = Pick<BrokerLimits, 'keyBytesMax' | 'valueBytesMax'>;

/** Reads a PUBLISH whose topic begins with `dss/` (DESIGN §7). `nowMs` is the wall clock's. */
export function readPublication(
  buffer: Uint8Array,
  range: PublishRange,
  limits: Limits,
  nowMs: number,
  properties?: Properties,
): Publication {
  const topic = parseOurTopic(buffer, range.topicStart, range.topicEnd);
  if (topic.kind === 'reserved') {
    return refused(
      'RESERVED_TOPIC',
      `dss/${topic.name} is published by the cluster itself; to store a value publish to dss/put/<key>`,
    );
  }
  if (topic.kind === 'unknown') {
    return refused('UNKNOWN_VERB', `there is no dss/${topic.name}; ${verbsOffered()}`);
  }
  const { verb, restStart } = topic;
  if (!VERBS[verb].supported) {
    return refused('NOT_SUPPORTED', `dss/${verb} is not supported yet; ${verbsOffered()}`);
  }
  const invalid =
    keyRefusal(range.topicEnd - restStart, TAKES_PREFIX.has(verb), limits) ??
    sizeRefusal(range.payloadEnd - range.payloadStart, limits);
  if (invalid !== undefined) return invalid;
  const beside = properties === undefined ? NOTHING_BESIDE : readBeside(properties);
  if ('wrong' in beside) return refused('INVALID_REQUEST', beside.wrong);
  const rest = buffer.subarray(restStart, range.topicEnd);
  const payload = buffer.subarray(range.payloadStart, range.payloadEnd);
  if (properties?.payloadFormat === 1 && !isUtf8(payload)) {
    return refused('MALFORMED_TEXT', 'the payload is said to be UTF-8, and is not');
  }
  if (verb === 'cas') return casWithin(parseCas(rest, payload, beside), limits);
  if (verb === 'get') return parseGet(rest, payload, beside);
  if (verb === 'list') return parseList(rest, payload, beside);
  if (verb === 'range') return parseRange(rest, payload, beside);
  if (verb === 'history') return parseHistory(rest, payload, beside);
  if (verb === 'batch') {
    const batch = parseBatch(rest, payload, limits, nowMs, beside.timing);
    return batch.kind === 'refused' ? batch : answered(batch, verb, rest, beside);
  }
  const { timing, reply } = beside;
  const op = verb === 'delete' ? 'delete' : 'put';
  if (reply !== undefined || timing.unixMs !== undefined || timing.ttlMs > 0) {
    const value = verb === 'delete' ? payload.subarray(0, 0) : payload;
    return answered(oneWrite(rest.slice(), value.slice(), timing, nowMs), op, rest, beside);
  }
  // An empty value deletes; the payload of a delete is ignored.
  const valueStart = verb === 'delete' ? range.payloadEnd : range.payloadStart;
  return {
    kind: 'write',
    keyStart: restStart,
    keyEnd: range.topicEnd,
    valueStart,
    valueEnd: range.payloadEnd,
  };
}

/** Only a Response Topic asks for an answer to a write. */
function answered(
  batch: Extract<ParsedBatch, { kind: 'batch' }>,
  op: WriteAnswer['op'],
  name: Uint8Array,
  { reply, correlationData }: Beside,
): Publication {
  if (reply === undefined) return batch;
  const address = { id: undefined, topic: reply.topic, correlationData };
  return { ...batch, answer: { op, name: utf8Text(name), address } };
}

function keyRefusal(
  keyBytes: number,
  mayBeEmpty: boolean,
  limits: Limits,
): Publication | undefined {
  if (keyBytes === 0 && !mayBeEmpty) {
    return refused('INVALID_KEY', 'the key is empty; a topic is dss/<verb>/<key>');
  }
  if (keyBytes <= limits.keyBytesMax) return undefined;
  return refused(
    'INVALID_KEY',
    `the key has ${keyBytes} bytes; at most ${limits.keyBytesMax} are allowed`,
  );
}

function sizeRefusal(payloadBytes: number, limits: Limits): Publication | undefined {
  if (payloadBytes <= limits.valueBytesMax) return undefined;
  return refused(
    'VALUE_TOO_LARGE',
    `the payload has ${payloadBytes} bytes; at most ${limits.valueBytesMax} are allowed`,
  );
}

/** JSON text may be longer than what it was read from: `1e20` is stored as 21 digits. */
function casWithin(parsed: ParsedRequest, limits: Limits): Publication {
  if (parsed.kind === 'refused' || parsed.request.op !== 'cas') return parsed;
  return sizeRefusal(parsed.request.value.length, limits) ?? parsed;
}

function verbsOffered(): string {
  const offered = Object.entries(VERBS).filter(([, { supported }]) => supported);
  return `publish to one of ${offered.map(([verb]) => `dss/${verb}`).join(', ')}`;
}

function refused(code: RefusalCode, message: string): Publication {
  return { kind: 'refused', code, message };
}
