import { describe, expect, it } from 'vitest';
import type { EngineTable } from '../../lsm/engine.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { hex, keyAt, openSmall, put, seriesKey, text, utf8 } from './engine-support.ts';
import { type FilteredDb, listing, openFiltered, write } from './filtered-db.ts';

const everything = () => true;

/** The tables there are, as `compactWhere` shows them. */
async function tablesOf({ db }: Pick<FilteredDb, 'db'>): Promise<EngineTable[]> {
  const tables: EngineTable[] = [];
  await db.compactWhere((table) => {
    tables.push(table);
    return false;
  });
  return tables;
}

/** A table in level 0 with these times of one device. */
async function flushTimes({ db }: FilteredDb, name: string, times: readonly number[]) {
  for (const time of times) write(db, name, time);
  await db.flush();
}

describe('compactWhere', () => {
  it('shows what tables hold', async () => {
    const opened = await openFiltered();
    await flushTimes(opened, 'a', [7, 3, 12]);
    const [table, ...others] = await tablesOf(opened);
    expect(others).toEqual([]);
    expect(table).toMatchObject({ level: 0, entryCount: 3, sizeBytes: opened.db.diskBytes });
    expect(table?.smallestKey).toEqual(keyAt(seriesKey(1, 'a'), 12));
    expect(table?.largestKey).toEqual(keyAt(seriesKey(1, 'a'), 3));
    expect(table?.largestSuffix).toEqual(keyAt(new Uint8Array(0), 3));
    await opened.db.close();
    expect(await tablesOf(await openFiltered(opened.vfs))).toEqual([table]);
  });

  it('rewrites the wanted tables in their place, and only those', async () => {
    const opened = await openFiltered();
    for (const i of [0, 1, 2, 3]) await flushTimes(opened, 'a', [10 + i, 20 + i]);
    await opened.db.compactionsIdle();
    await flushTimes(opened, 'a', [1, 30]);
    await flushTimes(opened, 'a', [2, 31]);
    const before = await tablesOf(opened);
    expect(before.map(({ level }) => level)).toEqual([0, 0, 6]);
    opened.host.cutoff = 13;
    const result = await opened.db.compactWhere(({ level, smallestKey }) => {
      return level === 6 || hex(smallestKey) === hex(keyAt(seriesKey(1, 'a'), 31));
    });
    expect(result).toMatchObject({ tablesRewritten: 2, droppedEntries: 4 });
    const after = await tablesOf(opened);
    expect(after.map(({ level, entryCount }) => [level, entryCount])).toEqual([
      [0, 1],
      [0, 2],
      [6, 5],
    ]);
    expect(after[1]).toEqual(before[1]);
    const rewritten = [after[0], after[2]].map((table) => table?.fileNumber as number);
    expect([...result.judgedFileNumbers].sort()).toEqual([...rewritten].sort());
    expect((await listing(opened)).length).toBe(8);
  });

  it('lets the newest write of a key win after older and newer tables were rewritten', async () => {
    const opened = await openFiltered(undefined, { level0TablesTrigger: 100 });
    const { db, host } = opened;
    for (const value of ['one', 'two', 'three']) {
      write(db, 'a', 50, value);
      write(db, 'b', 1);
      await db.flush();
    }
    host.cutoff = 10;
    for (const wanted of await tablesOf(opened)) {
      await db.compactWhere(({ fileNumber }) => fileNumber === wanted.fileNumber);
      expect((await listing(opened))[0]).toBe('a@50=three');
    }
    expect(await listing(opened)).toEqual(['a@50=three']);
    await db.close();
    expect(await listing(await openFiltered(opened.vfs))).toEqual(['a@50=three']);
  });

  it('writes nothing where nothing is dropped, and says that it looked', async () => {
    const opened = await openFiltered(undefined, { cutoff: 5 });
    await flushTimes(opened, 'a', [10, 11]);
    const before = await tablesOf(opened);
    const written: string[] = [];
    opened.vfs.onOperation = ({ kind, path }) => {
      if (kind !== 'read' && kind !== 'size') written.push(`${kind} ${path}`);
    };
    const result = await opened.db.compactWhere(everything);
    opened.vfs.onOperation = undefined;
    const judgedFileNumbers = before.map(({ fileNumber }) => fileNumber);
    expect(result).toEqual({ tablesRewritten: 0, droppedEntries: 0, judgedFileNumbers });
    expect(written.filter((operation) => !operation.startsWith('open'))).toEqual([]);
    expect(await tablesOf(opened)).toEqual(before);
  });

  it('removes a table of which nothing is left', async () => {
    const opened = await openFiltered(undefined, { cutoff: 100 });
    await flushTimes(opened, 'a', [10, 11]);
    await flushTimes(opened, 'a', [110]);
    const result = await opened.db.compactWhere(everything);
    expect(result).toMatchObject({ tablesRewritten: 1, droppedEntries: 2 });
    expect(result.judgedFileNumbers.length).toBe(1);
    expect(opened.db.statistics().tableCount).toBe(1);
    await opened.db.close();
    const files = (await opened.vfs.list('/db')).filter((name) => name.endsWith('.sst'));
    expect(files.length).toBe(1);
  });

  it('does not cut a table of level 0, however large it is', async () => {
    const borders = [Uint8Array.of(1, 0, 109)];
    const opened = await openFiltered(undefined, { tableBytes: 100, borders, memtableBytes: 1e6 });
    for (let i = 0; i < 300; i++) {
      write(opened.db, 'a', i);
      write(opened.db, 'z', i);
    }
    await opened.db.flush();
    opened.host.cutoff = 10;
    await opened.db.compactWhere(everything);
    expect(opened.db.statistics().filesPerLevel[0]).toBe(1);
    expect((await listing(opened)).length).toBe(580);
  });

  it('does nothing without a filter or while the host has no state', async () => {
    const plain = await openSmall();
    put(plain.db, keyAt(seriesKey(1, 'a'), 1), utf8('v'));
    await plain.db.flush();
    const nothing = { tablesRewritten: 0, droppedEntries: 0, judgedFileNumbers: [] };
    expect(await plain.db.compactWhere(everything)).toEqual(nothing);
    const opened = await openFiltered();
    await flushTimes(opened, 'a', [1]);
    expect(await opened.db.compactWhere(everything)).toEqual(nothing);
    expect(opened.offload.jobs.map(({ job }) => job)).toEqual(['flush']);
  });

  it('lets a compaction that is due go first, and passes over what that takes', async () => {
    const opened = await openFiltered(undefined, { cutoff: 5 });
    const { db, offload } = opened;
    for (const i of [0, 1, 2]) await flushTimes(opened, 'a', [10 + i, i]);
    const jobsBefore = offload.jobs.length;
    const letGo = offload.hold('rewrite');
    const rewriting = db.compactWhere(everything);
    await flushTimes(opened, 'a', [13, 3]);
    letGo();
    const { judgedFileNumbers, droppedEntries } = await rewriting;
    await db.compactionsIdle();
    const jobs = offload.jobs.slice(jobsBefore).map(({ job }) => job);
    expect(jobs).toEqual(['rewrite', 'flush', 'compact']);
    expect([judgedFileNumbers.length, droppedEntries]).toEqual([1, 1]);
    expect(await listing(opened)).toEqual(['a@13', 'a@12', 'a@11', 'a@10']);
  });

  it('rewrites no table twice when it is asked twice', async () => {
    const opened = await openFiltered(undefined, { cutoff: 5 });
    for (const i of [0, 1, 2]) await flushTimes(opened, 'a', [10 + i, i]);
    const { db } = opened;
    const results = await Promise.all([db.compactWhere(everything), db.compactWhere(everything)]);
    expect(results.reduce((sum, { droppedEntries }) => sum + droppedEntries, 0)).toBe(3);
    expect((await listing(opened)).length).toBe(3);
  });

  it('passes over a damaged table and goes on', async () => {
    const opened = await openFiltered();
    await flushTimes(opened, 'a', [1, 20]);
    await flushTimes(opened, 'b', [1, 20]);
    const files = (await opened.vfs.list('/db')).filter((name) => name.endsWith('.sst'));
    opened.vfs.damage(`/db/${files[1]}`, 3, 0xff);
    opened.host.cutoff = 10;
    expect(await opened.db.compactWhere(everything)).toMatchObject({ tablesRewritten: 1 });
    const damage = opened.events.filter(({ kind }) => kind === 'corruption');
    expect(damage).toEqual([expect.objectContaining({ file: files[1] })]);
    expect(await opened.db.compactWhere(everything)).toMatchObject({ tablesRewritten: 0 });
    expect(opened.events.filter(({ kind }) => kind === 'corruption').length).toBe(1);
  });

  it('ends with the engine', async () => {
    const opened = await openFiltered(undefined, { cutoff: 5 });
    await flushTimes(opened, 'a', [1, 20]);
    await flushTimes(opened, 'b', [1, 20]);
    const letGo = opened.offload.hold('rewrite');
    const closed = expect.objectContaining({ code: 'ENGINE_CLOSED' });
    const rewriting = expect(opened.db.compactWhere(everything)).rejects.toThrow(closed);
    const other = expect(opened.db.compactWhere(everything)).rejects.toThrow(closed);
    const closing = opened.db.close();
    letGo();
    await closing;
    await Promise.all([rewriting, other]);
    await expect(opened.db.compactWhere(everything)).rejects.toThrow(closed);
    expect(opened.offload.jobs.filter(({ job }) => job === 'rewrite').length).toBe(1);
  });
});

