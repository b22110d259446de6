import { expect, it } from 'vitest';
import { truthsOf } from '../../node/balance/reports.ts';
import { cluster, decode, encode } from '../../protos/index.ts';

const { ReplicaRole } = cluster;

const heard = (node: string, heartbeat: cluster.Heartbeat.$Properties) => ({
  node,
  state: 'active' as const,
  sinceHeardMs: 0,
  heartbeat: decode(
    cluster.Heartbeat,
    encode(cluster.Heartbeat, { format: 1, node, ...heartbeat }),
  ),
});

const lead = (group: number, configurationIndex: number, term: number, more = {}) => ({
  ...{ group, configurationIndex, term, committed: true, bytes: 5 },
  replicas: [{ replicaId: 1, node: 'a', role: ReplicaRole.VOTER, caughtUp: true }],
  ...more,
});

it('of several reports believes that of the later term, then that of the later configuration', () => {
  const truths = truthsOf([
    heard('a', { leads: [lead(2, 9, 3), lead(1, 5, 3)] }),
    heard('b', { leads: [lead(1, 6, 3), lead(2, 5, 4)] }),
    heard('c', { leads: [lead(1, 7, 2), lead(2, 4, 4)] }),
    { node: 'd', state: 'unknown', sinceHeardMs: undefined, heartbeat: undefined },
  ]);
  expect(truths.map(({ group, leader }) => [group, leader])).toEqual([
    [1, 'b'],
    [2, 'b'],
  ]);
});

it('knows suspects by their own word, roles, and whether a change is going on', () => {
  const replicas = [
    { replicaId: 1, node: 'a', role: ReplicaRole.VOTER, caughtUp: true },
    { replicaId: 2, node: 'b', role: ReplicaRole.OUTGOING },
    { replicaId: 3, node: 'c', role: ReplicaRole.LEARNER, installing: true },
  ];
  const suspects = [
    { group: 1, replicaId: 3 },
    { group: 2, replicaId: 1 },
  ];
  const leads = [lead(1, 1, 1, { replicas }), lead(2, 1, 1, { committed: false }), lead(3, 1, 1)];
  const [joint, uncommitted, quiet] = truthsOf([heard('a', { leads }), heard('c', { suspects })]);
  expect(joint?.replicas.map(({ role, isSuspect }) => [role, isSuspect])).toEqual([
    ['voter', false],
    ['outgoing', false],
    ['learner', true],
  ]);
  expect([joint, uncommitted, quiet].map((truth) => truth?.isChanging)).toEqual([
    true,
    true,
    false,
  ]);
  expect(uncommitted?.replicas[0]?.isSuspect).toBe(true);
  expect(quiet).toMatchObject({ leader: 'a', bytes: 5, configurationIndex: 1, term: 1 });
});
