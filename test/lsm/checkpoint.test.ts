import { describe, expect, it } from 'vitest';
import { Db } from '../../lsm/db.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import type { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { seeded } from '../support/random.ts';
import { contentOf, hex, keyAt, openSmall, put, seriesKey, utf8 } from './engine-support.ts';

async function filled() {
  const opened = await openSmall();
  const content = new Map<string, string>();
  for (let i = 0; i < 600; i++) {
    const key = keyAt(seriesKey(i % 5, `d${i % 13}`), i % 50);
    put(opened.db, key, utf8(`${i}`));
    content.set(hex(key), `${i}`);
    await opened.db.waitForRoom();
  }
  return { ...opened, content };
}

async function openAt(vfs: CrashableMemVfs, directory: string) {
  const events: string[] = [];
  const db = await Db.open({
    vfs,
    directory,
    offload: new InlineOffload(vfs),
    notePositions: () => utf8('0'),
    seriesSuffixBytes: 8,
    onEvent: ({ kind }) => events.push(kind),
  });
  const snapshot = db.snapshot();
  const content = await contentOf(snapshot);
  snapshot.close();
  return { db, content, events };
}

describe('a checkpoint', () => {
  it('opens as an engine with what there was, and either side goes on alone', async () => {
    const { db, vfs, content } = await filled();
    await db.checkpoint('/copy');
    for (let i = 0; i < 600; i++) {
      put(db, keyAt(seriesKey(i % 5, `d${i % 13}`), i % 50), utf8('later'));
      await db.waitForRoom();
    }
    await db.flush();
    await db.compactFully();
    const copy = await openAt(vfs, '/copy');
    expect(copy.content).toEqual(content);
    put(copy.db, keyAt(seriesKey(1, 'copy'), 1), utf8('only here'));
    await copy.db.flush();
    await copy.db.compactFully();
    await copy.db.close();
    expect(copy.events).not.toContain('corruption');
    const ours = await contentOf(db.snapshot());
    expect(new Set(ours.values())).toEqual(new Set(['later']));
    expect((await openAt(vfs, '/copy')).content.size).toBe(content.size + 1);
  });

  it('is made of links, and of copies where there are none', async () => {
    const { db, vfs, content } = await filled();
    await db.flush();
    const written = async (target: string) => {
      let bytes = 0;
      vfs.onOperation = ({ kind, path }) => {
        if (kind === 'write' && path.endsWith('.sst')) bytes++;
      };
      await db.checkpoint(target);
      vfs.onOperation = undefined;
      return bytes;
    };
    expect(await written('/links')).toBe(0);
    for (const code of ['EXDEV', 'EPERM']) {
      vfs.link = async () => {
        throw Object.assign(new Error('no links here'), { code });
      };
      expect(await written(`/copies-${code}`)).toBeGreaterThan(0);
      expect((await openAt(vfs, `/copies-${code}`)).content).toEqual(content);
    }
  });

  it('is durable when it is made', async () => {
    const { db, vfs, content } = await filled();
    await db.checkpoint('/links');
    vfs.link = async () => {
      throw Object.assign(new Error('no links here'), { code: 'EXDEV' });
    };
    await db.checkpoint('/copies');
    const after = vfs.crashClone({ unsyncedKeepRatio: 0, random: seeded(1) });
    for (const directory of ['/links', '/copies']) {
      const { content: found, events } = await openAt(after, directory);
      expect(found).toEqual(content);
      expect(events).not.toContain('corruption');
    }
  });

  it('is not made over something that is there', async () => {
    const { db, vfs } = await filled();
    await vfs.makeDirectory('/empty');
    await db.checkpoint('/empty');
    const files = await vfs.list('/empty');
    await expect(db.checkpoint('/empty')).rejects.toThrow(/already/);
    await expect(db.checkpoint('/db')).rejects.toThrow(/already/);
    expect(await vfs.list('/empty')).toEqual(files);
  });

  it('leaves nothing and does no harm when it fails, whichever operation it is, and works the next time', async () => {
    const { db, vfs, content } = await filled();
    await db.flush();
    await db.compactionsIdle();
    let failed = true;
    for (let n = 1; failed; n++) {
      failed = false;
      let operations = 0;
      vfs.onOperation = () => {
        if (++operations !== n) return;
        failed = true;
        throw Object.assign(new Error('the disk says no'), { code: 'EIO' });
      };
      const target = `/copy-${n}`;
      const error = await db.checkpoint(target).catch((it: unknown) => it);
      vfs.onOperation = undefined;
      expect(error === undefined).toBe(!failed);
      if (failed && (await vfs.exists(target))) {
        expect(await vfs.list(target)).toEqual([]);
      }
      expect(await contentOf(db.snapshot())).toEqual(content);
      if (!failed) expect(n).toBeGreaterThan(8);
    }
    await db.checkpoint('/copy-1');
    expect((await openAt(vfs, '/copy-1')).content).toEqual(content);
  });
});
