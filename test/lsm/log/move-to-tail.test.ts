import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { settled } from '../../support/settled.ts';
import {
  commit,
  entries,
  expectCode,
  newGroup,
  openLog,
  path,
  suspects,
  texts,
} from './harness.ts';

/** Entries of a group in several segments, each in a place of its own. */
async function scattered() {
  const vfs = new CrashableMemVfs();
  const { log } = await openLog(vfs, 1);
  log.addGroup(newGroup(1));
  await log.commitRound();
  for (let index = 1; index <= 4; index++) await commit(log, 1, ...entries(index, index, 1));
  log.addGroup(newGroup(2));
  await log.commitRound();
  const all = ['1/1', '1/2', '1/3', '1/4'];
  return { vfs, log, all };
}

/** From now on reads wait, each until it is let go: the first that came, or the last. */
function holdReads(vfs: CrashableMemVfs) {
  const waiting: (() => void)[] = [];
  vfs.onOperation = ({ kind }) =>
    kind === 'read' ? new Promise<void>((resolve) => waiting.push(resolve)) : undefined;
  const free = async () => {
    vfs.onOperation = undefined;
    for (const resolve of waiting) resolve();
    await settled();
  };
  return { waiting, free };
}

describe('entries that are moved to the tail', () => {
  it('hold no old segment, and are there at the next start', async () => {
    const { vfs, log, all } = await scattered();
    const before = log.statistics().segments;
    expect(await log.moveToTail(1)).toBe(true);
    await log.commitRound();
    await log.collect();
    expect(log.statistics().segments).toBeLessThan(before);
    expect(await texts(log, 1)).toEqual(all);
    await log.close();
    const reopened = await openLog(vfs);
    expect(await texts(reopened.log, 1)).toEqual(all);
  });

  it('are all there when they are moved twice at once', async () => {
    const { vfs, log, all } = await scattered();
    const reads = holdReads(vfs);
    const slow = log.moveToTail(1);
    await settled();
    // Its first entry comes off the disk, and then the disk is slow.
    reads.waiting.shift()?.();
    await settled();
    vfs.onOperation = undefined;
    expect(await log.moveToTail(1)).toBe(true);
    await log.commitRound();
    await reads.free();
    await slow;
    await log.commitRound();
    expect(await texts(log, 1)).toEqual(all);
    await commit(log, 1, ...entries(5, 5, 1));
    expect(await texts(log, 1)).toEqual([...all, '1/5']);
  });

  it('are found by who reads them meanwhile', async () => {
    const { vfs, log, all } = await scattered();
    const reads = holdReads(vfs);
    const reading = texts(log, 1);
    await settled();
    vfs.onOperation = undefined;
    await log.moveToTail(1);
    await log.commitRound();
    await reads.free();
    expect(await reading).toEqual(all);
  });

  it('are left where they are if one is not what was written', async () => {
    const { vfs, log } = await scattered();
    // The second entry is in the third segment, behind an opening round of one block.
    const { length } = newGroup(1).configuration;
    vfs.damage(path(3), 64 + 104 + length + 16, 0x02);
    await expectCode(log.moveToTail(1), 'CORRUPTION');
    await log.commitRound();
    await expectCode(texts(log, 1), 'CORRUPTION');
    await log.close();
    expect(suspects(await openLog(vfs))).toEqual([1]);
  });

  it('are not brought back when others have replaced them meanwhile', async () => {
    const { vfs, log } = await scattered();
    const reads = holdReads(vfs);
    const moving = log.moveToTail(1);
    await settled();
    vfs.onOperation = undefined;
    await commit(log, 1, ...entries(3, 4, 2));
    await reads.free();
    await moving;
    await log.commitRound();
    expect(await texts(log, 1)).toEqual(['1/1', '1/2', '2/3', '2/4']);
  });

  it('take along what is appended meanwhile, and what is staged', async () => {
    const { vfs, log, all } = await scattered();
    const reads = holdReads(vfs);
    const moving = log.moveToTail(1);
    await settled();
    vfs.onOperation = undefined;
    await commit(log, 1, ...entries(5, 5, 1));
    log.stage(1, undefined, entries(6, 6, 1));
    await reads.free();
    expect(await moving).toBe(true);
    await log.commitRound();
    await log.collect();
    expect(log.statistics().segments).toBe(1);
    expect(await texts(log, 1)).toEqual([...all, '1/5', '1/6']);
    await log.close();
    expect(await texts((await openLog(vfs)).log, 1)).toEqual([...all, '1/5', '1/6']);
  });

  it('go as far as what is staged does not replace them', async () => {
    const { vfs, log } = await scattered();
    const reads = holdReads(vfs);
    const moving = log.moveToTail(1);
    await settled();
    vfs.onOperation = undefined;
    log.stage(1, undefined, entries(3, 3, 2));
    await reads.free();
    expect(await moving).toBe(true);
    await log.commitRound();
    expect(await texts(log, 1)).toEqual(['1/1', '1/2', '2/3']);
  });

  it.each([1, 3])(
    'end before entry %i, which is damaged, if that is asked for',
    async (damaged) => {
      const { vfs, log, all } = await scattered();
      // The first entry is in the third segment, and its term behind the head of an opening round.
      const { length } = newGroup(1).configuration;
      vfs.damage(path(damaged + 2), 64 + 104 + length, 0xff);
      await expectCode(log.moveToTail(1), 'CORRUPTION');
      expect(await log.moveToTail(1, { cutsAtDamage: true })).toBe(true);
      await log.commitRound();
      await log.collect();
      expect(log.statistics().segments).toBe(1);
      expect(await texts(log, 1)).toEqual(all.slice(0, damaged - 1));
      await log.close();
      const reopened = await openLog(vfs);
      expect(reopened.damage).toEqual([]);
      expect(await texts(reopened.log, 1)).toEqual(all.slice(0, damaged - 1));
    },
  );
});
