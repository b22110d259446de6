import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { flagOf, pathOf, SETTING_NAMES, SETTINGS } from '../../node/config/settings.ts';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand as run } from './run-command.ts';

/** The command line against a node in memory; the real one is in test/e2e. */
describe('dss', () => {
  let node: FakeNode;
  beforeEach(async () => {
    node = await startFakeNode({ nodes: [], cluster: { state: 'ok' } });
  });
  afterEach(() => node.close());

  const at = (): string[] => ['--node', node.url, '--http', node.http];

  it('puts, gets and deletes', async () => {
    expect(await run(['put', 'a/b', '-21.5', ...at()])).toMatchObject({ code: 0 });
    expect(node.values.get('a/b')?.toString()).toBe('-21.5');
    expect(await run(['get', 'a/b', ...at()])).toMatchObject({ code: 0, stdout: '-21.5\n' });
    expect(await run(['get', 'a/b', '--raw', ...at()])).toMatchObject({ stdout: '-21.5' });
    expect(await run(['del', 'a/b', ...at()])).toMatchObject({ code: 0, stdout: 'deleted a/b\n' });
    const gone = await run(['get', 'a/b', '--json', ...at()]);
    expect(gone.code).toBe(3);
    expect(JSON.parse(gone.stderr)).toMatchObject({ ok: false, error: 'NOT_FOUND' });
  });

  it('keeps keys and values byte for byte', async () => {
    const key = '/räume//küche 1/$x/';
    await run(['put', key, '--stdin', ...at()], 'two\nlines\n');
    expect([...node.values]).toEqual([[key, Buffer.from('two\nlines\n')]]);
    node.values.set('binary', Buffer.from([0xff, 0x00]));
    const json = await run(['get', 'binary', '--json', ...at()]);
    expect(JSON.parse(json.stdout)).toMatchObject({ base64: '/wA=' });
    expect((await run(['get', 'binary', ...at()])).stdout).toBe('base64:/wA=\n');
  });

  it.each([
    ['no value', ['put', 'k']],
    ['two values', ['put', 'k', '1', '--stdin']],
    ['an empty value', ['put', 'k', '']],
    ['an empty key', ['get', '']],
    ['a wildcard in a key', ['put', 'a/#', '1']],
    ['a key that is too long', ['get', 'k'.repeat(1025)]],
    ['an unknown command', ['fetch', 'k']],
    ['an unknown option', ['get', 'k', '--fast']],
    ['a missing argument', ['get']],
    ['an address of another kind', ['get', 'k', '--node', 'http://127.0.0.1:1']],
    ['another address of another kind', ['status', '--http', 'foo bar']],
    ['a filter with a broken wildcard', ['watch', 'a#']],
    ['a filter that goes on behind #', ['watch', 'a/#/b']],
    ['an unknown command with a suggestion', ['pt']],
    ['an unknown log level', ['up', '--log-level', 'loud']],
    ['a number that is none', ['list', '--limit', 'many']],
    ['a number out of range', ['list', '--limit', '1001']],
  ])('calls it a wrong command line: %s', async (_what, args) => {
    const text = await run(args);
    expect(text).toMatchObject({ code: 2, stdout: '' });
    expect(text.stderr).toMatch(/^dss: [^\n]+\n$/);
    const json = await run([...args, '--json']);
    expect(JSON.parse(json.stderr)).toMatchObject({ ok: false, error: 'USAGE' });
  });

  it('says where the commands are listed of which one was meant', async () => {
    const { stderr } = await run(['retention', 'load']);
    expect(stderr).toBe("dss: unknown command 'load'; 'dss help retention' prints what there is\n");
    expect((await run(['fetch', 'list'])).stderr).toContain("'dss help' prints");
  });

  it('says so when nothing listens, and goes on to the next node', async () => {
    const nobody = await run(['get', 'k', '--node', 'mqtt://127.0.0.1:1']);
    expect(nobody.code).toBe(4);
    expect(nobody.stderr).toMatch(
      /^dss: cannot reach mqtt:\/\/127\.0\.0\.1:1: nothing listens there/,
    );
    const next = await run(['put', 'k', '1', '--node', `mqtt://127.0.0.1:1,${node.url}`]);
    expect(next).toMatchObject({ code: 0 });
  });

  it.each([
    ['that grants what is asked for', 2],
    ['that has a limit for all topics', 1],
    ['that knows no acknowledgements', 0],
  ])(
    'does not take the PUBACK of another broker for a stored value: one %s',
    async (_what, qos) => {
      node.qosMax = () => qos;
      for (const args of [['put', 'k', '1'], ['get', 'k'], ['watch', '#'], ['fleet']]) {
        const refused = await run([...args, ...at()]);
        expect(refused).toMatchObject({ code: 1, stdout: '' });
        expect(refused.stderr).toMatch(
          /^dss: what listens on 127\.0\.0\.1:\d+ is an MQTT broker, but/,
        );
      }
      expect(node.puts).toEqual([]);
    },
  );

  it('says what is wrong with an address', async () => {
    const http = node.http.replace('http://', '');
    const swapped = await run(['get', 'k', '--node', http]);
    expect(swapped).toMatchObject({ code: 4 });
    expect(swapped.stderr).toMatch(/cannot reach mqtt:\S+: what listens there does not speak MQTT/);
    const other = await run(['status', '--http', node.url.replace('mqtt', 'http')]);
    expect(other).toMatchObject({ code: 4 });
    expect(other.stderr).toMatch(/cannot reach \S+: what listens there closed the connection/);
    const nobody = await run(['fleet', '--node', 'mqtt://127.0.0.1:1', '--json']);
    expect(nobody.code).toBe(4);
    expect(JSON.parse(nobody.stderr)).toMatchObject({ error: 'UNAVAILABLE' });
  });

  it('asks the next node over HTTP when one is down', async () => {
    const status = ['status', '--json', '--http', 'http://127.0.0.1:9', '--http', node.http];
    expect(await run(status)).toMatchObject({ code: 0 });
  });

  it('ends with 4 when nothing is acknowledged in time', async () => {
    node.holdAcknowledgements = true;
    const held = await run(['put', 'k', '1', '--timeout', '0.3', ...at()]);
    expect(held).toMatchObject({ code: 4, stdout: '' });
    expect(held.stderr).toMatch(/no answer within 0.3 s/);
  });

  it('sends a put again when the connection is lost before the PUBACK', async () => {
    node.holdAcknowledgements = true;
    const running = run(['put', 'k', '1', ...at()]);
    await expect.poll(() => node.puts.length).toBe(1);
    node.holdAcknowledgements = false;
    node.dropConnections();
    expect(await running).toMatchObject({ code: 0 });
    expect(node.puts.map(({ key }) => key)).toEqual(['k', 'k']);
  });

  it('fails when the node acknowledged and reported', async () => {
    const refused = await run(['put', 'forbidden', '1', '--json', ...at()]);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: 'INVALID_KEY' });
  });

  it('lists page by page, or everything', async () => {
    for (let index = 0; index < 5; index += 1) node.values.set(`p/${index}`, Buffer.from('v'));
    node.values.set('p10', Buffer.from('v'));
    const first = await run(['list', 'p', '--limit', '2', ...at()]);
    expect(first).toMatchObject({ code: 0, stdout: 'p/0\np/1\n' });
    expect(first.stderr).toContain("--after 'p/1'");
    const second = await run(['list', 'p', '--after', 'p/1', '--limit', '2', '--json', ...at()]);
    expect(JSON.parse(second.stdout)).toMatchObject({
      keys: ['p/2', 'p/3'],
      more: true,
      next: 'p/3',
    });
    const all = await run(['list', 'p', '--all', '--limit', '2', '--values', ...at()]);
    expect(all.stdout).toBe('p/0 v\np/1 v\np/2 v\np/3 v\np/4 v\n');
  });

  it('says where there is nothing, and that a prefix has no slash at its end', async () => {
    node.values.set('p/0', Buffer.from('v'));
    for (const command of ['list', 'range']) {
      const none = await run([command, 'q', ...at()]);
      expect(none).toMatchObject({ code: 0, stdout: '' });
      expect(none.stderr).toBe("There is no key 'q', and none below it.\n");
      expect((await run([command, 'p/', ...at()])).stderr).toContain("everything below 'p'.");
      expect((await run([command, 'q', '--json', '--all', ...at()])).stderr).toBe('');
      expect((await run([command, 'p', '--all', ...at()])).stderr).toBe('');
    }
  });

  it('watches until it has seen enough', async () => {
    node.values.set('w/1', Buffer.from('v'));
    await run(['put', 'w/1', 'v', ...at()]);
    const json = await run(['watch', 'w/#', '--count', '1', '--json', ...at()]);
    expect(JSON.parse(json.stdout)).toEqual({
      key: 'w/1',
      value: 'v',
      deleted: false,
      snapshot: true,
    });
    expect((await run(['watch', 'w/+', '--count', '1', ...at()])).stdout).toBe('w/1 v\n');
  });

  it('says once what it waits for when there is nothing to watch', async () => {
    const { qosMax } = node;
    const subscribed = new Promise<void>((resolve) => {
      node.qosMax = (filter) => {
        if (filter === 'dss/value/w/#') resolve();
        return qosMax(filter);
      };
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const running = run(['watch', 'w/#', '--count', '1', ...at()]);
      await subscribed;
      vi.advanceTimersByTime(5_000);
      vi.useRealTimers();
      await run(['put', 'w/1', 'v', ...at()]);
      const { stdout, stderr } = await running;
      expect(stdout).toBe('w/1 v\n');
      expect(stderr).toMatch(/^Waiting: nothing that matches 'w\/#' has a value yet, or [^\n]+\n$/);
    } finally {
      vi.useRealTimers();
    }
  });

  it('asks over HTTP where a key is', async () => {
    const where = await run(['where', 'räume/küche', '--json', ...at()]);
    expect(JSON.parse(where.stdout)).toMatchObject({ key: 'räume/küche', leader: 'n1' });
  });

  it('simulates sensors and reports', async () => {
    const flags = ['--devices', '5', '--rate', '20', '--seconds', '0.5', '--connections', '2'];
    const { code, stdout } = await run(['fleet', ...flags, '--json', ...at()]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 50, acknowledged: 50, failed: 0 });
    expect([...node.values.keys()].sort()).toEqual(
      [1, 2, 3, 4, 5].map((device) => `demo/line1/dev${device}/temp`),
    );
    const reading = JSON.parse(node.values.get('demo/line1/dev5/temp')?.toString() ?? '');
    expect(reading).toMatchObject({ unit: 'C', seq: 10 });
  });

  it('sends readings again that a lost connection left unacknowledged', async () => {
    node.holdAcknowledgements = true;
    const flags = ['--devices', '3', '--rate', '10', '--seconds', '0.3', '--distinct-keys'];
    const running = run(['fleet', ...flags, '--json', ...at()]);
    await expect.poll(() => node.puts.length).toBeGreaterThan(3);
    node.holdAcknowledgements = false;
    node.dropConnections();
    const { code, stdout } = await running;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 9, acknowledged: 9, failed: 0 });
    expect(node.values.size).toBe(9);
  });

  it('reports and ends when readings stay unacknowledged', async () => {
    node.holdAcknowledgements = true;
    const flags = ['--devices', '3', '--rate', '10', '--seconds', '0.2', '--timeout', '0.3'];
    const { code, stdout, stderr } = await run(['fleet', ...flags, '--json', ...at()]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 6, acknowledged: 0, failed: 6 });
    expect(JSON.parse(stderr)).toMatchObject({ error: 'UNACKNOWLEDGED' });
  });

  it('has a flag for every setting of a node, and says its default', async () => {
    const { stdout } = await run(['node', '--help']);
    const options = stdout.slice(stdout.indexOf('Options:'), stdout.indexOf('Global Options:'));
    const help = options.split(/\n {2}(?=-)/).map((text) => text.replaceAll(/\s+/g, ' '));
    for (const name of SETTING_NAMES) {
      const { default: value } = SETTINGS[name];
      const described = help.find((text) => text.startsWith(`${flagOf(name)} `));
      expect(described, name).toBeDefined();
      if (value === '' || value === false) continue;
      expect(described).toMatch(new RegExp(`\\(default ${value}\\b`));
    }
  });

  it('has a flag for everything that is stored how, also where it starts a whole cluster', async () => {
    const { stdout } = await run(['up', '--help']);
    for (const name of SETTING_NAMES.filter((each) => pathOf(each).startsWith('storage.'))) {
      expect(stdout).toContain(`${flagOf(name)} `);
    }
  });

  it('documents examples and exit codes', async () => {
    const help = await run(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/Exit codes:[\s\S]*3 {2}the key was not found/);
    const put = await run(['put', '--help']);
    expect(put.stdout).toContain('Examples:');
    expect(put.stdout).toContain('--json');
  });
});
