import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../../lsm/bytes.ts';
import { mergePages } from '../../../node/shard/page.ts';

const byteOrder = (a: Uint8Array, b: Uint8Array) => compareBytes(a, b);

describe('pages merged from several shards', () => {
  it('neither skip nor repeat a key, however the keys are spread and the pages are cut', () => {
    const keys = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 4 }), {
      maxLength: 60,
      selector: (key) => key.join(),
    });
    fc.assert(
      fc.property(
        keys,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
        (all, shardCount, limit, sizes) => {
          const shards = Array.from({ length: shardCount }, (_, shard) =>
            all
              .filter((key) => ((key[0] as number) + key.length) % shardCount === shard)
              .sort(byteOrder),
          );
          const seen: Uint8Array[] = [];
          let after = new Uint8Array(0);
          for (let more = true; more; ) {
            const pages = shards.map((shard) => {
              const rest = shard.filter(
                (key) => after.length === 0 || compareBytes(key, after) > 0,
              );
              const size = Math.min(limit, sizes.next().value);
              const items = rest
                .slice(0, size)
                .map((key) => ({ key, value: key, version: 1, time: 1 }));
              return { items, more: rest.length > size };
            });
            const page = mergePages(pages, limit);
            expect(page.items.length).toBeLessThanOrEqual(limit);
            expect(page.more && page.items.length === 0, 'a page that goes on has a last key').toBe(
              false,
            );
            seen.push(...page.items.map(({ key }) => key));
            after = (seen.at(-1) ?? after) as Uint8Array<ArrayBuffer>;
            more = page.more;
          }
          expect(seen).toEqual([...all].sort(byteOrder));
        },
      ),
      { numRuns: 300 },
    );
  });
});
