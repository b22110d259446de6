import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { DEFAULT_LIMITS } from '../../broker/limits.ts';
import { alertRoutes } from '../../node/http/alert-routes.ts';
import { createApp } from '../../node/http/app.ts';
import { balanceRoutes } from '../../node/http/balance-routes.ts';
import { batchRoutes } from '../../node/http/batch-routes.ts';
import { debugRoutes } from '../../node/http/debug-routes.ts';
import { docsRoutes } from '../../node/http/docs-routes.ts';
import { kvRoutes } from '../../node/http/kv-routes.ts';
import { listRoutes } from '../../node/http/list-routes.ts';
import { metricsRoutes } from '../../node/http/metrics-routes.ts';
import { nodesRoutes } from '../../node/http/nodes-routes.ts';
import { refusalsRoutes } from '../../node/http/refusals-routes.ts';
import { settingsRoutes } from '../../node/http/settings-routes.ts';
import { stateRoutes } from '../../node/http/state-routes.ts';
import { verifyRoutes } from '../../node/http/verify-routes.ts';
import { watchRoutes } from '../../node/http/watch-routes.ts';

const root = join(import.meta.dirname, '../..');

export const OPENAPI_FILE = join(root, 'docs/api/openapi.json');

/** All routes of a node; what they are about nobody asks here. */
export const EVERY_ROUTE = {
  stateRoutes,
  kvRoutes,
  listRoutes,
  batchRoutes,
  watchRoutes,
  balanceRoutes,
  alertRoutes,
  refusalsRoutes,
  nodesRoutes,
  settingsRoutes,
  verifyRoutes,
  metricsRoutes,
  debugRoutes,
  docsRoutes,
} as const;

const DESCRIPTION =
  'Values by key, and what administrators do. Every node answers the same. Users are those of MQTT, by HTTP Basic (RFC 7617); a node without users answers this machine only, and no web page of elsewhere: there is no CORS. Refusals are problem details (RFC 9457) with a `code` of docs/ERRORS.md. How to use it: docs/HTTP.md.';

/** The OpenAPI document of the routes as they are. */
export async function describeRoutes(): Promise<object> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const app = createApp();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        ...{ title: 'DSS HTTP API', version, description: DESCRIPTION },
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This node.' }],
      tags: ['Values', 'Cluster', 'Administration', 'Health', 'Debugging', 'Documents'].map(
        (name) => ({
          name,
        }),
      ),
      security: [{ basic: [] }, {}],
      components: { securitySchemes: { basic: { type: 'http', scheme: 'basic' } } },
    },
    refResolver: { buildLocalReference: ({ $id }, _, __, i) => `${$id ?? `schema-${i}`}` },
    transform: ({ schema, url }) => ({ schema: described(schema), url: url.replace('*', ':key') }),
  });
  const context = { limits: DEFAULT_LIMITS };
  const about = { ...context, context, authorize: async () => {} } as never;
  for (const addRoutes of Object.values(EVERY_ROUTE)) {
    (addRoutes as (server: FastifyInstance, ...about: never[]) => void)(app, about, about);
  }
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}

/** Bodies stand where fastify does not look, and the router has its own name for the rest of a path. */
function described(schema: FastifySchema & { 'x-body'?: object } = {}): FastifySchema {
  const { 'x-body': body, params, ...rest } = schema;
  const { '*': key } = (params as { properties?: Record<string, object> })?.properties ?? {};
  return {
    ...rest,
    ...(params === undefined ? {} : { params }),
    ...(key === undefined
      ? {}
      : { params: { type: 'object', required: ['key'], properties: { key } } }),
    ...(body === undefined ? {} : { body }),
  };
}
