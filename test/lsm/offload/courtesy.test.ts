import { beforeEach, describe, expect, it } from 'vitest';
import { newHaste, setHaste } from '../../../lsm/compaction/haste.ts';
import { deferred } from '../../../lsm/deferred.ts';
import { Courtesy } from '../../../lsm/offload/courtesy.ts';

describe('the thread of the jobs', () => {
  let nowMs = 0;
  let restedMs: number[] = [];
  let courtesy: Courtesy;
  beforeEach(() => {
    nowMs = 1_000;
    restedMs = [];
    courtesy = new Courtesy({
      nowMs: () => nowMs,
      pause: async (milliseconds) => {
        restedMs.push(milliseconds);
        nowMs += milliseconds;
      },
    });
  });

  it('rests with a merge longer than it worked, while nobody waits for it', async () => {
    const haste = newHaste();
    const pace = courtesy.pace(haste);
    nowMs += 7;
    await pace();
    nowMs += 20;
    await pace();
    expect(restedMs).toEqual([21, 60]);
    setHaste(haste, true);
    nowMs += 20;
    await pace();
    expect(restedMs).toHaveLength(2);
    setHaste(haste, false);
    nowMs += 10_000;
    await pace();
    expect(restedMs).toEqual([21, 60, 1_000]);
  });

  it('does not rest with what is always waited for', async () => {
    const pace = courtesy.pace();
    nowMs += 20;
    await pace();
    expect(restedMs).toEqual([]);
  });

  it('stands still with everything else while there is a flush, whatever comes of it', async () => {
    const [first, second] = [deferred(), deferred()];
    const flushes = [first, second].map(({ promise }) => courtesy.whileFlushing(promise));
    let hasGoneOn = false;
    const going = courtesy
      .pace()()
      .then(() => {
        hasGoneOn = true;
      });
    first.resolve();
    await flushes[0];
    expect(hasGoneOn).toBe(false);
    second.reject(new Error('the disk is full'));
    await expect(flushes[1]).rejects.toThrow('the disk is full');
    await going;
    expect(hasGoneOn).toBe(true);
  });
});
