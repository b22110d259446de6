import { describe, expect, it } from 'vitest';
import type { Db } from '../../lsm/db.ts';
import { BoundedCursor } from '../../lsm/iterator/bounded-cursor.ts';
import { type Cursor, NO_BYTES } from '../../lsm/iterator/cursor.ts';
import { MergingCursor } from '../../lsm/iterator/merging-cursor.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { openSmall, put, utf8 } from './engine-support.ts';
import {
  contentOf,
  get,
  openSmall as openStore,
  put as putInStore,
} from './store/store-support.ts';

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a store opened with another suffix', () => {
  it('is not touched before it is refused', async () => {
    const vfs = new CrashableMemVfs();
    const store = await openStore(vfs, { level0TablesTrigger: 100 });
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i < 20; i++)
        await putInStore(store, `key-number-${i}-${round % 2}`, `${round}`);
      await store.flush();
    }
    await store.close();

    await expect(openStore(vfs, { seriesSuffixBytes: 4 })).rejects.toMatchObject({
      code: 'STORE_DIFFERS',
    });

    const again = await openStore(vfs, { level0TablesTrigger: 100 });
    for (let i = 0; i < 20; i++) {
      expect(await get(again, `key-number-${i}-0`), `${i}`).toBe('6');
      expect(await get(again, `key-number-${i}-1`), `${i}`).toBe('7');
    }
    expect(again.statistics().filesPerLevel[0]).toBe(8);
    await again.close();
  });
});

describe('writers while a range is being replaced', () => {
  it('go on when it is done', async () => {
    const opened = await openSmall();
    const { db } = opened;
    for (let i = 0; i < 40; i++) put(db, utf8(`a-series-${i}-12345678`), utf8('v'.repeat(20)));
    const replacement = db.replaceRange({ lower: utf8('x'), upper: utf8('y') });
    const done = replacement.commit(() => utf8('1'));
    const writer = (async () => {
      for (let i = 0; i < 2000; i++) {
        const room = db.waitForRoom();
        if (room !== undefined) await room;
        put(db, utf8(`a-series-${i}-12345678`), utf8('v'.repeat(20)));
      }
    })();
    await done;
    await writer;
    expect(db.statistics().flushedBytes).toBeGreaterThan(0);
    await db.close();
  });
});

describe('closing a store on a full disk', () => {
  it('refuses the writes that wait for room', async () => {
    const vfs = new CrashableMemVfs();
    const store = await openStore(vfs, { pause: () => turns(1), logFileBytes: 1 << 20 });
    vfs.onOperation = ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.sst')) {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      }
    };
    const outcomes: string[] = [];
    const writes = [];
    for (let i = 0; store.statistics().stalls === 0; i++) {
      const write = putInStore(store, `key-${i}`, 'v'.repeat(50)).then(
        () => outcomes.push('ok'),
        (error) => outcomes.push(error.code),
      );
      writes.push(write);
      while (outcomes.length <= i && store.statistics().stalls === 0) await turns(1);
    }
    await store.close();
    await Promise.all(writes);
    expect(new Set(outcomes)).toEqual(new Set(['ok', 'DISK_FULL']));
  });
});

describe('a key that its owner uses again while the answer is awaited', () => {
  it('has been copied', async () => {
    const { db } = await openSmall(undefined, { seriesSuffixBytes: 0, blockCacheBytes: 0 });
    for (let i = 0; i < 50; i++)
      put(db, utf8(`key-${`${i}`.padStart(3, '0')}`), utf8(`value ${i}`));
    await db.flush();
    const key = utf8('key-007');
    const answer = db.get(key);
    expect(answer).toBeInstanceOf(Promise);
    key.set(utf8('key-023'));
    expect(new TextDecoder().decode(await answer)).toBe('value 7');
    await db.close();
  });
});

describe('the bounds of a range that their owner uses again', () => {
  it('have been copied when the call returns', async () => {
    const store = await openStore(new CrashableMemVfs());
    for (const key of ['a1', 'b1', 'c1']) await putInStore(store, key, 'value');
    const [lower, upper] = [utf8('a'), utf8('b')];
    const cleared = store.clear({ lower, upper });
    lower.fill(0);
    upper.fill(0xff);
    await cleared;
    expect([...(await contentOf(store)).keys()]).toEqual(['b1', 'c1']);
    await store.close();
  });
});

