import { describe, expect, it } from 'vitest';
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
  texts,
} from './harness.ts';

async function bytesIn(vfs: CrashableMemVfs): Promise<number> {
  let sum = 0;
  for (const name of await vfs.list(directory)) {
    sum += (await vfs.readFile(`${directory}/${name}`)).length;
  }
  return sum;
}

describe('log', () => {
  it('gives back hard states, configurations and entries of several groups', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2, { logStart: { index: 10, term: 3 } }));
    log.stage(1, { term: 4, vote: 11, commit: 2 }, entries(1, 3, 4));
    log.stage(2, undefined, entries(11, 12, 3));
    await log.commitRound();
    log.stage(1, undefined, entries(4, 4, 4));
    log.setConfiguration(2, bytes('changed'));
    await log.commitRound();
    await log.close();

    const reopened = await openLog(vfs);
    expect(reopened.damage).toEqual([]);
    expect(reopened.replicasLost).toBe(false);
    expect(reopened.recoveredRound).toBe(3);
    expect(reopened.log.syncedRound).toBe(3);
    expect(reopened.groups).toEqual([
      {
        ...newGroup(1),
        hardState: { term: 4, vote: 11, commit: 2 },
        lastIndex: 4,
        terms: [{ firstIndex: 1, term: 4 }],
      },
      {
        ...newGroup(2, { logStart: { index: 10, term: 3 } }),
        configuration: bytes('changed'),
        lastIndex: 12,
        terms: [{ firstIndex: 11, term: 3 }],
      },
    ]);
    expect(await readAll(reopened.log, 1)).toEqual(entries(1, 4, 4));
    expect(await readAll(reopened.log, 2, 11)).toEqual(entries(11, 12, 3));
  });

  it('lets entries replace a tail, in files, in flight and on the stage', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 6, 1));
    const round = commit(log, 1, ...entries(4, 8, 2));
    log.stage(1, undefined, entries(7, 9, 3));
    log.stage(1, undefined, entries(8, 8, 4));
    expect(log.stagedBytes, 'of two entries').toBe(2 * (16 + 3));
    await round;
    expect(await texts(log, 1)).toEqual(['1/1', '1/2', '1/3', '2/4', '2/5', '2/6', '2/7', '2/8']);
    await log.commitRound();
    const expected = ['1/1', '1/2', '1/3', '2/4', '2/5', '2/6', '3/7', '4/8'];
    expect(await texts(log, 1)).toEqual(expected);
    const reopened = await openLog(vfs);
    expect(await texts(reopened.log, 1)).toEqual(expected);
    expect(reopened.groups[0]?.terms).toEqual([
      { firstIndex: 1, term: 1 },
      { firstIndex: 4, term: 2 },
      { firstIndex: 7, term: 3 },
      { firstIndex: 8, term: 4 },
    ]);
  });

  it('makes everything that is staged durable with one write and one sync', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    for (const group of [1, 2, 3]) log.addGroup(newGroup(group));
    const operations: string[] = [];
    vfs.onOperation = ({ kind }) => void operations.push(kind);
    for (let index = 1; index <= 100; index++) {
      for (const group of [1, 2, 3]) log.stage(group, undefined, entries(index, index, 1));
    }
    expect(log.hasStaged).toBe(true);
    expect(log.stagedBytes).toBeGreaterThan(300 * 3);
    const round = log.commitRound();
    expect(log.roundInFlight).toBe(true);
    expect(log.hasStaged).toBe(false);
    await round;
    expect(log.roundInFlight).toBe(false);
    expect(operations).toEqual(['write', 'sync']);
    await log.commitRound();
    expect(operations, 'nothing is staged').toEqual(['write', 'sync']);
  });

  it('serves entries of the round in flight while the disk is slow, and not those on the stage', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 2, 1));
    let release = () => {};
    vfs.onOperation = ({ kind }) =>
      kind === 'write' ? new Promise<void>((resolve) => (release = resolve)) : undefined;
    const round = commit(log, 1, ...entries(3, 4, 1));
    log.stage(1, undefined, entries(5, 5, 1));
    expect(await texts(log, 1)).toEqual(['1/1', '1/2', '1/3', '1/4']);
    expect(log.syncedRound).toBe(2);
    release();
    await round;
    expect(log.syncedRound).toBe(3);
    expect(await texts(log, 1, 2)).toEqual(['1/2', '1/3', '1/4']);
  });

  it('reads up to a number of bytes, but at least one entry', async () => {
    const { log } = await openLog(new CrashableMemVfs());
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 3, 1));
    await commit(log, 1, ...entries(4, 6, 1));
    const read = async (first: number, last: number, bytesMax: number) =>
      (await log.read(1, first, last, bytesMax)).map(({ index }) => index);
    expect(await read(1, 6, 0)).toEqual([1]);
    expect(await read(1, 6, 6)).toEqual([1, 2]);
    expect(await read(1, 6, 12)).toEqual([1, 2, 3, 4]);
    expect(await read(2, 5, 1000)).toEqual([2, 3, 4, 5]);
    expect(await read(5, 99, 1000)).toEqual([5, 6]);
    expect(await read(7, 7, 1000)).toEqual([]);
  });

  it('opens every segment with all state, so that old segments may go', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 8192);
    log.addGroup(newGroup(1, { hardState: { term: 7, vote: 31, commit: 0 } }));
    log.addGroup(newGroup(2));
    await log.commitRound();
    for (let index = 1; index <= 9; index++) await commit(log, 2, ...entries(index, index, 1));
    log.release(2, 9, 1);
    log.stage(2, { term: 2, vote: 0, commit: 9 }, []);
    await log.commitRound();
    const segments = log.statistics().segments;
    expect(segments).toBeGreaterThan(2);
    expect(log.diskBytes).toBe(await bytesIn(vfs));
    expect(await log.collect()).toBe(segments - 1);
    expect(log.statistics().segments).toBe(1);
    expect(log.diskBytes).toBe(await bytesIn(vfs));

    const reopened = await openLog(vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0 }));
    expect(reopened.damage).toEqual([]);
    expect(reopened.groups[0]).toEqual({
      ...newGroup(1, { hardState: { term: 7, vote: 31, commit: 0 } }),
      lastIndex: 0,
      terms: [],
    });
    expect(reopened.groups[1]?.lastIndex).toBe(9);
    expect(reopened.groups[1]?.logStart).toEqual({ index: 9, term: 1 });
  });

  it('keeps a segment while a live entry is in it, and gives released entries to nobody', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    await commit(log, 2, ...entries(1, 1, 1));
    for (let index = 1; index <= 5; index++) await commit(log, 1, ...entries(index, index, 1));
    log.release(1, 4, 1);
    expect(await texts(log, 1)).toEqual([]);
    expect(await texts(log, 1, 4)).toEqual([]);
    expect(await texts(log, 1, 5)).toEqual(['1/5']);
    await log.commitRound();
    expect(await log.collect(), 'group 2 needs entry 1; only what is before it may go').toBe(1);
    log.release(2, 1, 1);
    expect(await log.collect(), 'its log start is not durable yet').toBe(0);
    await log.commitRound();
    expect(await log.collect()).toBeGreaterThan(3);

    const reopened = await openLog(vfs);
    expect(reopened.damage).toEqual([]);
    expect(reopened.groups.map(({ logStart }) => logStart.index)).toEqual([4, 1]);
    expect(await texts(reopened.log, 1, 5)).toEqual(['1/5']);
    await commit(reopened.log, 1, ...entries(6, 6, 1));
    expect(await texts(reopened.log, 1, 5)).toEqual(['1/5', '1/6']);
  });

  it('keeps replaced entries until what replaces them is durable', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 3, 1));
    await log.close();
    const { log: second } = await openLog(vfs, 4096);
    let release = () => {};
    vfs.onOperation = ({ kind }) =>
      kind === 'sync' ? new Promise<void>((resolve) => (release = resolve)) : undefined;
    const round = commit(second, 1, ...entries(1, 3, 2));
    await second.collect();
    const cut = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0 });
    expect(await texts((await openLog(cut)).log, 1)).toEqual(['1/1', '1/2', '1/3']);
    vfs.onOperation = undefined;
    release();
    await round;
    expect(await second.collect()).toBeGreaterThan(0);
    expect(await texts((await openLog(vfs)).log, 1)).toEqual(['2/1', '2/2', '2/3']);
  });

  it('keeps a segment until the opening round of the next is durable', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1, { hardState: { term: 7, vote: 31, commit: 0 } }));
    await log.commitRound();
    let release = () => {};
    vfs.onOperation = ({ kind }) =>
      kind === 'sync' ? new Promise<void>((resolve) => (release = resolve)) : undefined;
    const round = commit(log, 1, ...entries(1, 1, 7));
    await log.collect();
    const cut = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0 });
    expect((await openLog(cut)).groups[0]?.hardState.vote).toBe(31);
    vfs.onOperation = undefined;
    release();
    await round;
    expect(await log.collect()).toBe(1);
  });

  it('removes segments so that a power cut among them does not look like damage', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    for (let index = 1; index <= 5; index++) await commit(log, 1, ...entries(index, index, 1));
    log.release(1, 5, 1);
    await log.commitRound();
    let left = 9;
    vfs.onOperation = () => {
      if (--left === 0) throw new Error('power cut');
    };
    await expect(log.collect()).rejects.toThrow('power cut');
    for (let seed = 0; seed < 30; seed++) {
      const opened = await openLog(vfs.crashClone({ random: seeded(seed) }));
      expect(opened.damage).toEqual([]);
    }
  });

  it('writes over what old segments have left, and takes nothing of it for its own', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 16 * 1024);
    const written: string[] = [];
    vfs.onOperation = ({ kind, path: name }) => {
      if (kind === 'write' && !written.includes(name)) written.push(name);
    };
    log.addGroup(newGroup(1));
    const sizes: number[] = [];
    for (let index = 1; index <= 60; index++) {
      await commit(log, 1, ...entries(index, index, 1));
      log.release(1, index - 3, 1);
      await log.collect();
      sizes.push(log.diskBytes);
      for (const cut of [vfs.processCrashClone(), vfs.crashClone({ random: seeded(index) })]) {
        const opened = await openLog(cut, 16 * 1024);
        expect(opened.damage).toEqual([]);
        expect(opened.groups[0]?.lastIndex).toBe(index);
      }
    }
    expect(log.statistics().segments).toBe(2);
    expect(written.length).toBeGreaterThan(10);
    expect(await bytesIn(vfs)).toBe(log.diskBytes);
    expect(Math.max(...sizes.slice(30))).toBe(Math.max(...sizes.slice(0, 30)));
    const { length } = await vfs.readFile(written.at(-1) ?? '');
    expect(length, 'as long from the beginning').toBe(16 * 1024);

    await openLog(vfs);
    expect((await vfs.list(directory)).filter((name) => !name.endsWith('.log'))).toEqual([]);
  });

  it('writes zeros ahead of small rounds, so that few of them make the file longer', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 1024 * 1024, undefined, 64 * 1024);
    log.addGroup(newGroup(1));
    const sizes = new Set<number>();
    for (let index = 1; index <= 40; index++) {
      await commit(log, 1, ...entries(index, index, 1));
      sizes.add(await bytesIn(vfs));
    }
    const KIB = 1024;
    expect([...sizes]).toEqual([4 * KIB + 64 * KIB, 4 * KIB + 128 * KIB, 4 * KIB + 192 * KIB]);
    expect(log.statistics().bytesWritten, 'with the zeros').toBe((1 + 40 + 48) * 4 * KIB);
    for (const cut of [vfs.processCrashClone(), vfs.crashClone({ random: seeded(1) })]) {
      const opened = await openLog(cut);
      expect(opened.damage).toEqual([]);
      expect(opened.groups[0]?.lastIndex).toBe(40);
    }

    await commit(log, 1, ...entries(41, 41, 1, 'x'.repeat(64 * KIB)));
    expect(await bytesIn(vfs), 'not of a large one').toBe((1 + 40 + 17) * 4 * KIB);
  });

  it('still writes the round where a full disk has no room for zeros', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 1024 * 1024, undefined, 64 * 1024);
    log.addGroup(newGroup(1));
    vfs.bytesMax = 12 * 1024;
    await commit(log, 1, ...entries(1, 1, 1));
    await commit(log, 1, ...entries(2, 2, 1));
    await expectCode(commit(log, 1, ...entries(3, 3, 1)), 'LOG_FAILED');
    vfs.bytesMax = Number.POSITIVE_INFINITY;
    expect((await openLog(vfs)).groups[0]?.lastIndex).toBe(2);
  });

  it('returns fewer entries when they are released, and their file removed, while the disk works', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs, 4096);
    log.addGroup(newGroup(1));
    for (let index = 1; index <= 4; index++) await commit(log, 1, ...entries(index, index, 1));
    let release = () => {};
    vfs.onOperation = ({ kind }) =>
      kind === 'read' ? new Promise<void>((resolve) => (release = resolve)) : undefined;
    const reading = log.read(1, 2, 4, 1000);
    log.release(1, 3, 1);
    await log.commitRound();
    await log.collect();
    vfs.onOperation = undefined;
    release();
    expect(await reading).toEqual([]);
  });

  it('begins a group anew under another replica id or from a snapshot', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    log.addGroup(newGroup(2));
    log.stage(1, undefined, entries(1, 5, 1));
    log.stage(2, undefined, entries(1, 5, 1));
    await log.commitRound();
    log.addGroup(newGroup(1, { replicaId: 99 }));
    log.addGroup(newGroup(2, { logStart: { index: 3, term: 2 } }));
    log.stage(2, undefined, entries(4, 4, 2));
    await log.commitRound();
    const { groups, log: reopened } = await openLog(vfs);
    expect(groups.map(({ replicaId, lastIndex }) => [replicaId, lastIndex])).toEqual([
      [99, 0],
      [21, 4],
    ]);
    expect(await texts(reopened, 2, 4)).toEqual(['2/4']);
    expect(groups[1]?.logStart).toEqual({ index: 3, term: 2 });
  });

  it.each(['write', 'sync'] as const)(
    'never repeats a failed %s: all later calls fail',
    async (kind) => {
      const vfs = new CrashableMemVfs();
      const { log } = await openLog(vfs);
      log.addGroup(newGroup(1));
      await log.commitRound();
      let attempts = 0;
      const cause = new Error('the disk is gone');
      vfs.onOperation = (operation) => {
        if (operation.kind !== kind) return;
        attempts++;
        throw cause;
      };
      log.stage(1, undefined, entries(1, 1, 1));
      await expect(log.commitRound()).rejects.toMatchObject({ code: 'LOG_FAILED', cause });
      vfs.onOperation = undefined;
      await expectCode(log.commitRound(), 'LOG_FAILED');
      await expectCode(readAll(log, 1), 'LOG_FAILED');
      await expectCode(log.collect(), 'LOG_FAILED');
      expect(() => log.stage(1, undefined, entries(1, 1, 1))).toThrow('could not be written');
      expect(() => log.release(1, 0, 0)).toThrow('could not be written');
      expect(attempts).toBe(1);
      expect(log.syncedRound).toBe(2);
      await log.close();
    },
  );

  it('refuses what breaks the order of entries', async () => {
    const { log } = await openLog(new CrashableMemVfs());
    log.addGroup(newGroup(1));
    await commit(log, 1, ...entries(1, 3, 2));
    expect(() => log.stage(1, undefined, entries(5, 5, 2))).toThrow('gap');
    expect(() => log.stage(1, undefined, entries(4, 4, 1))).toThrow('term');
    expect(() => log.stage(9, undefined, entries(1, 1, 1))).toThrow('group 9');
    expect(() => log.release(1, 4, 2)).toThrow('not written');
  });

  it.each([
    { when: 'it was written', isReopened: false },
    { when: 'it was found at open', isReopened: true },
  ])('gives out no record of which a bit has changed since $when', async ({ isReopened }) => {
    const vfs = new CrashableMemVfs();
    let { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await log.commitRound();
    const round = nextRoundOffset(log);
    await commit(log, 1, ...entries(1, 3, 1));
    await commit(log, 1, ...entries(4, 4, 1));
    if (isReopened) {
      await log.close();
      ({ log } = await openLog(vfs));
    }
    const all = await texts(log, 1);
    const length = 16 + bytes('1/1').length;
    const second = round + 64 + 104 + length;
    for (let bit = 0; bit < 8 * length; bit++) {
      const flip = () => vfs.damage(path(1), second + (bit >> 3), 1 << (bit & 7));
      flip();
      await expectCode(readAll(log, 1), 'CORRUPTION');
      await expectCode(log.read(1, 2, 2, 0), 'CORRUPTION');
      expect(await log.read(1, 1, 1, 0), 'its neighbour').toEqual(entries(1, 1, 1));
      expect(await log.read(1, 3, 4, 100), 'and the next ones').toEqual(entries(3, 4, 1));
      flip();
    }
    log.release(1, 1, 1);
    expect(await texts(log, 1, 2)).toEqual(all.slice(1));
  });

  it('finds the last round damaged at the next start, and not torn, once that was read', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    log.addGroup(newGroup(1));
    await log.commitRound();
    const round = nextRoundOffset(log);
    await commit(log, 1, ...entries(1, 1, 1));
    vfs.damage(path(1), round + 64 + 104 + 16, 0x40);
    await expectCode(readAll(log, 1), 'CORRUPTION');
    expect(log.hasStaged).toBe(true);
    await log.commitRound();
    await log.close();
    const { groups, damage } = await openLog(vfs);
    expect(damage).toMatchObject([{ offset: round, groups: [1] }]);
    expect(groups[0]?.suspect).toContain('are missing');
  });

  it('gives out no record of another entry where a write went elsewhere', async () => {
    const vfs = new CrashableMemVfs();
    const { log } = await openLog(vfs);
    for (const group of [1, 2]) log.addGroup(newGroup(group));
    await log.commitRound();
    const written = nextRoundOffset(log);
    await commit(log, 1, ...entries(1, 1, 1, 'a'));
    await commit(log, 2, ...entries(1, 1, 1, 'b'));
    const file = await vfs.open(path(1), 'write');
    const other = (await vfs.readFile(path(1))).subarray(written, written + 4096);
    await file.write(written + 4096, other.slice());
    await expectCode(readAll(log, 2), 'CORRUPTION');
    expect(await texts(log, 1)).toEqual(['1/1a']);
  });
});
