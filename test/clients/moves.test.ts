import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

let node: FakeNode;
beforeEach(async () => {
  node = await startFakeNode();
});
afterEach(() => node.close());

const run = (...args: string[]) => runCommand([...args, '--http', node.http]);
const answer = (body: object, status = 200): void => {
  node.answerHttp = () => ({ status, body });
};

describe('dss moves', () => {
  const nowMs = Date.now();
  const moves = [
    {
      ...{ group: 7, reason: 'balance', state: 'moving', from: ['n1'], to: ['n4'] },
      ...{ bytes: 3 * 1024 * 1024, detectedAtMs: nowMs - 3_600_000 },
      ...{ decidedAtMs: nowMs - 60_500, msLeft: 30_000 },
    },
    {
      ...{ group: 0, reason: 'repair', state: 'waiting', from: ['n3'], to: ['n4', 'n5'] },
      ...{ bytes: 0, detectedAtMs: nowMs - 7_200_500, decidedAtMs: null, msLeft: null },
    },
  ];

  it('shows what is on its way, and what waits', async () => {
    answer({ moves });
    const { code, stdout } = await run('moves');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'GROUP  WHY      STATE    FROM  TO         SIZE  SINCE  LEFT',
      '    7  balance  moving   n1    n4      3.0 MiB     1m   30s',
      ' meta  repair   waiting  n3    n4, n5      0 B     2h',
      '',
    ]);
    expect(node.httpRequests).toMatchObject([{ method: 'GET', path: '/v1/moves' }]);
    expect(JSON.parse((await run('moves', '--json')).stdout)).toEqual({ moves });
  });

  it('says that nothing moves', async () => {
    answer({ moves: [] });
    expect((await run('moves')).stdout).toMatch(/^Nothing is moving/);
  });

  it('says what the node says', async () => {
    answer({ code: 'FORMING', detail: 'the node has not joined a cluster yet' }, 503);
    expect(await run('moves')).toMatchObject({ code: 4, stderr: expect.stringMatching(/joined/) });
  });
});

describe('dss events', () => {
  const atMs = Date.UTC(2026, 10, 21, 9);
  const events = [
    { atMs, kind: 'node-state', message: 'n3 is dead', node: 'n3' },
    {
      ...{ atMs: atMs + 95_000, kind: 'moved', message: 'group 7 has moved from n3 to n4' },
      ...{ group: 7, reason: 'repair', detectedAtMs: atMs - 300_000 },
      ...{ decidedAtMs: atMs + 5_000, repairedAtMs: atMs + 95_000 },
    },
    {
      ...{ atMs: atMs + 96_000, kind: 'step-failed', message: 'group 8: voters n1: refused' },
      ...{ group: 8, reason: 'balance' },
    },
  ];

  it('shows them with how long everything took', async () => {
    answer({ events });
    const { code, stdout } = await run('events');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '2026-11-21T09:00:00.000Z  n3 is dead',
      '2026-11-21T09:01:35.000Z  group 7 has moved from n3 to n4 (repair: decided after 5m 5s, done 1m 30s later)',
      '2026-11-21T09:01:36.000Z  group 8: voters n1: refused (balance)',
      '',
    ]);
    expect(JSON.parse((await run('events', '--json')).stdout)).toEqual({ events });
  });

  it('says that nothing has happened', async () => {
    answer({ events: [] });
    expect((await run('events')).stdout).toMatch(/^Nothing/);
  });
});
