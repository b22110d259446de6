import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTopicFilter, matches } from '../../../broker/topics.ts';
import { batchesOf, type Write } from '../../../clients/client/batches.ts';
import { checkFilter, filterMatches } from '../../../clients/client/names.ts';
import { checkExpected, itemOf, type Value, wireMembers } from '../../../clients/client/values.ts';

const level = fc.constantFrom('', 'a', 'b', 'ä');
const key = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .array(fc.oneof(level, fc.constantFrom('+', '#', 'a+')), { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'));

describe('filters', () => {
  it('are well formed and match as they do for a node', () => {
    fc.assert(
      fc.property(filter, key, (wanted, name) => {
        if (isTopicFilter(wanted)) {
          checkFilter(wanted);
          expect(filterMatches(wanted, name)).toBe(matches(wanted, name));
        } else {
          expect(() => checkFilter(wanted)).toThrow(/no filter/);
        }
      }),
    );
  });
});

describe('values', () => {
  it('come out of JSON as they went in', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const members = wireMembers(bytes);
        const wire = JSON.parse(JSON.stringify({ version: 1, time: 2, ...members }));
        expect(itemOf('k', wire).value).toEqual(bytes);
      }),
    );
  });
});

describe('what has no JSON', () => {
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  it.each([undefined, 5n, () => 1, Number.NaN, cycle])('cannot be stored: %s', (value) => {
    const store = () => wireMembers(value as unknown as Value);
    expect(store).toThrow(
      expect.objectContaining({
        code: 'INVALID_REQUEST',
        message: expect.stringMatching(/cannot be stored: .*JSON/),
      }),
    );
  });

  it.each([undefined, Number.NaN, '5', 1.5])('is no version: %s', (version) => {
    expect(() => checkExpected(version as number)).toThrow(/^ifVersion is /);
    expect(() => checkExpected(5)).not.toThrow();
    expect(() => checkExpected(null)).not.toThrow();
  });
});

describe('batches', () => {
  const all = async (writes: Iterable<Write>) => {
    const parts = [];
    for await (const part of batchesOf(writes, 10_000)) parts.push(part);
    return parts;
  };

  it('hold all writes in their order, in messages that are not too large', async () => {
    const write = fc.record({ key: fc.constantFrom('a', 'b'), value: fc.string({ minLength: 1 }) });
    const writes = fc.array(write, { maxLength: 2_000, size: 'max' });
    await fc.assert(
      fc.asyncProperty(writes, async (given) => {
        const parts = await all(given);
        const elements = parts.flatMap((part) => {
          if (!('payload' in part)) throw new Error('it would have fitted');
          const batch = JSON.parse(part.payload) as Write[];
          expect(batch).toHaveLength(part.count);
          expect(part.count).toBeLessThanOrEqual(500);
          expect(Buffer.byteLength(part.payload)).toBeLessThanOrEqual(256 * 1024);
          return batch;
        });
        expect(elements).toEqual(given);
      }),
      { numRuns: 20 },
    );
  });

  it('leave alone what fits no message, and know what may be repeated', async () => {
    const large = { key: 'large', value: 'ä'.repeat(6_000) };
    const timed = { key: 'a', value: 1, time: 1 };
    const untimed = { key: 'b', delete: true } as const;
    expect(await all([timed, large])).toMatchObject([{ count: 1, isIdempotent: true }, large]);
    expect(await all([timed, untimed])).toMatchObject([{ count: 2, isIdempotent: false }]);
  });
});
