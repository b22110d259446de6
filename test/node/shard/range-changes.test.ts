import { expect, it } from 'vitest';
import { overlap } from '../../../lsm/bytes.ts';
import { rangeOf } from '../../../node/shard/range-changes.ts';

it('The ranges of groups have nothing in common, that of meta included: they are replaced at the same time', () => {
  const shards = Array.from({ length: 64 }, (_, i) => ({ firstSlot: 4 * i, slotCount: 4 }));
  const ranges = [...shards, { firstSlot: 0, slotCount: 0 }].map(rangeOf);
  for (const one of ranges) {
    expect(ranges.filter((other) => overlap(one, other))).toEqual([one]);
  }
});
