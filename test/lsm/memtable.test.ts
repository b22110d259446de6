import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import { type Cursor, NO_BYTES } from '../../lsm/iterator/cursor.ts';
import { MergingCursor } from '../../lsm/iterator/merging-cursor.ts';
import { Memtable } from '../../lsm/memtable/memtable.ts';
import { EntryKind } from '../../lsm/sstable/format.ts';
import { drain, hex, keyAt, keyOf, seriesKey, text, utf8, valueBytesOf } from './entries.ts';

interface Write {
  readonly key: Uint8Array;
  /** `undefined` deletes. */
  readonly value: string | undefined;
}

const writes = fc.array(
  fc.record({
    series: fc.integer({ min: 0, max: 5 }),
    time: fc.integer({ min: 0, max: 12 }),
    value: fc.option(fc.string({ maxLength: 8 }), { nil: undefined, freq: 5 }),
  }),
  { maxLength: 60 },
);
/** With a suffix a series has several keys; without one it is a key, of which there may be several versions. */
const suffixes = fc.constantFrom(8, 0);

function fill(list: readonly Write[], suffixBytes: number, firstSeq = 1): Memtable {
  const memtable = new Memtable(firstSeq, suffixBytes);
  list.forEach((write, i) => {
    add(memtable, write, firstSeq + i);
  });
  return memtable;
}

function add(memtable: Memtable, { key, value }: Write, seq: number): void {
  const bytes = utf8(value ?? '');
  if (value === undefined) memtable.delete(key, 0, key.length, seq);
  else memtable.put(key, 0, key.length, bytes, 0, bytes.length, seq);
}

type Shown = [key: string, value: string | undefined];

/** What a reader at `seqMax` should see, deletions too. */
function modelOf(list: readonly Write[], seqMax: number): Shown[] {
  const newest = new Map(list.slice(0, seqMax).map(({ key, value }) => [hex(key), value]));
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1));
}

const cursorOf = (memtable: Memtable, seqMax: number, reverse = false): Cursor =>
  new MergingCursor(memtable.cursors(seqMax, reverse), reverse);

const shown = (cursor: Cursor): Shown => [
  hex(keyOf(cursor)),
  cursor.kind === EntryKind.deletion ? undefined : text(valueBytesOf(cursor)),
];

async function seenBy(memtable: Memtable, seqMax: number, reverse = false): Promise<Shown[]> {
  const cursor = cursorOf(memtable, seqMax, reverse);
  const entries = await drain(cursor, reverse ? 'end' : NO_BYTES);
  return entries.map(({ key, value, kind }) => [
    hex(key),
    kind === EntryKind.deletion ? undefined : text(value),
  ]);
}

const asWrites = (
  list: readonly { series: number; time: number; value: string | undefined }[],
): Write[] =>
  list.map(({ series, time, value }) => ({ key: keyAt(seriesKey(0, `s${series}`), time), value }));

