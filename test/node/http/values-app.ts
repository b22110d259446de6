import type { InjectOptions } from 'fastify';
import type { Access } from '../../../broker/access.ts';
import { AnswerCounts } from '../../../broker/answer-counts.ts';
import type { RequestContext } from '../../../broker/context.ts';
import { zeroCounters } from '../../../broker/counters.ts';
import { type BrokerLimits, DEFAULT_LIMITS } from '../../../broker/limits.ts';
import { Refusals } from '../../../broker/refusals.ts';
import { createApp } from '../../../node/http/app.ts';
import { batchRoutes } from '../../../node/http/batch-routes.ts';
import { kvRoutes } from '../../../node/http/kv-routes.ts';
import { listRoutes } from '../../../node/http/list-routes.ts';
import { refusalsRoutes, reportRefused } from '../../../node/http/refusals-routes.ts';
import { watchRoutes } from '../../../node/http/watch-routes.ts';
import { HttpWrites } from '../../../node/http/writes.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import { FakeEnv } from '../fake-env.ts';

/** The routes of values over a store in memory. */
export function valuesApp(
  options: { readonly access?: Access; readonly limits?: Partial<BrokerLimits> } = {},
) {
  const world = new FakeEnv();
  const { env } = world;
  const dataPlane = new FakeDataPlane();
  const context: RequestContext = {
    env,
    dataPlane,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    counters: zeroCounters(),
    answerCounts: new AnswerCounts(),
    refusals: new Refusals(env, () => {}),
  };
  let clusterId: string | undefined = 'cluster 1';
  const app = createApp({
    refused: (request, refusal) => reportRefused(context, request, refusal),
  });
  app.addHook('onRequest', async (request) => {
    request.access = options.access ?? null;
  });
  const writes = new HttpWrites(context);
  kvRoutes(app, context, writes);
  listRoutes(app, context);
  batchRoutes(app, context, writes);
  refusalsRoutes(app, context.refusals);
  watchRoutes(app, { context, cluster: () => clusterId });
  const ask = async (
    method: NonNullable<InjectOptions['method']>,
    url: string,
    payload?: string | Buffer,
    headers: Record<string, string> = {},
  ) => {
    const body = payload === undefined ? {} : { payload };
    const answer = await app.inject({ method, url, headers, ...body });
    const isJson = /json/.test(`${answer.headers['content-type']}`) && answer.payload !== '';
    return {
      status: answer.statusCode,
      headers: answer.headers,
      bytes: answer.rawPayload,
      body: isJson ? answer.json() : answer.payload,
    };
  };
  const leaveCluster = () => {
    clusterId = undefined;
  };
  return { app, ask, context, dataPlane, world, leaveCluster };
}
