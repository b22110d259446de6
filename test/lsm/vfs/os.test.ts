import { constants } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Log } from '../../../lsm/log/log.ts';
import { OsVfs } from '../../../lsm/vfs/os.ts';
import { entries, newGroup, readAll } from '../log/harness.ts';
import { conformance } from './conformance.ts';

async function prepare() {
  const directory = await mkdtemp(join(tmpdir(), 'dss-vfs-'));
  const cleanUp = () => rm(directory, { recursive: true });
  return { vfs: new OsVfs(), directory, cleanUp };
}

conformance('OsVfs', prepare);

describe.runIf(process.platform === 'linux')('a file whose writes are durable', () => {
  /** As the kernel has them (open(2)), of the descriptors that this process has for the file. */
  async function flagsOf(path: string): Promise<number[]> {
    const flags: number[] = [];
    for (const descriptor of await readdir('/proc/self/fd')) {
      const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => '');
      if (target !== path) continue;
      const info = await readFile(`/proc/self/fdinfo/${descriptor}`, 'utf8');
      flags.push(Number.parseInt(/^flags:\s*(\d+)$/m.exec(info)?.[1] ?? '', 8));
    }
    return flags;
  }

  it.each(['create', 'write'] as const)('is synced by the system: %s', async (mode) => {
    const { vfs, directory, cleanUp } = await prepare();
    const path = `${directory}/a`;
    if (mode === 'write') await (await vfs.open(path, 'create')).close();
    const plain = await vfs.open(path, mode === 'write' ? 'read' : 'create');
    expect((await flagsOf(path)).map((flags) => flags & constants.O_DSYNC)).toEqual([0]);
    await plain.close();
    if (mode === 'create') await vfs.remove(path);
    const durable = await vfs.open(path, `${mode}-durable`);
    const [flags = 0] = await flagsOf(path);
    expect(flags & constants.O_DSYNC).toBe(constants.O_DSYNC);
    await durable.close();
    await cleanUp();
  });
});

describe('log on the operating system', () => {
  it('holds a log', async () => {
    const { vfs, directory, cleanUp } = await prepare();
    const options = { vfs, directory: `${directory}/a/log`, newLogId: () => new Uint8Array(8) };
    const { log } = await Log.open({ ...options, segmentBytes: 4096 });
    log.addGroup(newGroup(1));
    for (let index = 1; index <= 5; index++) {
      log.stage(1, undefined, entries(index, index, 1));
      await log.commitRound();
    }
    await log.close();
    const reopened = await Log.open(options);
    expect(reopened.damage).toEqual([]);
    expect(await readAll(reopened.log, 1)).toMatchObject(
      entries(1, 5, 1).map(({ index, term }) => ({ index, term })),
    );
    await reopened.log.close();
    await cleanUp();
  });
});
