import { describe, expect, it } from 'vitest';
import { scanLog } from '../../../lsm/log/segment-scan.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { seeded } from '../../support/random.ts';
import {
  bytes,
  commit,
  directory,
  entries,
  expectCode,
  newGroup,
  nextRoundOffset,
  openLog,
  path,
  readAll,
  suspects,
  texts,
} from './harness.ts';

const inHeader = 24;

describe('an undeclared round, which may be in the page cache only', () => {
  it('is durable once the next process has opened the log', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await commit(log, 1, ...entries(1, 5, 1));
    vfs.onOperation = ({ kind }) => {
      if (kind === 'sync') throw new Error('killed before the sync');
    };
    log.addGroup(newGroup(2, { logStart: { index: 50, term: 4 } }));
    log.setConfiguration(1, bytes('new'));
    log.stage(1, { term: 2, vote: 11, commit: 3 }, entries(4, 6, 2));
    await expectCode(log.commitRound(), 'LOG_FAILED');

    const killed = vfs.processCrashClone();
    const opened = await openLog(killed);
    const expected = ['1/1', '1/2', '1/3', '2/4', '2/5', '2/6'];
    expect(await texts(opened.log, 1)).toEqual(expected);
    for (let start = 0; start < 3; start++) {
      const cut = killed.crashClone({ unsyncedKeepRatio: start / 2, random: seeded(start) });
      const again = await openLog(cut);
      expect(again.damage).toEqual([]);
      expect(again.groups).toEqual(opened.groups);
      expect(again.groups).toMatchObject([
        { hardState: { term: 2, vote: 11, commit: 3 }, configuration: bytes('new') },
        { logStart: { index: 50, term: 4 }, lastIndex: 50 },
      ]);
      expect(await texts(again.log, 1)).toEqual(expected);
    }
  });

  it('is not missed where it was said again twice, and one of the files lost it with the power', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 2, 1));
    log.release(1, 2, 1);
    await commit(log, 1, ...entries(3, 3, 1));
    // Only an opening round is left, and no round declares it.
    expect(await log.collect()).toBe(2);
    const killed = vfs.processCrashClone();
    killed.onOperation = ({ kind, path }) => {
      if (kind === 'sync' && path.endsWith('.log')) throw new Error('killed before the sync');
    };
    await expectCode(openLog(killed, 4096), 'LOG_FAILED');
    const again = killed.processCrashClone();
    await openLog(again, 4096);
    let unreadable = 0;
    for (let seed = 0; seed < 10; seed++) {
      const cut = again.crashClone({ random: seeded(seed) });
      const lost = (await scanLog(cut, directory))[1];
      if (lost !== undefined && lost.fileBytes > 0 && lost.rounds.length === 0) unreadable++;
      const opened = await openLog(cut, 4096);
      expect(opened.damage).toEqual([]);
      expect(suspects(opened)).toEqual([]);
      expect((await readAll(opened.log, 1, 3)).map(({ index }) => index)).toEqual([3]);
    }
    expect(unreadable).toBeGreaterThan(0);
  });

  it('is not brought back by an old segment once it was voided', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 2, 1));
    const start = nextRoundOffset(log);
    await commit(log, 1, ...entries(3, 3, 1));
    vfs.damage(path(1), start + inHeader, 1);
    const opened = await openLog(vfs);
    expect(await texts(opened.log, 1)).toEqual(['1/1', '1/2']);
    await commit(opened.log, 1, ...entries(3, 3, 2));
    vfs.damage(path(1), start + inHeader, 1);
    const again = await openLog(vfs);
    expect(again.damage).toEqual([]);
    expect(await texts(again.log, 1)).toEqual(['1/1', '1/2', '2/3']);
  });

  it('survives a crash at any operation of the opening process', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 2, 1));
    await commit(log, 1, ...entries(3, 3, 1));
    const torn = vfs.processCrashClone();
    const garbage = await torn.open(path(9), 'create');
    await garbage.write(0, new Uint8Array(100).fill(7));
    await torn.syncDirectory(directory);
    const random = seeded(1);
    let failures = 0;
    for (let failing = 1; ; failing++) {
      let operations = 0;
      const disk = torn.processCrashClone();
      disk.onOperation = () => {
        if (++operations >= failing) throw new Error('crash');
      };
      const outcome = await openLog(disk, 4096).catch(() => 'crashed');
      if (outcome !== 'crashed') break;
      failures++;
      for (const ratio of [0, 0.5, 0.5, 1]) {
        const opened = await openLog(disk.crashClone({ unsyncedKeepRatio: ratio, random }));
        expect(opened.damage).toEqual([]);
        expect(await texts(opened.log, 1)).toEqual(['1/1', '1/2', '1/3']);
      }
    }
    expect(failures).toBeGreaterThan(8);
  });
});
