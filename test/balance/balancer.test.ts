import { describe, expect, it } from 'vitest';
import { type BalancerInput, nextSteps } from '../../node/balance/balancer.ts';
import type { BalancerNode } from '../../node/balance/nodes.ts';
import type { Step } from '../../node/balance/step.ts';
import type { GroupTarget, GroupTruth, ReplicaTruth } from '../../node/balance/truth.ts';

const limits = { receivingPerNodeMax: 1, receivingMax: 2, transfersMax: 2 };

/** Nodes a to f: active, healthy and with room, but for what `changes` says. */
function nodes(changes: Record<string, Partial<BalancerNode>> = {}): BalancerNode[] {
  return [...'abcdef'].map((id) => {
    return { id, state: 'active', isHealthy: true, isFull: false, ...changes[id] };
  });
}

/** `'abc+d-'`: voters a (which leads), b and c, and a learner d that has not caught up; `!`: suspect; `?`: behind. */
function truth(group: number, places: string, changes: Partial<GroupTruth> = {}): GroupTruth {
  const [voters = '', learners = ''] = places.split('+');
  const replicas = [...voters.matchAll(/(\w)([-!?]?)/g), ...learners.matchAll(/(\w)([-!?]?)/g)];
  const voterCount = voters.replace(/[-!?]/g, '').length;
  return {
    group,
    configurationIndex: 7,
    term: 1,
    leader: voters[0] as string,
    isChanging: false,
    replicas: replicas.map(
      ([, node = '', mark], index): ReplicaTruth => ({
        replicaId: index + 1,
        node,
        role: index < voterCount ? 'voter' : 'learner',
        caughtUp: mark === '',
        installing: mark === '-',
        isSuspect: mark === '!',
      }),
    ),
    bytes: 1_000,
    ...changes,
  };
}

function target(group: number, places: string): GroupTarget {
  const [voters = '', learners = ''] = places.split('+');
  return { group, voters: [...voters], learners: [...learners] };
}

function steps(
  truths: readonly GroupTruth[],
  targets: readonly GroupTarget[],
  rest: Partial<BalancerInput> = {},
) {
  const byGroup = new Map(targets.map((one) => [one.group, one]));
  const input = { truths, targets: byGroup, nodes: nodes(), underWay: [], limits, ...rest };
  return nextSteps(input).map(({ configurationIndex: _, leader: __, ...step }) => step);
}

const one = (from: string, to: string, rest: Partial<BalancerInput> = {}) =>
  steps([truth(1, from)], [target(1, to)], rest);

const noTransfers = { limits: { ...limits, transfersMax: 0 } };

describe('from truth to target', () => {
  it('begins with learners, and drops those that nobody wants', () => {
    expect(one('abc+f', 'abd')).toEqual([
      { group: 1, reason: 'balance', kind: 'learners', learners: ['d'], added: ['d'] },
    ]);
  });

  it('waits until they have caught up', () => {
    expect(one('abc+d-', 'abd')).toEqual([]);
  });

  it('changes all voters at once, and all others go out', () => {
    expect(one('abc+d', 'abd')).toEqual([
      { group: 1, reason: 'balance', kind: 'voters', voters: ['a', 'b', 'd'], learners: [] },
    ]);
    expect(one('a+bc', 'abc')).toMatchObject([{ kind: 'voters', voters: ['a', 'b', 'c'] }]);
    expect(one('a+bc-', 'abc')).toEqual([]);
  });

  it('makes a learner of a voter that is to be one', () => {
    expect(one('a+b', 'b+a')).toMatchObject([{ kind: 'voters', voters: ['b'], learners: ['a'] }]);
  });

  it('first has the lead handed to a voter that stays', () => {
    expect(one('cab+d', 'abd')).toEqual([
      { group: 1, reason: 'balance', kind: 'transfer', to: 'a' },
    ]);
    expect(one('ca-b+d', 'abd')).toMatchObject([{ kind: 'transfer', to: 'b' }]);
  });

  it('does nothing at the target', () => {
    expect(one('abc', 'cab')).toEqual([]);
  });
});

