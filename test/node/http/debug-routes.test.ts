import { describe, expect, it } from 'vitest';
import { createApp } from '../../../node/http/app.ts';
import { debugRoutes } from '../../../node/http/debug-routes.ts';
import { metricsRoutes } from '../../../node/http/metrics-routes.ts';

function fixture({ isJoined = true, isProfiling = false } = {}) {
  const asked: unknown[] = [];
  const server = createApp();
  debugRoutes(server, {
    nodeName: 'n1',
    authorize: async (request, reply) => {
      if (request.headers.authorization === 'stranger') await reply.code(403).send();
    },
    member: () =>
      isJoined
        ? {
            raft: () => ({ node: 'n1', groups: [] }),
            log: async (group, range) => {
              asked.push([group, range]);
              return group === 7 ? { group, entries: [] } : undefined;
            },
          }
        : undefined,
    loop: () => ({ queues: null }),
    profile: async (seconds) => {
      asked.push(seconds);
      return isProfiling ? undefined : { nodes: [] };
    },
  });
  const ask = async (url: string, headers = {}) => {
    const { statusCode: status, body, headers: answered } = await server.inject({ url, headers });
    return { status, body, headers: answered };
  };
  return { ask, asked };
}

describe('/debug', () => {
  it.each([
    ['log/x', '"group" must be a whole number, given once'],
    ['profile?seconds=0', '"seconds" must be at least 0.1'],
    ['profile?seconds=x', '"seconds" must be a number, given once'],
  ])('says in words what is wrong: %s', async (path, detail) => {
    const { status, body } = await fixture().ask(`/debug/${path}`);
    expect([status, JSON.parse(body)]).toEqual([400, expect.objectContaining({ detail })]);
  });

  it('is for administrators', async () => {
    const { ask, asked } = fixture();
    for (const path of ['raft', 'log/7', 'loop', 'profile']) {
      expect((await ask(`/debug/${path}`, { authorization: 'stranger' })).status).toBe(403);
    }
    expect(asked).toEqual([]);
  });

  it('shows what the node says of itself', async () => {
    const { ask } = fixture();
    expect((await ask('/debug/raft')).body).toBe('{"node":"n1","groups":[]}');
    expect((await ask('/debug/loop')).body).toBe('{"queues":null}');
  });

  it('shows the end of a log, or the part that is asked for', async () => {
    const { ask, asked } = fixture();
    expect(await ask('/debug/log/7')).toMatchObject({ status: 200, body: /entries/ });
    expect(await ask('/debug/log/7?from=12&limit=3')).toMatchObject({ status: 200 });
    expect(asked).toEqual([
      [7, { from: undefined, limit: 100 }],
      [7, { from: 12, limit: 3 }],
    ]);
    expect((await ask('/debug/log/8')).status).toBe(404);
    for (const path of ['x', '7?from=0', '7?limit=1001', '7?limit=many']) {
      expect((await ask(`/debug/log/${path}`)).status).toBe(400);
    }
  });

  it('sends a profile as a file', async () => {
    const { ask, asked } = fixture();
    const { status, body, headers } = await ask('/debug/profile?seconds=2.5');
    expect([status, body, asked]).toEqual([200, '{"nodes":[]}', [2.5]]);
    expect(headers['content-disposition']).toBe('attachment; filename="n1.cpuprofile"');
    for (const seconds of ['0', '61', 'x']) {
      expect((await ask(`/debug/profile?seconds=${seconds}`)).status).toBe(400);
    }
    expect((await fixture({ isProfiling: true }).ask('/debug/profile')).status).toBe(409);
  });

  it('says that the node has not joined', async () => {
    const { ask } = fixture({ isJoined: false });
    expect((await ask('/debug/raft')).status).toBe(503);
    expect((await ask('/debug/log/7')).status).toBe(503);
    expect((await ask('/debug/loop')).status).toBe(200);
  });
});

describe('/metrics', () => {
  it('answers in the format that it is told', async () => {
    const server = createApp();
    metricsRoutes(server, async () => ({ contentType: 'text/plain; version=9', text: 'dss 1\n' }));
    const { body, headers } = await server.inject('/metrics');
    expect([body, headers['content-type']]).toEqual([
      'dss 1\n',
      expect.stringContaining('text/plain; version=9'),
    ]);
  });
});
