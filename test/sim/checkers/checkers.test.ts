import { describe, expect, it } from 'vitest';
import { GroupSafety } from './group-safety.ts';
import { KnownVersions } from './known-versions.ts';
import { Violation } from './violation.ts';
import { WatchOrder } from './watch-order.ts';

function violated(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof Violation) return error.property;
    throw error;
  }
  return undefined;
}

const entry = (term: number, index: number, digest = 7) => ({ term, index, digest });
const first = { term: 1, effect: 5, quorum: 2 };

describe('the promises of a group', () => {
  const withOneCommitted = () => {
    const group = new GroupSafety(1);
    for (const node of ['a', 'b', 'c']) group.synced(node, 1, 1);
    group.applied('a', entry(1, 1), first);
    return group;
  };

  it('one leader per term', () => {
    const group = new GroupSafety(1);
    group.elected('a', 1, 0, () => undefined);
    group.elected('a', 1, 0, () => undefined);
    expect(violated(() => group.elected('b', 1, 0, () => undefined))).toBe('one leader per term');
  });

  it('a leader has everything that was committed before its term', () => {
    expect(violated(() => withOneCommitted().elected('b', 2, 0, () => 1))).toBe(undefined);
    expect(violated(() => withOneCommitted().elected('b', 2, 0, () => undefined))).toBe(
      'leader completeness',
    );
    expect(violated(() => withOneCommitted().elected('b', 2, 1, () => undefined))).toBe(undefined);
    // It was committed in the same term or later: this leader is an old one, or has just committed it.
    expect(violated(() => withOneCommitted().elected('b', 1, 0, () => undefined))).toBe(undefined);
  });

  it('entries of one index and term are the same, and so are those before', () => {
    const group = new GroupSafety(1);
    group.appended('a', entry(1, 2), 1);
    group.appended('b', entry(1, 2), 1);
    expect(violated(() => group.appended('b', entry(1, 2), 0))).toBe('log matching');
    expect(violated(() => group.appended('b', entry(1, 2, 8), 1))).toBe('log matching');
  });

  it('the same is applied everywhere, and comes to the same', () => {
    const group = withOneCommitted();
    group.applied('b', entry(1, 1), first);
    group.synced('c', 1, 2);
    expect(violated(() => group.applied('c', entry(2, 1), first))).toBe('state machine safety');
    expect(violated(() => group.applied('b', entry(1, 1, 8), first))).toBe('state machine safety');
    expect(violated(() => group.applied('b', entry(1, 1), { ...first, effect: 6 }))).toBe(
      'state machine safety',
    );
  });

  it('what is applied is on the disks of a majority', () => {
    const group = new GroupSafety(1);
    group.synced('a', 1, 1);
    group.synced('b', 1, 2);
    expect(violated(() => group.applied('a', entry(1, 1), first))).toBe('durable before committed');
    group.beginsAfter('c', 2);
    group.synced('b', 2, 1);
    expect(violated(() => group.applied('a', entry(1, 2), first))).toBe('durable before committed');
    expect(violated(() => group.applied('b', entry(1, 2), first))).toBe(undefined);
    group.beginsAfter('b', 0);
    expect(violated(() => group.applied('b', entry(1, 2), first))).toBe('durable before committed');
  });

  it('a leader counts the copies of its own entries only', () => {
    const group = new GroupSafety(1);
    group.leaderCommitted('a', 2, 5, 2);
    expect(violated(() => group.leaderCommitted('a', 2, 5, 1))).toBe('commit by counting');
  });
});

describe('versions', () => {
  it('name one value of a key, which somebody wrote', () => {
    const versions = new KnownVersions();
    versions.asked('k', 'x');
    versions.asked('k', 'y');
    versions.told('k', 1, 'x', 'a read');
    versions.told('k', 2, '', 'a watch');
    versions.told('k', 0, 'y', 'an acknowledgement');
    expect(violated(() => versions.told('k', 1, 'y', 'history'))).toBe('one value per version');
    expect(violated(() => versions.told('k', 3, 'z', 'history'))).toBe('one value per version');
    expect(violated(() => versions.told('l', 3, 'x', 'history'))).toBe('one value per version');
  });
});

describe('a watch', () => {
  const opened = () => new WatchOrder('w', new Map([['k', 5]]));

  it('never goes back', () => {
    const watch = opened();
    watch.told('k', 5, 'x', true);
    watch.told('k', 5, 'x', true);
    watch.told('k', 6, 'y', false);
    expect(violated(() => watch.told('k', 6, 'y', false))).toBe('watches go forward');
    expect(violated(() => watch.told('k', 5, 'x', true))).toBe('watches go forward');
  });

  it('begins with everything that was acknowledged', () => {
    const watch = opened();
    watch.told('k', 4, 'x', true);
    expect(violated(() => watch.allTold())).toBe('watches go forward');
    expect(violated(() => opened().allTold())).toBe(undefined);
  });

  it('ends with the newest', () => {
    const watch = opened();
    watch.told('k', 5, 'x', true);
    expect(violated(() => watch.ended('k', { version: 5, value: 'x' }))).toBe('watches go forward');
    watch.allTold();
    watch.ended('k', { version: 5, value: 'x' });
    watch.ended('l', undefined);
    expect(violated(() => watch.ended('k', { version: 6, value: 'y' }))).toBe('watches go forward');
    expect(violated(() => watch.ended('k', undefined))).toBe('watches go forward');
    expect(violated(() => watch.ended('l', { version: 6, value: 'y' }))).toBe('watches go forward');
  });
});