describe('never', () => {
  it('a change in a group that is in one, has a step under way, or a silent leader', () => {
    const changing = truth(1, 'abc+d', { isChanging: true });
    expect(steps([changing], [target(1, 'abd')])).toEqual([]);
    const underWay = {
      ...{ group: 1, configurationIndex: 7, leader: 'a', reason: 'balance' as const },
      ...{ kind: 'learners' as const, learners: ['d'], added: ['d'] },
    };
    expect(one('abc', 'abd', { underWay: [underWay] })).toEqual([]);
    expect(one('abc+d', 'abd', { nodes: nodes({ a: { isHealthy: false } }) })).toEqual([]);
  });

  it('a replica to a node that is silent, full, or not active', () => {
    for (const wrong of [{ isHealthy: false }, { isFull: true }, { state: 'dead' as const }]) {
      expect(one('abc', 'abd', { nodes: nodes({ d: wrong }) })).toEqual([]);
    }
  });

  it('voters that are no healthy majority', () => {
    const silent = (...ids: string[]) =>
      nodes(Object.fromEntries(ids.map((id) => [id, { isHealthy: false }])));
    expect(one('abc+de', 'ade', { nodes: silent('b') })).toMatchObject([{ kind: 'voters' }]);
    expect(one('abc+d', 'abd', { nodes: silent('b') })).toMatchObject([{ kind: 'voters' }]);
    expect(one('abc+d', 'abd', { nodes: silent('d') })).toEqual([]);
    expect(one('abc', 'a', { nodes: silent('b', 'c') })).toEqual([]);
    expect(one('ab-c+d', 'abd')).toMatchObject([{ kind: 'voters' }]);
    expect(one('ab-c-de', 'abc')).toEqual([]);
  });

  it('more replicas being filled than the limits say, on a node or in all', () => {
    const targets = [1, 2, 3, 4].map((group) => target(group, group < 3 ? 'abd' : 'abe'));
    const truths = [1, 2, 3, 4].map((group) => truth(group, 'abc'));
    expect(steps(truths, targets, noTransfers)).toMatchObject([
      { group: 1, added: ['d'] },
      { group: 3, added: ['e'] },
    ]);
    const tight = { limits: { receivingPerNodeMax: 2, receivingMax: 3, transfersMax: 0 } };
    expect(steps(truths, targets, tight).map(({ group }) => group)).toEqual([1, 2, 3]);
    const filling = truths.with(0, truth(1, 'abc+d-')).with(2, truth(3, 'abc+e-'));
    expect(steps(filling, targets, noTransfers)).toEqual([]);
  });

  it('a wait for a replica whose node is silent', () => {
    const truths = [truth(1, 'abc+d-'), truth(2, 'abc+e-'), truth(3, 'abc')];
    const targets = [target(1, 'abd'), target(2, 'abe'), target(3, 'abf')];
    const silent = nodes({ d: { isHealthy: false } });
    expect(steps(truths, targets, noTransfers)).toEqual([]);
    expect(steps(truths, targets, { nodes: silent, ...noTransfers })).toMatchObject([
      { group: 3, added: ['f'] },
    ]);
  });
});

describe('the order', () => {
  it('is repair, leaving, balance, leaders', () => {
    const truths = [
      truth(1, 'abc'),
      truth(2, 'abe'),
      truth(3, 'abf'),
      ...[4, 5, 6, 7, 8].map((group) => truth(group, 'abc')),
    ];
    const targets = [1, 2, 3].map((group) => target(group, 'abd'));
    const all = { receivingPerNodeMax: 9, receivingMax: 9, transfersMax: 9 };
    const table = nodes({ e: { state: 'leaving' }, f: { state: 'dead', isHealthy: false } });
    const reasons = steps(truths, targets, { nodes: table, limits: all }).map(
      ({ group, reason }) => `${group} ${reason}`,
    );
    expect(reasons.slice(0, 3)).toEqual(['3 repair', '2 leaving', '1 balance']);
    expect(reasons.slice(3).every((text) => text.endsWith('leaders'))).toBe(true);
    const scarce = steps(truths, targets, { nodes: table });
    expect(scarce[0]).toMatchObject({ group: 3, added: ['d'] });
    expect(scarce.filter(({ kind }) => kind === 'learners')).toHaveLength(1);
  });
});

