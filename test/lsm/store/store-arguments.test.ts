import { describe, expect, it } from 'vitest';
import type { StoreOptions } from '../../../lsm/store/options.ts';
import { Store } from '../../../lsm/store/store.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import {
  CrashableMemVfs,
  contentOf,
  directory,
  get,
  openSmall,
  put,
  utf8,
} from './store-support.ts';

const asBytes = (value: unknown) => value as Uint8Array;

describe('the arguments of a store', () => {
  it('are options that can be, or nothing is touched', async () => {
    const vfs = new CrashableMemVfs();
    for (const name of ['vfs', 'directory', 'offload']) {
      await expect(openSmall(vfs, { [name]: undefined })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(`${name} is undefined, but must be`),
      });
    }
    for (const wrong of [{ logFileBytes: 0 }, { createIfMissing: 'yes' }, { memtableBytes: 0.5 }]) {
      const opened = openSmall(vfs, wrong as unknown as StoreOptions);
      await expect(opened).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
    await expect(Store.open(undefined as unknown as StoreOptions)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    expect(await vfs.exists(directory)).toBe(false);
  });

  it('are bytes, and what is refused leaves no trace', async () => {
    const store = await openSmall(new CrashableMemVfs());
    const batch = new WriteBatch();
    const key = utf8('key');
    const notBytes = (name: string, got: string) =>
      new TypeError(`${name} must be a Uint8Array, got ${got}`);
    expect(() => store.put(asBytes('key'), key)).toThrow(notBytes('key', 'a string'));
    expect(() => store.put(key, asBytes(7))).toThrow(notBytes('value', 'a number'));
    expect(() => store.delete(asBytes(undefined))).toThrow(notBytes('key', 'undefined'));
    expect(() => batch.put(asBytes(null), key)).toThrow(notBytes('key', 'null'));
    expect(() => batch.put(key, asBytes([1]))).toThrow(notBytes('value', 'an array'));
    expect(() => batch.delete(asBytes({}))).toThrow(notBytes('key', 'an object'));
    expect(() => store.get(asBytes('key'))).toThrow(notBytes('key', 'a string'));
    expect(() => store.getSync(asBytes('key'))).toThrow(notBytes('key', 'a string'));
    expect(() => store.first(asBytes('key'))).toThrow(notBytes('prefix', 'a string'));
    expect(() => store.write([] as unknown as WriteBatch)).toThrow('must be a WriteBatch');
    expect(batch.operationCount).toBe(0);
    await put(store, 'a', '1');
    expect(() => store.clear({ lower: asBytes('b') })).toThrow(notBytes('lower', 'a string'));
    expect(() => store.clear({ lower: key, upper: asBytes('b') })).toThrow(
      notBytes('upper', 'a string'),
    );
    expect(await contentOf(store)).toEqual(new Map([['a', '1']]));
    await store.close();
  });

  it('are keys that hold their suffix', async () => {
    const store = await openSmall(new CrashableMemVfs(), { seriesSuffixBytes: 8 });
    const tooShort = new RangeError(
      'the key has 5 bytes, but must hold its suffix of 8 (seriesSuffixBytes)',
    );
    const batch = new WriteBatch();
    batch.put(utf8('long enough'), utf8('x'));
    batch.delete(utf8('short'));
    expect(() => put(store, 'short', 'x')).toThrow(tooShort);
    expect(() => store.delete(utf8('short'))).toThrow(tooShort);
    expect(() => store.write(batch)).toThrow(tooShort);
    expect(await get(store, 'short')).toBeUndefined();
    await store.close();
  });

  it('without a range mean everything', async () => {
    const store = await openSmall(new CrashableMemVfs());
    for (const key of ['', 'a', '\uffff']) await put(store, key, 'x');
    const snapshot = store.snapshot();
    const cursor = snapshot.cursor();
    await cursor.seekFirst();
    expect((await cursor.take(10, 1000)).length).toBe(3);
    const backwards = snapshot.cursorSync(undefined, { reverse: true });
    void backwards.seekFirst();
    expect(backwards.key).toEqual(utf8('\uffff'));
    snapshot.close();
    await store.flush();
    expect(store.approximateSize()).toBeGreaterThan(0);
    await store.clear();
    expect(await contentOf(store)).toEqual(new Map());
    await store.close();
  });
});

describe('an observer of a store that throws', () => {
  it('stops neither writes nor open', async () => {
    const onEvent = () => {
      throw new Error('observer');
    };
    const vfs = new CrashableMemVfs();
    const store = await openSmall(vfs, { onEvent });
    for (let i = 0; i < 500; i++) await put(store, `key ${i}`, 'x'.repeat(100));
    await store.compact();
    await put(store, 'last', 'x');
    const killed = vfs.processCrashClone();
    const [log] = (await killed.list(directory)).filter((name) => name.endsWith('.wal'));
    await store.close();
    killed.damage(`${directory}/${log}`, 40, 1);
    const again = await openSmall(killed, { onEvent });
    expect(await get(again, 'key 7')).toBe('x'.repeat(100));
    await again.close();
  });
});

describe('the suffix of a store', () => {
  it('is known from the beginning, and the right one is never refused', async () => {
    const vfs = new CrashableMemVfs();
    const store = await openSmall(vfs, { seriesSuffixBytes: 2 });
    const empty = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0 });
    await put(store, 'key', 'value');
    const killed = vfs.processCrashClone();
    await store.close();
    for (const image of [empty, killed, vfs]) {
      await expect(openSmall(image, { seriesSuffixBytes: 3 })).rejects.toMatchObject({
        code: 'STORE_DIFFERS',
        message: 'the store was made with seriesSuffixBytes 2, not 3',
      });
      const again = await openSmall(image, { seriesSuffixBytes: 2 });
      expect(await get(again, 'key')).toBe(image === empty ? undefined : 'value');
      await again.close();
    }
  });
});

describe('a directory with a LevelDB database', () => {
  it('is refused and left as it is', async () => {
    const vfs = new CrashableMemVfs();
    await vfs.makeDirectory(directory);
    const names = ['000003.log', '000005.ldb', 'CURRENT', 'LOCK', 'LOG', 'MANIFEST-000002'];
    for (const name of names) await (await vfs.open(`${directory}/${name}`, 'create')).close();
    await expect(openSmall(vfs)).rejects.toMatchObject({
      code: 'OTHER_DATABASE',
      message: `${directory} holds a LevelDB database; open it with classic-level and copy it, or choose an empty directory`,
    });
    expect((await vfs.list(directory)).sort()).toEqual(names.sort());
  });

  it('may be used again when the call returns, the bounds of a range too', async () => {
    const store = await openSmall(new CrashableMemVfs());
    for (const key of ['a1', 'b1', 'c1']) await put(store, key, 'value');
    const [lower, upper] = [utf8('a'), utf8('b')];
    const cleared = store.clear({ lower, upper });
    lower.fill(0);
    upper.fill(0xff);
    await cleared;
    expect([...(await contentOf(store)).keys()]).toEqual(['b1', 'c1']);
    await store.close();
  });
});
