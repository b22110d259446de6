import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, prefixSuccessor } from '../../lsm/bytes.ts';
import { BoundedCursor } from '../../lsm/iterator/bounded-cursor.ts';
import { MergingCursor } from '../../lsm/iterator/merging-cursor.ts';
import { drain, type Entry, hex, keyOf, ListCursor, sorted, text, utf8 } from './engine-support.ts';

const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 4 });
/** For each source a list of keys, each once. */
const sources = fc.array(fc.uniqueArray(key, { selector: hex, maxLength: 20 }), { maxLength: 6 });

function entriesOf(keys: readonly (readonly Uint8Array[])[]): Entry[][] {
  let seq = 0;
  return keys.map((list) =>
    sorted(list.map((one) => ({ key: one, value: utf8(`v${++seq}`), seq }))),
  );
}

function modelOf(lists: readonly (readonly Entry[])[]): Entry[] {
  const newest = new Map<string, Entry>();
  for (const entry of lists.flat()) {
    const old = newest.get(hex(entry.key));
    if (old === undefined || old.seq < entry.seq) newest.set(hex(entry.key), entry);
  }
  return sorted([...newest.values()]);
}

const shown = (entries: readonly Entry[]) =>
  entries.map((entry) => `${hex(entry.key)}=${text(entry.value)}`);

describe('MergingCursor', () => {
  it('merges its sources, newest value of each key, whether they are slow or not', async () => {
    await fc.assert(
      fc.asyncProperty(sources, fc.nat(63), async (keys, slow) => {
        const lists = entriesOf(keys);
        const cursors = lists.map((list, i) => new ListCursor(list, ((slow >> i) & 1) === 1));
        expect(shown(await drain(new MergingCursor(cursors)))).toEqual(shown(modelOf(lists)));
      }),
    );
  });

  it('stands right after any seeks, forward and back', async () => {
    await fc.assert(
      fc.asyncProperty(sources, fc.array(fc.tuple(key, fc.nat(3))), async (keys, moves) => {
        const lists = entriesOf(keys);
        const model = modelOf(lists);
        const merging = new MergingCursor(
          lists.map((list, i) => new ListCursor(list, i % 2 === 0)),
        );
        for (const [target, steps] of moves) {
          await merging.seek(target);
          let at = model.findIndex((entry) => compareBytes(entry.key, target) >= 0);
          for (let i = 0; i < steps && merging.valid; i++) {
            await merging.next();
            at++;
          }
          const expected = at < 0 ? undefined : model[at];
          expect(merging.valid ? hex(keyOf(merging)) : undefined).toBe(
            expected === undefined ? undefined : hex(expected.key),
          );
        }
      }),
    );
  });

  it('leaves sources that stand right alone when it seeks forward', async () => {
    const lists = entriesOf([[Uint8Array.of(1), Uint8Array.of(2)], [Uint8Array.of(9)]]);
    const [near, far] = lists.map((list) => new ListCursor(list)) as [ListCursor, ListCursor];
    const merging = new MergingCursor([near, far]);
    await merging.seek(Uint8Array.of(0));
    await merging.seek(Uint8Array.of(2));
    await merging.seek(Uint8Array.of(5));
    expect(far.moves).toBe(1);
    expect(merging.keyBytes[0]).toBe(9);
  });

  it('does not take a source that failed for one that ended', async () => {
    const [one, two] = entriesOf([[Uint8Array.of(1), Uint8Array.of(2)], [Uint8Array.of(3)]]);
    const broken = new ListCursor(one as Entry[]);
    const next = broken.next.bind(broken);
    let failures = 1;
    broken.next = () => {
      if (failures-- > 0) {
        broken.valid = false;
        throw new Error('a read failed');
      }
      return next();
    };
    const merging = new MergingCursor([broken, new ListCursor(two as Entry[])]);
    await merging.seek(Uint8Array.of(0));
    expect(() => merging.next()).toThrow('a read failed');
    await merging.seek(Uint8Array.of(2));
    expect(hex(keyOf(merging))).toBe('02');
  });
});

describe('BoundedCursor', () => {
  const hooks = {
    check: () => {},
    failed: (error: unknown): never => {
      throw error;
    },
  };

  it('stays inside its bounds', async () => {
    const keys = [1, 2, 3, 4, 5].map((byte) => Uint8Array.of(byte));
    const [list] = entriesOf([keys]);
    const bounds = { lower: Uint8Array.of(2), upper: Uint8Array.of(4) };
    const cursor = new BoundedCursor(new ListCursor(list as Entry[]), bounds, hooks);
    const seen: number[] = [];
    for (await cursor.seek(Uint8Array.of(0)); cursor.valid; await cursor.next())
      seen.push(cursor.key[0] ?? 0);
    expect(seen).toEqual([2, 3]);
    await cursor.seek(Uint8Array.of(5));
    expect(cursor.valid).toBe(false);
    expect(() => cursor.key).toThrow('valid position');
    cursor.close();
    expect(() => cursor.seek(Uint8Array.of(2))).toThrow('closed cursor');
  });
});

describe('prefixSuccessor', () => {
  it('is the least byte string above all with the prefix', () => {
    expect(prefixSuccessor(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 3));
    expect(prefixSuccessor(Uint8Array.of(1, 255, 255))).toEqual(Uint8Array.of(2));
    expect(prefixSuccessor(Uint8Array.of(255))).toBeUndefined();
    expect(prefixSuccessor(new Uint8Array(0))).toBeUndefined();
  });
});
