import { describe, expect, it } from 'vitest';
import type { DbOptions } from '../../lsm/options.ts';
import { BlockCache } from '../../lsm/sstable/block-cache.ts';
import { TableFiles } from '../../lsm/sstable/table-files.ts';
import { VersionSet } from '../../lsm/version/version-set.ts';
import type { CrashableMemVfs, VfsOperation } from '../../lsm/vfs/mem.ts';
import { seeded } from '../support/random.ts';
import { contentOf, keyAt, openSmall, put, seriesKey, text, utf8 } from './engine-support.ts';

async function database() {
  const opened = await openSmall();
  for (let i = 0; i < 400; i++) {
    put(opened.db, keyAt(seriesKey(i % 7, 's'), i), utf8(`${i}`));
    await opened.db.waitForRoom();
  }
  opened.position = 3;
  await opened.db.flush();
  await opened.db.compactionsIdle();
  await opened.db.close();
  return opened.vfs;
}

async function operationsOf(vfs: CrashableMemVfs, work: () => Promise<unknown>) {
  const operations: VfsOperation[] = [];
  vfs.onOperation = (operation) => {
    operations.push(operation);
  };
  await work();
  vfs.onOperation = undefined;
  return operations;
}

const open = (vfs: CrashableMemVfs, more: Partial<DbOptions> = {}) =>
  openSmall(vfs, { checkTablesAtOpen: false, ...more });

describe('opening', () => {
  it('a clean engine writes nothing and takes a handful of operations', async () => {
    const vfs = await database();
    const files = await vfs.list('/db');
    const lazily = await operationsOf(vfs, () => open(vfs));
    expect(lazily.map(({ kind }) => kind)).toEqual(['list', 'read']);
    const checked = await operationsOf(vfs, () => open(vfs, { checkTablesAtOpen: true }));
    expect(new Set(checked.map(({ kind }) => kind))).toEqual(new Set(['list', 'open', 'read']));
    expect(await vfs.list('/db')).toEqual(files);
  });

  it('keeps the manifest that was found until there is a new one', async () => {
    const vfs = await database();
    const manifests = async () => (await vfs.list('/db')).filter((name) => name.startsWith('MAN'));
    const [found] = await manifests();
    const { db } = await open(vfs);
    expect(await manifests()).toEqual([found]);
    put(db, keyAt(seriesKey(1, 'new'), 1), utf8('v'));
    const operations = await operationsOf(vfs, () => db.flush());
    expect((await manifests()).length).toBe(1);
    expect(await manifests()).not.toEqual([found]);
    const place = (kind: string, part: string) =>
      operations.findIndex((it) => it.kind === kind && it.path.includes(part));
    expect(place('syncDirectory', '/db')).toBeLessThan(place('remove', found as string));
    expect(place('remove', found as string)).toBeGreaterThan(0);
    await db.close();
    expect((await contentOf((await open(vfs)).db.snapshot())).size).toBe(401);
  });

  it('again after a power cut anywhere in the first commit finds the old state or the new one', async () => {
    const vfs = await database();
    const { db } = await open(vfs);
    put(db, keyAt(seriesKey(1, 'new'), 1), utf8('v'));
    const random = seeded(9);
    const images: CrashableMemVfs[] = [];
    vfs.onOperation = () => {
      for (let i = 0; i < 3; i++)
        images.push(vfs.crashClone({ unsyncedKeepRatio: random(), random }));
    };
    await db.flush();
    vfs.onOperation = undefined;
    const sizes = new Set<number>();
    for (const image of images) {
      const again = await open(image);
      expect(again.events).toEqual([]);
      sizes.add((await contentOf(again.db.snapshot())).size);
      await again.db.close();
    }
    expect([...sizes].sort()).toEqual([400, 401]);
  });

  it('removes what an earlier life left over', async () => {
    const vfs = await database();
    const files = await vfs.list('/db');
    for (const name of ['0000009999.sst', 'MANIFEST-0000000000', 'x.tmp']) {
      await (await vfs.open(`/db/${name}`, 'create')).close();
    }
    const operations = await operationsOf(vfs, () => open(vfs));
    expect(await vfs.list('/db')).toEqual(files);
    expect(operations.filter(({ kind }) => /write|sync/i.test(kind))).toEqual([]);
  });

  it('without looking into the tables finds one that is missing, and damage when it is read', async () => {
    const vfs = await database();
    const tables = (await vfs.list('/db')).filter((name) => name.endsWith('.sst'));
    vfs.damage(`/db/${tables[0]}`, (await vfs.readFile(`/db/${tables[0]}`)).length - 5, 1);
    const { db, events } = await open(vfs, { level0TablesTrigger: 100 });
    expect(events).toEqual([]);
    await expect(contentOf(db.snapshot())).rejects.toMatchObject({ code: 'CORRUPTION' });
    await db.close();
    await vfs.remove(`/db/${tables.at(-1)}`);
    const missing = await open(vfs, { level0TablesTrigger: 100 });
    expect(missing.events).toMatchObject([{ kind: 'corruption', file: tables.at(-1) }]);
    // It is said from now on: a manifest was written.
    await missing.db.close();
    expect((await open(vfs)).events).toMatchObject([{ reason: expect.stringContaining('before') }]);
  });
});

describe('a full disk in a commit', () => {
  async function versionsOf(vfs: CrashableMemVfs) {
    const files = new TableFiles({ vfs, directory: '/db' });
    const onRemoveFailed = (error: unknown) => {
      throw error;
    };
    return VersionSet.open({
      vfs,
      directory: '/db',
      files,
      cache: new BlockCache(1000),
      checkTablesAtOpen: true,
      onEvent: () => {},
      onRemoveFailed,
    });
  }

  it.each([0, 1, 2])(
    'changes nothing, and it can be done again (after %i edits)',
    async (edits) => {
      const vfs = await database();
      const versions = await versionsOf(vfs);
      for (let i = 0; i < edits; i++) await versions.commit({ positions: utf8(`edit ${i}`) });
      const before = versions.state;
      for (let i = 0; i < 3; i++) {
        vfs.onOperation = ({ kind }) => {
          if (kind === 'write') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        };
        await expect(versions.commit({ positions: utf8('new') })).rejects.toThrow('full');
        vfs.onOperation = undefined;
        expect(versions.state.positions).toEqual(before.positions);
        const crashed = vfs.crashClone({ unsyncedKeepRatio: 0.5, random: seeded(i) });
        const found = await versionsOf(crashed);
        expect(found.state.positions).toEqual(before.positions);
        await found.close();
      }
      await versions.commit({ positions: utf8('new') });
      await versions.close();
      const again = await versionsOf(vfs);
      expect(text(again.state.positions as Uint8Array)).toBe('new');
      expect((await vfs.list('/db')).filter((name) => name.startsWith('MAN')).length).toBe(1);
      await again.close();
    },
  );

  it('is final when it is a sync that fails: nobody knows what is on the disk', async () => {
    const vfs = await database();
    const versions = await versionsOf(vfs);
    vfs.onOperation = ({ kind }) => {
      if (kind === 'sync') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    const failed = expect.objectContaining({ code: 'ENGINE_FAILED' });
    await expect(versions.commit({ positions: utf8('new') })).rejects.toThrow(failed);
    vfs.onOperation = undefined;
    await expect(versions.commit({ positions: utf8('new') })).rejects.toThrow(failed);
    await versions.close();
  });
});
