import { describe, expect, it } from 'vitest';
import { type GroupMembers, isGone, NO_MEMBERS } from '../../../node/shard/configuration.ts';
import {
  type ChangePlan,
  planChange,
  planReplacement,
} from '../../../node/shard/configuration-change.ts';

const now: GroupMembers = {
  ...NO_MEMBERS,
  voters: [
    { replicaId: 1, node: 'a' },
    { replicaId: 2, node: 'b' },
    { replicaId: 3, node: 'c' },
  ],
  nextReplicaId: 4,
};

const added = (plan: ChangePlan) =>
  plan.kind === 'change' ? plan.members.learners.map(({ replicaId }) => replicaId) : [];
const membersOf = (plan: ChangePlan) => (plan.kind === 'change' ? plan.members : NO_MEMBERS);
const learner = (node: string) => ({ voters: [], learners: [node] });

describe('The id of a new replica', () => {
  it('is one that no other leader gives, whatever becomes of the configuration', () => {
    const ids = [2, 3, 7].flatMap((term) => added(planChange(now, learner(`d${term}`), term)));
    const swapped = planReplacement(now, 2, 8);
    expect(new Set([...ids, membersOf(swapped).voters[1]?.replicaId]).size).toBe(4);
  });

  it('is above all that the same leader gave before', () => {
    const first = membersOf(planChange(now, learner('d'), 5));
    const second = membersOf(planChange({ ...first, learners: [] }, learner('d'), 5));
    expect(second.learners[0]?.replicaId).toBeGreaterThan(first.learners[0]?.replicaId as number);
  });

  it('that was cut off is gone for good once a later leader has changed the group', () => {
    const cutOff = added(planChange(now, learner('d'), 5))[0] as number;
    const later = membersOf(planChange(now, learner('e'), 6));
    const next = membersOf(planChange(later, learner('f'), 7));
    expect(isGone(now, cutOff)).toBe(false);
    expect(isGone(later, cutOff)).toBe(true);
    expect(isGone(later, added(planChange(later, learner('f'), 7))[0] as number)).toBe(false);
    expect(isGone(next, 2)).toBe(false);
  });
});
