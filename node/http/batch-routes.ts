import type { FastifyInstance } from 'fastify';
import { writeAnswered } from '../../broker/answers.ts';
import { parseBatch } from '../../broker/batch.ts';
import type { RequestContext } from '../../broker/context.ts';
import { forbiddenIn } from '../../broker/permissions.ts';
import { refuse, refuseFull, refuseRequest, refuseWrite } from './refusal.ts';
import { accessOf, bodyOf, keyOf, type Query, takeRawBodies } from './requests.ts';
import { WRITE_BATCH } from './schemas/batch.ts';
import type { HttpWrites } from './writes.ts';

const NO_ADDRESS = { id: undefined, topic: undefined };

/** `POST /v1/batch`: many writes in one request, as `dss/batch` takes them. */
export function batchRoutes(
  server: FastifyInstance,
  context: RequestContext,
  writes: HttpWrites,
): void {
  const { limits, counters, env } = context;
  server.register(async (scope) => {
    takeRawBodies(scope, limits.valueBytesMax);
    scope.post<{ Querystring: Query }>('/v1/batch', { schema: WRITE_BATCH }, (request, reply) => {
      const { prefix = '' } = request.query;
      const start = prefix === '' ? { value: NOTHING } : keyOf(prefix, limits);
      if ('wrong' in start) return refuse(reply, 400, 'INVALID_KEY', `"prefix": ${start.wrong}`);
      const batch = parseBatch(start.value, bodyOf(request), limits, env.clock.nowMs());
      if (batch.kind === 'refused') return refuseRequest(reply, batch);
      const why = forbiddenIn(accessOf(request), batch, NOTHING);
      if (why !== undefined) return refuseRequest(reply, why);
      if (writes.isFull) return refuseFull(reply);
      counters.timesNotBelieved += batch.timesNotBelieved;
      writes.writeAll(batch.writes, {
        committed: (version) => {
          reply.send(writeAnswered({ op: 'batch', name: prefix, address: NO_ADDRESS }, version));
        },
        failed: (failure) => {
          counters.putsFailed += 1;
          refuseWrite(reply, failure);
        },
      });
      return undefined;
    });
  });
}

const NOTHING = new Uint8Array(0);
