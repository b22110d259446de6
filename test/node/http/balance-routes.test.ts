import { expect, it } from 'vitest';
import type { BalanceView } from '../../../node/balance/view.ts';
import { createApp } from '../../../node/http/app.ts';
import { balanceRoutes } from '../../../node/http/balance-routes.ts';

function serve(view: BalanceView | undefined) {
  const server = createApp();
  balanceRoutes(server, () => view);
  return async (url: string) => {
    const { statusCode, json } = await server.inject({ url });
    return { status: statusCode, body: json() };
  };
}

it('answers what moves and what has happened', async () => {
  const view = { moves: async () => ({ moves: [] }), events: async () => ({ events: [] }) };
  const ask = serve(view as unknown as BalanceView);
  expect(await ask('/v1/moves')).toEqual({ status: 200, body: { moves: [] } });
  expect(await ask('/v1/events')).toEqual({ status: 200, body: { events: [] } });
});

it('refuses before the node has joined', async () => {
  const ask = serve(undefined);
  for (const path of ['/v1/moves', '/v1/events']) {
    expect(await ask(path)).toMatchObject({ status: 503, body: { code: 'FORMING' } });
  }
});
