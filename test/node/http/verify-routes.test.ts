import { describe, expect, it } from 'vitest';
import { createApp } from '../../../node/http/app.ts';
import { verifyRoutes } from '../../../node/http/verify-routes.ts';
import type { ReportedVerification } from '../../../node/repair/verification-codec.ts';

const found: ReportedVerification = {
  ...{ group: 7, state: 'different', startedAtMs: 10, endedAtMs: 20, index: 5 },
  ...{ entries: 3, bytes: 100, slots: [4] },
  replicas: [
    { replicaId: 1, node: 'a', verdict: 'agrees' },
    { replicaId: 2, node: 'b', verdict: 'differs' },
  ],
};

function fixture({ isJoined = true, isLed = true } = {}) {
  const started: (readonly number[])[] = [];
  const server = createApp();
  const cluster = {
    start: async (groups: readonly number[]) => {
      started.push(groups);
      return isLed ? [{ ...found, state: 'waiting', endedAtMs: 0 } as const] : [];
    },
    report: async () => [found],
    hasGroup: (group: number) => group === 7,
    nameOf: (node: string) => `name of ${node}`,
  };
  verifyRoutes(server, {
    cluster: () => (isJoined ? cluster : undefined),
    authorize: async () => {},
  });
  const ask = async (method: 'GET' | 'POST', body?: object) => {
    const { statusCode, json } = await server.inject({
      ...{ method, url: '/v1/verify' },
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: statusCode, body: json() };
  };
  return { ask, started };
}

describe('/v1/verify', () => {
  it('tells what came of the last comparison of each group', async () => {
    const { status, body } = await fixture().ask('GET');
    expect(status).toBe(200);
    expect(body.groups).toEqual([
      {
        ...{ group: 7, state: 'different', startedAt: 10, endedAt: 20, index: 5 },
        ...{ entries: 3, bytes: 100, slots: [4] },
        replicas: [
          { node: 'name of a', id: 1, verdict: 'agrees' },
          { node: 'name of b', id: 2, verdict: 'differs' },
        ],
      },
    ]);
  });

  it('has all groups compared, or one', async () => {
    const { ask, started } = fixture();
    expect((await ask('POST')).body.groups).toMatchObject([{ state: 'waiting', endedAt: null }]);
    expect((await ask('POST', { group: 7 })).status).toBe(200);
    expect(started).toEqual([[], [7]]);
  });

  it('refuses what it cannot do', async () => {
    const { ask } = fixture();
    expect(await ask('POST', { group: 9 })).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
    expect(await ask('POST', { group: 'x' })).toMatchObject({ status: 400 });
    expect(await fixture({ isLed: false }).ask('POST', { group: 7 })).toMatchObject({
      status: 503,
      body: { code: 'UNAVAILABLE' },
    });
    expect(await fixture({ isJoined: false }).ask('GET')).toMatchObject({
      body: { code: 'FORMING' },
    });
  });
});