describe('suspects', () => {
  it('are swapped for a new replica on the same node', () => {
    expect(one('ab!c', 'abc')).toEqual([
      { group: 1, reason: 'repair', kind: 'replace-suspect', suspect: 2, node: 'b', learners: [] },
    ]);
  });

  it('are not, while the others are no majority or the node cannot take a replica', () => {
    expect(one('ab!c', 'abc', { nodes: nodes({ c: { isHealthy: false } }) })).toEqual([]);
    expect(one('ab!c', 'abc', { nodes: nodes({ b: { state: 'leaving' } }) })).toEqual([]);
    expect(one('ab!c-', 'abc')).toEqual([]);
  });

  it('are swapped on a full node too, one at a time, as they may be what fills it', () => {
    const full = { nodes: nodes({ b: { isFull: true } }) };
    expect(one('ab!c', 'abc', full)).toMatchObject([{ kind: 'replace-suspect', node: 'b' }]);
    const roomy = { ...full, limits: { receivingPerNodeMax: 9, receivingMax: 9, transfersMax: 0 } };
    const groups = (...truths: GroupTruth[]) =>
      steps(
        truths,
        truths.map(({ group }) => target(group, 'abc')),
        roomy,
      ).map(({ group }) => group);
    expect(groups(truth(1, 'ab!c'), truth(2, 'ab!c'))).toEqual([1]);
    // One is being filled already, or was just asked for.
    expect(groups(truth(1, 'ab-c'), truth(2, 'ab!c'))).toEqual([]);
    const [underWay] = nextSteps({
      ...{ truths: [truth(1, 'ab!c')], targets: new Map([[1, target(1, 'abc')]]) },
      ...{ ...roomy, underWay: [] },
    });
    const both = [truth(1, 'ab!c'), truth(2, 'ab!c')];
    const targets = both.map(({ group }) => target(group, 'abc'));
    expect(steps(both, targets, { ...roomy, underWay: [underWay as Step] })).toEqual([]);
    // It still gets nothing that it had not.
    expect(one('acd', 'abc', full)).toEqual([]);
    expect(one('a+b!', 'a+b', full)).toMatchObject([{ learners: [], added: [] }]);
    expect(one('a', 'a+b', full)).toEqual([]);
  });

  it('that are learners are dropped, and added again', () => {
    expect(one('a+b!', 'a+b')).toMatchObject([{ kind: 'learners', learners: [], added: [] }]);
    expect(one('a', 'a+b')).toMatchObject([{ kind: 'learners', learners: ['b'] }]);
  });

  it('that nobody wants go out with the next change', () => {
    expect(one('abc!+d', 'abd')).toMatchObject([{ kind: 'voters', voters: ['a', 'b', 'd'] }]);
  });
});

describe('leaders', () => {
  const same = (count: number, places: string) =>
    Array.from({ length: count }, (_, index) => truth(index + 1, places));
  const wanted = (count: number, places: string) =>
    Array.from({ length: count }, (_, index) => target(index + 1, places));

  it('are spread to within one, a few at a time', () => {
    expect(steps(same(6, 'abc'), wanted(6, 'abc'))).toHaveLength(2);
    const all = { ...limits, transfersMax: 9 };
    const moves = steps(same(6, 'abc'), wanted(6, 'abc'), { limits: all });
    expect(moves.map((step) => step.kind === 'transfer' && step.to).sort()).toEqual([
      ...['b', 'b', 'c', 'c'],
    ]);
  });

  it('stay where the spread is good enough', () => {
    expect(steps([truth(1, 'abc'), truth(2, 'acb')], wanted(2, 'abc'))).toHaveLength(1);
    expect(steps([truth(1, 'abc'), truth(2, 'bac')], wanted(2, 'abc'))).toEqual([]);
  });

  it('leave nodes that leave, and are given to no voter that lags, is silent or suspect', () => {
    const leaving = (more = {}) => ({ nodes: nodes({ a: { state: 'leaving' }, ...more }) });
    expect(one('abc', 'bcd', leaving({ d: { isFull: true } }))).toMatchObject([
      { kind: 'transfer', to: 'b' },
    ]);
    const silent = { b: { isHealthy: false }, d: { isFull: true } };
    expect(one('abc', 'bcd', leaving(silent))).toMatchObject([{ kind: 'transfer', to: 'c' }]);
    expect(one('ab-c!', 'bcd', leaving({ d: { isFull: true }, c: { isFull: true } }))).toEqual([]);
  });

  it('stay while a replica is being filled, which a new leader would begin anew', () => {
    const truths = same(6, 'abc+d-');
    expect(steps(truths, wanted(6, 'abd'), { limits: { ...limits, transfersMax: 9 } })).toEqual([]);
  });

  it('stay while a voter that is there is behind: who led before may have been unable to send what it lacks', () => {
    const all = { limits: { ...limits, transfersMax: 9 } };
    expect(steps(same(6, 'abc?'), wanted(6, 'abc'), all)).toEqual([]);
    const silent = nodes({ c: { isHealthy: false } });
    expect(steps(same(4, 'abc?'), wanted(4, 'abc'), { ...all, nodes: silent })).toHaveLength(2);
  });

  it('of meta stay, unless their node leaves', () => {
    const truths = [truth(0, 'abc'), ...[1, 2].map((group) => truth(group, 'abc'))];
    const targets = [0, 1, 2].map((group) => target(group, 'abc'));
    expect(steps(truths, targets)).toMatchObject([{ group: 1 }]);
    expect(one('abc', 'abc', { truths: [truth(0, 'abc')] })).toEqual([]);
    const leaving = { nodes: nodes({ a: { state: 'leaving' }, d: { isFull: true } }) };
    expect(steps([truth(0, 'abc')], [target(0, 'bcd')], leaving)).toMatchObject([
      { group: 0, kind: 'transfer', to: 'b' },
    ]);
  });
});
