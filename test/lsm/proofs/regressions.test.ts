import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../../lsm/engine.ts';
import type { Store } from '../../../lsm/store/store.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import { CrashableMemVfs, type VfsOperation } from '../../../lsm/vfs/mem.ts';
import { seeded } from '../../support/random.ts';
import {
  contentOf as contentOfDb,
  openSmall as openDb,
  put as putInDb,
} from '../engine-support.ts';
import { keyAt, seriesKey, utf8 } from '../entries.ts';
import { contentOf, get, openSmall, put } from '../store/store-support.ts';
import { answered } from './faults.ts';

// What the proofs have found, each as small as it can be shown.

const full = (path: string) => Object.assign(new Error(`ENOSPC: ${path}`), { code: 'ENOSPC' });
const broken = (path: string) => Object.assign(new Error(`EIO: ${path}`), { code: 'EIO' });

/** Fails what `concerns` says, until `onOperation` is taken away. */
function fail(
  vfs: CrashableMemVfs,
  error: (path: string) => Error,
  concerns: (operation: VfsOperation) => boolean,
): void {
  vfs.onOperation = (operation) => {
    if (concerns(operation)) throw error(operation.path);
  };
}

/** So many keys that they are not deleted one by one. */
async function fill(store: Store, count = 1200): Promise<void> {
  const batch = new WriteBatch();
  for (let i = 0; i < count; i++) batch.put(utf8(`many/${i}`), utf8('x'));
  await store.write(batch);
}

