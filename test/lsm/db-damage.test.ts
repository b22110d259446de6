import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../lsm/engine.ts';
import type { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import {
  contentOf,
  hex,
  keyAt,
  type OpenedDb,
  openSmall,
  put,
  seriesKey,
  text,
  utf8,
} from './engine-support.ts';

/** Four tables with a series each and one they share; no compaction. */
async function fourTables() {
  const opened = await openSmall(undefined, { level0TablesTrigger: 100 });
  const content = new Map<string, string>();
  for (let i = 0; i < 4; i++) {
    for (let time = 0; time < 20; time++) {
      const key = keyAt(seriesKey(i, `s${i}`), time);
      put(opened.db, key, utf8(`${i}:${time}`));
      content.set(hex(key), `${i}:${time}`);
    }
    const shared = keyAt(seriesKey(200, 'shared'), i);
    put(opened.db, shared, utf8(`${i}:shared`));
    content.set(hex(shared), `${i}:shared`);
    opened.position++;
    await opened.db.flush();
  }
  await opened.db.close();
  const files = await opened.vfs.list('/db');
  const tables = files.filter((name) => name.endsWith('.sst'));
  const manifest = files.find((name) => name.startsWith('MANIFEST')) as string;
  return { vfs: opened.vfs, content, tables, manifest };
}

const corruptions = ({ events }: { events: EngineEvent[] }) =>
  events.flatMap((event) => (event.kind === 'corruption' ? [event] : []));

async function sizeOf(vfs: CrashableMemVfs, name: string): Promise<number> {
  return (await vfs.readFile(`/db/${name}`)).length;
}

const reopen = (vfs: CrashableMemVfs): Promise<OpenedDb> =>
  openSmall(vfs, { level0TablesTrigger: 100 });

/** Series 1 is lost and says so; the others are there. */
async function expectOnlySeriesOneLost(opened: OpenedDb): Promise<void> {
  const snapshot = opened.db.snapshot();
  const lost = expect.objectContaining({ code: 'CORRUPTION' });
  for (const i of [0, 2, 3]) {
    const found = await snapshot.first(seriesKey(i, `s${i}`));
    expect(text(found?.value as Uint8Array)).toBe(`${i}:19`);
  }
  await expect((async () => snapshot.first(seriesKey(1, 's1')))()).rejects.toThrow(lost);
  await expect(contentOf(snapshot)).rejects.toThrow(lost);
  snapshot.close();
}

describe('a table that cannot be opened', () => {
  it.each(['missing', 'without its end'])(
    '(%s) is quarantined, and reads past it fail',
    async (how) => {
      const { vfs, tables } = await fourTables();
      const name = tables[1] as string;
      if (how === 'missing') await vfs.remove(`/db/${name}`);
      else vfs.damage(`/db/${name}`, (await sizeOf(vfs, name)) - 3, 1);
      for (let life = 0; life < 3; life++) {
        const opened = await reopen(vfs);
        expect(corruptions(opened)).toMatchObject([{ file: name }]);
        const firstKey = hex(keyAt(seriesKey(1, 's1'), 19));
        expect(corruptions(opened)[0]?.reason).toContain(firstKey);
        expect(corruptions(opened)[0]?.reason).not.toContain(name);
        await expectOnlySeriesOneLost(opened);
        await opened.db.close();
      }
      expect(await vfs.exists(`/db/${name}.damaged`)).toBe(how !== 'missing');
    },
  );

  it('does not hide a newer value from a reader', async () => {
    const { vfs, tables } = await fourTables();
    await vfs.remove(`/db/${tables[1]}`);
    const { db } = await reopen(vfs);
    put(db, keyAt(seriesKey(1, 's1'), 30), utf8('fresh'));
    const found = await db.snapshot().first(seriesKey(1, 's1'));
    expect(text(found?.value as Uint8Array)).toBe('fresh');
  });
});

describe('a damaged block', () => {
  it('fails the reads that need it and no others', async () => {
    const { vfs, tables } = await fourTables();
    vfs.damage(`/db/${tables[1]}`, 20, 1);
    const opened = await reopen(vfs);
    expect(corruptions(opened)).toEqual([]);
    await expectOnlySeriesOneLost(opened);
    const reason = expect.stringMatching(/^expected .*, got /);
    expect(corruptions(opened)[0]).toMatchObject({ file: tables[1], offset: 0, reason });
  });

  it('ends a compaction that meets it, once, and the engine goes on', async () => {
    const { vfs, tables } = await fourTables();
    vfs.damage(`/db/${tables[1]}`, 20, 1);
    const opened = await openSmall(vfs, { level0TablesTrigger: 2 });
    await opened.db.compactionsIdle();
    expect(corruptions(opened)).toMatchObject([{ file: tables[1] }]);
    put(opened.db, keyAt(seriesKey(9, 'x'), 1), utf8('v'));
    await opened.db.flush();
    await opened.db.compactionsIdle();
    expect(corruptions(opened).length).toBe(1);
    await expectOnlySeriesOneLost(opened);
  });

  it('keeps the tables beside it from being compacted only until it is gone', async () => {
    const { vfs, tables } = await fourTables();
    vfs.damage(`/db/${tables[1]}`, 20, 1);
    const opened = await openSmall(vfs, { level0TablesTrigger: 2 });
    const { db } = opened;
    await db.compactionsIdle();
    expect(corruptions(opened)).toMatchObject([{ file: tables[1] }]);
    const range = { lower: seriesKey(1, 's1'), upper: seriesKey(2, 's2') };
    await db.replaceRange(range).commit(() => utf8('p'));
    await db.compactionsIdle();
    expect(db.statistics().filesPerLevel[0]).toBeLessThan(2);
    expect(await db.verify()).toMatchObject({ damage: [] });
  });
});

describe('a level 0 that cannot be compacted', () => {
  it('makes every write slower, and holds none back for good', async () => {
    let pauses = 0;
    const pause = async () => void pauses++;
    const { db } = await openSmall(undefined, {
      ...{ level0TablesTrigger: 100, level0TablesSlow: 3, pause },
    });
    for (let table = 1; table <= 5; table++) {
      const room = db.waitForRoom();
      expect(room !== undefined, `with ${table - 1} tables`).toBe(table > 3);
      await room;
      expect(db.waitForRoom()).toBe(undefined);
      put(db, keyAt(seriesKey(1, 's1'), table), utf8('v'));
      await db.flush();
    }
    expect(pauses).toBe(2);
  });
});

async function manifestOf(vfs: CrashableMemVfs) {
  const names = await vfs.list('/db');
  const manifest = names.findLast((name) => name.startsWith('MANIFEST')) as string;
  return { manifest, before: await sizeOf(vfs, manifest) };
}

/** By an edit that comes at `before`, where a range is replaced; another follows it. */
async function losesSeriesOne() {
  const { vfs, tables } = await fourTables();
  vfs.damage(`/db/${tables[1]}`, 20, 1);
  const { db, events } = await reopen(vfs);
  await db.flush();
  const { manifest, before } = await manifestOf(vfs);
  await db.replaceRange({ lower: Uint8Array.of(200) }).commit(() => utf8('p'));
  expect(corruptions({ events })).toMatchObject([{ file: tables[1] }]);
  await db.flush();
  await db.close();
  return { vfs, manifest, before };
}

/** As if the engine had been killed: nothing says that the edit was synced. */
async function damageLastEdit(vfs: CrashableMemVfs, manifest: string): Promise<void> {
  const file = await vfs.open(`/db/${manifest}`, 'write');
  const length = (await file.size()) - CLOSING_EDIT_BYTES;
  await file.truncate(length);
  await file.close();
  vfs.damage(`/db/${manifest}`, length - 2, 1);
}

/** Header and number of an edit without fields. */
const CLOSING_EDIT_BYTES = 13;

describe('a damaged manifest', () => {
  it('in its middle: the tables speak for themselves, the positions are the last readable', async () => {
    const { vfs, content, manifest } = await fourTables();
    vfs.damage(`/db/${manifest}`, 120, 1);
    const opened = await reopen(vfs);
    expect(corruptions(opened)).toMatchObject([{ file: manifest }]);
    expect(await contentOf(opened.db.snapshot())).toEqual(content);
    expect(text(opened.db.flushedPositions() as Uint8Array)).toBe('4');
  });

  it('is known of until somebody says otherwise, also in later lives', async () => {
    const { vfs } = await fourTables();
    const isRebuilt = async (life?: (opened: OpenedDb) => Promise<void>) => {
      const opened = await reopen(vfs);
      const before = opened.db.isRebuilt;
      await life?.(opened);
      await opened.db.close();
      return before;
    };
    expect(await isRebuilt()).toBe(false);
    vfs.damage(`/db/${(await manifestOf(vfs)).manifest}`, 120, 1);
    expect(await isRebuilt()).toBe(true);
    expect(await isRebuilt(({ db }) => db.flush())).toBe(true);
    expect(await isRebuilt(({ db }) => db.acceptRebuilt())).toBe(true);
    expect(await isRebuilt()).toBe(false);
  });

  it('in its last edit: it counts as torn, and the table it added is given up with its positions', async () => {
    const { vfs, content, manifest } = await fourTables();
    await damageLastEdit(vfs, manifest);
    const opened = await reopen(vfs);
    const older = [...content].filter(([, value]) => !value.startsWith('3:'));
    expect(await contentOf(opened.db.snapshot())).toEqual(new Map(older));
    expect(text(opened.db.flushedPositions() as Uint8Array)).toBe('3');
  });

  it('in a last edit that was a compaction: its outputs are found', async () => {
    const { vfs, content } = await fourTables();
    const compacted = await reopen(vfs);
    compacted.position = 5;
    await compacted.db.flush();
    await compacted.db.compactFully();
    await compacted.db.close();
    const manifest = (await vfs.list('/db')).find((name) => name.startsWith('MAN')) as string;
    await damageLastEdit(vfs, manifest);
    const opened = await reopen(vfs);
    expect(corruptions(opened).length).toBe(1);
    expect(await contentOf(opened.db.snapshot())).toEqual(content);
    expect(text(opened.db.flushedPositions() as Uint8Array)).toBe('5');
  });

  it('together with a table: that is set aside, and the others speak', async () => {
    const { vfs, tables, manifest } = await fourTables();
    vfs.damage(`/db/${manifest}`, 120, 1);
    vfs.damage(`/db/${tables[1]}`, (await sizeOf(vfs, tables[1] as string)) - 3, 1);
    const opened = await reopen(vfs);
    expect(corruptions(opened)).toMatchObject([{ file: manifest }, { file: tables[1] }]);
    expect(await vfs.exists(`/db/${tables[1]}.damaged`)).toBe(true);
    const found = await opened.db.snapshot().first(seriesKey(3, 's3'));
    expect(text(found?.value as Uint8Array)).toBe('3:19');
    expect(opened.db.flushedPositions(), 'they would cover what is lost').toBeUndefined();
  });

  it('before a compaction: its tables hold more than the last readable positions, which are not given', async () => {
    const opened = await openSmall(undefined, { level0TablesTrigger: 100 });
    const { db, vfs } = opened;
    const sizes: number[] = [];
    for (const [time, value] of ['old', 'new'].entries()) {
      for (const i of [1, 2]) put(db, keyAt(seriesKey(i, `s${i}`), time), utf8(value));
      opened.position++;
      await db.flush();
      const [manifest] = (await vfs.list('/db')).filter((name) => name.startsWith('MANIFEST'));
      sizes.push(await sizeOf(vfs, manifest as string));
    }
    await db.compactFully();
    await db.close();
    vfs.damage('/db/MANIFEST-0000000001', (sizes[0] as number) + 20, 1);
    const again = await reopen(vfs);
    expect(again.db.flushedPositions()).toBeUndefined();
    const found = await again.db.snapshot().first(seriesKey(1, 's1'));
    expect(text(found?.value as Uint8Array)).toBe('new');
    await again.db.close();
    expect((await reopen(vfs)).db.flushedPositions()).toBeUndefined();
  });

  it('where a range was replaced: what came into it is found, and no positions are given', async () => {
    const { vfs } = await fourTables();
    const opened = await reopen(vfs);
    const { db } = opened;
    put(db, keyAt(seriesKey(9, 's9'), 1), utf8('9'));
    await db.flush();
    const { manifest, before } = await manifestOf(vfs);
    const range = { lower: Uint8Array.of(1), upper: Uint8Array.of(2) };
    const snapshot = db.snapshot();
    const replacement = db.replaceRange(range);
    for await (const { bytes } of snapshot.exportRange(range)) await replacement.add(bytes);
    snapshot.close();
    await replacement.commit(() => utf8('p'));
    opened.position++;
    await db.flush();
    await db.close();
    vfs.damage(`/db/${manifest}`, before + 20, 1);
    const again = await reopen(vfs);
    expect(again.db.flushedPositions()).toBeUndefined();
    const found = await again.db.snapshot().first(seriesKey(1, 's1'));
    expect(text(found?.value as Uint8Array)).toBe('1:19');
  });

  it('where keys were found to be lost: no positions cover them', async () => {
    const { vfs, manifest, before } = await losesSeriesOne();
    vfs.damage(`/db/${manifest}`, before + 20, 1);
    const { db } = await reopen(vfs);
    expect(db.flushedPositions()).toBeUndefined();
    expect(await db.snapshot().first(seriesKey(1, 's1'))).toBeUndefined();
  });

  it('where keys had been found to be lost in an earlier life: they stay lost', async () => {
    const { vfs } = await losesSeriesOne();
    const opened = await reopen(vfs);
    const { manifest, before } = await manifestOf(vfs);
    for (const time of [1, 2]) {
      put(opened.db, keyAt(seriesKey(9, 's9'), time), utf8('9'));
      await opened.db.flush();
    }
    await opened.db.close();
    vfs.damage(`/db/${manifest}`, before + 20, 1);
    const again = await reopen(vfs);
    const [first, second] = corruptions(again);
    expect([first?.file, first?.range]).toEqual([manifest, undefined]);
    expect(second?.range).toBeDefined();
    await expectOnlySeriesOneLost(again);
  });

  it('as a whole: everything is found but the positions', async () => {
    const { vfs, content, manifest } = await fourTables();
    vfs.damage(`/db/${manifest}`, 3, 1);
    const opened = await reopen(vfs);
    expect(corruptions(opened).length).toBe(1);
    expect(await contentOf(opened.db.snapshot())).toEqual(content);
    expect(opened.db.flushedPositions()).toBeUndefined();
  });

  it('is replaced when it has grown, and nothing is lost by that', async () => {
    const { vfs, events, db } = await openSmall();
    let position = 0;
    const large = await openSmall(undefined, {
      notePositions: () => new Uint8Array(300_000).fill(++position),
    });
    for (let i = 0; i < 9; i++) await large.db.flush();
    const files = await large.vfs.list('/db');
    expect(files.length).toBe(1);
    expect(files[0]).not.toBe('MANIFEST-0000000001');
    expect(await sizeOf(large.vfs, files[0] as string)).toBeLessThan(2_000_000);
    await large.db.close();
    const again = await openSmall(large.vfs);
    expect(again.db.flushedPositions()?.[0]).toBe(position);
    expect([events, await vfs.list('/db')]).toEqual([[], ['MANIFEST-0000000001']]);
    await db.close();
  });
});
