import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../../lsm/bytes.ts';
import type { Db } from '../../../lsm/db.ts';
import { Retention } from '../../../node/retention/retention.ts';
import { slotOf } from '../../../node/ring/slots.ts';
import { pauseNowAndThen } from '../../../node/shard/current-values.ts';
import {
  engineKeyAt,
  Space,
  VALUE_HEADER_BYTES_MAX,
  writeValueHeader,
} from '../../../node/shard/engine-key.ts';
import { readShard, type ShardQuery } from '../../../node/shard/shard-reader.ts';
import { openEngine, text, utf8 } from '../support.ts';

const ALL_SLOTS = {
  firstSlot: 0,
  slotCount: 256,
  retention: Retention.initial,
  highestVersion: 0,
  pause: () => undefined,
};
const NOTHING = new Uint8Array(0);

function store(engine: Db, key: string, time: number, value: string): void {
  const keyBytes = utf8(key);
  const engineKey = engineKeyAt(
    slotOf(keyBytes, 0, keyBytes.length),
    Space.userValues,
    keyBytes,
    time,
  );
  const stored = new Uint8Array(VALUE_HEADER_BYTES_MAX + value.length);
  const header = writeValueHeader(stored, time, time, value === '');
  stored.set(utf8(value), header);
  engine.put(engineKey, 0, engineKey.length, stored, 0, header + value.length);
}

async function readAll(engine: Db, query: ShardQuery & { limit: number }) {
  const snapshot = engine.snapshot();
  const page = await readShard(snapshot, ALL_SLOTS, query);
  snapshot.close();
  return page;
}

describe('the history of a key', () => {
  it('is given by time, both ways, within bounds, deletions included, and by pages without a gap', async () => {
    const engine = await openEngine();
    for (const time of [10, 20, 30, 40, 50])
      store(engine, 'a', time, time === 30 ? '' : `v${time}`);
    store(engine, 'ab', 25, 'another key');
    await engine.flush();
    store(engine, 'a', 60, 'v60');
    const history = async (from: number, to: number, limit: number, ascending: boolean) => {
      const key = utf8('a');
      const page = await readAll(engine, { kind: 'history', key, from, to, limit, ascending });
      return { times: page.items.map(({ time }) => time), more: page.more, items: page.items };
    };
    expect(await history(0, 1_000, 10, false)).toMatchObject({
      times: [60, 50, 40, 30, 20, 10],
      more: false,
    });
    expect(await history(20, 50, 10, true)).toMatchObject({ times: [20, 30, 40], more: false });
    expect(await history(0, 1_000, 2, false)).toMatchObject({ times: [60, 50], more: true });
    expect(await history(0, 50, 2, false)).toMatchObject({ times: [40, 30], more: true });
    expect(await history(0, 1_000, 2, true)).toMatchObject({ times: [10, 20], more: true });
    expect(await history(21, 1_000, 9, true)).toMatchObject({
      times: [30, 40, 50, 60],
      more: false,
    });
    expect(await history(50, 50, 9, true)).toMatchObject({ times: [], more: false });
    const { items } = await history(30, 31, 1, false);
    expect(items.map(({ deleted, value }) => [deleted, text(value)])).toEqual([[true, '']]);
  });
});

describe('a range of keys', () => {
  it('is that of a sorted list, for all bounds, both ways, page by page', async () => {
    const levels = fc.constantFrom('a', 'b', 'ab', '', '-', 'a!');
    const keys = fc.array(levels, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          keys.filter((key) => key !== ''),
          { maxLength: 20 },
        ),
        fc.constantFrom('', 'a', 'a/b'),
        fc.option(keys, { nil: undefined }),
        fc.option(keys, { nil: undefined }),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        async (present, prefix, from, to, reverse, limit) => {
          const engine = await openEngine();
          for (const key of present) store(engine, key, 7, 'x');
          const inside = (key: string) =>
            (prefix === '' || key === prefix || key.startsWith(`${prefix}/`)) &&
            (from === undefined || compareBytes(utf8(key), utf8(from)) >= 0) &&
            (to === undefined || compareBytes(utf8(key), utf8(to)) < 0);
          const expected = present.filter(inside).sort((a, b) => compareBytes(utf8(a), utf8(b)));
          if (reverse) expected.reverse();
          const found: string[] = [];
          for (let after = NOTHING, more = true; more; ) {
            const bounds = {
              ...(from === undefined ? {} : { from: utf8(from) }),
              ...(to === undefined ? {} : { to: utf8(to) }),
            };
            const list = { prefix: utf8(prefix), after, limit, values: true, reverse, ...bounds };
            const page = await readAll(engine, { kind: 'list', ...list });
            found.push(...page.items.map(({ key }) => text(key)));
            after = new Uint8Array(page.items.at(-1)?.key ?? NOTHING);
            more = page.more;
          }
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });
});

it('a read gives others a turn now and then, whatever it passes over and in however many slots', async () => {
  const engine = await openEngine();
  for (let i = 0; i < 2_000; i++) store(engine, `k/${i}`, 1_000, 'v');
  let pauses = 0;
  const pause = pauseNowAndThen(() => {
    pauses += 1;
    return Promise.resolve();
  });
  const snapshot = engine.snapshot();
  const range = { prefix: utf8('k'), after: new Uint8Array(0), limit: 1, values: false };
  await readShard(snapshot, { ...ALL_SLOTS, pause }, { kind: 'list', ...range, reverse: true });
  snapshot.close();
  expect(pauses).toBe(7);
});
