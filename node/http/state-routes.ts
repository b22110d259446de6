import type { FastifyInstance } from 'fastify';
import { refuse, refuseForming } from './refusal.ts';
import { CLUSTER, HEALTH, READINESS, WHERE } from './schemas/state.ts';

/** Why a node is not ready. */
export interface Missing {
  readonly code: 'FORMING' | 'UNAVAILABLE';
  readonly message: string;
}

export interface StateRoutes {
  readonly status: () => object;
  readonly where: (key: string) => object | undefined;
  readonly missing: () => Missing | undefined;
}

/** `GET /healthz` and `/readyz`, for everybody, `/v1/cluster` and `/v1/where?key=`. */
export function stateRoutes(
  server: FastifyInstance,
  { status, where, missing }: StateRoutes,
): void {
  const config = { isOpen: true };
  server.get('/healthz', { config, schema: HEALTH }, () => ({ status: 'ok' }));
  server.get('/readyz', { config, schema: READINESS }, (_, reply) => {
    const why = missing();
    return why === undefined ? { status: 'ready' } : refuse(reply, 503, why.code, why.message);
  });
  server.get('/v1/cluster', { schema: CLUSTER }, () => status());
  server.get<{ Querystring: { key: string } }>(
    '/v1/where',
    { schema: WHERE },
    (request, reply) => where(request.query.key) ?? refuseForming(reply),
  );
}
