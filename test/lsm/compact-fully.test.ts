import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import type { RewriteInput } from '../../lsm/compaction/job.ts';
import type { Db } from '../../lsm/db.ts';
import type { EngineTable } from '../../lsm/engine.ts';
import type { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { contentOf, hex, keyAt, openSmall, put, seriesKey, text, utf8 } from './engine-support.ts';
import { type FilteredDb, listing, openFiltered, WatchedOffload, write } from './filtered-db.ts';

/** Nothing is due by itself. */
const CALM = { level0TablesTrigger: 1000, level0TablesMax: 1000 };

async function tablesOf(db: Db): Promise<EngineTable[]> {
  const tables: EngineTable[] = [];
  await db.compactWhere((table) => {
    tables.push(table);
    return false;
  });
  return tables;
}

const seriesOf = (key: Uint8Array) => hex(key.subarray(0, key.length - 8));

/** That no two tables of different levels may hold the same series. */
async function expectTogether(db: Db): Promise<void> {
  const tables = await tablesOf(db);
  expect(tables.filter(({ level }) => level === 0)).toEqual([]);
  for (const one of tables) {
    for (const other of tables) {
      if (one.level >= other.level) continue;
      const isApart =
        seriesOf(one.largestKey) < seriesOf(other.smallestKey) ||
        seriesOf(other.largestKey) < seriesOf(one.smallestKey);
      expect(isApart).toBe(true);
    }
  }
}

async function flushOne({ db }: FilteredDb, name: string, time: number, value?: string) {
  write(db, name, time, value);
  await db.flush();
}

const tableFiles = async (vfs: CrashableMemVfs) =>
  (await vfs.list('/db')).filter((name) => name.endsWith('.sst'));

describe('compactFully', () => {
  it('brings every series together, without a filter too, and keeps the newest values', async () => {
    const { db } = await openSmall(undefined, { level0TablesTrigger: 3, memtableBytes: 4500 });
    const expected = new Map<string, string>();
    for (let i = 0; i < 1200; i++) {
      const key = keyAt(seriesKey(i % 3, `d${i % 17}`), (i * 7) % 60);
      put(db, key, utf8(`${i}`));
      expected.set(hex(key), `${i}`);
      await db.waitForRoom();
      if (i % 170 === 0) await db.flush();
    }
    await db.flush();
    await db.compactionsIdle();
    expect(db.statistics().filesPerLevel.filter((files) => files > 0).length).toBeGreaterThan(1);
    const result = await db.compactFully();
    expect(result.tablesRewritten).toBeGreaterThan(0);
    expect(result).toMatchObject({ droppedEntries: 0, judgedFileNumbers: [] });
    await expectTogether(db);
    const snapshot = db.snapshot();
    expect(await contentOf(snapshot)).toEqual(expected);
    snapshot.close();
    expect(await db.compactFully()).toMatchObject({ tablesRewritten: 0 });
  });

  it('lets a tombstone and what it hides go, wherever they are', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    const { db, host } = opened;
    await flushOne(opened, 'a', 1);
    await flushOne(opened, 'b', 2);
    await db.compactFully();
    await flushOne(opened, 'a', 3, 'tombstone');
    await flushOne(opened, 'b', 4, 'tombstone');
    await flushOne(opened, 'c', 5);
    host.cutoff = 10;
    await db.compactWhere(() => true);
    expect(await listing(opened)).toEqual(['a@3=tombstone', 'b@4=tombstone']);
    const result = await db.compactFully();
    expect(await tablesOf(db)).toEqual([]);
    expect(result).toMatchObject({ droppedEntries: 2, judgedFileNumbers: [] });
    expect(await tableFiles(opened.vfs)).toEqual([]);
    await db.close();
    expect(await listing(await openFiltered(opened.vfs))).toEqual([]);
  });

  it('lets a tombstone go that no table shares a key with: one device, put, deleted, flushed', async () => {
    const opened = await openFiltered(undefined, { level0TablesTrigger: 2, cutoff: 0 });
    for (let time = 1; time <= 9; time++) await flushOne(opened, 'a', time);
    await flushOne(opened, 'a', 10, 'tombstone');
    await opened.db.compactionsIdle();
    opened.host.cutoff = 20;
    await opened.db.compactFully();
    expect(await tablesOf(opened.db)).toEqual([]);
  });

  it('lets a tombstone go whose series fills several tables', async () => {
    const opened = await openFiltered(undefined, { ...CALM, memtableBytes: 1e6, cutoff: 0 });
    const { db } = opened;
    for (let time = 1; time <= 900; time++) write(db, 'a', time, `a@${time}${'-'.repeat(20)}`);
    await flushOne(opened, 'b', 2000);
    write(db, 'a', 1000, 'tombstone');
    await flushOne(opened, 'a', 500);
    await db.compactFully();
    expect((await tablesOf(db)).length).toBeGreaterThan(5);
    opened.host.cutoff = 1500;
    await db.compactFully();
    expect(await listing(opened)).toEqual(['b@2000']);
  });

  it('lets the filter see tables that share nothing, writes only where it drops, and says so', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    const { db, offload, host } = opened;
    for (const time of [5, 50]) write(db, 'a', time);
    await db.flush();
    for (const time of [60, 70]) write(db, 'b', time);
    await db.flush();
    await db.compactFully();
    const before = await tablesOf(db);
    host.cutoff = 10;
    const jobsBefore = offload.jobs.length;
    const result = await db.compactFully();
    const after = await tablesOf(db);
    expect(result).toMatchObject({ tablesRewritten: 1, droppedEntries: 1 });
    expect(result.judgedFileNumbers).toEqual(after.map(({ fileNumber }) => fileNumber));
    expect(after).toContainEqual(before[1]);
    expect(offload.jobs.slice(jobsBefore).map(({ job }) => job)).toEqual(['rewrite', 'rewrite']);
    expect(await listing(opened)).toEqual(['a@50', 'b@70', 'b@60']);
  });

  it('lets a tombstone go that was held back by what a later job dropped', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    write(opened.db, 'r', 50);
    await flushOne(opened, 's', 8);
    await flushOne(opened, 't', 50);
    await opened.db.compactFully();
    write(opened.db, 'r', 51);
    await flushOne(opened, 's', 9, 'tombstone');
    write(opened.db, 's', 3);
    await flushOne(opened, 't', 49);
    opened.host.cutoff = 20;
    await opened.db.compactFully();
    expect(await listing(opened)).toEqual(['r@51', 'r@50', 't@50', 't@49']);
  });

  it('goes by what the host says when it is called, though another is under way', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    for (const time of [1, 2]) {
      write(opened.db, 'a', time);
      await flushOne(opened, 'a', 40 - time);
    }
    const letGo = opened.offload.hold('compact');
    const first = opened.db.compactFully();
    opened.host.cutoff = 10;
    const second = opened.db.compactFully();
    letGo();
    await Promise.all([first, second]);
    expect(await listing(opened)).toEqual(['a@39', 'a@38']);
  });

  it('removes the inputs of a job before the next begins', async () => {
    const before = await openFiltered(undefined, { cutoff: 0 });
    for (let i = 0; i < 2000; i++) {
      write(before.db, `d${(i * 7) % 40}`, i % 300);
      await before.db.waitForRoom();
    }
    await before.db.flush();
    await before.db.close();
    const { vfs } = before;
    const offload = new WatchedOffload(vfs);
    const { db, host } = await openFiltered(vfs, { ...CALM, cutoff: 0, offload });
    const filesAtJobs: number[][] = [];
    const remove = vfs.remove.bind(vfs);
    vfs.remove = async (path) => {
      for (let i = 0; i < 100; i++) await Promise.resolve();
      await remove(path);
    };
    const run = offload.run.bind(offload);
    offload.run = async (job, input) => {
      filesAtJobs.push([(await tableFiles(vfs)).length, db.statistics().tableCount]);
      return run(job, input);
    };
    await db.compactFully();
    const merges = filesAtJobs.length;
    expect(merges).toBeGreaterThan(3);
    host.cutoff = 200;
    await db.compactFully();
    expect(filesAtJobs.length).toBeGreaterThan(merges + 3);
    for (const [files, tables] of filesAtJobs) expect(files).toBe(tables);
  });

  it('makes jobs no larger than one table, what it overlaps, and two neighbours', async () => {
    const opened = await openFiltered(undefined, { cutoff: 0 });
    for (let i = 0; i < 6000; i++) {
      write(opened.db, `d${i % 4}`, i);
      await opened.db.waitForRoom();
    }
    await opened.db.flush();
    await opened.db.compactFully();
    opened.offload.jobs.length = 0;
    opened.host.cutoff = 5000;
    await opened.db.compactFully();
    const inputs = opened.offload.jobs.map(({ job, input }) => {
      expect(job).toBe('rewrite');
      const { tables } = input as RewriteInput;
      const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
      return tables.length > 2 ? bytes : 0;
    });
    expect(inputs.length).toBeGreaterThan(10);
    expect(Math.max(...inputs)).toBeLessThanOrEqual(2000);
    expect((await listing(opened)).length).toBe(1000);
  });

  it('lets compactions that are due go first', async () => {
    const opened = await openFiltered(undefined, { cutoff: 0 });
    const { db, offload } = opened;
    for (const name of ['a', 'b', 'z']) await flushOne(opened, name, 1);
    await db.compactFully();
    const writeBoth = async (time: number) => {
      write(db, 'a', time);
      await flushOne(opened, 'b', time);
    };
    for (const time of [2, 3]) await writeBoth(time);
    const jobsBefore = offload.jobs.length;
    const letGo = offload.hold('compact');
    const full = db.compactFully();
    for (const time of [4, 5, 6, 7]) await writeBoth(time);
    letGo();
    await full;
    // Its first job, then the four tables in level 0, then the rest of it: what it brought down a level goes on,
    // and the filter sees what it has not seen.
    const jobs = offload.jobs.slice(jobsBefore).filter(({ job }) => job !== 'flush');
    expect(jobs.map(({ job }) => job)).toEqual([
      ...['compact', 'compact', 'compact'],
      ...['rewrite', 'rewrite'],
    ]);
    expect((await listing(opened)).length).toBe(15);
  });

  it('ends while writes and flushes go on, and loses none of them', async () => {
    let opened = await openFiltered(undefined, { cutoff: 0 });
    const expected = new Set<string>();
    let time = 0;
    let isDone = false;
    const writeSome = async () => {
      const { db } = opened;
      for (let i = 0; i < 20; i++) {
        const name = `d${time % 7}`;
        write(db, name, ++time);
        expected.add(`${name}@${time}`);
      }
      await db.waitForRoom();
      if (time % 100 === 0) await db.flush();
      // No faster than compactions keep up with: those that are due go first.
      while (!isDone && (db.statistics().filesPerLevel[0] ?? 0) >= 4) await Promise.resolve();
    };
    for (let i = 0; i < 60; i++) await writeSome();
    await opened.db.flush();
    await opened.db.close();
    // Room below level 0, so that it is not always something else that is due.
    opened = await openFiltered(opened.vfs, { cutoff: 0 });
    const { db } = opened;
    const atStart = time;
    const full = db.compactFully().then(() => {
      isDone = true;
    });
    for (let i = 0; !isDone && i < 2000; i++) await writeSome();
    expect(isDone).toBe(true);
    expect(time).toBeGreaterThan(atStart + 200);
    await full;
    await db.flush();
    expect(new Set(await listing(opened))).toEqual(expected);
    await db.compactFully();
    await expectTogether(db);
    expect(new Set(await listing(opened))).toEqual(expected);
    await db.close();
  });

  it('keeps what a snapshot sees', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    for (const time of [1, 2, 3]) await flushOne(opened, 'a', time);
    const snapshot = opened.db.snapshot();
    opened.host.cutoff = 100;
    await opened.db.compactFully();
    expect(await listing(opened)).toEqual([]);
    expect([...(await contentOf(snapshot)).values()]).toEqual(['a@3', 'a@2', 'a@1']);
    snapshot.close();
  });

  it('cuts at borders', async () => {
    const borders = [Uint8Array.of(1), Uint8Array.of(2)];
    const { db } = await openSmall(undefined, { ...CALM, borders });
    for (const time of [1, 2]) {
      for (const slot of [0, 1, 2]) put(db, keyAt(seriesKey(slot, 'a'), time), utf8('v'));
      await db.flush();
    }
    await db.compactFully();
    const tables = await tablesOf(db);
    expect(tables.map(({ level, entryCount }) => [level, entryCount])).toEqual([
      [6, 2],
      [6, 2],
      [6, 2],
    ]);
    expect(compareBytes(tables[0]?.largestKey as Uint8Array, Uint8Array.of(1))).toBeLessThan(0);
  });

  it('passes over a damaged table and goes on', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    for (const name of ['a', 'm']) {
      await flushOne(opened, name, 1);
      await flushOne(opened, name, 20);
      write(opened.db, name, 0);
      await flushOne(opened, name, 30);
    }
    const [, damaged] = await tableFiles(opened.vfs);
    opened.vfs.damage(`/db/${damaged}`, 3, 0xff);
    opened.host.cutoff = 10;
    const result = await opened.db.compactFully();
    expect(result.droppedEntries).toBe(4);
    const damage = () => opened.events.filter(({ kind }) => kind === 'corruption');
    expect(damage()).toEqual([expect.objectContaining({ file: damaged })]);
    await opened.db.compactFully();
    expect(damage().length).toBe(1);
    expect(opened.db.statistics().filesPerLevel).toEqual([1, 0, 0, 0, 0, 0, 2]);
  });

  it('ends with the engine, also when several were asked for', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    for (const name of ['a', 'b']) {
      for (const time of [1, 2]) {
        write(opened.db, name, 9 - time);
        await flushOne(opened, name, 9 + time);
      }
    }
    const letGo = opened.offload.hold('compact');
    const closed = expect.objectContaining({ code: 'ENGINE_CLOSED' });
    const first = expect(opened.db.compactFully()).rejects.toThrow(closed);
    const second = expect(opened.db.compactFully()).rejects.toThrow(closed);
    const closing = opened.db.close();
    letGo();
    await closing;
    await Promise.all([first, second]);
    await expect(opened.db.compactFully()).rejects.toThrow(closed);
    expect(opened.offload.jobs.filter(({ job }) => job === 'compact').length).toBe(1);
    expect((await listing(await openFiltered(opened.vfs))).length).toBe(8);
  });

  it('fails with the engine', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    for (const time of [1, 2]) {
      write(opened.db, 'a', 9 - time);
      await flushOne(opened, 'a', 9 + time);
    }
    opened.vfs.onOperation = ({ kind }) => {
      if (kind === 'write') throw Object.assign(new Error('no disk'), { code: 'EIO' });
    };
    const failed = expect.objectContaining({ code: 'ENGINE_FAILED' });
    await expect(opened.db.compactFully()).rejects.toThrow(failed);
    opened.vfs.onOperation = undefined;
    expect((await listing(opened)).length).toBe(4);
  });
});

