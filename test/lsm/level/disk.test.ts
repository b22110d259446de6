import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { levelError } from '../../../lsm/level/errors.ts';
import { DssLevel } from '../../../lsm/level/level.ts';

const root = join(import.meta.dirname, '../../..');
const dist = process.env.DSS_DIST ?? join(root, 'dist');
const isBuilt = existsSync(join(dist, 'lsm/level/level.js'));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dss-disk-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('what cannot be opened', () => {
  it('is told with the reason', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, 'x');
    const db = new DssLevel(file);
    const error = await db.open().catch((error) => error);
    const message = `cannot open ${file}: it is not a directory (ENOTDIR)`;
    expect(error).toMatchObject({ cause: { code: 'LEVEL_IO_ERROR', message } });
    await expect(DssLevel.destroy(file)).rejects.toMatchObject({
      code: 'LEVEL_IO_ERROR',
      message: 'it is not a directory (ENOTDIR)',
    });
  });

  it('is a mistake of the program when it is none of the system', () => {
    const error = Object.assign(new Error('no'), { code: 'ERR_ASSERTION' });
    expect(levelError(error)).toBe(error);
  });
});

/** A disk of its own, which is soon full. */
function mountSmallDisk(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', path], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!isBuilt)('a disk of 12 MB', () => {
  it('refuses when it is full, can be left, and goes on when there is room', async (context) => {
    const disk = mkdtempSync(join(directory, 'small-'));
    if (!mountSmallDisk(disk)) {
      console.warn('DssLevel is NOT tested on a real full disk: a tmpfs cannot be mounted here');
      return context.skip();
    }
    try {
      const { DssLevel: Level } = await import(
        pathToFileURL(join(dist, 'lsm/level/level.js')).href
      );
      writeFileSync(join(disk, 'ballast'), new Uint8Array(8 * 1024 * 1024));
      const db: DssLevel = new Level(join(disk, 'db'), { memtableBytes: 1 << 20, codec: 'none' });
      const full = expect.objectContaining({
        cause: expect.objectContaining({ code: 'DISK_FULL' }),
      });
      const value = 'x'.repeat(1000);
      let count = 0;
      const failure = await (async () => {
        for (; count < 20_000; count++) await db.put(`k${count}`, value);
      })().catch((error) => error);
      expect(failure).toEqual(full);
      await expect(db.clear()).rejects.toEqual(full);
      expect((await db.keys().all()).length).toBe(count);
      await expect(db.compactRange()).rejects.toEqual(full);
      rmSync(join(disk, 'ballast'));
      await expect.poll(() => db.put('more', value).then(() => 'done', String)).toBe('done');
      await expect.poll(() => db.clear().then(() => 'done', String)).toBe('done');
      expect(await db.keys().all()).toEqual([]);
      writeFileSync(join(disk, 'ballast'), new Uint8Array(8 * 1024 * 1024));
      for (count = 0; ; count++) if (await db.put(`k${count}`, value).catch(() => true)) break;
      await db.close();
      expect(existsSync(join(disk, 'db/lock'))).toBe(false);
      await db.open();
      expect((await db.keys().all()).length).toBe(count);
      await db.close();
    } finally {
      execFileSync('umount', ['--lazy', disk]);
    }
  });
});
