import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import type { Alerts } from '../alerts/alerts.ts';
import { refuseForming } from './refusal.ts';
import { ALERTS, CONFIG } from './schemas/alerts.ts';

export interface AlertRoutes {
  /** Undefined until the node has joined. */
  readonly alerts: () => Pick<Alerts, 'document'> | undefined;
  /** What this node was told, without secrets. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Sends the answer itself to whoever is no administrator. */
  readonly authorize: onRequestAsyncHookHandler;
}

/**
 * `GET /v1/alerts`: what somebody should look at, and what is over, as this node knows it. `GET /v1/config`: what this node was
 * told, for reports.
 */
export function alertRoutes(
  server: FastifyInstance,
  { alerts, config, authorize }: AlertRoutes,
): void {
  server.get(
    '/v1/alerts',
    { schema: ALERTS },
    (_, reply) => alerts()?.document() ?? refuseForming(reply),
  );
  server.get('/v1/config', { onRequest: authorize, schema: CONFIG }, () => ({ config }));
}
