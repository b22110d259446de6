import { describe, expect, it } from 'vitest';
import type { RecoveredGroup } from '../../../lsm/log/types.ts';
import {
  encodeMembers,
  encodeStored,
  type GroupMembers,
  NO_MEMBERS,
} from '../../../node/shard/configuration.ts';
import { judge } from '../../../node/shard/forced-recovery.ts';

const place = (replicaId: number, node: string) => ({ replicaId, node });
const THREE = [place(1, 'a'), place(2, 'b'), place(3, 'c')];

/** What an order makes of a group of which replica 1 is here, on node a. */
function kindOf(
  members: Partial<GroupMembers>,
  lost: string,
  { takesShared = false, isSuspect = false, removed = false } = {},
) {
  const data = encodeMembers({ ...NO_MEMBERS, nextReplicaId: 9, ...members });
  const configurations = [{ index: 1, term: 1, data }];
  const found: RecoveredGroup = {
    ...{ group: 1, replicaId: 1, lastIndex: 5, terms: [] },
    hardState: { term: 1, vote: 0, commit: 1 },
    configuration: encodeStored({ firstSlot: 0, slotCount: 4, configurations, removed }),
    logStart: { index: 1, term: 1 },
    ...(isSuspect ? { suspect: 'a test says so' } : {}),
  };
  return judge(found, 'a', { lost: [...lost], takesShared }).kind;
}

describe('A group, when nodes are lost for ever,', () => {
  it('is left alone as long as those who are left can decide', () => {
    expect(kindOf({ voters: THREE }, '')).toBe('untouched');
    expect(kindOf({ voters: THREE }, 'b')).toBe('untouched');
    expect(kindOf({ voters: [place(1, 'a')], learners: [place(2, 'b')] }, 'b')).toBe('untouched');
  });

  it('goes on with the only copy that is left', () => {
    expect(kindOf({ voters: THREE }, 'bc')).toBe('forced');
    expect(kindOf({ voters: [place(2, 'b')], learners: [place(1, 'a')] }, 'b')).toBe('forced');
  });

  it('needs both majorities while it changes its voters', () => {
    const joint = { voters: [place(1, 'a')], outgoing: THREE };
    expect(kindOf(joint, 'b')).toBe('untouched');
    expect(kindOf(joint, 'bc')).toBe('forced');
  });

  it('goes on with one of several copies only where that is said', () => {
    const five = [...THREE, place(4, 'd'), place(5, 'e')];
    expect(kindOf({ voters: five }, 'bcd')).toBe('shared');
    expect(kindOf({ voters: five }, 'bcd', { takesShared: true })).toBe('forced');
  });

  it('counts on no replica that is not trusted, unless there is no other', () => {
    const isSuspect = true;
    expect(kindOf({ voters: THREE }, '', { isSuspect })).toBe('untouched');
    expect(kindOf({ voters: THREE }, 'b', { isSuspect })).toBe('shared');
    expect(kindOf({ voters: THREE }, 'bc', { isSuspect })).toBe('forced');
    expect(kindOf({ voters: [place(1, 'a')] }, '', { isSuspect })).toBe('forced');
  });

  it('has nothing to go on with where its replica is gone', () => {
    expect(kindOf({ voters: THREE }, 'bc', { removed: true })).toBe('untouched');
    expect(kindOf({ voters: THREE.slice(1) }, 'bc')).toBe('untouched');
  });
});
