import { afterEach, describe, expect, it } from 'vitest';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

const nodes: FakeNode[] = [];
afterEach(() => Promise.all(nodes.splice(0).map((node) => node.close())));

const shard = (group: number, leader: string | null, local?: object) => ({
  ...{ group, kind: group === 0 ? 'meta' : 'shard', firstSlot: group * 8, slotCount: 8 },
  ...{ leader, term: 2, replicas: ['n1', 'n2', 'n3'], ...(local ? { local } : {}) },
});
const at = (commit: number, applied: number) => ({ term: 3, commit, applied, suspect: null });

/** n2 answers, n1 knows it; n3 was never heard. */
async function start(): Promise<FakeNode> {
  const second = await startFakeNode({
    node: { id: 'b', name: 'n2' },
    nodes: [],
    shards: [
      shard(0, 'n1', at(9, 9)),
      shard(1, 'n2', at(120, 118)),
      shard(2, null, { suspect: 'it differs' }),
    ],
  });
  const first = await startFakeNode({
    node: { id: 'a', name: 'n1' },
    nodes: [
      { id: 'a', name: 'n1', http: 'never asked' },
      { id: 'b', name: 'n2', http: second.http.replace('http://', '') },
      { id: 'c', name: 'n3', http: null },
    ],
    shards: [shard(0, 'n1', at(9, 9)), shard(1, 'n2', at(110, 100)), shard(2, null)],
  });
  nodes.push(first, second);
  return first;
}

describe('dss shards', () => {
  it('is a table of what the nodes themselves say', async () => {
    const { http } = await start();
    const { code, stdout, stderr } = await runCommand(['shards', '--http', http]);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'GROUP  SLOTS  LEADER  REPLICAS                                  TERM  COMMIT  APPLIED      LAG',
      '    0   meta  n1      n1 n2 n3 (silent)                            3       9        9        0',
      '    1   8-15  n2      n1 n2 n3 (silent)                            3     120      118  20 (n1)',
      '    2  16-23  none    n1 (missing) n2 (it differs) n3 (silent)     2       –        –        –',
      '',
    ]);
    expect(stderr).toBe('n3 did not answer: nobody has heard of its address\n');
  });

  it('tells each replica with --json', async () => {
    const { http } = await start();
    const { stdout, stderr } = await runCommand(['shards', '--json', '--http', http]);
    const document = JSON.parse(stdout);
    expect(stderr).toBe('');
    expect(document.silent).toMatchObject([{ node: 'n3' }]);
    expect(document.shards[1]).toEqual({
      ...{ group: 1, kind: 'shard', firstSlot: 8, slotCount: 8, leader: 'n2', term: 3 },
      ...{ commit: 120, applied: 118, lag: 20 },
      replicas: [
        { node: 'n1', commit: 110, applied: 100, lag: 20, why: '' },
        { node: 'n2', commit: 120, applied: 118, lag: 2, why: '' },
        { node: 'n3', commit: null, applied: null, lag: null, why: 'silent' },
      ],
    });
  });

  it('can leave out those that are as they should be', async () => {
    const node = await startFakeNode({
      node: { id: 'a', name: 'n1' },
      nodes: [],
      shards: [
        { ...shard(1, 'n1', at(9, 9)), replicas: ['n1'] },
        { ...shard(2, 'n1', at(9, 8)), replicas: ['n1'] },
        { ...shard(3, null, at(9, 9)), replicas: ['n1'] },
      ],
    });
    nodes.push(node);
    const { stdout } = await runCommand(['shards', '--behind', '--json', '--http', node.http]);
    const groups = JSON.parse(stdout).shards.map(({ group }: { group: number }) => group);
    expect(groups).toEqual([2, 3]);
  });
});
