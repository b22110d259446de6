import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Access, maySubscribe } from '../../broker/access.ts';
import type { RequestContext } from '../../broker/context.ts';
import { forbiddenToRead } from '../../broker/permissions.ts';
import { isTopicFilter } from '../../broker/topics.ts';
import { refuseForming, refuseRequest } from './refusal.ts';
import { accessOf, type Query } from './requests.ts';
import { WATCH } from './schemas/watch.ts';
import { decodePosition, encodePosition } from './watch-position.ts';
import { WatchStream } from './watch-stream.ts';

export interface WatchRoutes {
  readonly context: RequestContext;
  /** The id of the cluster; undefined until the node has joined. */
  readonly cluster: () => string | undefined;
}

/** Of one node. */
const WATCHES_MAX = 1_000;
/** After a broken connection a browser waits so long. */
const RETRY_MS = 2_000;
const HEAD = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies that gather answers must not gather this one.
  'x-accel-buffering': 'no',
};

/** `GET /v1/watch?filter=`: current values and every change as server-sent events. */
export function watchRoutes(server: FastifyInstance, { context, cluster }: WatchRoutes): void {
  let watches = 0;
  const options = { schema: WATCH, exposeHeadRoute: false };
  server.get<{ Querystring: Query }>('/v1/watch', options, (request, reply) => {
    const { filter = '' } = request.query;
    const access = accessOf(request);
    const clusterId = cluster();
    if (clusterId === undefined) return refuseForming(reply);
    const refusal = refusalOf(filter, access, context);
    if (refusal !== undefined) return refuseRequest(reply, refusal);
    if (watches >= WATCHES_MAX) {
      const message = `a node serves at most ${WATCHES_MAX} watches over HTTP: ask another node`;
      return refuseRequest(reply, { code: 'TOO_MANY_WATCHES', message });
    }
    watches += 1;
    reply.raw.once('close', () => {
      watches -= 1;
    });
    open(context, request, reply, { cluster: clusterId, user: access.user, filter });
    return undefined;
  });
}

function refusalOf(filter: string, access: Access, { limits }: RequestContext) {
  if (!isTopicFilter(filter) || filter.split('/').length > limits.topicLevelsMax) {
    const message = `"filter" must be an MQTT filter over keys of at most ${limits.topicLevelsMax} levels, such as plant1/#`;
    return { code: 'INVALID_FILTER', message } as const;
  }
  if (maySubscribe(access, `dss/value/${filter}`)) return undefined;
  return forbiddenToRead(access, filter);
}

function open(
  context: RequestContext,
  request: FastifyRequest,
  reply: FastifyReply,
  watched: { readonly cluster: string; readonly user: string; readonly filter: string },
): void {
  const { env, dataPlane } = context;
  const access = accessOf(request);
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, HEAD);
  const stream = new WatchStream(context, {
    write: (text) => raw.write(text),
    overflowed: () => raw.destroy(),
    position: () => encodePosition(watched, watch.position(), env.clock.nowMs()),
  });
  raw.on('drain', () => stream.drained());
  raw.write(`retry: ${RETRY_MS}\n\n`);
  const id = request.headers['last-event-id'];
  const lastId = typeof id === 'string' ? id : undefined;
  const after = decodePosition(watched, lastId, env.clock.nowMs());
  if (after === undefined) stream.beginSnapshot();
  const isChecked = access.readable(watched.filter) !== 'all';
  const mayRead = (key: Uint8Array) => !isChecked || access.mayReadKey(key, 0, key.length);
  const watch = dataPlane.watch(
    watched.filter,
    {
      value: (item) => (mayRead(item.key) ? stream.value(item) : undefined),
      snapshotDone: () => stream.snapshotDone(),
    },
    after,
  );
  raw.once('close', () => {
    watch.close();
    stream.close();
  });
}
