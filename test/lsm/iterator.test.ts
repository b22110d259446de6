import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, prefixSuccessor } from '../../lsm/bytes.ts';
import type { KeyRange } from '../../lsm/engine.ts';
import { BoundedCursor } from '../../lsm/iterator/bounded-cursor.ts';
import { NO_BYTES } from '../../lsm/iterator/cursor.ts';
import { MergingCursor } from '../../lsm/iterator/merging-cursor.ts';
import { EntryKind } from '../../lsm/sstable/format.ts';
import { settled } from '../support/settled.ts';
import { drain, type Entry, hex, keyOf, ListCursor, sorted, text, utf8 } from './entries.ts';

const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 4 });
/** For each source a list of keys, each once. */
const sources = fc.array(fc.uniqueArray(key, { selector: hex, maxLength: 20 }), { maxLength: 6 });

const moves = fc.array(fc.tuple(key, fc.nat(3)));

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

/** The move to some keys fails, or waits. */
class FailingCursor extends ListCursor {
  readonly #onMove: (key: string) => Promise<void> | void;

  constructor(keys: string, onMove: (key: string) => Promise<void> | void) {
    super([...keys].map((key) => ({ key: utf8(key), value: NO_BYTES, seq: 1 })));
    this.#onMove = onMove;
  }

  override seek(key: Uint8Array): void | Promise<void> {
    return this.#after(super.seek(key));
  }

  override next(): void | Promise<void> {
    return this.#after(super.next());
  }

  #after(moved: void | Promise<void>): void | Promise<void> {
    expect(moved).toBeUndefined();
    if (!this.valid) return;
    this.valid = false;
    const waits = this.#onMove(text(keyOf(this)));
    if (waits !== undefined) return waits.then(() => this.#show());
    this.#show();
  }

  #show(): void {
    this.valid = true;
  }
}

