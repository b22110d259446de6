import { type ParsedBatch, parseBatch } from './batch.ts';
import type { BrokerLimits } from './limits.ts';
import type { RefusalCode } from './refusals.ts';
import {
  type ParsedRequest,
  parseCas,
  parseGet,
  parseHistory,
  parseList,
  parseRange,
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
  | Extract<ParsedBatch, { kind: 'batch' }>
  | { readonly kind: 'request'; readonly request: Request }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly id?: string | number;
    };

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
  const rest = buffer.subarray(restStart, range.topicEnd);
  const payload = buffer.subarray(range.payloadStart, range.payloadEnd);
  if (verb === 'batch') return parseBatch(rest, payload, limits, nowMs);
  if (verb === 'cas') return casWithin(parseCas(rest, payload), limits);
  if (verb === 'get') return parseGet(rest, payload);
  if (verb === 'list') return parseList(rest, payload);
  if (verb === 'range') return parseRange(rest, payload);
  if (verb === 'history') return parseHistory(rest, payload);
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
