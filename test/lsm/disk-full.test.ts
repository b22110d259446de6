import { describe, expect, it, vi } from 'vitest';
import { DiskRoom, isDiskFull } from '../../lsm/disk-full.ts';
import type { EngineEvent } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import type { CrashableMemVfs, VfsOperation } from '../../lsm/vfs/mem.ts';
import { settled } from '../support/settled.ts';
import { contentOf, hex, keyAt, openSmall, put, seriesKey, utf8 } from './engine-support.ts';

const systemError = (code: string) => Object.assign(new Error(code), { code });
const diskEvents = (events: readonly EngineEvent[]) =>
  events
    .map(({ kind }) => kind)
    .filter((kind) => kind.startsWith('disk') || kind === 'background-error');
const tableFiles = async (vfs: CrashableMemVfs) =>
  (await vfs.list('/db')).filter((name) => name.endsWith('.sst'));

it('a disk is full by its error, and not by what may have been written', () => {
  expect(isDiskFull(systemError('ENOSPC'))).toBe(true);
  expect(isDiskFull(systemError('EDQUOT'))).toBe(true);
  expect(isDiskFull(new LsmError('DISK_FULL', 'no room'))).toBe(true);
  expect(isDiskFull(systemError('EIO'))).toBe(false);
  const cause = systemError('ENOSPC');
  expect(isDiskFull(new LsmError('ENGINE_FAILED', 'a sync failed', { cause }))).toBe(false);
});

it('the disk is said to be full once, and to have room once', () => {
  const kinds: string[] = [];
  const room = new DiskRoom(({ kind }) => kinds.push(kind));
  room.worked();
  room.full(systemError('ENOSPC'));
  room.full(systemError('ENOSPC'));
  expect(room.isFull).toBe(true);
  room.worked();
  room.worked();
  expect(kinds).toEqual(['disk-full', 'disk-has-room']);
});