describe('MergingCursor', () => {
  it('merges its sources, newest value of each key, whether they are slow or not', async () => {
    await fc.assert(
      fc.asyncProperty(sources, fc.nat(63), async (keys, slow) => {
        const lists = entriesOf(keys);
        const cursors = lists.map((list, i) => new ListCursor(list, ((slow >> i) & 1) === 1));
        expect(shown(await drain(new MergingCursor(cursors)))).toEqual(shown(modelOf(lists)));
        const down = lists.map((list, i) => new ListCursor(list, ((slow >> i) & 1) === 1, true));
        const descending = await drain(new MergingCursor(down, true), 'end');
        expect(shown(descending)).toEqual(shown(modelOf(lists)).toReversed());
      }),
    );
  });

  it('stands right after any seeks, forward and back', async () => {
    await fc.assert(
      fc.asyncProperty(sources, moves, fc.boolean(), async (keys, list, reverse) => {
        const lists = entriesOf(keys);
        const model = modelOf(lists);
        const merging = new MergingCursor(
          lists.map((entries, i) => new ListCursor(entries, i % 2 === 0, reverse)),
          reverse,
        );
        for (const [target, steps] of list) {
          await merging.seek(target);
          let at = reverse
            ? model.findLastIndex((entry) => compareBytes(entry.key, target) < 0)
            : model.findIndex((entry) => compareBytes(entry.key, target) >= 0);
          for (let i = 0; i < steps && merging.valid; i++) {
            await merging.next();
            at += reverse ? -1 : 1;
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

  it('waits for all that is under way before it says that one source failed', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      let reject: (error: Error) => void = () => {};
      const late = new Promise<void>((_, onReject) => {
        reject = onReject;
      });
      const cursor = new MergingCursor([
        new FailingCursor('a', () => late),
        new FailingCursor('b', () => {
          throw new Error('damaged');
        }),
      ]);
      let isOver = false;
      const seek = (async () => cursor.seek(NO_BYTES))().catch((error) => {
        isOver = true;
        return error.message;
      });
      await settled();
      expect(isOver).toBe(false);
      reject(new Error('closed'));
      expect(await seek).toMatch(/damaged|closed/);
      await settled();
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});

describe('BoundedCursor', () => {
  const hooks = {
    check: () => {},
    failed: (error: unknown): never => {
      throw error;
    },
  };

  const keys = [1, 2, 3, 4, 5].map((byte) => Uint8Array.of(byte));
  const isDeleted = (byte: number | undefined) => byte === 3;

  /** Over 1 to 5, of which 3 is deleted. */
  function open(slow: boolean, reverse: boolean, range: KeyRange): BoundedCursor {
    const [list] = entriesOf([keys]);
    const entries = (list as Entry[]).map((entry) =>
      isDeleted(entry.key[0]) ? { ...entry, kind: EntryKind.deletion } : entry,
    );
    return new BoundedCursor(new ListCursor(entries, slow, reverse), range, reverse, hooks);
  }

  const range = fc.record({
    lower: fc.nat(6).map((byte) => Uint8Array.of(byte)),
    upper: fc.option(
      fc.nat(6).map((byte) => Uint8Array.of(byte)),
      { nil: undefined },
    ),
  });

  it('shows what is in its range and not deleted, from where it was sought', async () => {
    await fc.assert(
      fc.asyncProperty(
        range,
        fc.option(fc.nat(6), { nil: undefined }),
        fc.boolean(),
        fc.boolean(),
        async (bounds, from, slow, reverse) => {
          const cursor = open(slow, reverse, bounds);
          const seen: number[] = [];
          await (from === undefined ? cursor.seekFirst() : cursor.seek(Uint8Array.of(from)));
          for (; cursor.valid; await cursor.next()) seen.push(cursor.key[0] ?? 0);
          const inside = [1, 2, 4, 5].filter(
            (byte) => byte >= (bounds.lower[0] ?? 0) && byte < (bounds.upper?.[0] ?? Infinity),
          );
          const expected = reverse
            ? inside.filter((byte) => byte <= (from ?? 9)).toReversed()
            : inside.filter((byte) => byte >= (from ?? 0));
          expect(seen).toEqual(expected);
        },
      ),
    );
  });

  it('gives chunks of so many entries or bytes, and an empty one at the end', async () => {
    for (const slow of [false, true]) {
      const cursor = open(slow, false, { lower: new Uint8Array(0) });
      await cursor.seekFirst();
      const chunks: number[][] = [];
      for (;;) {
        const chunk = await cursor.take(chunks.length === 0 ? 1 : 9, 6);
        chunks.push(chunk.map(({ key: [byte] }) => byte ?? 0));
        if (chunk.length === 0) break;
      }
      expect(chunks).toEqual([[1], [2, 4], [5], []]);
    }
  });

  it('refuses to be read where it stands nowhere, and when it is closed', async () => {
    const cursor = open(false, false, { lower: Uint8Array.of(9) });
    await cursor.seekFirst();
    expect(cursor.valid).toBe(false);
    expect(() => cursor.key).toThrow('valid position');
    cursor.close();
    expect(() => cursor.seek(Uint8Array.of(2))).toThrow('closed cursor');
  });

  it.each(['at once', 'waiting'])('does not go on behind an error (%s)', async (when) => {
    const damaged = new Error('damaged');
    const onMove = (key: string) => {
      if (key !== 'c') return;
      if (when === 'waiting') return Promise.reject(damaged);
      throw damaged;
    };
    const source = new MergingCursor([new FailingCursor('abcd', onMove)]);
    const cursor = new BoundedCursor(source, { lower: NO_BYTES }, false, hooks);
    await cursor.seekFirst();
    const take = async () => (await cursor.take(10, 1000)).length;
    await expect(take()).rejects.toThrow('damaged');
    await expect(take()).rejects.toThrow('damaged');
    expect(cursor.valid).toBe(false);
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
