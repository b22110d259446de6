import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { refuse, refuseForming } from './refusal.ts';

export interface DebugRoutes {
  /** Undefined until the node has joined. */
  readonly member: () => DebuggedMember | undefined;
  readonly loop: () => object;
  /** Undefined: one is being taken already. What there is until `signal` is aborted will do. */
  readonly profile: (seconds: number, signal: AbortSignal) => Promise<object | undefined>;
  readonly nodeName: string;
  /** Sends the answer itself to whoever is no administrator. */
  readonly authorize: onRequestAsyncHookHandler;
}

interface DebuggedMember {
  readonly raft: () => object;
  /** Undefined: this node has no replica of the group. */
  readonly log: (group: number, range: LogRange) => Promise<object | undefined>;
}

export interface LogRange {
  /** Undefined: the last `limit` entries. */
  readonly from: number | undefined;
  readonly limit: number;
}

interface LogRoute {
  Params: { group: number };
  Querystring: { from?: number; limit: number };
}

const PROFILE_SECONDS_MAX = 60;
const LOG_ENTRIES_MAX = 1_000;

/** `/debug/…`: what goes on inside this node, for whoever looks for a fault in it. Administrators only. */
export function debugRoutes(server: FastifyInstance, routes: DebugRoutes): void {
  const { member, loop, authorize } = routes;
  server.register(async (scope) => {
    scope.addHook('onRequest', authorize);
    scope.get('/debug/raft', (_, reply) => member()?.raft() ?? refuseForming(reply));
    scope.get('/debug/loop', () => loop());
    scope.get<LogRoute>('/debug/log/:group', { schema: logSchema }, async (request, reply) => {
      const { group } = request.params;
      const { from, limit } = request.query;
      const debugged = member();
      if (debugged === undefined) return refuseForming(reply);
      const document = await debugged.log(group, { from, limit });
      if (document !== undefined) return document;
      return refuse(reply, 404, 'NOT_FOUND', `this node has no replica of group ${group}`);
    });
    profileRoute(scope, routes);
  });
}

const logSchema = {
  params: { type: 'object', properties: { group: { type: 'integer', minimum: 0 } } },
  querystring: {
    type: 'object',
    properties: {
      from: { type: 'integer', minimum: 1 },
      limit: { type: 'integer', minimum: 1, maximum: LOG_ENTRIES_MAX, default: 100 },
    },
  },
};

/** Ends with the connection of whoever has asked. */
function profileRoute(scope: FastifyInstance, { profile, nodeName }: DebugRoutes): void {
  scope.get<{ Querystring: { seconds: number } }>(
    '/debug/profile',
    {
      schema: {
        querystring: {
          type: 'object',
          properties: {
            seconds: { type: 'number', minimum: 0.1, maximum: PROFILE_SECONDS_MAX, default: 10 },
          },
        },
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.on('close', () => gone.abort());
      const taken = await profile(request.query.seconds, gone.signal);
      if (taken === undefined) {
        return refuse(reply, 409, 'CONFLICT', 'a profile is being taken already: try again later');
      }
      reply.header('content-disposition', `attachment; filename="${nodeName}.cpuprofile"`);
      return reply.type('application/json').send(JSON.stringify(taken));
    },
  );
}