describe('Memtable', () => {
  it('shows each key once with its newest entry that the reader may see, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(writes, suffixes, fc.nat(60), async (list, suffixBytes, seqMax) => {
        const all = asWrites(list);
        const memtable = fill(all, suffixBytes);
        const model = modelOf(all, seqMax);
        expect(await seenBy(memtable, seqMax)).toEqual(model);
        expect(await seenBy(memtable, seqMax, true)).toEqual(model.toReversed());
      }),
    );
  });

  it('is the same again after it passed to another thread', async () => {
    await fc.assert(
      fc.asyncProperty(writes, suffixes, async (list, suffixBytes) => {
        const all = asWrites(list);
        const transfer = structuredClone(fill(all, suffixBytes, 1000).transfer());
        const copy = Memtable.fromTransfer(transfer);
        expect(await seenBy(copy, 1e9)).toEqual(modelOf(all, 1e9));
        expect(copy.entryCount).toBe(all.length);
      }),
    );
  });

  it('seeks any bytes: ascending at or after them, descending before them', async () => {
    const loose = fc.uint8Array({ maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(
        writes,
        suffixes,
        loose,
        fc.boolean(),
        async (list, suffixBytes, bytes, near) => {
          const all = asWrites(list);
          const sample = all[bytes.length % Math.max(1, all.length)]?.key ?? bytes;
          const target = near ? sample.slice(0, sample.length - ((bytes[0] ?? 0) % 10)) : bytes;
          const keys = all.map(({ key }) => key).sort(compareBytes);
          const memtable = fill(all, suffixBytes);
          const up = cursorOf(memtable, 1e9);
          await up.seek(target);
          const after = keys.find((key) => compareBytes(key, target) >= 0);
          expect(up.valid ? hex(keyOf(up)) : undefined).toBe(after && hex(after));
          const down = cursorOf(memtable, 1e9, true);
          await down.seek(target);
          const before = keys.findLast((key) => compareBytes(key, target) < 0);
          expect(down.valid ? hex(keyOf(down)) : undefined).toBe(before && hex(before));
        },
      ),
    );
  });

  it('lets a cursor go on undisturbed while writes come in between its steps', async () => {
    await fc.assert(
      fc.asyncProperty(
        writes,
        writes,
        suffixes,
        fc.boolean(),
        async (before, during, suffixBytes, reverse) => {
          const first = asWrites(before);
          const second = asWrites(during);
          const memtable = fill(first, suffixBytes);
          const cursor = cursorOf(memtable, first.length, reverse);
          const seen: Shown[] = [];
          let added = 0;
          const write = () => {
            for (let i = 0; i < 3 && added < second.length; i++) {
              add(memtable, second[added++] as Write, first.length + added);
              if (i === 0) memtable.cursors(1e9);
            }
          };
          await (reverse ? cursor.seekEnd() : cursor.seek(NO_BYTES));
          for (; cursor.valid; await cursor.next()) {
            seen.push(shown(cursor));
            write();
          }
          const model = modelOf(first, first.length);
          expect(seen).toEqual(reverse ? model.toReversed() : model);
        },
      ),
    );
  });

  it('finds the newest entry of a key that a reader may see', () => {
    fc.assert(
      fc.property(writes, suffixes, fc.nat(60), (list, suffixBytes, seqMax) => {
        const all = asWrites(list);
        const memtable = fill(all, suffixBytes);
        const model = new Map(modelOf(all, seqMax));
        for (const { key } of [...all, ...asWrites([{ series: 9, time: 1, value: '' }])]) {
          const address = memtable.find(key, seqMax);
          expect(address >= 0).toBe(model.has(hex(key)));
          if (address < 0) continue;
          const bytes = memtable.bytesOf(address);
          const value = text(bytes.slice(memtable.keyEnd(address), memtable.valueEnd(address)));
          const isDeletion = memtable.kindOf(address) === EntryKind.deletion;
          expect(isDeletion ? undefined : value).toBe(model.get(hex(key)));
        }
      }),
    );
  });

  it('sorts keys a few times only, however scans and writes alternate', () => {
    const memtable = new Memtable(1, 0);
    for (let i = 0; i < 2000; i++) {
      const key = Uint8Array.of((i * 7919) >> 8, (i * 7919) & 0xff, i >> 8, i & 0xff);
      memtable.put(key, 0, 4, key, 0, 4, i + 1);
      expect(memtable.cursors(1e9).length).toBeLessThanOrEqual(7);
    }
  });

  it('finds the newest value of a series that a reader may see', () => {
    const series = seriesKey(0, 'a');
    const list = [5, 9, 7, 9].map((time, i) => ({ key: keyAt(series, time), value: `v${i}` }));
    const memtable = fill(list, 8);
    const valueAt = (seqMax: number) => {
      const address = memtable.firstOfSeries(series, seqMax);
      if (address < 0) return undefined;
      const bytes = memtable.bytesOf(address);
      return text(bytes.slice(memtable.keyEnd(address), memtable.valueEnd(address)));
    };
    expect([0, 1, 2, 3, 4].map(valueAt)).toEqual([undefined, 'v0', 'v1', 'v1', 'v3']);
    expect(memtable.firstOfSeries(seriesKey(0, 'b'), 9)).toBe(-1);
  });

  it('holds a record larger than a chunk beside small ones', async () => {
    const large = 'x'.repeat(2_500_000);
    const list = ['a', large, 'b', large, 'c'].map((value, i) => ({
      key: keyAt(seriesKey(i, 'n'), i),
      value,
    }));
    const memtable = fill(list, 8);
    expect(await seenBy(memtable, 9)).toEqual(modelOf(list, 9));
    expect(memtable.sizeBytes).toBeGreaterThan(5_000_000);
  });

  it('counts what it holds', () => {
    const memtable = fill(asWrites([{ series: 1, time: 1, value: 'abc' }]), 8);
    expect(memtable.sizeBytes).toBeGreaterThan(3 + 13);
    expect(memtable.sizeBytes).toBeLessThan(1000);
  });
});
