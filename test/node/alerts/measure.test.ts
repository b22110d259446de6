import { describe, expect, it } from 'vitest';
import { AlertStates } from '../../../node/alerts/alert-states.ts';
import type { AlertFacts } from '../../../node/alerts/facts.ts';
import { measure } from '../../../node/alerts/measure.ts';
import { RULE_NAMES, RULES } from '../../../node/alerts/rules.ts';
import { clusterFacts, nodeFacts } from './facts.ts';

/** What fires when things have been like that for long enough. */
function firing(facts: AlertFacts) {
  const states = new AlertStates();
  for (const livedMs of [0, 3_600_000]) {
    states.look({ measurements: measure(facts), told: [], nowMs: livedMs, livedMs });
  }
  return states.list();
}

const others = [nodeFacts('n1'), nodeFacts('n3')];
const group = (changes: object) => ({ group: 7, isLed: true, replicas: 3, ...changes });

const CASES: readonly (readonly [string, AlertFacts, RegExp])[] = [
  [
    'node-failed-n2',
    clusterFacts({ nodes: [...others, nodeFacts('n2', { isFailed: true })] }),
    /n2/,
  ],
  ['shard-without-quorum', clusterFacts({ groups: [group({ isLed: false })] }), /1 of 1 .*: 7\./],
  ['under-replicated', clusterFacts({ groups: [group({ replicas: 2 })] }), /fewer than 3/],
  ['storage-full-n2', withNode({ isStorageFull: true }), /n2 .* refused/],
  ['disk-over-budget-n2', withNode({ storageUsedBytes: 11 * 1024 ** 3 }), /110 %/],
  ['disk-nearly-full-n2', withNode({ diskUsedBytes: 95 * 1024 ** 3 }), /95 %/],
  ['memory-over-budget-n2', withNode({ memoryBytes: 1024 ** 3 }), /100 %/],
  ['loop-delay-n2', withNode({ loopDelayP99Ms: 400 }), /400 ms/],
  ['commit-latency-n2', withNode({ commitP99Ms: 1_500 }), /1500 ms/],
  ['clock-skew-n2', withNode({ clockAheadMs: -61_000 }), /61 s behind/],
  ['table-damaged-n1', withOwn({ damaged: [{ group: 4, reason: 'x' }] }), /n1, of group 4: x\./],
  [
    'replica-suspect-n1',
    withOwn({ suspects: [4, 5].map((id) => ({ group: id, reason: `r${id}` })) }),
    /groups 4, 5: r4\./,
  ],
  ['replica-halted-n1', withOwn({ halted: [{ group: 0, reason: 'x' }] }), /group 0 \(meta\): x/],
  [
    'replica-differs-9',
    withOwn({ differing: [{ group: 9, message: 'It differs.' }] }),
    /It differs/,
  ],
  ['messages-dropped-n1', withOwn({ droppedPerMinute: 100 }), /n1 has dropped 100/],
  [
    'client-id-fought-over-a%2Fb%2B',
    withOwn({ fights: [{ clientId: 'a/b+', message: 'They fight.' }] }),
    /They fight/,
  ],
  ['link-down-office', clusterFacts({ links: [{ name: 'office', message: 'Away.' }] }), /Away/],
];

function withNode(changes: Parameters<typeof nodeFacts>[1]): AlertFacts {
  return clusterFacts({ nodes: [...others, nodeFacts('n2', changes)] });
}

function withOwn(own: Partial<AlertFacts['own']>): AlertFacts {
  return clusterFacts({ own });
}

describe('what is measured', () => {
  it('raises nothing where all is well, or nobody knows', () => {
    expect(firing(clusterFacts())).toEqual([]);
    const unknown = {
      ...{ storageUsedBytes: undefined, diskUsedBytes: undefined, memoryBytes: undefined },
      ...{ loopDelayP99Ms: undefined, commitP99Ms: undefined, clockAheadMs: undefined },
    };
    expect(firing(withNode(unknown))).toEqual([]);
    const unlimited = { storageMaxBytes: 0, memoryMaxBytes: 0, diskTotalBytes: 0 };
    expect(firing(withNode(unlimited))).toEqual([]);
  });

  it.each(CASES)('raises %s', (name, facts, message) => {
    const [alert, ...rest] = firing(facts);
    expect(rest).toEqual([]);
    expect(alert).toMatchObject({ name, state: 'firing', message: expect.stringMatching(message) });
    expect(alert?.advice).not.toContain('{subject}');
    expect(name.startsWith(alert?.rule ?? '?')).toBe(true);
  });

  it('has a case for every rule', () => {
    const raised = new Set(CASES.flatMap(([, facts]) => firing(facts).map(({ rule }) => rule)));
    expect([...raised].sort()).toEqual([...RULE_NAMES].sort());
  });

  it('says of a node that is silent nothing but that', () => {
    const ill = { isFailed: true, isStorageFull: true, loopDelayP99Ms: 9_999 };
    expect(firing(withNode(ill)).map(({ rule }) => rule)).toEqual(['node-failed']);
  });

  it.each([
    ['as a node with a right clock sees it', [0, 100_000, 0]],
    ['as the node with the wrong one sees it', [-100_000, 0, -100_000]],
    ['of two', [0, 100_000]],
    ['of two, the other way', [-100_000, 0]],
  ])('names the same clock everywhere, %s', (_, clocks) => {
    const nodes = clocks.map((clockAheadMs, i) => nodeFacts(`n${i + 1}`, { clockAheadMs }));
    expect(firing(clusterFacts({ nodes })).map(({ name }) => name)).toEqual(['clock-skew-n2']);
  });

  it('lists so many groups that a sentence stays one', () => {
    const groups = Array.from({ length: 64 }, (_, i) => ({ group: i, isLed: false, replicas: 3 }));
    const [alert] = firing(clusterFacts({ groups }));
    expect(alert?.message).toMatch(/64 of 64 .*: 0 \(meta\), 1, 2, 3, 4, 5, 6, 7 and 56 more\.$/);
  });
});

it.each(RULE_NAMES)('the rule %s says what is and what to do in sentences', (name) => {
  const { description, advice, threshold, unit } = RULES[name];
  expect(description).toMatch(/^[A-Z].*\.$/);
  expect(advice).toMatch(/^[A-Z].*\.$/);
  expect(unit === '').toBe(threshold === null);
});
