import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
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
  suspects,
  texts,
} from './harness.ts';

/** A place within a round: its header, its first directory entry, or its first records. */
const inHeader = 24;
const inDirectory = 64 + 40;
const recordsOf = (count: number) => 64 + 104 * count + 16;

describe('a torn tail', () => {
  it('is cut wherever the last round breaks off', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 2, 1));
    const start = nextRoundOffset(log);
    await commit(log, 1, ...entries(3, 4, 1, 'x'.repeat(3000)));
    const end = nextRoundOffset(log);
    for (let length = start; length < end; length += length < start + 256 ? 1 : 97) {
      const torn = vfs.crashClone({ random: () => 0 });
      const file = await torn.open(path(1), 'write');
      await file.truncate(length);
      await file.sync();
      const opened = await openLog(torn);
      expect(opened.damage).toEqual([]);
      expect(suspects(opened)).toEqual([]);
      expect(await texts(opened.log, 1), `cut at ${length}`).toEqual(['1/1', '1/2']);
      // What is written after the cut must not be joined with what was cut.
      await commit(opened.log, 1, ...entries(3, 3, 2));
      const again = await openLog(torn);
      expect(again.damage).toEqual([]);
      expect(await texts(again.log, 1)).toEqual(['1/1', '1/2', '2/3']);
    }
  });

  it('is cut whole when only the records of one of its groups are bad', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await log.commitRound();
    const start = nextRoundOffset(log);
    log.stage(1, { term: 5, vote: 0, commit: 0 }, entries(1, 1, 1));
    log.stage(2, undefined, entries(1, 1, 1));
    await log.commitRound();
    vfs.damage(path(1), start + recordsOf(2), 1);
    const opened = await openLog(vfs);
    expect(opened.damage).toEqual([]);
    expect(opened.recoveredRound).toBe(2);
    expect(opened.groups.map(({ lastIndex, hardState }) => [lastIndex, hardState.term])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('takes a segment along that was torn when it was begun', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 1, 1));
    await commit(log, 1, ...entries(2, 2, 1));
    const last = log.statistics().segments;
    for (const offset of [inHeader, inDirectory, recordsOf(1) + newGroup(1).configuration.length]) {
      const torn = vfs.processCrashClone();
      torn.damage(path(last), offset, 4);
      const opened = await openLog(torn);
      expect(opened.damage).toEqual([]);
      expect(await texts(opened.log, 1)).toEqual(['1/1']);
      expect(await torn.list(directory)).toHaveLength(last);
    }
  });

  it('does not reach over a round that the torn one declares synced', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await log.commitRound();
    const start = nextRoundOffset(log);
    await commit(log, 1, ...entries(1, 1, 1));
    const tail = nextRoundOffset(log);
    await commit(log, 2, ...entries(1, 1, 1));
    vfs.damage(path(1), tail + recordsOf(1), 1);
    for (const [place, expected] of [
      [recordsOf(1), [1]],
      [inHeader, [1, 2]],
    ] as const) {
      const damaged = vfs.processCrashClone();
      damaged.damage(path(1), start + place, 1);
      const opened = await openLog(damaged);
      expect(suspects(opened)).toEqual(expected);
      expect(opened.damage).toMatchObject([{ offset: start, groups: expected }]);
      expect(opened.groups[1]?.lastIndex).toBe(0);
    }
  });

  it('leaves a log that never was when the first round of all is torn', async () => {
    const vfs = new CrashableMemVfs();
    await openLog(vfs);
    vfs.damage(path(1), inHeader, 1);
    const opened = await openLog(vfs);
    expect(opened).toMatchObject({ groups: [], damage: [], replicasLost: false });
  });
});

