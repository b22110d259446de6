import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runCompact } from '../../lsm/compaction/job.ts';
import type { Db } from '../../lsm/db.ts';
import { EntryKind, parseTableFileName } from '../../lsm/sstable/format.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { TableReader } from '../../lsm/sstable/table-reader.ts';
import { TableWriter } from '../../lsm/sstable/table-writer.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import {
  contentOf,
  del,
  drain,
  type Entry,
  hex,
  keyAt,
  ListCursor,
  openSmall,
  put,
  seriesKey,
  sorted,
  text,
  utf8,
} from './engine-support.ts';

const FORMAT = {
  directory: '/',
  suffixBytes: 8,
  blockSizeBytes: 200,
  codec: 'none',
  keyFilter: false,
} as const;

const keyOf = (name: string, time = 1) => keyAt(seriesKey(1, name), time);
const putOf = (name: string, seq: number): Entry => ({ key: keyOf(name), value: utf8(name), seq });
const deletionOf = (name: string, seq: number): Entry => {
  return { key: keyOf(name), value: new Uint8Array(0), seq, kind: EntryKind.deletion };
};

class Tables {
  readonly vfs = new CrashableMemVfs();
  #fileNumber = 1;

  async write(...entries: Entry[]): Promise<TableMeta> {
    const { vfs } = this;
    const writer = await TableWriter.create({ vfs, ...FORMAT, fileNumber: this.#fileNumber++ });
    const cursor = new ListCursor(sorted(entries));
    for (cursor.seek(new Uint8Array(0)); cursor.valid; cursor.next()) writer.add(cursor);
    return writer.finish();
  }

  /** What is left of some tables beside others, as `name#seq`, deletions with a minus. */
  async merge(tables: readonly TableMeta[], elsewhere: readonly TableMeta[][] = []) {
    const output = await runCompact(this.vfs, {
      ...FORMAT,
      runs: tables.map((table) => [table]),
      sieve: { spec: undefined, elsewhere },
      firstFileNumber: 1000,
      fileNumberCount: 10,
      tableBytes: 1e6,
      borders: [],
      memoryBytes: 1e6,
    });
    const left: string[] = [];
    for (const { fileNumber } of output.tables) {
      const reader = await TableReader.open(this.vfs, '/', fileNumber);
      for (const { key, seq, kind } of await drain(reader.cursor())) {
        const name = text(key.subarray(2, key.length - 9));
        left.push(`${kind === EntryKind.deletion ? '-' : ''}${name}#${seq}`);
      }
      await reader.close();
      await this.vfs.remove(`/${String(fileNumber).padStart(10, '0')}.sst`);
    }
    return left;
  }
}

describe('a merge', () => {
  it('takes a deletion and what it hides out together', async () => {
    const tables = new Tables();
    const old = await tables.write(putOf('a', 1), putOf('b', 2));
    const deletions = await tables.write(deletionOf('a', 3), putOf('c', 4));
    expect(await tables.merge([old, deletions])).toEqual(['b#2', 'c#4']);
  });

  it('keeps a deletion while a table elsewhere may have an older entry of its key', async () => {
    const tables = new Tables();
    const deletions = await tables.write(
      ...['a', 'b', 'c', 'd'].map((it, i) => deletionOf(it, 10 + i)),
    );
    const older = await tables.write(putOf('b', 2), putOf('e', 3));
    expect(await tables.merge([deletions], [[older]])).toEqual(['-b#11']);
  });

  it('lets it go when what is elsewhere is newer, or of other keys', async () => {
    const tables = new Tables();
    const deletions = await tables.write(deletionOf('a', 1), deletionOf('m', 2));
    const newer = await tables.write(putOf('a', 5), putOf('m', 6));
    const others = await tables.write(putOf('n', 1), putOf('z', 1));
    expect(await tables.merge([deletions], [[newer], [others]])).toEqual([]);
  });

  it('keeps it beside a table that is damaged, whatever that held', async () => {
    const tables = new Tables();
    const deletions = await tables.write(deletionOf('b', 9));
    const lost = { ...(await tables.write(putOf('a', 1), putOf('c', 1))), damaged: true };
    expect(await tables.merge([deletions], [[lost]])).toEqual(['-b#9']);
  });

  it('hides an older put of another input whichever run it is in', async () => {
    const tables = new Tables();
    const [deletions, older] = [
      await tables.write(deletionOf('a', 9)),
      await tables.write(putOf('a', 1)),
    ];
    expect(await tables.merge([older, deletions])).toEqual([]);
    expect(await tables.merge([deletions, older])).toEqual([]);
  });
});

/** In all tables, read from their files. */
async function deletionsIn(vfs: CrashableMemVfs): Promise<number> {
  let count = 0;
  for (const name of await vfs.list('/db')) {
    const fileNumber = parseTableFileName(name);
    if (fileNumber === undefined) continue;
    const reader = await TableReader.open(vfs, '/db', fileNumber);
    count += reader.meta.deletionCount;
    await reader.close();
  }
  return count;
}

async function expectContent(db: Db, expected: ReadonlyMap<string, string>): Promise<void> {
  const snapshot = db.snapshot();
  expect(await contentOf(snapshot)).toEqual(expected);
  for (let i = 0; i < 20; i++) {
    const key = keyOf(`k${i}`);
    const value = await snapshot.get(key);
    expect(value && text(value)).toBe(expected.get(hex(key)));
  }
  snapshot.close();
}

describe('deletions in an engine', () => {
  const operation = fc.oneof(
    { weight: 6, arbitrary: fc.record({ put: fc.nat(19) }) },
    { weight: 4, arbitrary: fc.record({ delete: fc.nat(19) }) },
    { weight: 2, arbitrary: fc.constant('flush' as const) },
    { weight: 1, arbitrary: fc.constant('compact' as const) },
  );

  it('never let an older value show again, and are gone when all has come together', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const { db, vfs } = await openSmall(undefined, { level0TablesTrigger: 2, tableBytes: 300 });
        const expected = new Map<string, string>();
        for (const [i, step] of operations.entries()) {
          if (step === 'flush') await db.flush();
          else if (step === 'compact') await db.compactFully();
          else if ('put' in step) {
            put(db, keyOf(`k${step.put}`), utf8(`${i}`));
            expected.set(hex(keyOf(`k${step.put}`)), `${i}`);
          } else {
            del(db, keyOf(`k${step.delete}`));
            expected.delete(hex(keyOf(`k${step.delete}`)));
          }
        }
        await expectContent(db, expected);
        // A put of each key, so that no deletion has a table for itself that is only moved.
        await db.flush();
        for (let i = 0; i < 20; i++) put(db, keyOf(`k${i}`), utf8('end'));
        await db.flush();
        await db.compactFully();
        expect(await deletionsIn(vfs)).toBe(0);
        await db.close();
        const again = await openSmall(vfs);
        await expectContent(
          again.db,
          new Map([...Array(20).keys()].map((i) => [hex(keyOf(`k${i}`)), 'end'])),
        );
        await again.db.close();
      }),
      { numRuns: 60 },
    );
  });

  it('go with a full compaction also where their table had only moved, with nothing under it', async () => {
    const { db } = await openSmall(new CrashableMemVfs(), { level0TablesTrigger: 1 });
    del(db, keyOf('never there'));
    await db.flush();
    await db.compactionsIdle();
    expect(db.statistics().filesPerLevel[0]).toBe(0);
    await db.compactFully();
    expect(db.statistics().tableCount).toBe(0);
  });
});
