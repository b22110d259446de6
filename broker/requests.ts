import type { DataPlane, StoredValue } from './data-plane.ts';
import { versionToUnixMs } from './data-plane.ts';
import { type JsonObject, parseJsonObject, utf8Text, valueMembers } from './json.ts';
import type { RefusalCode } from './refusals.ts';
import { isTopicName } from './topics.ts';

/** A read that a client asked for by publishing to `dss/get/…` or `dss/list…`. */
export type Request =
  | { readonly op: 'get'; readonly key: Uint8Array; readonly address: ReplyAddress }
  | {
      readonly op: 'list';
      readonly prefix: Uint8Array;
      readonly after: Uint8Array;
      readonly limit: number;
      readonly values: boolean;
      readonly address: ReplyAddress;
    };

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

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
/** A page ends early when its JSON would grow beyond this: clients have packet limits, too. */
const PAGE_BYTES_MAX = 1024 * 1024;
const ID_CHARACTERS_MAX = 256;
const KEY_BYTES_MAX = 0xffff;

export function parseGet(key: Uint8Array, payload: Uint8Array): ParsedRequest {
  return parseRequest(payload, ['id', 'consistency', 'reply'], (object, address) => {
    const { consistency } = object;
    if (consistency !== undefined && consistency !== 'strong' && consistency !== 'eventual') {
      return '"consistency" must be "strong" or "eventual"';
    }
    return { op: 'get', key: key.slice(), address };
  });
}

export function parseList(prefix: Uint8Array, payload: Uint8Array): ParsedRequest {
  return parseRequest(payload, ['id', 'after', 'limit', 'values', 'reply'], (object, address) => {
    const { after = '', limit = LIMIT_DEFAULT, values = false } = object;
    if (typeof after !== 'string' || Buffer.byteLength(after) > KEY_BYTES_MAX) {
      return '"after" must be a key, as a string';
    }
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
      return `"limit" must be a whole number from 1 to ${LIMIT_MAX}`;
    }
    if (typeof values !== 'boolean') return '"values" must be true or false';
    return {
      op: 'list',
      prefix: prefix.slice(),
      after: Buffer.from(after),
      limit,
      values,
      address,
    };
  });
}

function parseRequest(
  payload: Uint8Array,
  allowed: readonly string[],
  read: (object: JsonObject, address: ReplyAddress) => Request | string,
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
  const request = read(parsed.object, { id: id as string | number | undefined, topic });
  return typeof request === 'string' ? invalid(request) : { kind: 'request', request };
}

/** Answers enter ordinary MQTT, never our own topics: there they could trigger further requests. */
function mayReplyTo(topic: string): boolean {
  if (topic === 'dss/reply/me') return true;
  const bytes = Buffer.from(topic);
  if (bytes.length > 0xffff || !isTopicName(bytes, 0, bytes.length)) return false;
  return !topic.startsWith('dss/') && !topic.startsWith('$') && topic.split('/').length <= 100;
}

/** Carries a request out. Resolves with the answer's JSON; rejects only if the data plane does. */
export async function answer(dataPlane: DataPlane, request: Request): Promise<object> {
  return request.op === 'get' ? answerGet(dataPlane, request) : answerList(dataPlane, request);
}

/** The answer when the data plane is not able to give one. */
export function unavailable(request: Request): object {
  return { ...opening(request), ok: false, error: 'UNAVAILABLE' };
}

async function answerGet(
  dataPlane: DataPlane,
  request: Extract<Request, { op: 'get' }>,
): Promise<object> {
  const outcome = await dataPlane.get(request.key);
  if (outcome.kind === 'unavailable') return unavailable(request);
  if (outcome.kind === 'not-found') return { ...opening(request), ok: false, error: 'NOT_FOUND' };
  return {
    ...opening(request),
    ok: true,
    ...valueDescription(outcome),
    ...valueMembers(outcome.value),
  };
}

async function answerList(
  dataPlane: DataPlane,
  request: Extract<Request, { op: 'list' }>,
): Promise<object> {
  const { prefix, after, limit, values } = request;
  const outcome = await dataPlane.list({ prefix, after, limit, values });
  if (outcome.kind === 'unavailable') return unavailable(request);
  const items: object[] = [];
  const keys: string[] = [];
  let bytes = 0;
  for (const item of outcome.items) {
    bytes += item.key.length + item.value.length;
    if (bytes > PAGE_BYTES_MAX && keys.length > 0) break;
    const key = utf8Text(item.key);
    keys.push(key);
    if (values) items.push({ key, ...valueDescription(item), ...valueMembers(item.value) });
  }
  const more = outcome.more || keys.length < outcome.items.length;
  const page = { more, next: more ? (keys.at(-1) ?? null) : null };
  return { ...opening(request), ok: true, ...(values ? { items } : { keys }), ...page };
}

function opening(request: Request): object {
  const { id } = request.address;
  const named = id === undefined ? {} : { id };
  if (request.op === 'get') return { ...named, op: 'get', key: utf8Text(request.key) };
  return { ...named, op: 'list', prefix: utf8Text(request.prefix) };
}

function valueDescription(item: StoredValue): { version: number; time: number } {
  return { version: item.version, time: versionToUnixMs(item.time) };
}
