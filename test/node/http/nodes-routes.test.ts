import { describe, expect, it } from 'vitest';
import { createApp } from '../../../node/http/app.ts';
import { nodesRoutes } from '../../../node/http/nodes-routes.ts';
import { refuse } from '../../../node/http/refusal.ts';
import { Members } from '../../../node/membership/members.ts';
import { nodeTable } from '../../../node/settings/nodes.ts';
import { FakeMetaGroup } from '../settings/meta-group.ts';

const NOW = 1_700_000_000_000;
const genesis = {
  createdAtMs: 7,
  nodes: ['n1', 'n2'].map((name) => ({ node: `id-${name}`, name, mqttAddress: `${name}:1883` })),
};

/** A node of the meta group that no settings have been told yet. */
function fixture({ isJoined = true } = {}) {
  const group = new FakeMetaGroup({ meta: ['id-n1'] });
  const settings = group.service('id-n1');
  const rows = nodeTable(settings.current, genesis);
  const members = new Members({ own: 'id-n1', nodes: rows, clock: group.world.env.clock });
  settings.onChange((changed) => members.follow(nodeTable(changed, genesis)));
  const server = createApp();
  nodesRoutes(server, {
    cluster: () => (isJoined ? { settings, members, genesis } : undefined),
    authorize: async (request, reply) => {
      if (request.headers.authorization !== 'stranger') return;
      await refuse(reply, 403, 'NOT_ALLOWED', 'administrators only');
    },
    nowMs: () => NOW,
  });
  const ask = async (method: 'GET' | 'POST', url: string, body?: unknown, headers = {}) => {
    const payload = body === undefined ? {} : { payload: body as object };
    const { statusCode, json } = await server.inject({ method, url, headers, ...payload });
    return { status: statusCode, body: json() };
  };
  return { group, ask };
}

const row = (name: string, members = {}) => ({
  ...{ id: `id-${name}`, name, state: 'active', zone: '', weight: 1 },
  ...{ health: name === 'n1' ? 'active' : 'unknown', mqtt: `${name}:1883`, http: null, since: 7 },
  ...members,
});

describe('/v1/cluster/nodes', () => {
  it('shows the node table with what is heard of each', async () => {
    const { ask } = fixture();
    const body = { revision: 0, nodes: [row('n1'), row('n2')] };
    expect(await ask('GET', '/v1/cluster/nodes')).toEqual({ status: 200, body });
  });

  it('has a node leave, by name, and shows it', async () => {
    const { ask, group } = fixture();
    const nodes = [row('n1'), row('n2', { state: 'leaving', since: NOW })];
    expect(await ask('POST', '/v1/cluster/nodes/n2/leave')).toEqual({
      status: 200,
      body: { revision: 1, nodes },
    });
    expect((await ask('GET', '/v1/cluster/nodes')).body.nodes).toEqual(nodes);
    expect(group.committed.nodes.map(({ state }) => state)).toEqual(['active', 'leaving']);
    const again = await ask('POST', '/v1/cluster/nodes/n2/leave');
    expect(again.body.revision).toBe(1);
  });

  it('changes a weight', async () => {
    const { ask } = fixture();
    const { status, body } = await ask('POST', '/v1/cluster/nodes/n2/weight', { weight: 2.5 });
    expect([status, body.nodes[1]]).toEqual([200, row('n2', { weight: 2.5 })]);
  });

  it('does not show who is gone', async () => {
    const { ask, group } = fixture();
    group.commit((settings) => ({
      ...settings,
      nodes: nodeTable(settings, genesis).map((each) => ({ ...each, state: 'gone' })),
    }));
    expect((await ask('GET', '/v1/cluster/nodes')).body).toEqual({ revision: 1, nodes: [] });
  });

  it.each([
    ['/v1/cluster/nodes/n9/leave', {}, 404, 'NOT_FOUND'],
    ['/v1/cluster/nodes/n9/weight', { weight: 1 }, 404, 'NOT_FOUND'],
    ['/v1/cluster/nodes/n2/weight', { weight: 0 }, 400, 'INVALID_REQUEST'],
    ['/v1/cluster/nodes/n2/weight', { weight: '1' }, 400, 'INVALID_REQUEST'],
    ['/v1/cluster/nodes/n2/weight', [], 400, 'INVALID_REQUEST'],
  ])('refuses POST %s %j', async (url, body, status, code) => {
    const { ask, group } = fixture();
    expect(await ask('POST', url, body)).toMatchObject({ status, body: { code } });
    expect(group.committed.revision).toBe(0);
  });

  it('refuses to have the last one leave, and strangers, and a node that has not joined', async () => {
    const { ask } = fixture();
    await ask('POST', '/v1/cluster/nodes/n1/leave');
    expect(await ask('POST', '/v1/cluster/nodes/n2/leave')).toMatchObject({
      status: 409,
      body: { code: 'INVALID_CHANGE', detail: expect.stringContaining('last node') },
    });
    const headers = { authorization: 'stranger' };
    for (const [method, url] of [
      ['GET', '/v1/cluster/nodes'],
      ['POST', '/v1/cluster/nodes/n1/leave'],
    ] as const) {
      expect((await ask(method, url, undefined, headers)).status).toBe(403);
      const forming = await fixture({ isJoined: false }).ask(method, url);
      expect(forming).toMatchObject({ status: 503, body: { code: 'FORMING' } });
    }
  });

  it('says when the cluster does not answer', async () => {
    const { ask, group } = fixture();
    group.leader = undefined;
    const answer = await group.until(ask('POST', '/v1/cluster/nodes/n2/leave'));
    expect(answer).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
  });
});