describe('damage', () => {
  it('of records makes only their group suspect', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await log.commitRound();
    const start = nextRoundOffset(log);
    log.stage(1, undefined, entries(1, 2, 1));
    log.stage(2, undefined, entries(1, 2, 1));
    await log.commitRound();
    log.stage(1, undefined, entries(3, 3, 1));
    log.stage(2, undefined, entries(3, 3, 1));
    await log.commitRound();
    vfs.damage(path(1), start + recordsOf(2), 1);
    const opened = await openLog(vfs);
    expect(suspects(opened)).toEqual([1]);
    expect(opened.damage).toMatchObject([{ file: '0000000001.log', offset: start, groups: [1] }]);
    expect(await texts(opened.log, 2)).toEqual(['1/1', '1/2', '1/3']);
  });

  it('of a directory makes those suspect that no later one names', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    for (const group of [1, 2, 3]) log.addGroup(newGroup(group));
    await log.commitRound();
    const start = nextRoundOffset(log);
    log.stage(1, { term: 2, vote: 11, commit: 0 }, []);
    await log.commitRound();
    log.stage(1, { term: 3, vote: 0, commit: 0 }, []);
    log.stage(2, undefined, entries(1, 1, 1));
    await log.commitRound();
    for (const place of [inHeader, inDirectory]) {
      const damaged = vfs.processCrashClone();
      damaged.damage(path(1), start + place, 1);
      const opened = await openLog(damaged);
      expect(suspects(opened)).toEqual([3]);
      expect(opened.damage).toMatchObject([{ offset: start, groups: [3] }]);
      expect(opened.groups[0]?.hardState).toEqual({ term: 3, vote: 0, commit: 0 });
      expect(await texts(opened.log, 2)).toEqual(['1/1']);
    }
  });

  it('is seen when a lost round replaced entries and a later one goes on behind them', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 7, 2));
    const start = nextRoundOffset(log);
    await commit(log, 1, ...entries(5, 7, 3));
    await commit(log, 1, ...entries(8, 8, 3));
    vfs.damage(path(1), start + inHeader, 1);
    const opened = await openLog(vfs);
    expect(suspects(opened)).toEqual([1]);
    expect(opened.damage).toMatchObject([{ offset: start, groups: [1] }]);
  });

  it('heals when the missing entries are replaced from a place that agrees, or released', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    log.stage(1, undefined, entries(1, 4, 1));
    log.stage(2, undefined, entries(1, 4, 1));
    await log.commitRound();
    const start = nextRoundOffset(log);
    log.stage(1, undefined, entries(5, 7, 1));
    log.stage(2, undefined, entries(5, 7, 1));
    await log.commitRound();
    log.release(2, 7, 1);
    await commit(log, 1, ...entries(5, 5, 2));
    vfs.damage(path(1), start + inHeader, 1);
    const opened = await openLog(vfs);
    expect(suspects(opened)).toEqual([]);
    expect(opened.damage).toMatchObject([{ offset: start, groups: [] }]);
    expect(await texts(opened.log, 1)).toEqual(['1/1', '1/2', '1/3', '1/4', '2/5']);
    expect(opened.groups[1]).toMatchObject({ lastIndex: 7, logStart: { index: 7, term: 1 } });
  });

  it('of a configuration that came with a lost round is seen', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await log.commitRound();
    const start = nextRoundOffset(log);
    log.setConfiguration(1, bytes('new'));
    await commit(log, 1);
    log.stage(1, { term: 1, vote: 0, commit: 0 }, []);
    await log.commitRound();
    vfs.damage(path(1), start + inHeader, 1);
    expect(suspects(await openLog(vfs))).toEqual([1]);
  });

  it('is seen when a lost round began the group anew under another replica id', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 7, 1));
    const start = nextRoundOffset(log);
    log.addGroup(newGroup(1, { replicaId: 99 }));
    await commit(log, 1, ...entries(1, 5, 1));
    await commit(log, 1, ...entries(6, 6, 1));
    vfs.damage(path(1), start + inHeader, 1);
    expect(suspects(await openLog(vfs))).toEqual([1]);
  });

  it('stays known at later starts, when the damaged file is gone, until the group begins anew', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await log.commitRound();
    await commit(log, 1, ...entries(1, 3, 1));
    await commit(log, 1, ...entries(4, 4, 1));
    vfs.damage(path(3), inHeader, 1);
    const second = await openLog(vfs, 4096);
    expect(suspects(second)).toEqual([1]);
    second.log.stage(2, { term: 1, vote: 0, commit: 0 }, []);
    await second.log.commitRound();
    expect(await second.log.collect()).toBeGreaterThan(2);
    const third = await openLog(vfs, 4096);
    expect(third.damage).toEqual([]);
    expect(suspects(third)).toEqual([1]);
    third.log.addGroup(newGroup(1, { replicaId: 77 }));
    await third.log.commitRound();
    expect(suspects(await openLog(vfs))).toEqual([]);
  });

  it('of a whole segment is seen by what does not continue', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await log.commitRound();
    for (let index = 1; index <= 4; index++) await commit(log, 1, ...entries(index, index, 1));
    for (const missing of [[3], [3, 4], [1, 2, 3]]) {
      const damaged = vfs.processCrashClone();
      for (const segment of missing) await damaged.remove(path(segment));
      const opened = await openLog(damaged);
      expect(suspects(opened), `without ${missing}`).toEqual([1]);
      expect(opened.damage).toHaveLength(1);
    }
  });

  it('of everything is said, and said again at every start', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await log.commitRound();
    vfs.damage(path(1), inHeader, 1);
    vfs.damage(path(1), 4096 + inHeader, 1);
    const opened = await openLog(vfs);
    expect(opened).toMatchObject({ groups: [], replicasLost: true });
    expect(opened.damage).toHaveLength(1);
    expect(await openLog(vfs)).toMatchObject({
      replicasLost: true,
      damage: [{ file: '0000000001.log', offset: 0, groups: [] }],
    });
  });

  it('of the only round that named a replica is said, and said again at every start', async () => {
    const added = [newGroup(3), newGroup(1, { replicaId: 99 })];
    for (const state of added) {
      const vfs = new CrashableMemVfs();
      const { log } = await openLog(vfs);
      for (const group of [1, 2]) log.addGroup(newGroup(group));
      await log.commitRound();
      const start = nextRoundOffset(log);
      log.addGroup(state);
      await log.commitRound();
      await commit(log, 2, ...entries(1, 1, 1));
      expect((await openLog(vfs.processCrashClone())).replicasLost).toBe(false);
      const named = vfs.processCrashClone();
      await openLog(named);
      vfs.damage(path(1), start + inHeader, 1);
      for (let opening = 0; opening < 3; opening++) {
        expect((await openLog(vfs)).replicasLost, `${state.group}`).toBe(true);
      }
      named.damage(path(1), start + inHeader, 1);
      expect((await openLog(named)).replicasLost, 'the next segment names it').toBe(false);
    }
  });

  it('of the only round that named a replica is seen by a torn tail that was never synced', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await log.commitRound();
    const start = nextRoundOffset(log);
    log.addGroup(newGroup(2));
    await log.commitRound();
    const tail = nextRoundOffset(log);
    log.addGroup(newGroup(3));
    await commit(log, 3, ...entries(1, 1, 1));
    vfs.damage(path(1), tail + recordsOf(1) + newGroup(3).configuration.length, 1);
    expect(await openLog(vfs.processCrashClone())).toMatchObject({
      groups: [{ group: 1 }, { group: 2 }],
      replicasLost: false,
    });
    vfs.damage(path(1), start + inHeader, 1);
    expect((await openLog(vfs)).replicasLost).toBe(true);
  });

  it('is not taken for a newer format, which is refused', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await log.commitRound();
    const { crc32c } = await import('../../../lsm/hash/crc32c.ts');
    const file = await vfs.open(path(1), 'write');
    const round = await file.read(4096, 4096);
    round[12] = 2;
    const view = new DataView(round.buffer);
    await file.write(4096, round);
    expect(suspects(await openLog(vfs.processCrashClone()))).toEqual([]);
    view.setUint32(8, crc32c(round, 12, 64 + view.getUint32(52, true)), true);
    await file.write(4096, round);
    await expectCode(openLog(vfs), 'FORMAT_TOO_NEW');
  });

  it('does not come from a copy of a segment under another name', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 8192);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 1, 1));
    await commit(log, 1, ...entries(2, 2, 1));
    const copy = await vfs.open(path(9), 'create');
    await copy.write(0, await vfs.readFile(path(1)));
    const opened = await openLog(vfs);
    expect(opened.damage).toEqual([]);
    expect(await texts(opened.log, 1)).toEqual(['1/1', '1/2']);
  });

  it('of an opening round voids no synced round before it', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 8192);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await commit(log, 1, ...entries(1, 1, 1));
    log.stage(2, undefined, entries(1, 1, 1));
    await commit(log, 1, ...entries(2, 2, 1));
    await commit(log, 1, ...entries(3, 3, 1));
    vfs.damage(path(2), inHeader, 1);
    const opened = await openLog(vfs);
    expect(opened.damage).toMatchObject([{ file: '0000000002.log', offset: 0, groups: [1, 2] }]);
    expect(opened.damage[0]?.reason).toBe('the opening round cannot be read');
    expect(await texts(opened.log, 1)).toEqual(['1/1']);
  });

  it('of the opening round that said a round again is not covered up by that round', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await commit(log, 1, ...entries(1, 1, 1));
    const second = await openLog(vfs);
    expect(second.log.syncedRound).toBe(log.syncedRound);
    await commit(second.log, 1, ...entries(2, 2, 1));
    vfs.damage(path(2), inHeader, 1);
    const opened = await openLog(vfs);
    expect(opened.damage).toMatchObject([{ file: '0000000002.log', offset: 0, groups: [2] }]);
    expect(suspects(opened), 'group 2 is named by the round that was said again only').toEqual([2]);
    expect(await texts(opened.log, 1)).toEqual(['1/1', '1/2']);
  });

  it('does not come from stale blocks after the end, of this log or another', async () => {
    const write = async (count: number, term: number, logId: Uint8Array) => {
      const vfs = new CrashableMemVfs();
      const { log } = await openLog(vfs, undefined, logId);
      log.addGroup(newGroup(1));
      for (let at = 1; at <= count; at++) await commit(log, 1, ...entries(at, at, term));
      return vfs;
    };
    const ours = await write(3, 1, new Uint8Array(8));
    const size = (await ours.readFile(path(1))).length;
    const longer = await (await write(4, 2, new Uint8Array(8).fill(9))).readFile(path(1));
    const own = await ours.readFile(path(1));
    for (const stale of [own.subarray(4096, 8192), longer.subarray(size, size + 4096)]) {
      const vfs = ours.processCrashClone();
      await (await vfs.open(path(1), 'write')).write(size, stale);
      const opened = await openLog(vfs);
      expect(opened.damage).toEqual([]);
      expect(suspects(opened)).toEqual([]);
      expect(await texts(opened.log, 1)).toEqual(['1/1', '1/2', '1/3']);
    }
  });

  it('does not come from stale blocks of another segment', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 8192);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 1, 1));
    await commit(log, 1, ...entries(2, 2, 1));
    const stale = await (await vfs.open(path(1), 'read')).read(4096, 4096);
    const file = await vfs.open(path(2), 'write');
    await file.write(await file.size(), stale);
    const opened = await openLog(vfs);
    expect(opened.damage).toEqual([]);
    expect(await texts(opened.log, 1)).toEqual(['1/1', '1/2']);
  });
});
