import type { HistoryQuery, ListQuery } from './data-plane.ts';
import { type JsonObject, parseJsonObject } from './json.ts';
import type { RefusalCode } from './refusals.ts';
import {
  booleanMember,
  choiceMember,
  keyMember,
  limitMember,
  type Member,
  timeMember,
} from './request-members.ts';
import { isTopicName } from './topics.ts';

/** A read that a client asked for by publishing to one of the verbs that answer. */
export type Request =
  | {
      readonly op: 'get';
      readonly key: Uint8Array;
      /** In version units; undefined: now. */
      readonly at: number | undefined;
      readonly address: ReplyAddress;
    }
  | {
      /** `list` gives keys, and values if asked; `range` always gives values. */
      readonly op: 'list' | 'range';
      readonly query: ListQuery;
      readonly address: ReplyAddress;
    }
  | { readonly op: 'history'; readonly query: HistoryQuery; readonly address: ReplyAddress };

/** Where an answer goes and what the request called itself. */
export interface ReplyAddress {
  readonly id: string | number | undefined;
  /** An ordinary topic; undefined: `dss/reply/me` of the same connection. */
  readonly topic: string | undefined;
}

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: Request }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly id?: string | number;
    };

const ID_CHARACTERS_MAX = 256;
/** Values are never newer than this. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER;

export function parseGet(key: Uint8Array, payload: Uint8Array): ParsedRequest {
  return parseRequest(payload, ['id', 'consistency', 'at', 'reply'], (members, address) => {
    members.take((object) => choiceMember(object, 'consistency', ['strong', 'eventual']));
    const at = members.take((object) => timeMember(object, 'at'));
    // Everything of the millisecond that was named.
    return { op: 'get', key: key.slice(), at: at === undefined ? undefined : at + 4095, address };
  });
}

export function parseList(prefix: Uint8Array, payload: Uint8Array): ParsedRequest {
  return parseRequest(payload, ['id', 'after', 'limit', 'values', 'reply'], (members, address) => {
    const after = members.take((object) => keyMember(object, 'after')) ?? NOTHING;
    const limit = members.take(limitMember);
    const values = members.take((object) => booleanMember(object, 'values'));
    return { op: 'list', query: { prefix: prefix.slice(), after, limit, values }, address };
  });
}

export function parseRange(prefix: Uint8Array, payload: Uint8Array): ParsedRequest {
  const allowed = ['id', 'from', 'to', 'limit', 'reverse', 'after', 'reply'];
  return parseRequest(payload, allowed, (members, address) => {
    const from = members.take((object) => keyMember(object, 'from'));
    const to = members.take((object) => keyMember(object, 'to'));
    const query = {
      prefix: prefix.slice(),
      after: members.take((object) => keyMember(object, 'after')) ?? NOTHING,
      limit: members.take(limitMember),
      values: true,
      reverse: members.take((object) => booleanMember(object, 'reverse')),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
    return { op: 'range', query, address };
  });
}

export function parseHistory(key: Uint8Array, payload: Uint8Array): ParsedRequest {
  const allowed = ['id', 'from', 'to', 'limit', 'order', 'after', 'reply'];
  return parseRequest(payload, allowed, (members, address) => {
    const from = members.take((object) => timeMember(object, 'from')) ?? 0;
    const to = members.take((object) => timeMember(object, 'to')) ?? END_OF_TIME;
    const limit = members.take(limitMember);
    const ascending =
      members.take((object) => choiceMember(object, 'order', ['desc', 'asc'])) === 'asc';
    const after = members.take(historyCursor);
    const start = ascending && after !== undefined ? Math.max(from, after + 1) : from;
    const end = !ascending && after !== undefined ? Math.min(to, after) : to;
    const query = { key: key.slice(), from: start, to: end, limit, ascending };
    return { op: 'history', query, address };
  });
}

/** Where a page of history ended: the exact time of its last value, which milliseconds would round. */
function historyCursor({ after }: JsonObject): Member<number | undefined> {
  if (after === undefined) return { value: undefined };
  const time = typeof after === 'string' && /^\d{1,16}$/.test(after) ? Number(after) : Number.NaN;
  if (Number.isSafeInteger(time)) return { value: time };
  return { wrong: '"after" must be what "next" of the page before said' };
}

/** Reads members one by one and remembers the first that is wrong. */
class Members {
  readonly #object: JsonObject;
  wrong: string | undefined;

  constructor(object: JsonObject) {
    this.#object = object;
  }

  /** The value; a wrong one is never used, as the request is refused. */
  take<T>(read: (object: JsonObject) => Member<T>): T {
    const member = read(this.#object);
    if ('value' in member) return member.value;
    this.wrong ??= member.wrong;
    return undefined as T;
  }
}

function parseRequest(
  payload: Uint8Array,
  allowed: readonly string[],
  read: (members: Members, address: ReplyAddress) => Request,
): ParsedRequest {
  const parsed = parseJsonObject(payload);
  if (parsed.kind === 'malformed') {
    return { kind: 'refused', code: 'MALFORMED_JSON', message: parsed.message };
  }
  const { id, reply } = parsed.object;
  const invalid = (message: string): ParsedRequest => {
    const known = typeof id === 'string' || typeof id === 'number' ? { id } : {};
    return { kind: 'refused', code: 'INVALID_REQUEST', message, ...known };
  };
  const unknown = Object.keys(parsed.object).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    return invalid(`unknown member "${unknown}"; allowed are ${allowed.join(', ')}`);
  }
  const idIsText = typeof id === 'string' && id.length <= ID_CHARACTERS_MAX;
  if (id !== undefined && !idIsText && typeof id !== 'number') {
    return invalid(`"id" must be a number or a string of at most ${ID_CHARACTERS_MAX} characters`);
  }
  if (reply !== undefined && (typeof reply !== 'string' || !mayReplyTo(reply))) {
    return invalid(
      '"reply" must be a topic without wildcards that begins neither with dss/ nor with $',
    );
  }
  const topic = reply === 'dss/reply/me' ? undefined : (reply as string | undefined);
  const members = new Members(parsed.object);
  const request = read(members, { id: id as string | number | undefined, topic });
  return members.wrong === undefined ? { kind: 'request', request } : invalid(members.wrong);
}

/** Answers enter ordinary MQTT, never our own topics: there they could trigger further requests. */
function mayReplyTo(topic: string): boolean {
  if (topic === 'dss/reply/me') return true;
  const bytes = Buffer.from(topic);
  if (bytes.length > 0xffff || !isTopicName(bytes, 0, bytes.length)) return false;
  return !topic.startsWith('dss/') && !topic.startsWith('$') && topic.split('/').length <= 100;
}

const NOTHING = new Uint8Array(0);
