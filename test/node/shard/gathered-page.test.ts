import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareBytes } from '../../../lsm/bytes.ts';
import type { Db } from '../../../lsm/db.ts';
import { Retention } from '../../../node/retention/retention.ts';
import { slotOf } from '../../../node/ring/slots.ts';
import { engineKeyAt, Space, writeValueHeader } from '../../../node/shard/engine-key.ts';
import { gatherPage } from '../../../node/shard/gathered-page.ts';
import { readShard } from '../../../node/shard/shard-reader.ts';
import { noPause, openEngine, text, utf8 } from '../support.ts';

const SHARDS = 64;
const NOTHING = new Uint8Array(0);

function store(engine: Db, key: string, time: number, isDeleted: boolean): void {
  const bytes = utf8(key);
  const stored = new Uint8Array(40);
  const header = writeValueHeader(stored, time, time, isDeleted);
  const engineKey = engineKeyAt(slotOf(bytes, 0, bytes.length), Space.userValues, bytes, time);
  engine.put(engineKey, 0, engineKey.length, stored, 0, isDeleted ? header : stored.length);
}

const keys = fc.oneof(
  fc.constantFrom('p', 'p/', 'q', 'p0'),
  fc.nat(300).map((n) => `p/${n}`),
  fc.nat(30).map((n) => `p/${n}/x`),
);

it('pages hold every key once and in order, filled to their limit, whichever shard it is in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(keys, fc.boolean()), { minLength: 1, maxLength: 400 }),
      fc.constantFrom('', 'p', 'q', 'p/1'),
      fc.boolean(),
      fc.constantFrom(1, 3, 10, 100),
      async (writes, prefix, reverse, limit) => {
        const engine = await openEngine();
        const alive = new Map<string, boolean>();
        for (const [i, [key, isDeleted]] of writes.entries()) {
          store(engine, key, 1_000 + i, isDeleted);
          alive.set(key, !isDeleted);
          if (i === 200) await engine.flush();
        }
        const expected = [...alive]
          .filter(([key, isAlive]) => isAlive && isBelow(prefix, key))
          .map(([key]) => key)
          .sort((a, b) => compareBytes(utf8(a), utf8(b)));
        if (reverse) expected.reverse();
        const snapshot = engine.snapshot();
        const found: string[] = [];
        for (let after: Uint8Array = NOTHING; ; ) {
          const query = { prefix: utf8(prefix), after, limit, values: true, reverse };
          const page = await gatherPage(SHARDS, query, (part, share) => {
            const slots = { firstSlot: part * 4, slotCount: 4 };
            const view = {
              ...slots,
              retention: Retention.initial,
              highestVersion: 0,
              pause: noPause,
            };
            return readShard(snapshot, view, { kind: 'list', ...share });
          });
          if (page === undefined) throw new Error('a part did not answer');
          found.push(...page.items.map(({ key }) => text(key)));
          if (!page.more) break;
          expect(page.items).toHaveLength(limit);
          after = page.items.at(-1)?.key as Uint8Array;
        }
        snapshot.close();
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 40 },
  );
});

function isBelow(prefix: string, key: string): boolean {
  return prefix === '' || key === prefix || key.startsWith(`${prefix}/`);
}

it('a page asks the shards for little more than it gives', async () => {
  const engine = await openEngine();
  for (let i = 0; i < 20_000; i++) store(engine, `p/${i}`, 1_000 + i, false);
  const snapshot = engine.snapshot();
  let given = 0;
  const query = { prefix: utf8('p'), after: NOTHING, limit: 1_000, values: false };
  const page = await gatherPage(SHARDS, query, async (part, share) => {
    const slots = { firstSlot: part * 4, slotCount: 4 };
    const view = { ...slots, retention: Retention.initial, highestVersion: 0, pause: noPause };
    const answer = await readShard(snapshot, view, { kind: 'list', ...share });
    given += answer.items.length;
    return answer;
  });
  snapshot.close();
  expect(page?.items).toHaveLength(1_000);
  expect(given).toBeLessThan(3_000);
});
