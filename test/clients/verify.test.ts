import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

describe('dss verify', () => {
  let node: FakeNode;
  let isOver: boolean;
  let state: string;
  beforeEach(async () => {
    node = await startFakeNode();
    isOver = true;
    state = 'equal';
    const replica = (name: string, verdict: string) => ({ node: name, id: 1, verdict });
    node.answerHttp = ({ method }) => {
      const endedAt = isOver && method === 'GET' ? Date.now() - 90_000 : null;
      const common = { startedAt: 1, endedAt, entries: 12, bytes: 2048, slots: [], index: 9 };
      const equal = { group: 0, state: 'equal', replicas: [replica('n1', 'agrees')] };
      const differs = replica('n2', state === 'different' ? 'differs' : 'agrees');
      const other = { group: 7, state, replicas: [replica('n1', 'agrees'), differs] };
      isOver = true;
      return {
        status: 200,
        body: { groups: [equal, other].map((each) => ({ ...each, ...common })) },
      };
    };
  });
  afterEach(() => node.close());
  const run = (...args: string[]) => runCommand(['verify', ...args, '--http', node.http]);

  it('compares everything, waits for the end and shows it', async () => {
    isOver = false;
    const { code, stdout } = await run();
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'GROUP  STATE  AGREE   DIFFER  MISSING  VALUES     SIZE       ENDED',
      ' meta  equal  n1                           12  2.0 KiB  1m 30s ago',
      '    7  equal  n1, n2                       12  2.0 KiB  1m 30s ago',
      '',
    ]);
    expect(node.httpRequests[0]).toEqual({ method: 'POST', path: '/v1/verify', body: {} });
  });

  it('says by its exit code that replicas differ', async () => {
    state = 'different';
    const { code, stdout } = await run('--group', '7', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).groups).toMatchObject([{ group: 7, state: 'different' }]);
    expect(node.httpRequests[0]?.body).toEqual({ group: 7 });
  });

  it('shows the last comparisons', async () => {
    expect((await run('--last')).code).toBe(0);
    expect(node.httpRequests.map(({ method }) => method)).toEqual(['GET']);
  });
});
