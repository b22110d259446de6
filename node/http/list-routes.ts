import type { FastifyInstance, FastifyReply } from 'fastify';
import { answer, pageOf } from '../../broker/answers.ts';
import type { RequestContext } from '../../broker/context.ts';
import type { ListQuery } from '../../broker/data-plane.ts';
import { utf8Text } from '../../broker/json.ts';
import { forbiddenIn } from '../../broker/permissions.ts';
import { parseHistory, parseRange, type Request } from '../../broker/requests.ts';
import { describeStored, describeTimes } from '../../broker/value-json.ts';
import { refuse, refuseRequest, refuseUnread } from './refusal.ts';
import { accessOf, keyInPath, keyOf, payloadOf, type Query } from './requests.ts';
import { GET_HISTORY, LIST_KEYS } from './schemas/list.ts';

const HISTORY_PATH = '/v1/history/';
/** Names of keys and cursors, which may look like numbers. */
const TEXTS = ['from', 'to', 'after'];
const NO_CLIENT = { userName: '', clientId: '', connection: '' };

interface QueryOnly {
  Querystring: Query;
}

/** `GET /v1/kv`: keys and values in order. `GET /v1/history/<key>`: what a key has held. */
export function listRoutes(server: FastifyInstance, context: RequestContext): void {
  server.get<QueryOnly>('/v1/kv', { schema: LIST_KEYS }, async (request, reply) => {
    const { prefix = '', values = 'true', ...query } = request.query;
    const start = prefix === '' ? { value: NOTHING } : keyOf(prefix, context.limits);
    if ('wrong' in start) return refuse(reply, 400, 'INVALID_KEY', `"prefix": ${start.wrong}`);
    const parsed = parseRange(start.value, payloadOf(query, TEXTS));
    if (parsed.kind === 'refused') return refuseRequest(reply, parsed);
    const why = forbiddenIn(accessOf(request), parsed, start.value);
    if (why !== undefined) return refuseRequest(reply, why);
    const { query: range } = parsed.request as Extract<Request, { op: 'list' | 'range' }>;
    return list(context, { ...range, values: values === 'true' }, reply);
  });

  server.get<QueryOnly>(`${HISTORY_PATH}*`, { schema: GET_HISTORY }, async (request, reply) => {
    const key = keyInPath(request.url, HISTORY_PATH, context.limits);
    if ('wrong' in key) return refuse(reply, 400, 'INVALID_KEY', key.wrong);
    const parsed = parseHistory(key.value, payloadOf(request.query, ['after']));
    if (parsed.kind === 'refused') return refuseRequest(reply, parsed);
    const why = forbiddenIn(accessOf(request), parsed, key.value);
    if (why !== undefined) return refuseRequest(reply, why);
    const answered = await answer(context, NO_CLIENT, parsed.request);
    const { reply: history } = answered as { readonly reply: { readonly ok?: boolean } };
    return history.ok === true ? history : refuseUnread(reply);
  });
}

async function list(
  { dataPlane, counters }: RequestContext,
  query: ListQuery,
  reply: FastifyReply,
) {
  counters.requests += 1;
  const outcome = await dataPlane.list(query);
  if (outcome.kind === 'unavailable') return refuseUnread(reply);
  const { items, more, next } = pageOf(outcome);
  const describe = query.values ? describeStored : describeTimes;
  return {
    items: items.map((item) => ({ key: utf8Text(item.key), ...describe(item) })),
    more,
    next,
  };
}

const NOTHING = new Uint8Array(0);
