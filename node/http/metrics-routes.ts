import type { FastifyInstance } from 'fastify';
import { METRICS } from './schemas/metrics.ts';

/** Resolves to the text format of Prometheus. */
export type Expose = () => Promise<{ readonly contentType: string; readonly text: string }>;

/** `GET /metrics`, for every user. */
export function metricsRoutes(server: FastifyInstance, expose: Expose): void {
  server.get('/metrics', { schema: METRICS }, async (_, reply) => {
    const { contentType, text } = await expose();
    return reply.type(contentType).send(text);
  });
}
