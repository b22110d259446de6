import { describe, expect, it } from 'vitest';
import { RuleCounters } from '../../../broker/ingest-rules/rule-counters.ts';
import { IngestRules } from '../../../broker/ingest-rules/rules.ts';
import { createApp } from '../../../node/http/app.ts';
import { refuse } from '../../../node/http/refusal.ts';
import { settingsRoutes } from '../../../node/http/settings-routes.ts';
import { ingestTrial } from '../../../node/settings/ingest-trial.ts';
import { RULES_MAX } from '../../../node/settings/settings.ts';
import { FakeMetaGroup } from '../settings/meta-group.ts';
import { ingest } from '../settings/rules.ts';

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

const receivedAtMs = Date.UTC(2026, 10, 20, 8);

/** A node of the meta group, and one without a replica of it. */
function fixture({ node = 'a', isJoined = true } = {}) {
  const group = new FakeMetaGroup({ meta: ['a'], others: ['b'] });
  const counters = new RuleCounters();
  const service = group.service(node);
  const server = createApp();
  settingsRoutes(server, {
    service: () => (isJoined ? service : undefined),
    authorize: async (request, reply) => {
      if (request.headers.authorization !== 'stranger') return;
      await refuse(reply, 403, 'NOT_ALLOWED', 'administrators only');
    },
    ingestCounts: (rule) => counters.of(rule),
    tryIngest: (message) =>
      ingestTrial(new IngestRules(service.current.ingest), { ...message, receivedAtMs }),
  });
  const ask = async (method: Method, url: string, body?: unknown, headers = {}) => {
    const payload = body === undefined ? {} : { payload: body as object };
    const { statusCode, json } = await server.inject({ method, url, headers, ...payload });
    return { status: statusCode, body: json() };
  };
  return { group, counters, ask, server };
}

const everyKey = { prefix: '', keep: '7d', versions: null, ttl: null };
const plant1 = { prefix: 'plant1', keep: '30d', versions: 100, ttl: '1h' };

describe('/v1/retention', () => {
  it('shows the default rule while none is set', async () => {
    const { ask } = fixture();
    expect(await ask('GET', '/v1/retention')).toEqual({
      status: 200,
      body: { revision: 0, rules: [everyKey] },
    });
  });

  it('sets, replaces and removes rules, and answers with all of them', async () => {
    const { ask } = fixture();
    const set = await ask('PUT', '/v1/retention', plant1);
    expect(set).toEqual({ status: 200, body: { revision: 1, rules: [everyKey, plant1] } });
    const forever = { ...everyKey, keep: 'forever' };
    const body = { revision: 2, rules: [forever, plant1] };
    expect((await ask('PUT', '/v1/retention', { prefix: '', keep: 'forever' })).body).toEqual(body);
    expect((await ask('GET', '/v1/retention')).body).toEqual(body);
    expect((await ask('DELETE', '/v1/retention?prefix=')).body.rules).toEqual([everyKey, plant1]);
    expect((await ask('DELETE', '/v1/retention?prefix=plant1')).body).toEqual({
      revision: 4,
      rules: [everyKey],
    });
  });

  it('takes a rule as it shows it', async () => {
    const { ask } = fixture();
    const { body } = await ask('PUT', '/v1/retention', everyKey);
    expect((await ask('PUT', '/v1/retention', body.rules[0])).body).toEqual(body);
  });

  it.each([
    [{ prefix: 'a', keep: 'long' }, '"keep"'],
    [{ prefix: 'a/' }, '"prefix"'],
    [{ keep: '1d' }, '"prefix"'],
    [[], 'object'],
  ])('refuses %j, saying what is allowed', async (rule, says) => {
    const { ask, group } = fixture();
    const { status, body } = await ask('PUT', '/v1/retention', rule);
    expect([status, body.code]).toEqual([400, 'INVALID_RULE']);
    expect(body.detail).toContain(says);
    expect(group.proposalCount).toBe(0);
  });

  it('does not remove what is not there, or what nobody named', async () => {
    const { ask } = fixture();
    expect(await ask('DELETE', '/v1/retention?prefix=x')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND', detail: 'there is no retention rule for the prefix "x"' },
    });
    for (const query of ['', '?prefix=a&prefix=b', '?name=a']) {
      const { status, body } = await ask('DELETE', `/v1/retention${query}`);
      expect([status, body.code]).toEqual([400, 'INVALID_REQUEST']);
    }
  });
});

const zero = { messages: 0, stored: 0, deleted: 0, problems: {} };
const unused = { counters: zero, examples: [], lastStored: null };

