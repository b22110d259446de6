import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { oneWrite } from '../../broker/batch.ts';
import type { RequestContext } from '../../broker/context.ts';
import { type StoredValue, versionToUnixMs } from '../../broker/data-plane.ts';
import { utf8Text } from '../../broker/json.ts';
import { forbiddenIn, forbiddenToWrite } from '../../broker/permissions.ts';
import { type Timing, ttlMember, unixMsMember } from '../../broker/request-members.ts';
import { parseGet, type Request } from '../../broker/requests.ts';
import { answer } from './answer.ts';
import { etagOf, expectedVersion, isKnown } from './preconditions.ts';
import { refuse, refuseFull, refuseRequest, refuseUnread, refuseWrite } from './refusal.ts';
import {
  accessOf,
  bodyOf,
  keyInPath,
  payloadOf,
  plainValue,
  type Query,
  takeRawBodies,
} from './requests.ts';
import { DELETE_VALUE, GET_VALUE, PUT_VALUE } from './schemas/kv.ts';
import type { HttpWrites } from './writes.ts';

const PATH = '/v1/kv/';
/** Whether a value is JSON is looked at up to this size. */
const JSON_BYTES_MAX = 64 * 1024;
const BEGINS_JSON = /[\s{["\dtfn-]/;

interface KeyQuery {
  Querystring: Query;
}
type KeyRequest = FastifyRequest<KeyQuery>;

/** `/v1/kv/<key>`: one value, as it is. Its version is its entity tag. */
export function kvRoutes(
  server: FastifyInstance,
  context: RequestContext,
  writes: HttpWrites,
): void {
  server.register(async (scope) => {
    takeRawBodies(scope, context.limits.valueBytesMax);
    scope.get<KeyQuery>(`${PATH}*`, { schema: GET_VALUE }, (request, reply) =>
      getValue(context, request, reply),
    );
    scope.put<KeyQuery>(`${PATH}*`, { schema: PUT_VALUE }, (request, reply) => {
      const value = bodyOf(request);
      if (value.length > 0) return putOrDelete({ context, writes, request, reply }, value);
      return refuse(reply, 400, 'INVALID_REQUEST', 'an empty body is no value; DELETE deletes');
    });
    scope.delete<KeyQuery>(`${PATH}*`, { schema: DELETE_VALUE }, (request, reply) =>
      putOrDelete({ context, writes, request, reply }, NOTHING),
    );
  });
}

async function getValue(
  context: RequestContext,
  request: KeyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const key = keyInPath(request.url, PATH, context.limits);
  if ('wrong' in key) return refuse(reply, 400, 'INVALID_KEY', key.wrong);
  const parsed = parseGet(key.value, payloadOf(request.query));
  if (parsed.kind === 'refused') return refuseRequest(reply, parsed);
  const why = forbiddenIn(accessOf(request), parsed, key.value);
  if (why !== undefined) return refuseRequest(reply, why);
  context.counters.requests += 1;
  const { options } = parsed.request as Extract<Request, { op: 'get' }>;
  const outcome = await context.dataPlane.get(key.value, options);
  switch (outcome.kind) {
    case 'unavailable':
      return refuseUnread(reply);
    case 'not-found':
      return refuse(reply, 404, 'NOT_FOUND', `${utf8Text(key.value)} has no value`);
    case 'found':
      return sendValue(request, reply, outcome);
  }
}

function sendValue(request: KeyRequest, reply: FastifyReply, found: StoredValue): FastifyReply {
  const { value, version, time, expiresAt } = found;
  const headers = [
    'etag',
    etagOf(version),
    'dss-version',
    `${version}`,
    'dss-time',
    rfc3339(time),
    'cache-control',
    'no-cache',
  ];
  if (expiresAt !== undefined) headers.push('dss-expires', rfc3339(expiresAt));
  if (isKnown(request.headers, version)) return answer(reply, 304, headers);
  headers.push('content-type', isJson(value) ? 'application/json' : 'application/octet-stream');
  return answer(reply, 200, headers, value);
}

/** What a PUT or DELETE and those who answer it need. */
interface Asked {
  readonly context: RequestContext;
  readonly writes: HttpWrites;
  readonly request: KeyRequest;
  readonly reply: FastifyReply;
}

/** An empty value deletes. Where nothing is returned, the outcome answers. */
function putOrDelete(
  asked: Asked,
  value: Uint8Array,
): Promise<FastifyReply> | FastifyReply | undefined {
  const { context, writes, request, reply } = asked;
  const write = readWrite(asked, value);
  if ('wrong' in write) return refuse(reply, 400, write.code, write.wrong);
  const { key, timing, ifVersion } = write;
  if (ifVersion !== undefined) return compareAndSet(asked, { ...write, value, ifVersion });
  const why = forbiddenToWrite(accessOf(request), key, 0, key.length);
  if (why !== undefined) return refuseRequest(reply, why);
  if (writes.isFull) return refuseFull(reply);
  const batch = oneWrite(key, value, timing, context.env.clock.nowMs());
  context.counters.timesNotBelieved += batch.timesNotBelieved;
  for (const each of batch.writes) {
    writes.write(each, (outcome) => {
      if (outcome.kind === 'stored') sendStored(reply, value, outcome);
      else refuseWrite(reply, outcome.failure);
    });
  }
  return undefined;
}

interface AskedWrite {
  readonly key: Uint8Array;
  readonly timing: Timing;
  /** As `expectedVersion` says. */
  readonly ifVersion: number | null | undefined;
}

interface WrongWrite {
  readonly code: 'INVALID_KEY' | 'INVALID_REQUEST';
  readonly wrong: string;
}

function readWrite({ context, request }: Asked, value: Uint8Array): AskedWrite | WrongWrite {
  const key = keyInPath(request.url, PATH, context.limits);
  if ('wrong' in key) return { code: 'INVALID_KEY', ...key };
  const code = 'INVALID_REQUEST';
  const { time, ttl } = request.query;
  const unixMs = unixMsMember({ time: plainValue(time) }, 'time');
  if ('wrong' in unixMs) return { code, ...unixMs };
  const ttlMs = ttlMember({ ttl: plainValue(ttl) });
  if ('wrong' in ttlMs) return { code, ...ttlMs };
  const ifVersion = expectedVersion(request.headers);
  if ('wrong' in ifVersion) return { code, ...ifVersion };
  if (ifVersion.value === null && value.length === 0) {
    return { code, wrong: 'what does not exist cannot be deleted: leave out If-None-Match' };
  }
  if (ifVersion.value !== undefined && unixMs.value !== undefined) {
    return {
      code,
      wrong:
        'a value with a time of its own may be older than the current one, which a condition is about: leave one of them out',
    };
  }
  const timing = { unixMs: unixMs.value, ttlMs: ttlMs.value };
  return { key: key.value, timing, ifVersion: ifVersion.value };
}

async function compareAndSet(
  { context, request, reply }: Asked,
  {
    key,
    value,
    timing: { ttlMs },
    ifVersion,
  }: AskedWrite & { readonly value: Uint8Array; readonly ifVersion: number | null },
): Promise<FastifyReply> {
  const asked = { op: 'cas', key, value, ifVersion, ttlMs, address: NO_ADDRESS } as const;
  const why = forbiddenIn(accessOf(request), { kind: 'request', request: asked }, key);
  if (why !== undefined) return refuseRequest(reply, why);
  context.counters.requests += 1;
  const outcome = await context.dataPlane.compareAndSet({ ...asked, token: undefined });
  switch (outcome.kind) {
    case 'won':
      return sendStored(reply, value, outcome);
    case 'failed':
      return refuseWrite(reply, outcome.failure);
    case 'lost': {
      const { version } = outcome;
      if (version !== null) reply.header('etag', etagOf(version));
      const is = version === null ? 'it has no value' : `its version is ${version}`;
      return refuse(reply, 412, 'VERSION_MISMATCH', `${utf8Text(key)} is not as expected: ${is}`);
    }
  }
}

/** What is deleted has a version, but nothing that an entity tag could be of. */
function sendStored(
  reply: FastifyReply,
  value: Uint8Array,
  { version, expiresAt }: { readonly version: number; readonly expiresAt?: number | undefined },
): FastifyReply {
  const headers = ['dss-version', `${version}`];
  if (value.length > 0) headers.push('etag', etagOf(version));
  if (expiresAt !== undefined) headers.push('dss-expires', rfc3339(expiresAt));
  return answer(reply, 204, headers);
}

function rfc3339(time: number): string {
  return new Date(versionToUnixMs(time)).toISOString();
}

function isJson(value: Uint8Array): boolean {
  const { length } = value;
  if (length > JSON_BYTES_MAX || !BEGINS_JSON.test(String.fromCharCode(value[0] ?? 0)))
    return false;
  if (!isUtf8(value)) return false;
  try {
    JSON.parse(utf8Text(value));
    return true;
  } catch {
    return false;
  }
}

const NO_ADDRESS = { id: undefined, topic: undefined };
const NOTHING = new Uint8Array(0);
