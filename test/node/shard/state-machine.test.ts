import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Db } from '../../../lsm/db.ts';
import { type Entry, EntryKind } from '../../../node/raft/types.ts';
import { slotOf } from '../../../node/ring/slots.ts';
import { readCurrent } from '../../../node/shard/current-values.ts';
import {
  batchOf,
  contentOf,
  NOBODY_WATCHES,
  openEngine,
  stateMachine,
  text,
  utf8,
  writeEntry,
} from '../support.ts';

async function storedAs(engine: Db, key: string): Promise<string | undefined> {
  const bytes = utf8(key);
  const snapshot = engine.snapshot();
  const found = await readCurrent(snapshot, slotOf(bytes, 0, bytes.length), bytes);
  snapshot.close();
  return found === undefined || found.deleted ? undefined : text(found.value);
}

describe('applying a write entry', () => {
  it('stores its values under base version + ordinal', async () => {
    const engine = await openEngine();
    const machine = stateMachine(engine);
    const batch = batchOf(
      [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ],
      { number: 1 },
    );
    const outcome = machine.apply(writeEntry(1, batch, 5000), NOBODY_WATCHES);
    expect(outcome.kind).toBe('applied');
    expect(await storedAs(engine, 'a')).toBe('3');
    expect(await storedAs(engine, 'b')).toBe('2');
    expect(machine).toMatchObject({ appliedIndex: 1, appliedTerm: 1, highestVersion: 5002 });
    machine.apply(writeEntry(2, batchOf([['a', '']], { number: 2 }), 6000), NOBODY_WATCHES);
    expect(await storedAs(engine, 'a')).toBeUndefined();
  });

  it('tells who watches what it stores, and nothing else', async () => {
    const engine = await openEngine();
    const own = slotOf(utf8('mine'), 0, 4);
    const machine = stateMachine(engine, own, 1);
    const seen: unknown[] = [];
    const observer = {
      wantsWrites: true,
      wantsReservedWrites: true,
      written: (
        bytes: Uint8Array,
        keyStart: number,
        keyEnd: number,
        valueStart: number,
        valueEnd: number,
        version: number,
        _time: number,
        isDelete: boolean,
      ) => {
        seen.push([
          text(bytes.slice(keyStart, keyEnd)),
          text(bytes.slice(valueStart, valueEnd)),
          version,
          isDelete,
        ]);
      },
    };
    const other = ['x', 'y'].find((key) => slotOf(utf8(key), 0, 1) !== own) as string;
    const batch = batchOf(
      [
        ['mine', 'v'],
        [other, 'w'],
        ['mine', ''],
      ],
      { number: 1 },
    );
    machine.apply(writeEntry(1, batch, 100), observer);
    expect(seen).toEqual([
      ['mine', 'v', 100, false],
      ['mine', '', 102, true],
    ]);
    machine.apply(writeEntry(2, batch, 200), observer);
    expect(seen).toHaveLength(2);
  });

  it('skips keys of other slots and keys that are too long, without moving the versions of the rest', async () => {
    const engine = await openEngine();
    const own = slotOf(utf8('mine'), 0, 4);
    const machine = stateMachine(engine, own, 1);
    const other = ['x', 'y'].find((key) => slotOf(utf8(key), 0, 1) !== own) as string;
    const batch = batchOf(
      [
        [other, '1'],
        ['k'.repeat(1025), '2'],
        ['mine', '3'],
      ],
      { number: 1 },
    );
    expect(machine.apply(writeEntry(1, batch, 100), NOBODY_WATCHES).kind).toBe('applied');
    const content = await contentOf(engine);
    expect(content).toHaveLength(1);
    expect(machine.highestVersion).toBe(102);
    expect(await storedAs(engine, 'mine')).toBe('3');
  });

  it('skips a batch that was applied before, one that comes too early, and one of an earlier start', async () => {
    const engine = await openEngine();
    const machine = stateMachine(engine);
    const put = (index: number, value: string, number: number, startCounter: number) =>
      machine.apply(
        writeEntry(index, batchOf([['k', value]], { number, startCounter }), index * 100),
        NOBODY_WATCHES,
      );
    put(1, 'first', 1, 2);
    put(2, 'again', 1, 2);
    expect(await storedAs(engine, 'k')).toBe('first');
    put(3, 'too early', 3, 2);
    expect(await storedAs(engine, 'k')).toBe('first');
    put(4, 'of an earlier start', 7, 1);
    expect(await storedAs(engine, 'k')).toBe('first');
    put(5, 'next', 2, 2);
    expect(await storedAs(engine, 'k')).toBe('next');
    put(6, 'of a new start', 1, 3);
    expect(await storedAs(engine, 'k')).toBe('of a new start');
    expect(machine.appliedIndex).toBe(6);
    expect(machine.highestVersion, 'of the log, skipped or not').toBe(600);
  });
});

