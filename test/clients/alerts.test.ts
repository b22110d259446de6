import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

let node: FakeNode;
beforeEach(async () => {
  node = await startFakeNode();
});
afterEach(() => node.close());

const run = (...args: string[]) => runCommand([...args, '--http', node.http]);

const alert = {
  ...{ name: 'node-failed-n2', rule: 'node-failed', subject: 'n2', severity: 'critical' },
  ...{ state: 'firing', since: new Date(Date.now() - 200_500).toISOString() },
  ...{ message: 'Nothing is heard of n2 any more.', advice: 'Start n2 again.' },
};
const pending = {
  ...alert,
  ...{ name: 'loop-delay-n1', severity: 'warning', state: 'pending', message: 'It is late.' },
};
const over = {
  ...{ ...alert, state: 'resolved', since: '2026-11-21T09:00:00.000Z' },
  until: '2026-11-21T09:01:35.000Z',
};

describe('dss alerts', () => {
  const answer = (document: object): void => {
    node.answerHttp = () => ({ status: 200, body: document });
  };

  it('says what is, and what to do', async () => {
    const document = { alerts: [alert, pending], history: [over], rules: [] };
    answer(document);
    const { code, stdout } = await run('alerts');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'node-failed-n2 (critical, for 3m 20s)',
      '  Nothing is heard of n2 any more.',
      '  Start n2 again.',
      'loop-delay-n1 (warning, pending, for 3m 20s)',
      '  It is late.',
      '  Start n2 again.',
      '',
    ]);
    expect(node.httpRequests).toMatchObject([{ method: 'GET', path: '/v1/alerts' }]);
    expect(JSON.parse((await run('alerts', '--json')).stdout)).toEqual(document);
  });

  it('says what was', async () => {
    answer({ alerts: [], history: [over], rules: [] });
    expect((await run('alerts')).stdout).toBe('All is well.\n');
    expect((await run('alerts', '--history')).stdout.split('\n')).toEqual([
      'All is well.',
      '',
      'SINCE                     LASTED  ALERT           WHAT WAS',
      '2026-11-21T09:00:00.000Z  1m 35s  node-failed-n2  Nothing is heard of n2 any more.',
      '',
    ]);
    answer({ alerts: [], history: [], rules: [] });
    expect((await run('alerts', '--history')).stdout).toMatch(/Nothing else has happened/);
  });
});

describe('dss report', () => {
  const nodeRow = {
    ...{ id: 'a', name: 'n1', state: 'active', zone: 'hall', version: '0.1.0', mqtt: '', http: '' },
    ...{ leads: 2, replicas: 3, uptimeMs: 60_000, memoryBytes: 1024, diskUsedBytes: 2048 },
    ...{ diskFreeBytes: 4096, publishesPerSecond: 12.34, commitP99Ms: null, loopDelayP99Ms: 1 },
    lastHeardMs: 5,
  };
  const silent = { ...nodeRow, id: 'b', name: 'n2', state: 'failed', http: null };
  const shard = { kind: 'shard', firstSlot: 0, slotCount: 9, term: 3, replicas: ['n1', 'n2'] };
  const status = {
    node: { id: 'a', name: 'n1', startCounter: 4, mqtt: '127.0.0.1:1', http: '127.0.0.1:2' },
    cluster: { id: 'plant', state: 'degraded', durability: { copies: 2, replicas: 3 } },
    nodes: [nodeRow, silent],
    shards: [
      { ...shard, group: 1, leader: 'n1', local: { commit: 9, applied: 7, suspect: null } },
      { ...shard, group: 2, leader: null, local: { suspect: 'it | differs' } },
    ],
    ...{ storage: { tableBytes: 5, isFull: false }, log: { segments: 2 }, links: [] },
    broker: { puts: 7, refused: { NOT_ALLOWED: 3 } },
    process: { processId: 1, uptimeMs: 9, cpuUserMicros: 1, cpuSystemMicros: 1, memoryBytes: 3 },
    alerts: [alert],
  };
  const bodies: Readonly<Record<string, object>> = {
    '/v1/alerts': { alerts: [alert], history: [over], rules: [] },
    '/v1/events': {
      events: [{ atMs: 1_700_000_000_000, message: 'n2 is dead', reason: 'repair' }],
    },
    '/v1/moves': { moves: [{}] },
    '/v1/config': { config: { name: 'n1' } },
  };
  const refused = { status: 403, body: { code: 'NOT_ALLOWED', detail: 'no' } };

  let directory: string;
  beforeEach(async () => {
    await node.close();
    node = await startFakeNode(status);
    directory = await mkdtemp(join(tmpdir(), 'dss-report-'));
    node.answerHttp = ({ path }) => ({ status: 200, body: bodies[path] ?? {} });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('is a text that a person can read', async () => {
    const { code, stdout } = await run('report');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# Health of the DSS cluster plant\n/);
    for (const line of [
      '- State: **degraded**. A PUBACK means 2 of 3 copies on disk.',
      '- Shards: 2, 1 without a leader. Moves under way or waiting: 1.',
      '- **Did not answer: n2**: nobody has heard of its address',
      '| n1 | active | hall | 0.1.0 | 1m | 2 | 3 | 1.0 KiB | 2.0 KiB | 4.0 KiB | 12.3 | – | 1.0 | 5 ms |',
      '| 1 | n1 | 3 | n1, n2 | n1: 2 |',
      '| 2 | **none** | 3 | n1, n2 | n1: suspect (it \\| differs) |',
      '- 2023-11-14T22:13:20.000Z n2 is dead (repair)',
      '- Refused: NOT_ALLOWED 3',
    ]) {
      expect(stdout.split('\n')).toContain(line);
    }
    expect(stdout).toContain('seen by n1): Nothing is heard of n2 any more. Start n2 again.');
    expect(stdout).toContain('**node-failed-n2**: Nothing is heard');
    expect(stdout).toContain('"name": "n1"');
  });

  it('goes into a file, or is JSON', async () => {
    const file = join(directory, 'report.md');
    const { stdout } = await run('report', '--output', file);
    expect(stdout).toBe(`Written to ${file}, from 1 of 2 nodes; n2 did not answer\n`);
    expect(await readFile(file, 'utf8')).toMatch(/^# Health .*\n[\s\S]*```\n$/);
    const document = JSON.parse((await run('report', '--json')).stdout);
    expect(document).toMatchObject({
      nodes: [{ status, alerts: bodies['/v1/alerts'], config: { name: 'n1' } }],
      silent: [{ node: 'n2' }],
    });
  });

  it('is written without what somebody may not see, or what is not there yet', async () => {
    node.answerHttp = () => refused;
    const { code, stdout } = await run('report');
    expect(code).toBe(0);
    expect(stdout).toContain('"only an administrator may see it"');
  });
});
