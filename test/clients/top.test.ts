import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../clients/cli/program.ts';
import { clip } from '../../clients/cli/table.ts';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

const row = {
  ...{ id: 'a', name: 'n1', state: 'active', zone: '', version: '0.1.0', mqtt: '', http: '' },
  ...{ leads: 3, replicas: 3, uptimeMs: 65_000, memoryBytes: 2048, memoryMaxBytes: 4096 },
  ...{ diskUsedBytes: 1, diskFreeBytes: 1024 ** 3, storageMaxBytes: 0, lastHeardMs: 5 },
  ...{ publishesPerSecond: 1234.4, putsPerSecond: 2.25, commitP99Ms: 12.3, loopDelayP99Ms: 1 },
  connections: 7,
};
const silent = {
  ...{ ...row, id: 'b', name: 'n2', state: 'failed', uptimeMs: null, memoryBytes: null },
  ...{ publishesPerSecond: null, putsPerSecond: null, commitP99Ms: null, loopDelayP99Ms: null },
  ...{ diskUsedBytes: null, diskFreeBytes: null, connections: null, leads: 0 },
};
const shard = { kind: 'shard', firstSlot: 0, slotCount: 9, term: 3, replicas: ['n1', 'n2'] };
const alert = {
  ...{ name: 'node-failed-n2', rule: 'node-failed', subject: 'n2', severity: 'critical' },
  ...{ state: 'firing', since: new Date(Date.now() - 12_030_000).toISOString() },
  ...{ message: 'Nothing is heard of n2 any more.', advice: 'Start n2 again.' },
};
const status = {
  node: { id: 'a', name: 'n1', startCounter: 1, mqtt: '', http: '' },
  cluster: { id: 'plant', state: 'degraded', durability: { copies: 2, replicas: 3 } },
  nodes: [row, silent],
  shards: [
    { ...shard, group: 0, kind: 'meta', leader: 'n1' },
    { ...shard, group: 1, leader: 'n1' },
    { ...shard, group: 2, leader: null },
  ],
  alerts: [alert],
};

describe('dss top', () => {
  let node: FakeNode;
  beforeEach(async () => {
    node = await startFakeNode(status);
  });
  afterEach(() => node.close());

  it('prints once without a terminal', async () => {
    const { code, stdout } = await runCommand(['top', '--http', node.http]);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(
      /^DSS plant: degraded; a PUBACK means 2 of 3 copies on disk; seen by n1 at \d\d:\d\d:\d\dZ$/,
    );
    expect(lines.slice(1)).toEqual([
      '1,234 messages/s   2.3 puts/s   commit p99 12 ms   loop delay p99 1.0 ms   7 connections',
      '2 shards, 1 without a leader (2)',
      'critical: node-failed-n2 for 3h 20m: Nothing is heard of n2 any more.',
      '',
      'NODE  STATE   MSG/S  PUTS/S  COMMIT P99  LOOP P99              MEMORY  DISK FREE  LEADS  REPLICAS  CLIENTS     UP',
      'n1    active  1,234     2.3       12 ms    1.0 ms  2.0 KiB of 4.0 KiB    1.0 GiB      1         3        7  1m 5s',
      'n2    failed      –       –           –         –                   –          –      0         3        –      –',
      '',
    ]);
  });

  it('takes no notice of what a silent node has said last', async () => {
    for (const state of ['failed', 'dead']) {
      const gone = { ...row, id: 'b', name: 'n2', state, leads: 0 };
      const other = await startFakeNode({ ...status, nodes: [row, gone] });
      const { stdout } = await runCommand(['top', '--http', other.http]);
      expect(stdout).toContain('1,234 messages/s   2.3 puts/s   commit p99 12 ms');
      expect(stdout).toContain('   7 connections');
      expect(stdout).toMatch(/^n2 +\w+( +–){6} +0 +3( +–){2}$/m);
      await other.close();
    }
  });

  it('is one object with --json', async () => {
    const { stdout } = await runCommand(['top', '--json', '--http', node.http]);
    expect(JSON.parse(stdout)).toMatchObject({
      seenBy: 'n1',
      cluster: status.cluster,
      totals: { publishesPerSecond: 1234.4, commitP99Ms: 12.3, connections: 7 },
      shards: { count: 2, leaderless: [2], leaders: { n1: 1, n2: 0 } },
      nodes: [row, silent],
      alerts: [alert],
    });
  });

  it('says so when nobody answers', async () => {
    const { code, stderr } = await runCommand(['top', '--http', 'http://127.0.0.1:1']);
    expect([code, stderr]).toEqual([4, expect.stringContaining('nothing listens there')]);
  });

  describe('at a terminal', () => {
    const modes: boolean[] = [];
    let stdin: PassThrough;
    let stdout: PassThrough & { columns?: number; rows?: number };
    let written: string;
    let running: Promise<number>;
    const frames = () => written.split('\u001b[?2026h').slice(1);
    const lastLines = () => stripVTControlCharacters(frames().at(-1) ?? '').split('\r\n');

    beforeEach(async () => {
      modes.length = 0;
      written = '';
      stdin = Object.assign(new PassThrough(), {
        isTTY: true,
        setRawMode: (isRaw: boolean) => modes.push(isRaw),
      });
      stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 60, rows: 4 });
      stdout.on('data', (data: Buffer) => {
        written += data.toString();
      });
      const args = ['top', '--interval', '0.05', '--http', node.http];
      running = runCommandLine(args, { stdin, stdout, stderr: new PassThrough() });
      await expect.poll(() => frames().length).toBeGreaterThan(1);
    });

    it('draws over and over in a screen of its own, as much as there is room for, until q', async () => {
      expect(written.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
      expect(lastLines()).toHaveLength(4);
      expect(lastLines().at(-1)).toBe('q quits');
      expect(lastLines()[0]).toHaveLength(59);
      // Nothing is cleared before it is drawn: each line ends with the erasing of what was behind it.
      expect(frames().at(-1)).not.toContain('\u001b[2J');
      Object.assign(stdout, { columns: 200, rows: 50 });
      const before = frames().length;
      stdout.emit('resize');
      expect(frames().length).toBe(before + 1);
      expect(lastLines().at(-2)).toMatch(/^n2 {4}failed/);
      stdin.write('q');
      expect(await running).toBe(0);
      expect(written.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
      expect(modes).toEqual([true, false]);
    });

    it('shows that there is no news, with what was known', async () => {
      await node.close();
      await expect.poll(() => lastLines()[1]).toMatch(/^No news: cannot reach/);
      expect(lastLines()[0]).toMatch(/^DSS plant/);
      stdin.write('\u0003');
      expect(await running).toBe(0);
    });
  });
});

it('clips lines without counting colours', () => {
  const coloured = '\u001b[31mréd\u001b[39m and more';
  expect(clip(coloured, 5)).toBe('\u001b[31mréd\u001b[39m a');
  expect(clip(coloured, 2)).toBe('\u001b[31mré\u001b[39m');
  expect(clip(coloured, 80)).toBe(coloured);
});