describe('requestFreeze', () => {
  it('freezes at the next waitForRoom, not before', async () => {
    const opened = await openSmall();
    const { db, events } = opened;
    put(db, keyAt(seriesKey(1, 'a'), 1), utf8('v'));
    opened.position = 1;
    db.requestFreeze();
    put(db, keyAt(seriesKey(1, 'a'), 2), utf8('w'));
    opened.position = 2;
    expect(db.statistics().frozenMemtables).toBe(0);
    expect(db.waitForRoom()).toBeUndefined();
    expect(db.statistics().frozenMemtables).toBe(1);
    await db.flush();
    expect(text(db.flushedPositions() as Uint8Array)).toBe('2');
    put(db, keyAt(seriesKey(1, 'a'), 3), utf8('x'));
    expect(db.waitForRoom()).toBeUndefined();
    expect(db.statistics().frozenMemtables).toBe(0);
    expect(events.filter(({ kind }) => kind === 'flush-end').length).toBe(1);
  });

  it('does nothing while there is nothing to flush', async () => {
    const { db } = await openSmall();
    db.requestFreeze();
    put(db, keyAt(seriesKey(1, 'a'), 1), utf8('v'));
    expect(db.waitForRoom()).toBeUndefined();
    expect(db.statistics().frozenMemtables).toBe(0);
  });

  it('makes nobody wait: while too many are frozen, a later call freezes', async () => {
    const opened = await openFiltered(undefined, { frozenMemtablesMax: 1 });
    const { db } = opened;
    const letGo = opened.offload.hold('flush');
    write(db, 'a', 1);
    const flushed = db.flush();
    write(db, 'a', 2);
    db.requestFreeze();
    expect(db.waitForRoom()).toBeUndefined();
    expect(db.statistics().frozenMemtables).toBe(1);
    letGo();
    await flushed;
    expect(db.waitForRoom()).toBeUndefined();
    expect(db.statistics().frozenMemtables).toBe(1);
  });
});

it('diskBytes is what the tables take on disk', async () => {
  const vfs = new CrashableMemVfs();
  const opened = await openFiltered(vfs, { cutoff: 100 });
  expect(opened.db.diskBytes).toBe(0);
  for (let i = 0; i < 6; i++) await flushTimes(opened, `d${i % 3}`, [90 + i, 110 + i]);
  await opened.db.compactionsIdle();
  await opened.db.compactWhere(everything);
  await opened.db.close();
  let bytes = 0;
  for (const name of await vfs.list('/db')) {
    if (name.endsWith('.sst')) bytes += (await vfs.readFile(`/db/${name}`)).length;
  }
  expect(opened.db.diskBytes).toBe(bytes);
});
