import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listener, listenTcp } from '../../broker/server.ts';
import { type Harness, startBroker } from '../broker/harness.ts';
import { runCommand } from './run-command.ts';

/** Reads of the past and of ranges, over the real broker with a store in memory behind it. */
describe('dss', () => {
  let harness: Harness;
  let listener: Listener;
  beforeEach(async () => {
    harness = await startBroker();
    listener = await listenTcp(harness.broker, { host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    await listener.close();
    await harness.broker.close();
  });

  const run = (...args: string[]) =>
    runCommand([...args, '--node', `mqtt://127.0.0.1:${listener.address.port}`]);

  /** The store gives every write a millisecond of its own, from this one on. */
  const FIRST_MS = Date.UTC(2024, 0, 1) + 1;
  const store = (key: string, ...values: string[]): number[] =>
    values.map((value) => harness.plane.store(key, value));

  describe('history', () => {
    it('prints a table, newest first, with deletes', async () => {
      const versions = store('k', '20', '21', '');
      const { code, stdout, stderr } = await run('history', 'k');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.split('\n')).toEqual([
        'TIME                      VERSION           VALUE',
        `2024-01-01T00:00:00.003Z  ${versions[2]}   (deleted)`,
        `2024-01-01T00:00:00.002Z  ${versions[1]}   21`,
        `2024-01-01T00:00:00.001Z  ${versions[0]}   20`,
        '',
      ]);
    });

    it.each([
      ['desc', ['5', '4', '3', '2', '1']],
      ['asc', ['1', '2', '3', '4', '5']],
    ])('follows the pages with --all, %s', async (order, expected) => {
      store('k', '1', '2', '3', '4', '5');
      const all = await run('history', 'k', '--order', order, '--all', '--limit', '2', '--json');
      const lines = all.stdout.trim().split('\n');
      expect(lines.map((line) => JSON.parse(line).value)).toEqual(expected);
      const table = await run('history', 'k', '--order', order, '--all', '--limit', '1');
      expect(table.stdout.match(/TIME/g)).toHaveLength(1);
      expect(table.stdout.trim().split('\n')).toHaveLength(6);
    });

    it('says how to go on after one page', async () => {
      store('k', '1', '2', '3');
      const first = await run('history', 'k', '--limit', '2');
      expect(first.stdout).not.toMatch(/ 1\n/);
      const [, next = ''] = /--after '(\d+)'/.exec(first.stderr) ?? [];
      const second = await run('history', 'k', '--limit', '2', '--after', next, '--json');
      expect(JSON.parse(second.stdout)).toMatchObject({
        ok: true,
        key: 'k',
        items: [{ value: '1', time: FIRST_MS }],
        more: false,
        next: null,
      });
    });

    it('begins with --from and ends before --to', async () => {
      store('k', '1', '2', '3');
      const times = ['--from', String(FIRST_MS), '--to', '2024-01-01T00:00:00.003Z'];
      const { stdout } = await run('history', 'k', ...times, '--json');
      expect(JSON.parse(stdout)).toMatchObject({ items: [{ value: '2' }, { value: '1' }] });
      const lately = await run('history', 'k', '--from', '-1h');
      expect(lately).toEqual({ code: 0, stdout: '', stderr: "'k' has values, but none there.\n" });
      const json = await run('history', 'k', '--from', '-1h', '--json');
      expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, items: [], more: false });
    });

    it.each([
      ['whole', []],
      ['whole, all pages', ['--all']],
      ['of a time', ['--from', '-1h']],
    ])('ends with 3 when there is none: %s', async (_what, flags) => {
      const none = await run('history', 'k', ...flags);
      const sentence = "there is no history of 'k': no value of it is kept";
      expect(none).toEqual({ code: 3, stdout: '', stderr: `dss: ${sentence}\n` });
      const json = await run('history', 'k', ...flags, '--json');
      expect(json).toMatchObject({ code: 3, stdout: '' });
      expect(JSON.parse(json.stderr)).toMatchObject({ error: 'NOT_FOUND' });
    });
  });

  describe('get --at', () => {
    it('gives the value of then, or says that there was none', async () => {
      store('k', '1', '', '3');
      expect((await run('get', 'k', '--at', String(FIRST_MS))).stdout).toBe('1\n');
      expect((await run('get', 'k', '--at', '-1h')).stdout).toBe('3\n');
      const deleted = await run('get', 'k', '--at', '2024-01-01T00:00:00.002Z');
      expect(deleted).toEqual({
        code: 3,
        stdout: '',
        stderr: "dss: 'k' had no value at 2024-01-01T00:00:00.002Z\n",
      });
      expect(await run('get', 'k', '--at', '2020-01-01T00:00:00Z')).toMatchObject({ code: 3 });
    });
  });

  describe('range', () => {
    beforeEach(() => {
      for (const key of ['p/1', 'p/2', 'p/3', 'p/4', 'p10']) store(key, `v${key}`);
    });

    it('begins with --from, ends before --to, and goes either way', async () => {
      const bounds = ['--from', 'p/2', '--to', 'p/4'];
      expect((await run('range', 'p', ...bounds)).stdout).toBe('p/2 vp/2\np/3 vp/3\n');
      const back = await run('range', 'p', ...bounds, '--reverse');
      expect(back.stdout).toBe('p/3 vp/3\np/2 vp/2\n');
      expect((await run('range', '--from', 'p/4')).stdout).toBe('p/4 vp/4\np10 vp10\n');
    });

    it('pages, both ways', async () => {
      const first = await run('range', 'p', '--limit', '3', '--reverse', '--json');
      expect(JSON.parse(first.stdout)).toMatchObject({
        ok: true,
        prefix: 'p',
        items: [{ key: 'p/4', value: 'vp/4' }, { key: 'p/3' }, { key: 'p/2' }],
        more: true,
        next: 'p/2',
      });
      const second = await run('range', 'p', '--limit', '3', '--reverse', '--after', 'p/2');
      expect(second).toEqual({ code: 0, stdout: 'p/1 vp/1\n', stderr: '' });
      expect((await run('range', 'p', '--limit', '3')).stderr).toContain("--after 'p/3'");
      const all = await run('range', 'p', '--reverse', '--all', '--limit', '1', '--json');
      const keys = all.stdout.trim().split('\n');
      expect(keys.map((line) => JSON.parse(line).key)).toEqual(['p/4', 'p/3', 'p/2', 'p/1']);
    });
  });

  it.each([
    ['history', 'k', '--order', 'sideways'],
    ['history', 'k', '--from', 'yesterday'],
    ['history', 'k/#'],
    ['history'],
    ['range', 'p/+'],
    ['range', '--limit', '0'],
    ['get', 'k', '--at', '2026-11-20'],
  ])('calls it a wrong command line: %s %s %s %s', async (...args) => {
    const given = args.filter((arg) => arg !== undefined);
    const { code, stderr } = await run(...given, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ ok: false, error: 'USAGE' });
  });

  it.each([
    ['history', 'k'],
    ['range', 'p'],
    ['get', 'k', '--at', '-1h'],
  ])('ends with 4 when there is no quorum: %s %s', async (...args) => {
    harness.plane.down = true;
    expect(await run(...args)).toMatchObject({ code: 4, stdout: '' });
  });

  it('ends with 1 when the node refuses: a cursor that is none', async () => {
    const { code, stderr } = await run('history', 'k', '--after', 'k', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: 'INVALID_REQUEST' });
  });

  it.each(['history', 'range', 'get'])('documents examples: %s', async (command) => {
    const { code, stdout } = await run(command, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('Examples:');
  });
});
