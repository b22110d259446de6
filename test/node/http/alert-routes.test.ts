import { expect, it } from 'vitest';
import { type AlertRoutes, alertRoutes } from '../../../node/http/alert-routes.ts';
import { createApp } from '../../../node/http/app.ts';

const DOCUMENT = { alerts: [], history: [], rules: [] };

function serve(changes: Partial<AlertRoutes> = {}) {
  const server = createApp();
  alertRoutes(server, {
    alerts: () => ({ document: () => DOCUMENT }),
    config: { name: 'n1', secret: '(hidden)' },
    authorize: async () => {},
    ...changes,
  });
  return async (url: string) => {
    const { statusCode, json } = await server.inject({ url });
    return { status: statusCode, body: json() };
  };
}

it('answers what somebody should look at, and what a node was told', async () => {
  const ask = serve();
  expect(await ask('/v1/alerts')).toEqual({ status: 200, body: DOCUMENT });
  const config = { name: 'n1', secret: '(hidden)' };
  expect(await ask('/v1/config')).toEqual({ status: 200, body: { config } });
});

it('refuses before the node has joined', async () => {
  const ask = serve({ alerts: () => undefined });
  expect(await ask('/v1/alerts')).toMatchObject({ status: 503 });
});

it('shows its configuration to administrators only', async () => {
  const ask = serve({ authorize: async (_, reply) => void (await reply.code(403).send({})) });
  expect(await ask('/v1/alerts')).toMatchObject({ status: 200 });
  expect(await ask('/v1/config')).toEqual({ status: 403, body: {} });
});
