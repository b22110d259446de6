import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestContext } from '../../broker/context.ts';
import { forbiddenToRead } from '../../broker/permissions.ts';
import type { Refusal, Refusals } from '../../broker/refusals.ts';
import { refuseRequest } from './refusal.ts';
import { accessOf } from './requests.ts';
import { REFUSALS } from './schemas/state.ts';

/**
 * `GET /v1/refusals`: what this node has refused lately, newest first, for whoever may read everything: it quotes
 * what others sent.
 */
export function refusalsRoutes(server: FastifyInstance, refusals: Pick<Refusals, 'recent'>): void {
  server.get('/v1/refusals', { schema: REFUSALS }, (request, reply) => {
    const access = accessOf(request);
    if (access.mayReadBelow('')) return { refusals: refusals.recent.toReversed() };
    return refuseRequest(reply, forbiddenToRead(access, 'what was refused'));
  });
}

/** What HTTP refuses is told where MQTT's refusals are. Not that a browser has not said yet who it is. */
export function reportRefused(
  { refusals }: Pick<RequestContext, 'refusals'>,
  { method, url, headers, ip, access }: FastifyRequest,
  refusal: Refusal,
): void {
  if (refusal.code === 'BAD_CREDENTIALS' && headers.authorization === undefined) return;
  const topic = `${method} ${url.split('?', 1)[0]}`;
  const client = { clientId: '', address: ip, access: access ?? undefined };
  refusals.report({ ...refusal, topic }, client, 'request');
}
