import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from '../../../lsm/vfs/os-lock.ts';

describe('the lock of a directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dss-lock-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is given to one at a time, and again when it is given back', async () => {
    const unlock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' });
    await unlock();
    await (await lockDirectory(directory))();
    expect(await readdir(directory)).toEqual([]);
  });

  it('left behind by a process that is gone goes to exactly one of many that start at once', async () => {
    for (let round = 0; round < 20; round++) {
      await writeFile(`${directory}/lock`, '4194305 1');
      const tries = await Promise.allSettled(
        Array.from({ length: 6 }, () => lockDirectory(directory)),
      );
      const taken = tries.filter(({ status }) => status === 'fulfilled');
      expect(taken).toHaveLength(1);
      expect(await readdir(directory)).toEqual(['lock']);
    }
  });

  it('that was made and never written is stale after a while', async () => {
    await writeFile(`${directory}/lock`, '');
    await (await lockDirectory(directory))();
  });
});