it('is told that the disk is full, and done when it is not', async () => {
  const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
  for (const time of [1, 2]) {
    write(opened.db, 'a', 9 - time);
    await flushOne(opened, 'a', 9 + time);
  }
  const files = await tableFiles(opened.vfs);
  opened.vfs.onOperation = ({ kind }) => {
    if (kind === 'write') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  };
  const full = expect.objectContaining({ code: 'DISK_FULL' });
  await expect(opened.db.compactFully()).rejects.toThrow(full);
  expect(await tableFiles(opened.vfs)).toEqual(files);
  opened.vfs.onOperation = undefined;
  await opened.db.compactFully();
  expect((await tableFiles(opened.vfs)).length).toBe(1);
  const kinds = opened.events.map(({ kind }) => kind).filter((kind) => kind.startsWith('disk'));
  expect(kinds).toEqual(['disk-full', 'disk-has-room']);
  expect((await listing(opened)).length).toBe(4);
});

describe('after a power cut during compactFully', () => {
  it('everything is there, and doing it again ends the same', async () => {
    const opened = await openFiltered(undefined, { ...CALM, cutoff: 0 });
    for (let i = 0; i < 120; i++) {
      const isDeleted = i > 90 && i % 3 === 0;
      write(opened.db, `d${i % 9}`, i, isDeleted ? 'tombstone' : `kept ${i}`);
      if (i % 20 === 19) await opened.db.flush();
    }
    opened.position = 7;
    await opened.db.flush();
    const before = await listing(opened);
    opened.host.cutoff = 200;
    const images: CrashableMemVfs[] = [];
    let seed = 0;
    const random = () => (seed = (seed * 16_807 + 11) % 2_147_483_647) / 2_147_483_647;
    opened.vfs.onOperation = ({ kind }) => {
      if (kind === 'read' || kind === 'size') return;
      images.push(opened.vfs.crashClone({ unsyncedKeepRatio: random(), random }));
    };
    await opened.db.compactFully();
    opened.vfs.onOperation = undefined;
    const after = await listing(opened);
    expect(after.length).toBeLessThan(before.length);
    expect(images.length).toBeGreaterThan(15);
    for (const image of images) {
      const again = await openFiltered(image, { ...CALM, cutoff: 200 });
      expect(again.events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
      expect(text(again.db.flushedPositions() as Uint8Array)).toBe('7');
      for (const entry of after) expect(await listing(again)).toContain(entry);
      await again.db.compactFully();
      expect(await listing(again)).toEqual(after);
      await again.db.close();
    }
  });
});