describe('an entry that cannot be understood', () => {
  it('is skipped if its bytes make no sense: the next one is applied', async () => {
    const engine = await openEngine();
    const machine = stateMachine(engine);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (data) => {
        const index = machine.appliedIndex + 1;
        const outcome = machine.apply(
          { term: 1, index, kind: EntryKind.write, data },
          NOBODY_WATCHES,
        );
        expect(outcome.kind).toBe('skipped');
        expect(machine.appliedIndex).toBe(index);
      }),
    );
    const index = machine.appliedIndex + 1;
    machine.apply(writeEntry(index, batchOf([['k', 'v']], { number: 1 }), 100), NOBODY_WATCHES);
    expect(await contentOf(engine)).toHaveLength(1);
  });

  it('is skipped as a whole if its batch is damaged', async () => {
    const engine = await openEngine();
    const machine = stateMachine(engine);
    const batch = batchOf(
      [
        ['a', '1'],
        ['b', '2'],
      ],
      { number: 1 },
    );
    const damaged = { ...batch, bytes: batch.bytes.slice(0, -1) };
    expect(machine.apply(writeEntry(1, damaged, 100), NOBODY_WATCHES).kind).toBe('skipped');
    expect(await contentOf(engine)).toEqual([]);
    expect(machine.appliedIndex).toBe(1);
  });

  it('stops the group if its kind is of a newer version: nothing is marked as applied', async () => {
    const engine = await openEngine();
    const machine = stateMachine(engine);
    const entry = { term: 1, index: 1, kind: 77, data: new Uint8Array(0) };
    expect(machine.apply(entry, NOBODY_WATCHES)).toMatchObject({ kind: 'halted' });
    expect(machine.appliedIndex).toBe(0);
  });
});

describe('two replicas', () => {
  it('hold the same after the same entries, garbage, repetitions and gaps included', async () => {
    const names = fc.constantFrom('a', 'b', 'a/b', 'räume/küche 1', '$x');
    const write = fc.record({
      puts: fc.array(fc.tuple(names, fc.string({ maxLength: 8 })), { minLength: 1, maxLength: 4 }),
      node: fc.constantFrom('aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'),
      startCounter: fc.integer({ min: 1, max: 2 }),
      number: fc.integer({ min: 1, max: 6 }),
    });
    const item = fc.oneof(
      { weight: 5, arbitrary: write.map(({ puts, ...origin }) => batchOf(puts, origin)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 30 }), async (items) => {
        const entries = items.map((each, i): Entry => {
          const index = i + 1;
          if (each instanceof Uint8Array)
            return { term: 1, index, kind: EntryKind.write, data: each };
          return writeEntry(index, each, index * 10);
        });
        const results = await Promise.all(
          [1, 2].map(async () => {
            const engine = await openEngine();
            const machine = stateMachine(engine);
            for (const entry of entries) machine.apply(entry, NOBODY_WATCHES);
            const { appliedIndex, highestVersion, streams } = machine;
            return {
              content: await contentOf(engine),
              appliedIndex,
              highestVersion,
              streams: [...streams.entries()],
            };
          }),
        );
        expect(results[0]).toEqual(results[1]);
        expect(results[0]?.appliedIndex).toBe(entries.length);
      }),
      { numRuns: 40 },
    );
  });
});
