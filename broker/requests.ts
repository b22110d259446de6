import { type GetOptions, type HistoryQuery, type ListQuery, UNITS_PER_MS } from './data-plane.ts';
import { type JsonObject, utf8Text } from './json.ts';
import { type Beside, NOTHING_BESIDE } from './publish-properties.ts';
import type { Refusal, RefusalCode } from './refusals.ts';
import {
  booleanMember,
  choiceMember,
  expectedVersionMember,
  keyMember,
  limitMember,
  type Member,
  TTL_OF_A_DELETE,
  timeMember,
  ttlMember,
  valueMember,
} from './request-members.ts';
import { readRequest } from './request-reader.ts';

/** What a client asked for by publishing to one of the verbs that answer. */
export type Request =
  | {
      readonly op: 'get';
      readonly key: Uint8Array;
      readonly options: GetOptions;
      readonly address: ReplyAddress;
    }
  | {
      readonly op: 'cas';
      readonly key: Uint8Array;
      /** Empty deletes. */
      readonly value: Uint8Array;
      /** null: the key must have no value. */
      readonly ifVersion: number | null;
      /** 0: for ever. */
      readonly ttlMs: number;
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
  /** Goes back with the answer. */
  readonly correlationData?: Uint8Array | undefined;
}

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: Request }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly id?: string | number;
    };

const REPAIR_OF_THE_PAST = '"consistency":"repair" is of the current value: leave out "at"';
/** Values are never newer than this. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER;

export function parseGet(
  key: Uint8Array,
  payload: Uint8Array,
  beside: Beside = NOTHING_BESIDE,
): ParsedRequest {
  return readRequest(payload, beside, ['id', 'consistency', 'at', 'reply'], (members, address) => {
    const consistency = members.take((object) =>
      choiceMember(object, 'consistency', ['strong', 'eventual', 'repair']),
    );
    const at = members.take((object) => timeMember(object, 'at'));
    if (consistency === 'repair' && at !== undefined) members.wrong ??= REPAIR_OF_THE_PAST;
    const options = {
      eventual: consistency === 'eventual',
      ...(consistency === 'repair' ? { repair: true } : {}),
      // Everything of the millisecond that was named.
      ...(at === undefined ? {} : { at: at + UNITS_PER_MS - 1 }),
    };
    return { op: 'get', key: key.slice(), options, address };
  });
}

export function parseCas(
  key: Uint8Array,
  payload: Uint8Array,
  beside: Beside = NOTHING_BESIDE,
): ParsedRequest {
  const allowed = ['id', 'if', 'value', 'base64', 'delete', 'ttl', 'reply'];
  return readRequest(payload, beside, allowed, (members, address) => {
    const ifVersion = members.take(expectedVersionMember);
    const value = members.take(valueMember);
    const ownTtlMs = members.take(ttlMember);
    const isDelete = value?.length === 0;
    if (ownTtlMs > 0 && isDelete) members.wrong ??= TTL_OF_A_DELETE;
    const ttlMs = ownTtlMs > 0 || isDelete ? ownTtlMs : beside.timing.ttlMs;
    return { op: 'cas', key: key.slice(), value, ifVersion, ttlMs, address };
  });
}

export function parseList(
  prefix: Uint8Array,
  payload: Uint8Array,
  beside: Beside = NOTHING_BESIDE,
): ParsedRequest {
  return readRequest(
    payload,
    beside,
    ['id', 'after', 'limit', 'values', 'reply'],
    (members, address) => {
      const after = members.take((object) => keyMember(object, 'after')) ?? NOTHING;
      const limit = members.take(limitMember);
      const values = members.take((object) => booleanMember(object, 'values'));
      return { op: 'list', query: { prefix: prefix.slice(), after, limit, values }, address };
    },
  );
}

export function parseRange(
  prefix: Uint8Array,
  payload: Uint8Array,
  beside: Beside = NOTHING_BESIDE,
): ParsedRequest {
  const allowed = ['id', 'from', 'to', 'limit', 'reverse', 'after', 'reply'];
  return readRequest(payload, beside, allowed, (members, address) => {
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

export function parseHistory(
  key: Uint8Array,
  payload: Uint8Array,
  beside: Beside = NOTHING_BESIDE,
): ParsedRequest {
  const allowed = ['id', 'from', 'to', 'limit', 'order', 'after', 'reply'];
  return readRequest(payload, beside, allowed, (members, address) => {
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

/** What a report about a write can say of it: a put is gone from memory when it fails, a request still knows. */
export function originOf(request: Request | undefined): Pick<Refusal, 'topic' | 'id'> {
  if (request?.op !== 'cas') return {};
  const { id } = request.address;
  return { topic: `dss/cas/${utf8Text(request.key)}`, ...(id === undefined ? {} : { id }) };
}

const NOTHING = new Uint8Array(0);
