import { describe, expect, it } from 'vitest';
import { type Haste, isHasty } from '../../lsm/compaction/haste.ts';
import type { CompactInput } from '../../lsm/compaction/job.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { settled } from '../support/settled.ts';
import { openSmall, put, utf8 } from './engine-support.ts';
import { WatchedOffload } from './filtered-db.ts';

/** With four tables in level 0, a merge of them that is held, and room for more. */
async function merging() {
  const vfs = new CrashableMemVfs();
  const offload = new WatchedOffload(vfs);
  const goOn = offload.hold('compact');
  const { db } = await openSmall(vfs, { offload, level0TablesTrigger: 4 });
  const flush = async (tables: number) => {
    for (let i = 0; i < tables; i++) {
      for (const series of ['a', 'z']) put(db, utf8(`${series}-12345678`), utf8('v'));
      await db.flush();
    }
  };
  await flush(4);
  const merges = () => offload.jobs.filter(({ job }) => job === 'compact');
  const haste = (): Haste | undefined =>
    (merges().at(-1) as { readonly input: CompactInput }).input.haste;
  return { db, goOn, flush, merges, haste };
}

describe('a merge', () => {
  it('has time until level 0 fills up', async () => {
    const { db, goOn, flush, haste } = await merging();
    const first = haste() as Haste;
    expect(isHasty(first)).toBe(false);
    await flush(3);
    expect(isHasty(first)).toBe(false);
    await flush(1);
    expect(isHasty(first)).toBe(true);
    goOn();
    await db.compactionsIdle();
    expect(isHasty(first)).toBe(false);
    await db.close();
  });

  it('has none when the engine is closed', async () => {
    const { db, goOn, haste } = await merging();
    put(db, utf8('a-12345678'), utf8('v'));
    const flushed = db.flush().catch(() => {});
    const closed = db.close();
    expect(isHasty(haste() as Haste)).toBe(true);
    await flushed;
    await settled();
    expect(isHasty(haste() as Haste)).toBe(true);
    goOn();
    await closed;
  });

  it('has none when something else waits, or somebody asked for it', async () => {
    const { db, goOn, flush, haste, merges } = await merging();
    const first = haste() as Haste;
    await flush(1);
    const compacted = db.compactFully();
    await settled();
    expect(isHasty(first)).toBe(true);
    goOn();
    await compacted;
    expect(merges()).toHaveLength(2);
    expect(haste()).toBeUndefined();
    await db.close();
  });
});
