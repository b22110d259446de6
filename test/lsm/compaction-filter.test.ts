import { beforeEach, describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import { tablesElsewhere } from '../../lsm/compaction/elsewhere.ts';
import type { CompactInput } from '../../lsm/compaction/job.ts';
import { decodeFooter, FOOTER_BYTES } from '../../lsm/sstable/footer.ts';
import { tableFileName } from '../../lsm/sstable/format.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { Version } from '../../lsm/version/version.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { settled } from '../support/settled.ts';
import { contentOf, hex, keyAt, seriesKey, text, utf8 } from './engine-support.ts';
import { type FilteredDb, listing, openFiltered, write } from './filtered-db.ts';
import { passes } from './rule-filter.ts';

const everything = () => true;

beforeEach(() => {
  passes.length = 0;
});

/** One table in level 0 for each of the given writes; compacts when there are four. */
async function flushEach(
  { db }: FilteredDb,
  ...tables: readonly (readonly [string, number, string?])[][]
): Promise<void> {
  for (const table of tables) {
    for (const [name, time, value] of table) write(db, name, time, value);
    await db.flush();
  }
}

/** Four tables, each with all of 40 times of one of four devices. */
async function fillAndCompact(opened: FilteredDb): Promise<void> {
  const times = Array.from({ length: 40 }, (_, time) => time);
  const names = ['a', 'b', 'c', 'd'];
  await flushEach(
    opened,
    ...names.map((_, i) => times.map((time) => [names[(time + i) % 4] as string, time] as const)),
  );
  await opened.db.compactionsIdle();
}

describe('a compaction with a filter', () => {
  it('drops what the filter says and counts it', async () => {
    const opened = await openFiltered(undefined, { cutoff: 30 });
    await fillAndCompact(opened);
    const expected = ['a', 'b', 'c', 'd'].flatMap((name) =>
      Array.from({ length: 10 }, (_, i) => `${name}@${39 - i}`),
    );
    expect(await listing(opened)).toEqual(expected);
    expect(opened.db.statistics().droppedEntries).toBe(120);
    expect(opened.events.findLast(({ kind }) => kind === 'compaction-end')).toMatchObject({
      level: 0,
      droppedEntries: 120,
    });
  });

  it('shows it each key once, the newest value, in key order', async () => {
    const opened = await openFiltered(undefined, { cutoff: 0 });
    await flushEach(opened, [['a', 1, 'old']], [['b', 2]], [['a', 1, 'new']], [['a', 7]]);
    await opened.db.compactionsIdle();
    expect(passes.length).toBe(1);
    const shown = passes[0] ?? [];
    expect(shown.map(({ value }) => value)).toEqual(['a@7', 'new', 'b@2']);
    expect(shown.map(({ key }) => key)).toEqual(shown.map(({ key }) => key).sort(compareBytes));
  });

  it('leaves a snapshot that was taken before what it saw', async () => {
    const opened = await openFiltered(undefined, { cutoff: 1000 });
    for (const name of ['a', 'b', 'c'])
      await flushEach(opened, [
        [name, 1],
        ['z', 1],
      ]);
    write(opened.db, 'd', 1);
    write(opened.db, 'a', 2);
    const snapshot = opened.db.snapshot();
    await opened.db.flush();
    await opened.db.compactionsIdle();
    expect(await listing(opened)).toEqual([]);
    const before = [...(await contentOf(snapshot)).values()];
    expect(before).toEqual(['a@2', 'a@1', 'b@1', 'c@1', 'd@1', 'z@1']);
    snapshot.close();
  });

  it('drops nothing while the host has no state, nor in a flush', async () => {
    const opened = await openFiltered();
    await fillAndCompact(opened);
    expect((await listing(opened)).length).toBe(160);
    opened.host.cutoff = 1000;
    await flushEach(opened, [['e', 1]]);
    expect((await listing(opened)).length).toBe(161);
    expect(passes).toEqual([]);
  });

  it('that drops everything leaves no table, and the engine goes on', async () => {
    const opened = await openFiltered(undefined, { cutoff: 1000 });
    await fillAndCompact(opened);
    const { db, vfs } = opened;
    expect(db.statistics()).toMatchObject({ tableCount: 0, tableBytes: 0 });
    expect(db.diskBytes).toBe(0);
    write(db, 'e', 2000);
    await db.flush();
    await db.close();
    const names = await vfs.list('/db');
    expect(names.filter((name) => name.endsWith('.sst')).length).toBe(1);
    const again = await openFiltered(vfs);
    expect(await listing(again)).toEqual(['e@2000']);
    expect(again.events).toEqual([]);
  });

  it('stops writing for good when the filter throws', async () => {
    const opened = await openFiltered(undefined, { cutoff: 1 });
    passes.push = () => {
      throw new Error('a bad filter');
    };
    try {
      await flushEach(opened, [['a', 1]], [['a', 1]], [['a', 1]], [['a', 1]]);
      await opened.db.compactionsIdle();
    } finally {
      passes.push = Array.prototype.push;
    }
    const failed = expect.objectContaining({ code: 'ENGINE_FAILED' });
    expect(() => write(opened.db, 'a', 5)).toThrow(failed);
    expect(await listing(opened)).toEqual(['a@1']);
  });

  it('cannot be opened with a module that is not there', async () => {
    const compactionFilter = { module: 'file:///nowhere/filter.js', state: () => undefined };
    await expect(openFiltered(undefined, { compactionFilter })).rejects.toThrow();
  });
});

describe('drop-if-alone', () => {
  const tombstone = (name: string, time: number) => [name, time, 'tombstone'] as const;
  const kept = (name: string, time: number) => [name, time, 'kept'] as const;

  it('drops a tombstone when no other table may hold its series', async () => {
    const opened = await openFiltered();
    await flushEach(opened, [kept('hidden', 1)], [tombstone('hidden', 5), tombstone('alone', 5)]);
    opened.host.cutoff = 100;
    await opened.db.compactWhere(everything);
    expect(await listing(opened)).toEqual(['hidden@5=tombstone', 'hidden@1=kept']);
  });

  it('sees a series that goes on in the next table of a level', async () => {
    const between = (fileNumber: number, from: [string, number], to: [string, number]) =>
      tableOver(fileNumber, keyOf(from), keyOf(to));
    const tables = [
      between(1, ['a', 9], ['s', 5]),
      between(2, ['s', 4], ['t', 5]),
      between(3, ['u', 4], ['v', 5]),
    ];
    const level0 = between(4, ['s', 2], ['s', 1]);
    const version = Version.empty.apply(
      [...tables.map((table) => ({ level: 2, table })), { level: 0, table: level0 }],
      new Set(),
    );
    const elsewhere = (...inputs: TableMeta[]) =>
      tablesElsewhere(version, inputs, 8).map((run) => run.map(({ fileNumber }) => fileNumber));
    expect(elsewhere(tables[0] as TableMeta)).toEqual([[4], [2]]);
    expect(elsewhere(tables[1] as TableMeta)).toEqual([[4], [1]]);
    expect(elsewhere(tables[2] as TableMeta)).toEqual([]);
    expect(elsewhere(level0)).toEqual([[1, 2]]);
  });

  it('keeps the tombstone at the end of a table whose series goes on in the next', async () => {
    const opened = await openFiltered();
    // They follow one another, so that they go down as they are.
    await flushEach(opened, [['s', 3]], [tombstone('s', 2)], [kept('s', 1)], [tombstone('u', 1)]);
    await opened.db.compactionsIdle();
    expect(opened.db.statistics().filesPerLevel).toEqual([0, 0, 0, 0, 0, 0, 4]);
    opened.host.cutoff = 100;
    await opened.db.compactWhere(everything);
    expect(await listing(opened)).toEqual(['s@2=tombstone', 's@1=kept']);
  });

  it('keeps when a table that may hold the series is damaged', async () => {
    const opened = await openFiltered();
    await flushEach(opened, [kept('a', 1)], [tombstone('a', 5), tombstone('b', 5)]);
    await opened.db.close();
    const files = (await opened.vfs.list('/db')).filter((name) => name.endsWith('.sst'));
    const first = `/db/${files[0]}`;
    opened.vfs.damage(first, (await opened.vfs.readFile(first)).length - 1, 1);
    const again = await openFiltered(opened.vfs, { cutoff: 100 });
    expect((await again.db.compactWhere(everything)).droppedEntries).toBe(1);
    const snapshot = again.db.snapshot();
    const newestOf = async (name: string) => (await snapshot.first(seriesKey(1, name)))?.value;
    expect(await newestOf('a')).toEqual(utf8('tombstone'));
    expect(await newestOf('b')).toBeUndefined();
  });

  it('keeps when the filter of a table that may hold the series is damaged', async () => {
    for (const isDamaged of [false, true]) {
      const opened = await openFiltered();
      await flushEach(opened, [kept('a', 1), kept('c', 1)], [tombstone('b', 5)]);
      const path = `/db/${tableFileName(1)}`;
      const bytes = await opened.vfs.readFile(path);
      const footerAt = bytes.length - FOOTER_BYTES;
      const { filter } = decodeFooter(bytes.subarray(footerAt), path, footerAt);
      if (isDamaged) opened.vfs.damage(path, filter.offset, 0xff);
      opened.host.cutoff = 100;
      const result = await opened.db.compactWhere(({ fileNumber }) => fileNumber === 2);
      expect(result.droppedEntries).toBe(isDamaged ? 0 : 1);
      expect(opened.events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
    }
  });
});

describe('the oldest state', () => {
  /** State and oldest state, as the filter of the next job is told them. */
  async function statesOfNextJob({ db, offload }: FilteredDb): Promise<string[]> {
    const before = offload.jobs.length;
    await db.compactWhere(everything);
    const { job, input } = offload.jobs.slice(before).find(({ job }) => job !== 'flush') ?? {};
    expect(job).toBe('rewrite');
    const spec = (input as CompactInput).sieve?.spec;
    return [text(spec?.state as Uint8Array), text(spec?.oldestState as Uint8Array)];
  }

  it('is that of the first write which is not in a table', async () => {
    const opened = await openFiltered(undefined, { cutoff: 1 });
    const { db, host } = opened;
    await flushEach(opened, [['a', 1000]]);
    host.cutoff = 2;
    expect(await statesOfNextJob(opened)).toEqual(['2', '2']);
    write(db, 'a', 1001);
    host.cutoff = 3;
    write(db, 'a', 1002);
    expect(await statesOfNextJob(opened)).toEqual(['3', '2']);
    host.cutoff = 4;
    await db.flush();
    expect(await statesOfNextJob(opened)).toEqual(['4', '4']);
  });

  it('is that of the oldest memtable, also while it is being flushed', async () => {
    const opened = await openFiltered(undefined, { cutoff: 1 });
    const { db, host, offload } = opened;
    await flushEach(opened, [['a', 1000]]);
    const letGo = offload.hold('flush');
    write(db, 'a', 1001);
    const flushed = db.flush();
    host.cutoff = 2;
    write(db, 'a', 1002);
    host.cutoff = 3;
    const jobsBefore = offload.jobs.length;
    const done = db.compactWhere(everything);
    const { input } = offload.jobs[jobsBefore] as { input: CompactInput };
    expect(text(input.sieve?.spec?.oldestState as Uint8Array)).toBe('1');
    letGo();
    await Promise.all([flushed, done]);
    expect(await statesOfNextJob(opened)).toEqual(['3', '2']);
  });

  it('is empty when there was none at that write', async () => {
    const opened = await openFiltered();
    await flushEach(opened, [['a', 1000]]);
    write(opened.db, 'a', 1001);
    opened.host.cutoff = 5;
    expect(await statesOfNextJob(opened)).toEqual(['5', '']);
  });
});

describe('a power cut or a failure while entries are dropped', () => {
  /** One table in level 1 and two in level 0, of which something is to go. */
  async function prepare(vfs = new CrashableMemVfs()): Promise<FilteredDb> {
    const opened = await openFiltered(vfs);
    await fillAndCompact(opened);
    await flushEach(
      opened,
      [['e', 1]],
      [
        ['a', 5],
        ['e', 35],
      ],
    );
    opened.host.cutoff = 20;
    return opened;
  }

  const work = async ({ db }: FilteredDb) => {
    await db.compactWhere(({ level }) => level === 0);
    write(db, 'f', 50);
    await db.flush();
    await db.compactWhere(everything);
  };

  it('keeps every entry that the filter keeps, and loses no table', async () => {
    const opened = await prepare();
    const all = await listing(opened);
    const images: CrashableMemVfs[] = [];
    let seed = 1;
    opened.vfs.onOperation = ({ kind }) => {
      if (kind === 'read' || kind === 'size') return;
      const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
      images.push(opened.vfs.crashClone({ unsyncedKeepRatio: 0.5, random }));
    };
    await work(opened);
    opened.vfs.onOperation = undefined;
    const rest = await listing(opened);
    expect(rest.length).toBeLessThan(all.length);
    for (const [i, image] of images.entries()) {
      const again = await openFiltered(image);
      expect(again.events, `image ${i}`).toEqual([]);
      const found = await listing(again);
      expect(found, `image ${i}`).toEqual(
        expect.arrayContaining(rest.filter((entry) => entry !== 'f@50')),
      );
      expect([...all, 'f@50']).toEqual(expect.arrayContaining(found));
      await again.db.close();
    }
    expect(images.length).toBeGreaterThan(15);
  });

  it('is a typed error and does no damage, whichever operation fails', async () => {
    for (let n = 1, failed = true; failed; n++) {
      const opened = await prepare();
      failed = false;
      let operations = 0;
      opened.vfs.onOperation = () => {
        if (++operations !== n) return;
        failed = true;
        throw Object.assign(new Error('the disk says no'), { code: 'EIO' });
      };
      const outcome = await work(opened).catch((error: unknown) => error);
      if (outcome !== undefined) expect(outcome).toMatchObject({ code: 'ENGINE_FAILED' });
      opened.vfs.onOperation = undefined;
      await settled();
      await opened.db.close();
      const again = await openFiltered(opened.vfs);
      expect(again.events, `operation ${n}`).toEqual([]);
      const found = await listing(again);
      for (let time = 20; time < 40; time++) expect(found).toContain(`b@${time}`);
      await again.db.close();
      if (!failed) expect(n).toBeGreaterThan(15);
    }
  });
});

const keyOf = ([name, time]: readonly [string, number]) => keyAt(seriesKey(1, name), time);

function tableOver(fileNumber: number, smallest: Uint8Array, largest: Uint8Array): TableMeta {
  const suffix = smallest.slice(-8);
  const counts = {
    entryCount: 2,
    rawBytes: 2,
    deletionCount: 0,
    seqMin: 1,
    seqMax: fileNumber,
    bytes: 100,
  };
  const suffixes = { suffixMin: suffix, suffixMax: suffix };
  return { fileNumber, damaged: false, smallest, largest, ...counts, ...suffixes };
}

it('keys of the tests sort by name, then newest first', () => {
  expect(compareBytes(keyOf(['s', 5]), keyOf(['s', 4]))).toBeLessThan(0);
  expect(hex(keyOf(['s', 4])) < hex(keyOf(['t', 9]))).toBe(true);
});
