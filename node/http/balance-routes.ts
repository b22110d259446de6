import type { FastifyInstance } from 'fastify';
import type { BalanceView } from '../balance/view.ts';
import { refuseForming } from './refusal.ts';
import { EVENTS, MOVES } from './schemas/state.ts';

/** `GET /v1/moves` and `GET /v1/events`: what moves between nodes, and what has; the same at any node. */
export function balanceRoutes(
  server: FastifyInstance,
  /** Undefined until the node has joined. */
  view: () => BalanceView | undefined,
): void {
  server.get('/v1/moves', { schema: MOVES }, (_, reply) => view()?.moves() ?? refuseForming(reply));
  server.get(
    '/v1/events',
    { schema: EVENTS },
    (_, reply) => view()?.events() ?? refuseForming(reply),
  );
}
