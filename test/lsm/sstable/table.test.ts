import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../../lsm/bytes.ts';
import { BlockCache } from '../../../lsm/sstable/block-cache.ts';
import { hashKey } from '../../../lsm/sstable/filter.ts';
import { EntryKind } from '../../../lsm/sstable/format.ts';
import { TableReader } from '../../../lsm/sstable/table-reader.ts';
import { drain, hex, keyAt, keyOf, seriesKey, text } from '../entries.ts';
import { entries, entriesOf, histories, type TableShape, written } from './support.ts';

const shapes: fc.Arbitrary<TableShape> = fc.record({
  codec: fc.constantFrom('none', 'lz4', 'deflate'),
  keyFilter: fc.boolean(),
  blockSizeBytes: fc.constantFrom(64, 300, 4096),
});
const targets = fc.uint8Array({ maxLength: 20, max: 4 });
const hashOf = (key: Uint8Array) => hashKey(key, 0, key.length);

describe('tables', () => {
  it('give back what was written, forward, backward and in scans, with any codec', async () => {
    await fc.assert(
      fc.asyncProperty(entries, shapes, targets, async (list, shape, target) => {
        const { reader } = await written(list, shape, new BlockCache(2000));
        expect(await drain(reader.cursor())).toEqual(list);
        expect(await drain(reader.scanCursor(200))).toEqual(list);
        const backward = list.toReversed();
        expect(await drain(reader.cursor({ reverse: true }), 'end')).toEqual(backward);
        const before = backward.filter(({ key }) => compareBytes(key, target) < 0);
        expect(await drain(reader.cursor({ reverse: true }), target)).toEqual(before);
        const after = list.filter(({ key }) => compareBytes(key, target) >= 0);
        expect(await drain(reader.cursor(), target)).toEqual(after);
        await reader.close();
      }),
      { numRuns: 60 },
    );
  });

  it('are moved about in by one cursor, back and forth', async () => {
    const moves = fc.array(fc.tuple(targets, fc.nat(3)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(entries, shapes, moves, async (list, shape, seeks) => {
        const { reader } = await written(list, shape);
        const forward = reader.cursor({ access: 'block' });
        const backward = reader.cursor({ access: 'block', reverse: true });
        for (const [target, steps] of seeks) {
          let at = list.findIndex(({ key }) => compareBytes(key, target) >= 0);
          if (at < 0) at = list.length;
          let before = at - 1;
          await forward.seek(target);
          await backward.seek(target);
          for (let i = 0; i <= steps; i++) {
            expect(forward.valid ? keyOf(forward) : undefined).toEqual(list[at]?.key);
            expect(backward.valid ? keyOf(backward) : undefined).toEqual(list[before]?.key);
            if (forward.valid) await forward.next();
            if (backward.valid) await backward.next();
            at++;
            before--;
          }
        }
        await reader.close();
      }),
      { numRuns: 60 },
    );
  });

  it('find every key and no other, waiting or blocking, deletions as what they are', async () => {
    await fc.assert(
      fc.asyncProperty(entriesOf(3), shapes, targets, async (list, shape, other) => {
        const suffixBytes = 3;
        const { reader } = await written(list, { ...shape, suffixBytes }, new BlockCache(2000));
        for (const key of [...list.map((entry) => entry.key), other]) {
          const series = hashKey(key, 0, Math.max(0, key.length - suffixBytes));
          const expected = list.find((entry) => hex(entry.key) === hex(key));
          expect(reader.get(key, series, hashOf(key), 'block')).toEqual(expected);
          expect(await reader.get(key, series, undefined, 'wait')).toEqual(expected);
        }
        await reader.close();
      }),
      { numRuns: 60 },
    );
  });

  it('work with whole keys as series, also the empty one', async () => {
    await fc.assert(
      fc.asyncProperty(entriesOf(0), async (list) => {
        const { meta, reader } = await written(list, { suffixBytes: 0, keyFilter: true });
        expect(meta.suffixMax.length).toBe(0);
        expect(await reader.keyFilter()).toBeUndefined();
        for (const { key, ...rest } of list) {
          expect(await reader.first(key, hashOf(key))).toEqual({ key, ...rest });
          expect(await reader.get(key, hashOf(key), undefined, 'wait')).toEqual({ key, ...rest });
        }
        await reader.close();
      }),
      { numRuns: 40 },
    );
  });

  it('say in their properties what they hold', async () => {
    const list = histories(5, 40);
    const { vfs, meta } = await written([
      ...list.slice(0, -1),
      { ...list.at(-1), value: new Uint8Array(0), kind: EntryKind.deletion } as never,
    ]);
    expect(meta).toMatchObject({ entryCount: 200, deletionCount: 1, seqMin: 1, seqMax: 200 });
    expect(meta.smallest).toEqual(list[0]?.key);
    expect(meta.largest).toEqual(list.at(-1)?.key);
    expect(hex(meta.suffixMin)).toBe(hex(keyAt(new Uint8Array(0), 1039)));
    expect(hex(meta.suffixMax)).toBe(hex(keyAt(new Uint8Array(0), 1000)));
    const reader = await TableReader.open(vfs, '/', 1);
    expect(reader.meta).toEqual(meta);
    await reader.close();
  });

  it('find the first of a series, and at once when all is in the cache', async () => {
    const { reader } = await written(histories(60, 20), {}, new BlockCache(1 << 20));
    const series = seriesKey(30 % 7, 'device/30/temperature');
    const first = reader.first(series, hashOf(series));
    expect(first).toBeInstanceOf(Promise);
    expect(text((await first)?.value as Uint8Array)).toBe('30:19');
    const again = reader.first(series, hashOf(series));
    expect(again).not.toBeInstanceOf(Promise);
    const absent = seriesKey(3, 'device/none');
    expect(await reader.first(absent, hashOf(absent))).toBeUndefined();
    // As if the filter had wrongly affirmed it.
    const beginning = series.slice(0, -3);
    expect(await reader.first(beginning, hashOf(series))).toBeUndefined();
  });

  it('skip forward within a block without a read', async () => {
    const list = histories(2, 200);
    const { reader } = await written(list, { blockSizeBytes: 4096 });
    const cursor = reader.cursor();
    await cursor.seek(list[0]?.key as Uint8Array);
    expect(cursor.seek(list[20]?.key as Uint8Array)).toBeUndefined();
    expect(keyOf(cursor)).toEqual(list[20]?.key);
  });

  it('are packed by a codec, but for what does not get smaller', async () => {
    const list = histories(100, 50);
    const plain = await written(list, { blockSizeBytes: 4096 });
    for (const codec of ['lz4', 'deflate'] as const) {
      const packed = await written(list, { codec, blockSizeBytes: 4096 });
      expect(packed.meta.bytes).toBeLessThan(plain.meta.bytes * 0.8);
    }
    const noise = fc.sample(entriesOf(20, fc.uint8Array({ minLength: 400, maxLength: 500 })), 1)[0];
    const loud = await written(noise as never, { codec: 'lz4' });
    expect(loud.meta.bytes).toBe((await written(noise as never)).meta.bytes);
  });
});