describe('a compaction on a full disk', () => {
  /** Three tables that overlap: the next flush makes a compaction due. */
  async function almostDue() {
    const opened = await openSmall(undefined, { level0TablesTrigger: 4 });
    const content = new Map<string, string>();
    const flush = async () => {
      for (let i = 0; i < 40; i++) {
        const key = keyAt(seriesKey(1, `d${i % 3}`), i * 100 + content.size);
        put(opened.db, key, utf8(`${i}`));
        content.set(hex(key), `${i}`);
      }
      await opened.db.flush();
    };
    for (let i = 0; i < 3; i++) await flush();
    return { ...opened, content, flush };
  }

  /** Nothing but the table of a flush has room: what a compaction writes, or what comes last of it, fails. */
  const refuse = (vfs: CrashableMemVfs, fails: (operation: VfsOperation, n: number) => boolean) => {
    let n = 0;
    vfs.onOperation = (operation) => {
      if (fails(operation, ++n)) throw systemError('ENOSPC');
    };
  };

  it.each([
    [
      'the first byte of a table',
      ({ kind, path }: VfsOperation) => kind === 'write' && /0[5-9]\.sst|[1-9]\d\.sst/.test(path),
    ],
    [
      'the sync of a table',
      ({ kind, path }: VfsOperation) => kind === 'sync' && /0[5-9]\.sst|[1-9]\d\.sst/.test(path),
    ],
  ])('(%s) is given up, leaves nothing, and is done when there is room', async (_, fails) => {
    const { db, vfs, events, content, flush } = await almostDue();
    refuse(vfs, fails);
    await flush();
    await db.compactionsIdle();
    expect((await tableFiles(vfs)).length).toBe(4);
    expect(db.statistics().filesPerLevel[0]).toBe(4);
    expect(diskEvents(events)).toEqual(['disk-full']);
    // A writer comes: it is tried again, and nothing new is said.
    put(db, keyAt(seriesKey(1, 'd1'), 7), utf8('w'));
    content.set(hex(keyAt(seriesKey(1, 'd1'), 7)), 'w');
    await db.waitForRoom();
    await db.compactionsIdle();
    expect(diskEvents(events)).toEqual(['disk-full']);
    expect(await contentOf(db.snapshot())).toEqual(content);
    vfs.onOperation = undefined;
    // The one who comes next is not enough any more.
    await db.waitForRoom();
    await db.compactionsIdle();
    expect(diskEvents(events)).toEqual(['disk-full']);
    await db.waitForRoom();
    await db.compactionsIdle();
    expect(db.statistics().filesPerLevel[0]).toBe(0);
    expect(diskEvents(events)).toEqual(['disk-full', 'disk-has-room']);
    expect(await contentOf(db.snapshot())).toEqual(content);
    await db.close();
    const again = await openSmall(vfs);
    expect(again.events).toEqual([]);
  });

  it('(the manifest) likewise, and what the job wrote is removed', async () => {
    const { db, vfs, events, content, flush } = await almostDue();
    let manifestWrites = 0;
    refuse(vfs, ({ kind, path }) => {
      return kind === 'write' && path.includes('MANIFEST') && ++manifestWrites > 1;
    });
    await flush();
    await db.compactionsIdle();
    expect(manifestWrites).toBeGreaterThan(1);
    expect((await tableFiles(vfs)).length).toBe(4);
    expect(diskEvents(events)).toEqual(['disk-full']);
    vfs.onOperation = undefined;
    const crashed = await openSmall(vfs.processCrashClone(), { level0TablesTrigger: 100 });
    expect(await contentOf(crashed.db.snapshot())).toEqual(content);
    await db.waitForRoom();
    await db.compactionsIdle();
    expect(db.statistics().filesPerLevel[0]).toBe(0);
    expect(diskEvents(events)).toEqual(['disk-full', 'disk-has-room']);
    expect(await contentOf(db.snapshot())).toEqual(content);
  });

  it('does not keep others from replacing a range', async () => {
    const { db, vfs, flush } = await almostDue();
    let replaced: Promise<void> | undefined;
    vfs.onOperation = ({ kind, path }) => {
      if (kind !== 'write' || !/0[5-9]\.sst|[1-9]\d\.sst/.test(path)) return;
      // It is asked for while the job is under way that fails.
      replaced ??= db.replaceRange({ lower: new Uint8Array(0) }).commit(() => utf8('p'));
      throw systemError('ENOSPC');
    };
    await flush();
    await db.compactionsIdle();
    await replaced;
    expect(await contentOf(db.snapshot())).toEqual(new Map());
    expect(await tableFiles(vfs)).toEqual([]);
  });

  it('any other failure is final', async () => {
    const { db, vfs, events, flush } = await almostDue();
    vfs.onOperation = ({ kind, path }) => {
      if (kind === 'write' && /0[5-9]\.sst|[1-9]\d\.sst/.test(path)) throw systemError('EIO');
    };
    await flush();
    await db.compactionsIdle();
    vfs.onOperation = undefined;
    expect(diskEvents(events)).toEqual(['background-error']);
    await expect(async () => db.waitForRoom()).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });
});

it('a flush on a full disk is tried again by one timer, however many writers came', async () => {
  const waiting: (() => void)[] = [];
  const pause = () => new Promise<void>((resolve) => waiting.push(resolve));
  const { db, vfs, events } = await openSmall(undefined, { pause });
  vfs.onOperation = ({ kind, path }) => {
    if (kind === 'write' && path.endsWith('.sst')) throw systemError('ENOSPC');
  };
  put(db, utf8('key-12345678'), utf8('value'));
  const flushed = db.flush();
  await vi.waitUntil(() => diskEvents(events).length > 0);
  for (let i = 0; i < 20; i++) {
    void db.waitForRoom();
    await settled();
  }
  expect(waiting.length).toBe(1);
  vfs.onOperation = undefined;
  for (const resume of waiting) resume();
  await flushed;
  await db.close();
});