describe('/v1/ingest', () => {
  it('adds, replaces, orders and removes rules', async () => {
    const { ask } = fixture();
    const rule = { name: 'sensors', filter: 'tele/+/SENSOR', value: 'each', time: 'Time' };
    const added = await ask('POST', '/v1/ingest', { ...rule, timeZone: 'Europe/Berlin' });
    expect(added).toEqual({
      status: 200,
      body: {
        revision: 1,
        rules: [
          {
            ...rule,
            except: [],
            key: '',
            timeUnit: 'ms',
            timeZone: 'Europe/Berlin',
            ...unused,
          },
        ],
      },
    });
    await ask('POST', '/v1/ingest', { filter: 'site/#', before: 'sensors' });
    const names = async () =>
      (await ask('GET', '/v1/ingest')).body.rules.map(({ name }: { name: string }) => name);
    expect(await names()).toEqual(['site/#', 'sensors']);
    await ask('DELETE', `/v1/ingest?name=${encodeURIComponent('site/#')}`);
    expect(await names()).toEqual(['sensors']);
  });

  it('takes a rule as it shows it', async () => {
    const { ask } = fixture();
    const { body } = await ask('POST', '/v1/ingest', { filter: 'a/#', time: { path: 't' } });
    expect(await ask('POST', '/v1/ingest', body.rules[0])).toEqual({ status: 200, body });
  });

  it('adds the rules of a preset at once', async () => {
    const { ask, group } = fixture();
    const { body } = await ask('POST', '/v1/ingest', { preset: 'zigbee2mqtt' });
    expect(body.revision).toBe(1);
    expect(body.rules.length).toBeGreaterThan(1);
    expect(body.rules).toHaveLength(group.committed.ingest.length);
    const tasmota = { preset: 'tasmota', timeZone: 'Europe/Berlin' };
    expect((await ask('POST', '/v1/ingest', tasmota)).body.revision).toBe(2);
  });

  it.each([
    [{ filter: 'dss/put/#' }, 'dss'],
    [{ filter: 'a/#', colour: 'red' }, 'colour'],
    [{ filter: 'a/#', before: 5 }, '"before"'],
    [{ preset: 'unheard-of' }, 'zigbee2mqtt'],
    [{ preset: 'tasmota' }, 'zone'],
    [{ preset: 'tasmota', timeZone: 5 }, '"timeZone"'],
    [{ preset: 'shelly', filter: 'a' }, '"filter"'],
    [[], 'rule'],
  ])('refuses %j, saying what is allowed', async (rule, says) => {
    const { ask, group } = fixture();
    const { status, body } = await ask('POST', '/v1/ingest', rule);
    expect([status, body.code]).toEqual([400, 'INVALID_RULE']);
    expect(body.detail).toContain(says);
    expect(group.proposalCount).toBe(0);
  });

  it('refuses more rules than there may be, and places that are not there', async () => {
    const { ask, group } = fixture();
    const rules = Array.from({ length: RULES_MAX }, (_, i) => ingest(`r${i}`));
    group.commit((settings) => ({ ...settings, ingest: rules }));
    const full = await ask('POST', '/v1/ingest', { filter: 'one/more' });
    expect([full.status, full.body.code]).toEqual([400, 'INVALID_RULE']);
    expect(full.body.detail).toContain(String(RULES_MAX));
    const nowhere = await ask('POST', '/v1/ingest', { filter: 'a', before: 'x' });
    expect([nowhere.status, nowhere.body.code]).toEqual([404, 'NOT_FOUND']);
    expect((await ask('DELETE', '/v1/ingest?name=x')).status).toBe(404);
  });

  it('shows what the rules did on this node', async () => {
    const { ask, counters } = fixture();
    await ask('POST', '/v1/ingest', { name: 'a', filter: 'a/#', value: 'x' });
    const message = { topic: 'a/b', payload: Buffer.from('no'), receivedAtMs };
    const problem = { code: 'not-json', message: 'the payload is not JSON' } as const;
    counters.record('a', message, { kind: 'nothing', problem });
    const [rule] = (await ask('GET', '/v1/ingest')).body.rules;
    expect(rule.counters).toEqual({ ...zero, messages: 1, problems: { 'not-json': 1 } });
    expect(rule.examples).toMatchObject([
      {
        problem: 'not-json',
        message: 'the payload is not JSON',
        topic: 'a/b',
        payload: 'no',
        atMs: receivedAtMs,
      },
    ]);
  });
});

