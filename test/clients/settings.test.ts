import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

/** Settings of the cluster, over HTTP; what a node makes of them is in its own tests. */
describe('dss', () => {
  let node: FakeNode;
  let other: FakeNode;
  beforeEach(async () => {
    other = await startFakeNode();
    const nodes = [
      { id: 'a', name: 'n1', http: null },
      { id: 'b', name: 'n2', http: other.http.replace('http://', '') },
      { id: 'c', name: 'n3', http: '127.0.0.1:9' },
    ];
    node = await startFakeNode({ node: { id: 'a', name: 'n1' }, nodes });
  });
  afterEach(async () => {
    await node.close();
    await other.close();
  });

  const run = (...args: string[]) => runCommand([...args, '--http', node.http]);
  const answer = (status: number, body: object): void => {
    node.answerHttp = () => ({ status, body });
  };

  describe('retention', () => {
    const rules = [
      { prefix: '', keep: '7d', versions: null, ttl: null },
      { prefix: 'plant1', keep: '30d', versions: 100, ttl: '1h' },
    ];
    beforeEach(() => answer(200, { revision: 3, rules }));

    it('lists the rules', async () => {
      const { code, stdout } = await run('retention', 'list');
      expect(code).toBe(0);
      expect(stdout.split('\n')).toEqual([
        'PREFIX       KEEP  VERSIONS   TTL',
        '(every key)    7d       all  none',
        'plant1        30d       100    1h',
        '',
      ]);
      const json = await run('retention', 'list', '--json');
      expect(JSON.parse(json.stdout)).toEqual({ revision: 3, rules });
    });

    it('sets and removes a rule', async () => {
      await run('retention', 'set', 'plant1', '--keep', '30d', '--versions', '100', '--ttl', '1h');
      await run('retention', 'set', '', '--keep', 'forever');
      expect(await run('retention', 'rm', 'räume/1 2')).toMatchObject({ code: 0 });
      expect(node.httpRequests).toEqual([
        {
          method: 'PUT',
          path: '/v1/retention',
          body: { prefix: 'plant1', keep: '30d', versions: 100, ttl: '1h' },
        },
        { method: 'PUT', path: '/v1/retention', body: { prefix: '', keep: 'forever' } },
        { method: 'DELETE', path: '/v1/retention?prefix=r%C3%A4ume%2F1%202', body: undefined },
      ]);
    });

    it.each([
      [400, 'INVALID_RULE', 1],
      [403, 'NOT_ALLOWED', 1],
      [404, 'NOT_FOUND', 3],
      [503, 'UNAVAILABLE', 4],
    ])('says what the node says: %d %s', async (status, error, code) => {
      answer(status, { code: error, detail: 'a sentence' });
      const failed = await run('retention', 'rm', 'plant1', '--json');
      expect(failed).toMatchObject({ code, stdout: '' });
      expect(JSON.parse(failed.stderr)).toMatchObject({ error, message: 'a sentence' });
    });

    it('says how to name a user to a node that has some', async () => {
      answer(401, { code: 'BAD_CREDENTIALS', detail: 'name a user' });
      const { code, stderr } = await run('retention', 'list');
      expect([code, stderr]).toEqual([1, expect.stringContaining('Give --user and DSS_PASSWORD')]);
    });

    it.each([
      ['nothing to set', ['retention', 'set', 'plant1']],
      ['a count that is none', ['retention', 'set', 'plant1', '--versions', '0']],
      ['a wildcard', ['retention', 'set', 'plant1/#', '--keep', '1d']],
      ['no prefix', ['retention', 'rm']],
    ])('calls it a wrong command line: %s', async (_what, args) => {
      expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
      expect(node.httpRequests).toEqual([]);
    });
  });

  describe('ingest', () => {
    const rule = {
      name: 'tasmota',
      filter: 'tele/+/SENSOR',
      except: ['tele/x/#'],
      key: '',
      value: 'each',
    };
    const example = (atMs: number, payload: string) => ({
      problem: 'not-json',
      topic: 'tele/a/SENSOR',
      payload,
      encoding: 'text',
      atMs,
      message: 'no JSON',
    });
    const report = (stored: number, notJson: number, atMs: number) => ({
      ...rule,
      ...{ time: 'Time', timeUnit: '', timeZone: 'Europe/Berlin' },
      counters: {
        messages: stored + notJson,
        stored,
        deleted: 1,
        problems: { 'not-json': notJson },
      },
      examples: notJson > 0 ? [example(atMs, `bad ${notJson}`)] : [],
      lastStored: null,
    });

    it('lists the rules with what all nodes that answer have counted', async () => {
      answer(200, { revision: 2, rules: [report(10, 2, 1_000)] });
      other.answerHttp = () => ({
        status: 200,
        body: { revision: 2, rules: [report(5, 3, 2_000)] },
      });
      const { code, stdout, stderr } = await run('ingest', 'list');
      expect(code).toBe(0);
      expect(stdout.split('\n')).toEqual([
        'NAME     FILTER         KEY            VALUE  TIME                MESSAGES  STORED  DELETED  PROBLEMS  EXCEPT',
        'tasmota  tele/+/SENSOR  $topic/$field  each   Time Europe/Berlin        20      15        2         5  tele/x/#',
        '',
        'tasmota: not-json, 5 times; last at 1970-01-01T00:00:02.000Z: no JSON',
        '  tele/a/SENSOR bad 3',
        '',
      ]);
      expect(stderr).toMatch(/^Without the counts of n3: cannot reach/);
      const json = JSON.parse((await run('ingest', 'list', '--json')).stdout);
      expect(json).toMatchObject({
        revision: 2,
        rules: [{ counters: { stored: 15, problems: { 'not-json': 5 } } }],
      });
    });

    it('adds rules and presets, and removes them', async () => {
      answer(200, { revision: 1, rules: [] });
      const options = ['--name', 't', '--except', 'tele/x/#', '--except', 'tele/y/#'];
      const times = ['--time', 'Time', '--time-unit', 's', '--time-zone', 'Europe/Berlin'];
      const place = ['--before', 'all'];
      const added = await run(
        ...['ingest', 'add', 'tele/+/SENSOR', ...options],
        ...['--key', '$1/x', '--value', 'each', ...times, ...place],
      );
      expect(added).toMatchObject({
        code: 0,
        stdout: 'No ingest rules: ordinary topics are not stored.\n',
      });
      await run('ingest', 'add', '--preset', 'zigbee2mqtt', '--time-zone', 'Europe/Berlin');
      await run('ingest', 'rm', 'a b');
      expect(node.httpRequests).toEqual([
        {
          method: 'POST',
          path: '/v1/ingest',
          body: {
            ...{ filter: 'tele/+/SENSOR', name: 't', except: ['tele/x/#', 'tele/y/#'] },
            ...{ key: '$1/x', value: 'each', time: 'Time' },
            ...{ timeUnit: 's', timeZone: 'Europe/Berlin', before: 'all' },
          },
        },
        {
          method: 'POST',
          path: '/v1/ingest',
          body: { preset: 'zigbee2mqtt', timeZone: 'Europe/Berlin' },
        },
        { method: 'DELETE', path: '/v1/ingest?name=a%20b', body: undefined },
      ]);
    });

    it('comes back when the other nodes go by the new rules, too', async () => {
      const rules = (revision: number) => ({ status: 200, body: { revision, rules: [] } });
      node.answerHttp = () => rules(7);
      let asked = 0;
      other.answerHttp = () => rules(++asked < 3 ? 6 : 7);
      const { code, stderr } = await run('ingest', 'add', 'tele/#');
      expect([code, asked]).toEqual([0, 3]);
      expect(stderr).toMatch(
        /^n3 may still go by the rules of before: cannot reach [^.]+\.0\.0\.1:9: nothing listens there\n$/,
      );
      await run('ingest', 'rm', 'tele/#');
      expect(asked).toBe(4);
    });

    it('shows what the rules would make of a message', async () => {
      answer(200, {
        rule: 'tasmota',
        writes: [
          { key: 'tele/a/temp', value: '20.6', time: 1_000 },
          { key: 'tele/a/raw', base64: '/wA=', time: null },
          { key: 'tele/a/gone', value: '', time: null },
        ],
        problems: [{ problem: 'no-time', message: 'there is no Time' }],
      });
      const { stdout } = await run('ingest', 'test', 'tele/a/SENSOR', '{"x":1}');
      expect(stdout.split('\n')).toEqual([
        'rule tasmota',
        'store tele/a/temp 20.6 at 1970-01-01T00:00:01.000Z',
        'store tele/a/raw base64:/wA=',
        'delete tele/a/gone',
        'no-time: there is no Time',
        '',
      ]);
      const body = { topic: 'tele/a/SENSOR', payload: '{"x":1}' };
      expect(node.httpRequests).toEqual([{ method: 'POST', path: '/v1/ingest/test', body }]);
      answer(200, { rule: null, writes: [], problems: [] });
      expect((await run('ingest', 'test', 'other', '')).stdout).toBe('no rule matches\n');
    });

    it.each([
      ['neither filter nor preset', ['ingest', 'add']],
      ['both', ['ingest', 'add', 'a/#', '--preset', 'tasmota']],
      ['a preset with a key', ['ingest', 'add', '--preset', 'tasmota', '--key', 'x']],
      ['a broken filter', ['ingest', 'add', 'a#']],
      ['a broken exception', ['ingest', 'add', 'a/#', '--except', '#/b']],
      ['a test without a payload', ['ingest', 'test', 'a']],
      ['no command', ['ingest']],
    ])('calls it a wrong command line: %s', async (_what, args) => {
      expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
      expect(node.httpRequests).toEqual([]);
    });
  });
});
