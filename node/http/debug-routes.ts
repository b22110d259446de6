import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { refuse, refuseForming } from './refusal.ts';
import { DEBUG_LOG, DEBUG_LOOP, DEBUG_PROFILE, DEBUG_RAFT } from './schemas/debug.ts';

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

/** `/debug/…`: what goes on inside this node, for whoever looks for a fault in it. Administrators only. */
export function debugRoutes(server: FastifyInstance, routes: DebugRoutes): void {
  const { member, loop, authorize } = routes;
  server.register(async (scope) => {
    scope.addHook('onRequest', authorize);
    scope.get(
      '/debug/raft',
      { schema: DEBUG_RAFT },
      (_, reply) => member()?.raft() ?? refuseForming(reply),
    );
    scope.get('/debug/loop', { schema: DEBUG_LOOP }, () => loop());
    scope.get<LogRoute>('/debug/log/:group', { schema: DEBUG_LOG }, async (request, reply) => {
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

/** Ends with the connection of whoever has asked. */
function profileRoute(scope: FastifyInstance, { profile, nodeName }: DebugRoutes): void {
  scope.get<{ Querystring: { seconds: number } }>(
    '/debug/profile',
    { schema: DEBUG_PROFILE },
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