describe('/v1/ingest/test', () => {
  async function withRule() {
    const made = fixture();
    const time = { path: 'at', unit: 's' };
    await made.ask('POST', '/v1/ingest', { name: 'a', filter: 'a/+', value: 'each', time });
    const { revision } = made.group.committed;
    return {
      ...made,
      revision,
      test: (body: unknown) => made.ask('POST', '/v1/ingest/test', body),
    };
  }

  it('shows what would be stored, and stores nothing', async () => {
    const { test, group, revision } = await withRule();
    const atMs = receivedAtMs - 5_000;
    const payload = JSON.stringify({ at: atMs / 1000, temperature: 20.6 });
    const expected = {
      status: 200,
      body: {
        rule: 'a',
        writes: [{ key: 'a/b/temperature', value: '20.6', time: atMs }],
        problems: [],
      },
    };
    expect(await test({ topic: 'a/b', payload })).toEqual(expected);
    const base64 = Buffer.from(payload).toString('base64');
    expect(await test({ topic: 'a/b', base64 })).toEqual(expected);
    expect(group.committed.revision).toBe(revision);
  });

  it('shows problems, and that no rule matches', async () => {
    const { test, ask } = await withRule();
    const { body } = await test({ topic: 'a/b', payload: 'no' });
    expect(body).toMatchObject({ rule: 'a', writes: [], problems: [{ problem: 'not-json' }] });
    expect((await test({ topic: 'b', payload: 'no' })).body).toEqual({
      rule: null,
      writes: [],
      problems: [],
    });
    await ask('POST', '/v1/ingest', { filter: 'whole/#' });
    const bytes = { topic: 'whole/1', base64: '/wA=' };
    expect((await test(bytes)).body.writes).toEqual([
      { key: 'whole/1', base64: '/wA=', time: null },
    ]);
  });

  it.each([
    { topic: 'a/#', payload: '' },
    { payload: 'x' },
    { topic: 'a' },
    { topic: 'a', payload: 5 },
    { topic: 'a', payload: 'x', base64: 'eA==' },
  ])('refuses %j', async (body) => {
    const { test } = await withRule();
    expect(await test(body)).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });
});

describe('settings over HTTP', () => {
  const every: [Method, string][] = [
    ['GET', '/v1/retention'],
    ['PUT', '/v1/retention'],
    ['DELETE', '/v1/retention?prefix=a'],
    ['GET', '/v1/ingest'],
    ['POST', '/v1/ingest'],
    ['DELETE', '/v1/ingest?name=a'],
    ['POST', '/v1/ingest/test'],
  ];

  it.each(every)('are for administrators only: %s %s', async (method, url) => {
    const { ask } = fixture();
    const { status } = await ask(method, url, undefined, { authorization: 'stranger' });
    expect(status).toBe(403);
  });

  it.each(every)('are not there before the node has joined: %s %s', async (method, url) => {
    const { ask } = fixture({ isJoined: false });
    const { status, body } = await ask(method, url);
    expect([status, body.code]).toEqual([503, 'FORMING']);
  });

  it('are not shown by a node that does not know them yet', async () => {
    const { ask, group } = fixture({ node: 'b' });
    const early = await ask('GET', '/v1/ingest');
    expect([early.status, early.body.code]).toEqual([503, 'UNAVAILABLE']);
    await group.service('b').start();
    expect((await ask('GET', '/v1/ingest')).status).toBe(200);
  });

  it('say when the cluster does not answer, or is changed all the time', async () => {
    const { ask, group } = fixture();
    group.beforeDecision = () => group.commit((settings) => settings);
    const contended = await ask('PUT', '/v1/retention', plant1);
    expect([contended.status, contended.body.code]).toEqual([409, 'CONFLICT']);
    group.leader = undefined;
    const unavailable = await group.until(ask('PUT', '/v1/retention', plant1));
    expect([unavailable.status, unavailable.body.code]).toEqual([503, 'UNAVAILABLE']);
  });

  it('refuse bodies that are not JSON, or far too long, in the same shape', async () => {
    const { server } = fixture();
    const put = async (payload: string, type = 'application/json') => {
      const headers = { 'content-type': type };
      const url = '/v1/retention';
      const { statusCode, json } = await server.inject({ method: 'PUT', url, headers, payload });
      return [statusCode, json().code, json().detail];
    };
    const noJson = 'the body is not JSON';
    expect(await put('{')).toEqual([400, 'INVALID_REQUEST', noJson]);
    const tooLarge = 'the body is larger than 262144 bytes';
    expect(await put(`"${'x'.repeat(300_000)}"`)).toEqual([413, 'VALUE_TOO_LARGE', tooLarge]);
    const wrongType = 'the body must be JSON, sent as Content-Type: application/json';
    expect(await put('{}', 'application/xml')).toEqual([415, 'INVALID_REQUEST', wrongType]);
    expect(await put('{}', 'text/plain')).toEqual([400, 'INVALID_RULE', expect.any(String)]);
  });
});
