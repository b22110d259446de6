import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import { Memtable } from '../../lsm/memtable/memtable.ts';
import { MemtableCursor } from '../../lsm/memtable/memtable-cursor.ts';
import { drain, hex, keyAt, keyOf, seriesKey, text, utf8, valueBytesOf } from './engine-support.ts';

interface Put {
  readonly key: Uint8Array;
  readonly value: string;
}

const puts = fc.array(
  fc.record({
    series: fc.integer({ min: 0, max: 5 }),
    time: fc.integer({ min: 0, max: 12 }),
    value: fc.string({ maxLength: 8 }),
  }),
  { maxLength: 60 },
);

function fill(list: readonly Put[], firstSeq = 1): Memtable {
  const memtable = new Memtable(firstSeq, 8);
  list.forEach(({ key, value }, i) => {
    add(memtable, key, value, firstSeq + i);
  });
  return memtable;
}

function add(memtable: Memtable, key: Uint8Array, value: string, seq: number): void {
  const bytes = utf8(value);
  memtable.put(key, 0, key.length, bytes, 0, bytes.length, seq);
}

/** What a reader at `seqMax` should see. */
function modelOf(list: readonly Put[], seqMax: number): [string, string][] {
  const newest = new Map(list.slice(0, seqMax).map(({ key, value }) => [hex(key), value]));
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1));
}

async function seenBy(memtable: Memtable, seqMax: number): Promise<[string, string][]> {
  const entries = await drain(new MemtableCursor(memtable, seqMax));
  return entries.map(({ key, value }) => [hex(key), text(value)]);
}

const asPuts = (list: readonly { series: number; time: number; value: string }[]): Put[] =>
  list.map(({ series, time, value }) => ({ key: keyAt(seriesKey(0, `s${series}`), time), value }));

describe('Memtable', () => {
  it('shows each key once with its newest value that the reader may see', async () => {
    await fc.assert(
      fc.asyncProperty(puts, fc.nat(60), async (list, seqMax) => {
        const all = asPuts(list);
        expect(await seenBy(fill(all), seqMax)).toEqual(modelOf(all, seqMax));
      }),
    );
  });

  it('is the same again after it passed to another thread', async () => {
    await fc.assert(
      fc.asyncProperty(puts, async (list) => {
        const all = asPuts(list);
        const copy = Memtable.fromTransfer(structuredClone(fill(all, 1000).transfer()));
        expect(await seenBy(copy, 1e9)).toEqual(modelOf(all, 1e9));
        expect(copy.entryCount).toBe(all.length);
      }),
    );
  });

  it('seeks to the first key at or after any bytes', () => {
    fc.assert(
      fc.property(puts, fc.uint8Array({ maxLength: 14 }), fc.boolean(), (list, loose, near) => {
        const all = asPuts(list);
        const sample = all[loose.length % Math.max(1, all.length)]?.key ?? loose;
        const target = near ? sample.slice(0, sample.length - ((loose[0] ?? 0) % 10)) : loose;
        const cursor = new MemtableCursor(fill(all), 1e9);
        cursor.seek(target);
        const expected = all
          .map(({ key }) => key)
          .filter((key) => compareBytes(key, target) >= 0)
          .sort(compareBytes)[0];
        expect(cursor.valid).toBe(expected !== undefined);
        if (expected !== undefined) expect(hex(keyOf(cursor))).toBe(hex(expected));
      }),
    );
  });

  it('lets a cursor go on undisturbed while writes come in between its steps', () => {
    fc.assert(
      fc.property(puts, puts, (before, during) => {
        const first = asPuts(before);
        const second = asPuts(during);
        const memtable = fill(first);
        const cursor = new MemtableCursor(memtable, first.length);
        const seen: [string, string][] = [];
        let added = 0;
        const write = () => {
          for (let i = 0; i < 3 && added < second.length; i++) {
            const { key, value } = second[added++] as Put;
            add(memtable, key, value, first.length + added);
          }
        };
        cursor.seek(new Uint8Array(0));
        for (; cursor.valid; cursor.next()) {
          seen.push([hex(keyOf(cursor)), text(valueBytesOf(cursor))]);
          write();
        }
        expect(seen).toEqual(modelOf(first, first.length));
      }),
    );
  });

  it('finds the newest value of a series that a reader may see', () => {
    const series = seriesKey(0, 'a');
    const list = [5, 9, 7, 9].map((time, i) => ({ key: keyAt(series, time), value: `v${i}` }));
    const memtable = fill(list);
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
    const memtable = fill(list);
    expect(await seenBy(memtable, 9)).toEqual(modelOf(list, 9));
    expect(memtable.sizeBytes).toBeGreaterThan(5_000_000);
  });

  it('counts what it holds', () => {
    const memtable = fill(asPuts([{ series: 1, time: 1, value: 'abc' }]));
    expect(memtable.sizeBytes).toBeGreaterThan(3 + 13);
    expect(memtable.sizeBytes).toBeLessThan(400);
  });
});
