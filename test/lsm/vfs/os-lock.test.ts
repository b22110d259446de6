import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
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
      await writeFile(`${directory}/lock`, await lockOf({ processId: '4194305' }));
      const tries = await Promise.allSettled(
        Array.from({ length: 6 }, () => lockDirectory(directory)),
      );
      const taken = tries.filter(({ status }) => status === 'fulfilled');
      expect(taken).toHaveLength(1);
      const [, ...socketNames] = await readdir(directory);
      expect(socketNames).toHaveLength(1);
      expect(await readFile(`${directory}/lock`, 'utf8')).toMatch(socketNames[0] as string);
      await (taken[0] as PromiseFulfilledResult<() => Promise<void>>).value();
      expect(await readdir(directory)).toEqual([]);
    }
  });

  it('that was made and never written is stale after a while', async () => {
    await writeFile(`${directory}/lock`, '');
    await (await lockDirectory(directory))();
  });

  it('of a process that lives is refused, and one that another process of the same id left is not', async () => {
    await writeFile(`${directory}/lock`, await lockOf({}));
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
      message: `${directory} is in use by process ${process.pid}`,
    });
    await writeFile(`${directory}/lock`, await lockOf({ began: '1' }));
    await (await lockDirectory(directory))();
  });

  it('of before the machine was booted is stale, whatever process it names', async () => {
    await writeFile(`${directory}/lock`, await lockOf({ bootId: 'before', namespace: 'pid:[1]' }));
    await (await lockDirectory(directory))();
    await writeFile(`${directory}/lock`, '\0\0\0\0');
    await (await lockDirectory(directory))();
  });

  it('leaves a folder that was renamed meanwhile, and not the one that came into its place', async () => {
    const [before, after] = [`${directory}/before`, `${directory}/after`];
    await mkdir(before);
    const leave = await lockDirectory(before);
    await rename(before, after);
    await mkdir(before);
    const leaveOther = await lockDirectory(before);
    await leave();
    expect(await readdir(after)).toEqual([]);
    await expect(lockDirectory(before)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' });
    await leaveOther();
    await (await lockDirectory(after))();
  });
});

describe.skipIf(process.platform !== 'linux')('the lock of another container', () => {
  let directory: string;
  beforeEach(async () => {
    // Longer than the name of a socket may be.
    directory = join(await mkdtemp(join(tmpdir(), 'dss-lock-')), 'd'.repeat(120));
    await mkdir(directory);
  });
  afterEach(() => rm(join(directory, '..'), { recursive: true }));

  const elsewhere = { namespace: 'pid:[1]', processId: '4194305' };

  it('is refused while its socket takes connections, and goes when it refuses them', async () => {
    const unlock = await lockDirectory(directory);
    const [, socketName = ''] = await readdir(directory);
    await writeFile(`${directory}/lock`, await lockOf({ ...elsewhere, socketName }));
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
      message: `${directory} is in use by process 4194305 of another container (process namespace pid:[1])`,
    });
    await unlock();

    await leaveSocket(join(directory, '..'), `${directory}/lock.0123456789ab`);
    const left = await lockOf({ ...elsewhere, socketName: 'lock.0123456789ab' });
    await writeFile(`${directory}/lock`, left);
    const leave = await lockDirectory(directory);
    expect(await readdir(directory)).toHaveLength(2);
    await leave();
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ['none could be made', 'none'],
    ['somebody removed it', 'lock.0123456789ab'],
  ])(
    'is not taken over without its socket, because %s; the sentence says what to do',
    async (_, socketName) => {
      const lock = await lockOf({ ...elsewhere, socketName });
      await writeFile(`${directory}/lock`, lock);
      await expect(lockDirectory(directory)).rejects.toMatchObject({
        code: 'DIRECTORY_IN_USE',
        message: expect.stringMatching(
          /another container.*certainly ended, remove .*\/lock by hand$/,
        ),
      });
      expect(await readdir(directory)).toEqual(['lock']);
      expect(await readFile(`${directory}/lock`, 'utf8')).toBe(lock);
    },
  );
});

/** A lock as this process would write it, but for what is given. */
async function lockOf(changes: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dss-lock-'));
  const unlock = await lockDirectory(directory);
  const words = (await readFile(`${directory}/lock`, 'utf8')).split(' ');
  await unlock();
  await rm(directory, { recursive: true });
  const [processId, began, bootId, namespace] = words;
  const fields = { processId, began, bootId, namespace, socketName: 'none', ...changes };
  return Object.values(fields).join(' ');
}

/** A socket as a process leaves it that was killed. */
async function leaveSocket(folder: string, path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${folder}/socket`, resolve));
  await rename(`${folder}/socket`, path);
  await new Promise((resolve) => server.close(resolve));
}
