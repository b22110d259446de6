import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shardLayout, slotOf, slotStartToken, tokenOf } from '../../node/ring/slots.ts';
import { utf8 } from '../support/text.ts';

it('a key stays in its slot for ever', () => {
  // These values are on disk, in every engine key. If this test fails, the code is wrong, not the test.
  const slots = ['a', 'plant/7/temperature', '/esp/temp', 'a//b', 'ü'].map((key) =>
    slotOf(utf8(key), 0, utf8(key).length),
  );
  expect(slots).toMatchInlineSnapshot(`
    [
      60,
      94,
      100,
      133,
      120,
    ]
  `);
});

it('a slot is the top 8 bits of the token, and starts where it says', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (key) => {
      const token = tokenOf(key, 0, key.length);
      const slot = slotOf(key, 0, key.length);
      expect(slot).toBe(Math.floor(token / 2 ** 24));
      expect(token - slotStartToken(slot)).toBeGreaterThanOrEqual(0);
      expect(token - slotStartToken(slot)).toBeLessThan(2 ** 24);
    }),
  );
});

it('a layout covers every slot once, with groups from 1', () => {
  for (const shardCount of [1, 2, 3, 5, 64, 100, 255, 256]) {
    let slot = 0;
    for (const [index, shard] of shardLayout(shardCount).entries()) {
      expect(shard.group).toBe(index + 1);
      expect(shard.firstSlot).toBe(slot);
      expect(shard.slotCount).toBeGreaterThanOrEqual(1);
      slot += shard.slotCount;
    }
    expect(slot).toBe(256);
  }
});

it.each([0, 257, 1.5])('there is no layout of %d shards', (shardCount) => {
  expect(() => shardLayout(shardCount)).toThrow();
});
