import { describe, expect, it } from 'vitest';
import { stateChanges, type WatchedNode } from '../../node/balance/node-states.ts';
import type { GroupTruth } from '../../node/balance/truth.ts';

const deadAfterMs = 1_000;

const node = (id: string, changes: Partial<WatchedNode> = {}): WatchedNode => ({
  ...{ node: id, state: 'active', isHealthy: true, failedForMs: 0 },
  ...changes,
});
const failed = { isHealthy: false, failedForMs: deadAfterMs };

/** Held by each of `holders`, and led by the first. */
const truth = (group: number, holders: string): GroupTruth => ({
  ...{ group, configurationIndex: 1, term: 1, leader: holders[0] as string, isChanging: false },
  bytes: 0,
  replicas: [...holders].map((holder, index) => ({
    ...{ replicaId: index + 1, node: holder, role: 'voter' },
    ...{ caughtUp: true, installing: false, isSuspect: false },
  })),
});

const changes = (
  nodes: readonly WatchedNode[],
  truths: readonly GroupTruth[],
  { groupCount = 2, replicationFactor = 2 } = {},
) =>
  stateChanges({ nodes, truths, groupCount, replicationFactor, deadAfterMs }).map((change) => {
    return `${change.node} ${change.state}`;
  });

it('who joins is active once it is heard', () => {
  const [a, b] = [node('a'), node('b', { state: 'joining' })];
  expect(changes([a, b], [])).toEqual(['b active']);
  expect(changes([a, { ...b, isHealthy: false }], [])).toEqual([]);
});

describe('who has failed', () => {
  const truths = [truth(0, 'abc'), truth(1, 'bac')];

  it('is dead when the time has come', () => {
    const almost = node('c', { ...failed, failedForMs: deadAfterMs - 1 });
    expect(changes([node('a'), node('b'), almost], truths)).toEqual([]);
    expect(changes([node('a'), node('b'), node('c', failed)], truths)).toEqual(['c dead']);
    const leaving = node('c', { ...failed, state: 'leaving' });
    expect(changes([node('a'), node('b'), leaving], truths)).toEqual(['c dead']);
  });

  it('is not while it may be us who are cut off', () => {
    const onlyOnA = [truth(0, 'a'), truth(1, 'a')];
    expect(changes([node('a'), node('b', failed)], onlyOnA)).toEqual([]);
    const dead = node('c', { ...failed, state: 'dead' });
    expect(changes([node('a'), node('b', failed), dead], [truth(0, 'ac'), truth(1, 'ac')])).toEqual(
      [],
    );
  });

  it('is not while nobody can take its place, unless it was told to leave', () => {
    const three = { replicationFactor: 3 };
    const lost = node('c', failed);
    expect(changes([node('a'), node('b'), lost], truths, three)).toEqual([]);
    const newcomer = node('d', { state: 'joining' });
    expect(changes([node('a'), node('b'), lost, newcomer], truths, three)).toContain('c dead');
    const leaves = node('d', { state: 'leaving' });
    expect(changes([node('a'), node('b'), lost, leaves], truths, three)).not.toContain('c dead');
    expect(changes([node('a'), node('b'), { ...lost, state: 'leaving' }], truths, three)).toEqual([
      'c dead',
    ]);
  });

  it('is not while a group has no leader that is heard, or nobody knows of a group', () => {
    const nodes = [node('a'), node('b'), node('c', failed)];
    expect(changes(nodes, [truth(0, 'abc'), truth(1, 'cab')])).toEqual([]);
    expect(changes(nodes, truths, { groupCount: 3 })).toEqual([]);
  });
});

it('who leaves or is dead is gone once every group says that it holds nothing', () => {
  const nodes = [node('a'), node('b', { state: 'leaving' }), node('c', { state: 'dead' })];
  expect(changes(nodes, [truth(0, 'a'), truth(1, 'ab')])).toEqual(['c gone']);
  expect(changes(nodes, [truth(0, 'a'), truth(1, 'a')])).toEqual(['b gone', 'c gone']);
  expect(changes(nodes, [truth(0, 'a')])).toEqual([]);
  expect(
    changes([...nodes, node('d', { state: 'gone' })], [truth(0, 'a')], { groupCount: 1 }),
  ).not.toContain('d');
});
