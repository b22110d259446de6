import { beforeEach, expect, it } from 'vitest';
import type { Step } from '../../node/balance/step.ts';
import type { GroupTruth } from '../../node/balance/truth.ts';
import { UnderWay } from '../../node/balance/under-way.ts';

const step: Step = {
  ...{ group: 1, configurationIndex: 4, leader: 'a', reason: 'leaders' },
  ...{ kind: 'transfer', to: 'b' },
};
const truth = (changes: Partial<GroupTruth> = {}): GroupTruth => ({
  ...{ group: 1, configurationIndex: 4, term: 1, leader: 'a', isChanging: false },
  ...{ replicas: [], bytes: 0 },
  ...changes,
});

let underWay: UnderWay;
beforeEach(() => {
  underWay = new UnderWay();
  underWay.add(step, 0);
});

it('a step is under way until the truth shows it', () => {
  expect(underWay.settle([truth()], 1_000)).toEqual({ done: [], late: [] });
  expect(underWay.steps()).toEqual([step]);
  expect(underWay.settle([truth({ leader: 'b' })], 2_000)).toEqual({ done: [step], late: [] });
  expect(underWay.steps()).toEqual([]);
});

it('any change of the configuration ends it', () => {
  const changed = truth({ configurationIndex: 5 });
  expect(underWay.settle([changed], 1_000)).toEqual({ done: [step], late: [] });
});

it('is late when nothing is seen of it', () => {
  expect(underWay.settle([], 14_999)).toEqual({ done: [], late: [] });
  expect(underWay.settle([], 15_000)).toEqual({ done: [], late: [step] });
});

it('one that was refused is neither done nor late, and its group is left alone for a while', () => {
  underWay.refused(step, 1_000);
  expect(underWay.steps()).toEqual([step]);
  expect(underWay.settle([truth()], 2_999)).toEqual({ done: [], late: [] });
  expect(underWay.steps()).toEqual([step]);
  expect(underWay.settle([truth()], 3_000)).toEqual({ done: [], late: [] });
  expect(underWay.steps()).toEqual([]);
});
