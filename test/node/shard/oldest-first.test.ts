import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Retention } from '../../../node/retention/retention.ts';
import { slotOf } from '../../../node/ring/slots.ts';
import { engineKeyAt, Space, writeValueHeader } from '../../../node/shard/engine-key.ts';
import { readShard } from '../../../node/shard/shard-reader.ts';
import { noPause, openEngine, utf8 } from '../support.ts';

const KEY = utf8('k');
const SLOT = slotOf(KEY, 0, KEY.length);

const gaps = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.nat(4096 * 1_000), fc.nat(4096 * 1e6));

it('history from its oldest end is that from its newest turned round, page by page, also below a cutoff', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 4096 * 1e9, 4096 * 2e11),
      fc.array(fc.tuple(gaps, fc.boolean()), { minLength: 1, maxLength: 300 }),
      fc.constantFrom(1, 7, 100),
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1.2, noNaN: true }),
      ),
      fc.option(fc.double({ min: 0, max: 1.1, noNaN: true })),
      async (start, steps, limit, [low, high], cutoffPart) => {
        const engine = await openEngine();
        let time = start;
        for (const [gap, isDeleted] of steps) {
          time += 1 + gap;
          const stored = new Uint8Array(40);
          const header = writeValueHeader(stored, time, time, isDeleted);
          const key = engineKeyAt(SLOT, Space.userValues, KEY, time);
          engine.put(key, 0, key.length, stored, 0, isDeleted ? header : stored.length);
        }
        const at = (part: number) => Math.floor(start + (time - start) * part);
        const cutoffs = cutoffPart === null ? [] : [{ prefix: '', time: at(cutoffPart) }];
        const retention = Retention.initial.withWatermark({
          version: time + 4096 * 1e9,
          cutoffs,
          expiryFloor: 0,
        });
        const view = {
          firstSlot: SLOT,
          slotCount: 1,
          retention,
          highestVersion: 0,
          pause: noPause,
        };
        const range = { from: at(Math.min(low, high)), to: at(Math.max(low, high)) + 1 };
        const snapshot = engine.snapshot();
        const read = (from: number, count: number, ascending: boolean) => {
          const query = {
            kind: 'history' as const,
            key: KEY,
            ...range,
            from,
            limit: count,
            ascending,
          };
          return readShard(snapshot, view, query);
        };
        const newestFirst = await read(range.from, 1_000, false);
        const found: number[] = [];
        for (let from = range.from; ; ) {
          const page = await read(from, limit, true);
          found.push(...page.items.map((item) => item.time));
          if (!page.more) break;
          expect(page.items).toHaveLength(limit);
          from = (found.at(-1) as number) + 1;
        }
        snapshot.close();
        expect(found).toEqual(newestFirst.items.map((item) => item.time).reverse());
      },
    ),
    { numRuns: 60 },
  );
});