describe('a lookup that fails at once', () => {
  it('does not hold the version', async () => {
    const opened = await openSmall(undefined, { seriesSuffixBytes: 0 });
    const { db, vfs } = opened;
    for (let i = 0; i < 50; i++) put(db, utf8(`key-${i}`), utf8(`value ${i}`));
    await db.flush();
    const name = (await vfs.list('/db')).find((file) => file.endsWith('.sst')) as string;
    vfs.readsNow = true;
    await db.get(utf8('key-9'));
    vfs.damage(`/db/${name}`, 30, 0xff);
    let failed = 0;
    for (let i = 0; i < 50; i++) {
      try {
        await db.first(utf8(`key-${i}`));
      } catch {
        failed++;
      }
    }
    expect(failed).toBeGreaterThan(0);
    // What nobody holds is removed when it is replaced.
    const replacement = db.replaceRange({ lower: new Uint8Array(0) });
    await replacement.commit(() => utf8('1'));
    expect((await vfs.list('/db')).filter((file) => file.endsWith('.sst'))).toEqual([]);
    await db.close();
  });
});

/** Entries 'a', 'b', …; the move to some of them fails, once. */
class Failing implements Cursor {
  valid = false;
  keyBytes: Uint8Array = NO_BYTES;
  keyStart = 0;
  keyEnd = 1;
  valueBytes: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  seq = 1;
  kind = 1;
  #at = 0;
  readonly #keys: string;
  readonly #fails: (key: string) => Promise<void> | void;

  constructor(keys: string, fails: (key: string) => Promise<void> | void) {
    this.#keys = keys;
    this.#fails = fails;
  }

  seek(): Promise<void> | void {
    this.#at = 0;
    return this.#show();
  }
  seekEnd(): void {}
  next(): Promise<void> | void {
    this.#at++;
    return this.#show();
  }
  #show(): Promise<void> | void {
    const key = this.#keys[this.#at];
    this.valid = false;
    if (key === undefined) return;
    const failed = this.#fails(key);
    const show = () => {
      this.keyBytes = utf8(key);
      this.valid = true;
    };
    if (failed !== undefined) return failed.then(show);
    show();
  }
}

describe('a cursor that met an error', () => {
  const hooks = {
    check: () => {},
    failed: (error: unknown): never => {
      throw error;
    },
  };
  for (const isAsync of [false, true]) {
    it(`does not go on behind it (${isAsync ? 'waiting' : 'at once'})`, async () => {
      const fails = (key: string) => {
        if (key !== 'c') return;
        if (isAsync) return Promise.reject(new Error('damaged'));
        throw new Error('damaged');
      };
      const cursor = new BoundedCursor(
        new MergingCursor([new Failing('abcd', fails)]),
        { lower: NO_BYTES },
        false,
        hooks,
      );
      await cursor.seekFirst();
      const take = async () => (await cursor.take(10, 1000)).map(({ key }) => String(key));
      await expect(take()).rejects.toThrow('damaged');
      await expect(take()).rejects.toThrow('damaged');
      expect(cursor.valid).toBe(false);
    });
  }

  it('waits for all that is under way before it says so', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      let reject: (error: Error) => void = () => {};
      const late = new Promise<void>((_, onReject) => {
        reject = onReject;
      });
      const cursor = new MergingCursor([
        new Failing('a', () => late),
        new Failing('b', () => {
          throw new Error('damaged');
        }),
      ]);
      let settled = false;
      const seek = (async () => cursor.seek(NO_BYTES))().catch((error) => {
        settled = true;
        return error.message;
      });
      await turns(2);
      expect(settled).toBe(false);
      reject(new Error('closed'));
      expect(await seek).toMatch(/damaged|closed/);
      await turns(3);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});

describe('a flush that a full disk refuses', () => {
  it('is tried again by one timer, however many writers came', async () => {
    const waiting: (() => void)[] = [];
    const pause = () => new Promise<void>((resolve) => waiting.push(resolve));
    const { db, vfs } = await openSmall(undefined, { pause });
    vfs.onOperation = ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.sst'))
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    put(db, utf8('key-12345678'), utf8('value'));
    const flushed = db.flush();
    flushed.catch(() => {});
    await turns(20);
    for (let i = 0; i < 20; i++) {
      void (db as Db).waitForRoom();
      await turns(10);
    }
    expect(waiting.length).toBe(1);
    vfs.onOperation = undefined;
    for (const resume of waiting) resume();
    await flushed;
    await db.close();
  });
});