const many = { lower: utf8('many/'), upper: utf8('many0') };
describe('a kill, an open and then a loss of power', () => {
  it('lose no table: what an edit in the page cache makes needless is kept until it is on the disk', async () => {
    const vfs = new CrashableMemVfs();
    let killed: CrashableMemVfs | undefined;
    const opened = await openDb(vfs);
    for (let time = 1; time <= 2; time++) {
      putInDb(opened.db, keyAt(seriesKey(1, 'a'), 1), utf8(`${time}`));
      opened.position = time;
      await opened.db.flush();
    }
    const content = await contentOfDb(opened.db.snapshot());
    vfs.onOperation = ({ kind, path }) => {
      if (kind === 'sync' && path.includes('MANIFEST')) killed ??= vfs.processCrashClone();
    };
    await opened.db.compactFully();
    vfs.onOperation = undefined;
    await opened.db.close();

    for (let seed = 1; seed <= 20; seed++) {
      const disk = (killed as CrashableMemVfs).processCrashClone();
      const next = await openDb(disk);
      const events: EngineEvent[] = [];
      const onEvent = (event: EngineEvent) => void events.push(event);
      const again = await openDb(disk.crashClone({ random: seeded(seed) }), { onEvent });
      expect(events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
      expect(await contentOfDb(again.db.snapshot())).toEqual(content);
      await again.db.close();
      await next.db.close();
    }
  });

  it('need not write when the engine was closed', async () => {
    const vfs = new CrashableMemVfs();
    const { db } = await openDb(vfs);
    putInDb(db, keyAt(seriesKey(1, 'a'), 1), utf8('v'));
    await db.flush();
    await db.close();
    const writes: string[] = [];
    vfs.onOperation = ({ kind, path }) => {
      if (/write|sync|remove/.test(kind)) writes.push(`${kind} ${path}`);
    };
    await (await openDb(vfs)).db.close();
    expect(writes).toEqual([]);
  });
});

describe('a clear on a full disk', () => {
  it('that was refused does not happen later, and others do', async () => {
    const vfs = new CrashableMemVfs();
    const store = await openSmall(vfs, { memtableBytes: 1_000_000 });
    await fill(store);
    fail(vfs, full, ({ kind, path }) => kind === 'write' && path.endsWith('.sst'));
    await expect(store.clear(many)).rejects.toMatchObject({ code: 'DISK_FULL' });
    vfs.onOperation = undefined;
    await put(store, 'many/new', 'y');
    await store.flush();
    expect(await get(store, 'many/0')).toBe('x');
    expect(await get(store, 'many/new')).toBe('y');
    await store.clear(many);
    expect((await contentOf(store)).size).toBe(0);
    await store.close();
  });

  it('is answered while a compaction finds no room', async () => {
    const vfs = new CrashableMemVfs();
    const { db } = await openDb(vfs, { level0TablesTrigger: 2 });
    let findNoRoom: (() => void) | undefined;
    for (let time = 1; time <= 2; time++) {
      putInDb(db, keyAt(seriesKey(1, 'a'), 1), utf8('v'));
      await db.flush();
      if (time === 2) break;
      // The next flush writes one table, and the compaction that it brings another.
      let opens = 0;
      vfs.onOperation = ({ kind, path }) => {
        if (kind !== 'write' || !path.endsWith('.sst') || ++opens < 2) return;
        return new Promise((_, reject) => {
          findNoRoom = () => reject(full(path));
        });
      };
    }
    const replacement = db.replaceRange({ lower: seriesKey(2, 'b'), upper: seriesKey(2, 'c') });
    const done = [
      answered(
        replacement.commit(() => utf8('9')),
        'commit',
      ),
      answered(db.compactFully(), 'compactFully').catch((error) => error.code),
    ];
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(findNoRoom).toBeDefined();
    vfs.onOperation = undefined;
    findNoRoom?.();
    expect(await Promise.all(done)).toEqual([undefined, 'DISK_FULL']);
    vfs.onOperation = undefined;
    await db.close();
  });
});

describe('a flush on a disk that was full', () => {
  it('tries again though nothing was written since', async () => {
    const vfs = new CrashableMemVfs();
    const { db } = await openDb(vfs);
    putInDb(db, keyAt(seriesKey(1, 'a'), 1), utf8('v'));
    fail(vfs, full, ({ kind }) => kind === 'write');
    await expect(db.flush()).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(answered(db.flush(), 'flush')).rejects.toMatchObject({ code: 'DISK_FULL' });
    vfs.onOperation = undefined;
    await answered(db.flush(), 'flush');
    expect(db.statistics().tableCount).toBe(1);
    await db.close();
  });
});

describe('a file that cannot be removed for want of room', () => {
  it('stays until the next open, and nothing else comes of it', async () => {
    const vfs = new CrashableMemVfs();
    const events: EngineEvent[] = [];
    const { db } = await openDb(vfs, { onEvent: (event) => events.push(event) });
    await db.flush();
    await db.close();
    const opened = await openDb(vfs, { onEvent: (event) => events.push(event) });
    fail(vfs, full, ({ kind }) => kind === 'remove');
    for (let time = 1; time <= 3; time++) {
      putInDb(opened.db, keyAt(seriesKey(1, 'a'), time), utf8('v'));
      await opened.db.flush();
    }
    await opened.db.compactFully();
    const content = await contentOfDb(opened.db.snapshot());
    expect(content.size).toBe(3);
    vfs.onOperation = undefined;
    await opened.db.close();
    const again = await openDb(vfs, { onEvent: (event) => events.push(event) });
    expect(await contentOfDb(again.db.snapshot())).toEqual(content);
    const files = await vfs.list('/db');
    expect(files.filter((name) => name.startsWith('MANIFEST')).length).toBe(1);
    expect(files.filter((name) => name.endsWith('.sst')).length).toBe(
      again.db.statistics().tableCount,
    );
    expect(events.filter(({ kind }) => /corruption|error/.test(kind))).toEqual([]);
    await again.db.close();
  });
});

describe('a replacement whose commit failed', () => {
  it('may be found at the next open, so that its tables stay when it is abandoned', async () => {
    const source = await openDb();
    const key = keyAt(seriesKey(1, 'a'), 1);
    putInDb(source.db, key, utf8('imported'));
    const vfs = new CrashableMemVfs();
    const { db } = await openDb(vfs);
    const replacement = db.replaceRange({ lower: seriesKey(1, 'a'), upper: seriesKey(1, 'b') });
    const exported = source.db.snapshot().exportRange({ lower: new Uint8Array(0) });
    for await (const { bytes } of exported) await replacement.add(bytes);
    await db.flush();
    // There is nothing to flush before it.
    fail(vfs, broken, ({ kind, path }) => kind === 'sync' && path.includes('MANIFEST'));
    const committed = replacement.commit(() => utf8('9'));
    await expect(committed).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    vfs.onOperation = undefined;
    await replacement.abandon();
    await db.close();
    const again = await openDb(vfs);
    expect(again.events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
    expect([...(await contentOfDb(again.db.snapshot())).values()]).toEqual(['imported']);
    await again.db.close();
    await source.db.close();
  });
});

describe('errors', () => {
  it('of the first look at a directory are typed', async () => {
    for (const failing of ['list', 'makeDirectory', 'lock']) {
      const vfs = new CrashableMemVfs();
      fail(vfs, broken, ({ kind }) => kind === failing);
      await expect(openSmall(vfs)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    }
  });

  it('of a checkpoint are typed', async () => {
    const vfs = new CrashableMemVfs();
    const store = await openSmall(vfs);
    await put(store, 'a', 'b');
    await store.flush();
    fail(vfs, broken, ({ kind }) => kind === 'link');
    await expect(store.checkpoint('/copy')).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    fail(vfs, full, ({ kind }) => kind === 'link');
    await expect(store.checkpoint('/copy')).rejects.toMatchObject({ code: 'DISK_FULL' });
    vfs.onOperation = undefined;
    await store.close();
  });

  it('of the log keep a clear from being acknowledged, as what was not written may come back', async () => {
    const vfs = new CrashableMemVfs();
    const store = await openSmall(vfs);
    await put(store, 'a', 'b', true);
    fail(vfs, broken, ({ kind }) => kind === 'sync');
    await expect(put(store, 'many/1', 'x', true)).rejects.toMatchObject({ code: 'LOG_FAILED' });
    vfs.onOperation = undefined;
    await expect(store.clear(many)).rejects.toMatchObject({ code: 'LOG_FAILED' });
    await store.close();
  });
});
