import { describe, expect, it } from 'vitest';
import { Store } from '../../../lsm/store/store.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import type { VfsOperation } from '../../../lsm/vfs/mem.ts';
import {
  CrashableMemVfs,
  contentOf,
  directory,
  get,
  openSmall,
  put,
  remove,
  utf8,
} from './store-support.ts';

/** A store with so many keys, `0000`, `0001`, …, each its own value. */
async function filled(count: number, vfs = new CrashableMemVfs()) {
  const store = await openSmall(vfs);
  const content = new Map<string, string>();
  const batch = new WriteBatch();
  for (let i = 0; i < count; i++) {
    const key = String(i).padStart(4, '0');
    content.set(key, key);
    batch.put(utf8(key), utf8(key));
  }
  await store.write(batch);
  return { vfs, store, content };
}

const between = (lower: string, upper: string) => ({ lower: utf8(lower), upper: utf8(upper) });
const everything = { lower: new Uint8Array(0) };

function countOperations(vfs: CrashableMemVfs): Map<VfsOperation['kind'], number> {
  const counts = new Map<VfsOperation['kind'], number>();
  vfs.onOperation = ({ kind }) => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  };
  return counts;
}

describe('a store', () => {
  it('keeps what was written over flushes, compactions and a clean end', async () => {
    const { vfs, store, content } = await filled(600);
    for (let i = 0; i < 600; i += 3) {
      const key = String(i).padStart(4, '0');
      content.set(key, `changed ${i}`);
      await put(store, key, `changed ${i}`);
    }
    await remove(store, '0007');
    content.delete('0007');
    expect(await contentOf(store)).toEqual(content);
    await store.compact();
    expect(await contentOf(store)).toEqual(content);
    await store.close();
    const again = await openSmall(vfs);
    expect(await contentOf(again)).toEqual(content);
    expect(again.getSync(utf8('0007'))).toBeUndefined();
    expect(await get(again, '0009')).toBe('changed 9');
    await again.close();
  });

  it('shows a write once it is acknowledged, and snapshots what there was', async () => {
    const store = await openSmall(new CrashableMemVfs());
    await put(store, 'a', '1');
    const snapshot = store.snapshot();
    await Promise.all([put(store, 'a', '2'), put(store, 'b', '2'), put(store, 'a', '3')]);
    expect(await get(store, 'a')).toBe('3');
    expect(Buffer.from((await snapshot.get(utf8('a'))) as Uint8Array).toString()).toBe('1');
    expect(await snapshot.get(utf8('b'))).toBeUndefined();
    snapshot.close();
    await store.close();
  });

  it('copies what it is given', async () => {
    const store = await openSmall(new CrashableMemVfs());
    const [key, value, batch] = [utf8('key'), utf8('value'), new WriteBatch()];
    const written = store.put(key, value);
    key.fill(0);
    value.fill(0);
    batch.put(utf8('other'), utf8('value'));
    const batchWritten = store.write(batch);
    batch.clear();
    await Promise.all([written, batchWritten]);
    expect(await contentOf(store)).toEqual(
      new Map([
        ['key', 'value'],
        ['other', 'value'],
      ]),
    );
    await store.close();
  });

  it('takes the empty key and the empty value', async () => {
    const { vfs, store } = await filled(0);
    await put(store, '', '');
    await store.close();
    const again = await openSmall(vfs);
    expect(await contentOf(again)).toEqual(new Map([['', '']]));
    await again.close();
  });

  it('refuses a key that is shorter than the suffix', async () => {
    const store = await openSmall(new CrashableMemVfs(), { seriesSuffixBytes: 8 });
    const batch = new WriteBatch();
    batch.put(utf8('long enough'), utf8('x'));
    batch.delete(utf8('short'));
    expect(() => put(store, 'short', 'x')).toThrow('suffix');
    expect(() => store.write(batch)).toThrow('suffix');
    await store.close();
  });

  it('passes operating conditions on: options, the lock, the end', async () => {
    const vfs = new CrashableMemVfs();
    const none = openSmall(vfs, { createIfMissing: false });
    await expect(none).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
    expect(await vfs.exists(directory)).toBe(false);
    const { store } = await filled(1, vfs);
    await expect(openSmall(vfs)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' });
    await store.close();
    await store.close();
    await expect(put(store, 'a', 'b')).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
    await expect(store.clear(everything)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
    expect(() => store.getSync(utf8('a'))).toThrow('closed');
    const there = openSmall(vfs, { errorIfExists: true });
    await expect(there).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    await (await openSmall(vfs, { createIfMissing: false })).close();
  });

  it('refuses another suffix than that of its tables, in which lookups would miss keys', async () => {
    const vfs = new CrashableMemVfs();
    const store = await openSmall(vfs, { seriesSuffixBytes: 2 });
    await put(store, 'key', 'value');
    await store.flush();
    await store.close();
    await expect(openSmall(vfs)).rejects.toMatchObject({ code: 'STORE_DIFFERS' });
    const again = await openSmall(vfs, { seriesSuffixBytes: 2 });
    expect(await get(again, 'key')).toBe('value');
    await again.close();
  });

  it('answers what was asked before it was closed', async () => {
    const { vfs, store } = await filled(0);
    const writes = Array.from({ length: 100 }, (_, i) => put(store, `${i}`, 'x'));
    await Promise.all([store.close(), ...writes]);
    const again = await openSmall(vfs);
    expect((await contentOf(again)).size).toBe(100);
    await again.close();
  });

  it('is gone when it is destroyed', async () => {
    const { vfs, store } = await filled(1000);
    await store.flush();
    await expect(Store.destroy(vfs, directory)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' });
    await store.close();
    await Store.destroy(vfs, directory);
    await Store.destroy(vfs, '/never');
    expect(await vfs.list(directory)).toEqual([]);
  });

  it.each([
    ['empty', 0, false],
    ['with entries in the log', 5, false],
    ['with entries in a table', 5, true],
  ])('%s opens after a clean end without writing and without syncing', async (_, count, flush) => {
    const { vfs, store, content } = await filled(count);
    if (flush) await store.flush();
    await store.close();
    const counts = countOperations(vfs);
    const again = await openSmall(vfs);
    for (const kind of ['write', 'sync', 'syncDirectory', 'rename', 'remove'] as const) {
      expect(counts.get(kind) ?? 0, kind).toBe(0);
    }
    expect(await contentOf(again)).toEqual(content);
    await again.close();
  });

  it('brings into tables what it finds in the log after a kill, and needs the log no more', async () => {
    const { vfs } = await filled(5);
    const killed = vfs.processCrashClone();
    const store = await openSmall(killed);
    expect(store.statistics().tableCount).toBe(1);
    await store.close();
    expect((await killed.list(directory)).filter((name) => name.endsWith('.wal'))).toEqual([]);
  });
});

describe('a loss of power', () => {
  it('after a clean end loses nothing', async () => {
    const { vfs, store, content } = await filled(5);
    await store.close();
    const after = await openSmall(vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0.5 }));
    expect(await contentOf(after)).toEqual(content);
    await after.close();
  });

  it('spares everything before a synced write, also what a process that was killed had not synced', async () => {
    const { vfs, content } = await filled(5);
    const killed = vfs.processCrashClone();
    const store = await openSmall(killed);
    await put(store, 'a', '1');
    await put(store, 'b', '2', true);
    await put(store, 'c', '3');
    const lost = killed.crashClone({ unsyncedKeepRatio: 0, random: () => 0.5 });
    expect(await contentOf(await openSmall(lost))).toEqual(
      new Map([...content, ['a', '1'], ['b', '2']]),
    );
    await store.close();
  });
});

describe('a checkpoint', () => {
  it('is a store of its own with what was written before', async () => {
    for (const count of [5, 2000]) {
      const { vfs, store, content } = await filled(count);
      void put(store, 'last', 'x');
      content.set('last', 'x');
      const made = store.checkpoint('/copy');
      await put(store, 'later', 'y');
      await made;
      await store.clear(everything);
      await store.close();
      const copy = await openSmall(vfs, { directory: '/copy' });
      const found = await contentOf(copy);
      found.delete('later');
      expect(found).toEqual(content);
      expect(await copy.verify()).toMatchObject({ damage: [] });
      await put(copy, 'more', 'z');
      await copy.close();
    }
  });
});

describe('clear', () => {
  it('removes a range and nothing else', async () => {
    for (const count of [50, 3000]) {
      const { vfs, store, content } = await filled(count);
      await store.clear(between('0010', '0020'));
      for (let i = 10; i < 20; i++) content.delete(`00${i}`);
      expect(await contentOf(store)).toEqual(content);
      await store.clear({ lower: utf8('0030') });
      for (const key of content.keys()) if (key >= '0030') content.delete(key);
      expect(await contentOf(store)).toEqual(content);
      await store.close();
      const again = await openSmall(vfs);
      expect(await contentOf(again)).toEqual(content);
      await again.close();
    }
  });

  it('removes what was written before the call, and nothing that is written after it', async () => {
    for (const count of [10, 3000]) {
      const { vfs, store } = await filled(count);
      const calls = [
        put(store, 'before', 'x'),
        store.clear(everything),
        put(store, 'after', 'y'),
        put(store, '0001', 'z'),
      ];
      await Promise.all(calls);
      const expected = new Map([
        ['0001', 'z'],
        ['after', 'y'],
      ]);
      expect(await contentOf(store)).toEqual(expected);
      const killed = await openSmall(vfs.processCrashClone());
      expect(await contentOf(killed)).toEqual(expected);
      await store.close();
    }
  });

  it('stops at a limit, from either end', async () => {
    const { store, content } = await filled(2500);
    await store.clear(everything, { limit: 2 });
    await store.clear(everything, { limit: 2100, reverse: true });
    const keys = [...content.keys()].slice(2, 400);
    expect([...(await contentOf(store)).keys()]).toEqual(keys);
    await store.close();
  });

  it('of a snapshot removes only the keys that are in it', async () => {
    const { store } = await filled(1500);
    const snapshot = store.snapshot();
    await put(store, 'new', 'x');
    await put(store, '0001', 'changed');
    await store.clear(everything, { snapshot });
    expect(await contentOf(store)).toEqual(new Map([['new', 'x']]));
    snapshot.close();
    await store.close();
  });

  it('of many keys is whole or has not happened, whenever a crash comes', async () => {
    let crashAt = 0;
    for (let isOver = false; !isOver; crashAt += 3) {
      const { vfs, store } = await filled(1100);
      await put(store, 'kept', 'x', true);
      let operations = 0;
      let images: CrashableMemVfs[] = [];
      vfs.onOperation = () => {
        if (operations++ === crashAt) {
          images = [vfs.processCrashClone(), vfs.crashClone({ random: () => 0.3 })];
        }
      };
      await store.clear(between('0', '1'));
      isOver = images.length === 0;
      vfs.onOperation = undefined;
      await store.close();
      for (const image of images) {
        const after = await openSmall(image);
        expect([1, 1101], `at ${crashAt}`).toContain((await contentOf(after)).size);
        expect(await get(after, 'kept')).toBe('x');
        await put(after, '0001', 'again', true);
        const later = image.crashClone({ unsyncedKeepRatio: 0, random: () => 0 });
        expect(await get(await openSmall(later), '0001')).toBe('again');
        await after.close();
      }
    }
    expect(crashAt).toBeGreaterThan(10);
  });
});

describe('a disk', () => {
  it('that is full refuses writes, which succeed when there is room again', async () => {
    const { vfs, store, content } = await filled(20);
    vfs.bytesMax = 0;
    const refused = [put(store, 'a', 'x'), put(store, 'b', 'x')];
    for (const write of refused) await expect(write).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await contentOf(store)).toEqual(content);
    vfs.bytesMax = Number.POSITIVE_INFINITY;
    await put(store, 'c', 'y', true);
    const expected = new Map([...content, ['c', 'y']]);
    expect(await contentOf(store)).toEqual(expected);
    const lost = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0 });
    expect(await contentOf(await openSmall(lost))).toEqual(expected);
    await store.close();
  });

  it('that fills up while tables are written refuses writes, answers reads, and goes on when there is room', async () => {
    const { vfs, store, content } = await filled(20);
    vfs.bytesMax = 25_000;
    const refusals: unknown[] = [];
    for (let i = 0; i < 400 && refusals.length < 20; i++) {
      const key = `more ${i}`;
      await put(store, key, 'x'.repeat(100)).then(
        () => content.set(key, 'x'.repeat(100)),
        (error) => refusals.push(error.code),
      );
    }
    expect(refusals).toEqual(new Array(20).fill('DISK_FULL'));
    expect(await contentOf(store)).toEqual(content);
    vfs.bytesMax = Number.POSITIVE_INFINITY;
    await put(store, 'at last', 'y');
    content.set('at last', 'y');
    await store.compact();
    expect(await contentOf(store)).toEqual(content);
    await store.close();
    const again = await openSmall(vfs);
    expect(await contentOf(again)).toEqual(content);
    await again.close();
  });

  it('that is full can be closed on, and opened on', async () => {
    const { vfs, store, content } = await filled(5);
    vfs.bytesMax = 0;
    await store.close();
    const again = await openSmall(vfs);
    expect(await contentOf(again)).toEqual(content);
    await again.close();
    const killed = vfs.processCrashClone();
    killed.bytesMax = 0;
    const afterKill = await openSmall(killed);
    expect(await contentOf(afterKill)).toEqual(content);
    await afterKill.close();
  });

  it('whose sync fails takes no more writes, and is still read', async () => {
    const { vfs, store, content } = await filled(20);
    vfs.onOperation = ({ kind }) => {
      if (kind === 'sync') throw Object.assign(new Error('EIO'), { code: 'EIO' });
    };
    await expect(put(store, 'a', 'x', true)).rejects.toMatchObject({ code: 'LOG_FAILED' });
    vfs.onOperation = undefined;
    await expect(put(store, 'b', 'x')).rejects.toMatchObject({ code: 'LOG_FAILED' });
    expect(await contentOf(store)).toEqual(content);
    await store.close();
  });
});

describe('a store opened with another suffix', () => {
  it('is not touched before it is refused', async () => {
    const vfs = new CrashableMemVfs();
    const store = await openSmall(vfs, { level0TablesTrigger: 100 });
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i < 20; i++) await put(store, `key-number-${i}-${round % 2}`, `${round}`);
      await store.flush();
    }
    await store.close();

    await expect(openSmall(vfs, { seriesSuffixBytes: 4 })).rejects.toMatchObject({
      code: 'STORE_DIFFERS',
    });

    const again = await openSmall(vfs, { level0TablesTrigger: 100 });
    for (let i = 0; i < 20; i++) {
      expect(await get(again, `key-number-${i}-0`), `${i}`).toBe('6');
      expect(await get(again, `key-number-${i}-1`), `${i}`).toBe('7');
    }
    expect(again.statistics().filesPerLevel[0]).toBe(8);
    await again.close();
  });
});
