import { mkdtemp, rm } from 'node:fs/promises';
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
