import { describe, expect, it } from 'vitest';
import type { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import type { Wal } from '../../../lsm/wal/wal.ts';
import { SeededRandom, seeded } from '../../support/random.ts';
import { appendAll, bytesOf, directory, dropAll, newDisk, openWal } from './harness.ts';

/** What somebody who uses a log knows of it. */
interface Life {
  /** By number; from `firstRecord` on those that the log must have if they are synced. */
  readonly history: Map<number, string>;
  last: number;
  synced: number;
  /** In tables: what a store says after it flushed. */
  flushed: number;
}

/** Records go missing at the end only, and none of those that were promised. */
async function reopen(vfs: CrashableMemVfs, life: Life, promised: number) {
  const numbers: number[] = [];
  const opened = await openWal(vfs, { after: life.flushed, fileBytes: 6_000 });
  for (const [number, text] of opened.records) {
    numbers.push(number);
    expect(text, `record ${number}`).toBe(life.history.get(number));
  }
  const { lastRecord, damage } = opened.wal.recovered;
  expect(damage).toEqual([]);
  expect(numbers).toEqual(numbers.map((_, at) => life.flushed + 1 + at));
  expect(lastRecord).toBe(life.flushed + numbers.length);
  expect(lastRecord).toBeGreaterThanOrEqual(promised);
  expect(lastRecord).toBeLessThanOrEqual(Math.max(life.last, life.flushed));
  return opened;
}

describe('a write-ahead log after a crash', () => {
  it('has everything that was synced, in order, and nothing that was cut comes back', async () => {
    for (let seed = 0; seed < 40; seed++) await crashAgainAndAgain(seed);
  });

  async function crashAgainAndAgain(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    let vfs = await newDisk();
    const life: Life = { history: new Map(), last: 0, synced: 0, flushed: 0 };
    for (let lives = 0; lives < 8; lives++) {
      const promised = Math.max(life.synced, life.flushed);
      const { wal } = await reopen(vfs, life, promised);
      life.last = wal.lastRecord;
      const clones: { vfs: CrashableMemVfs; life: Life }[] = [];
      vfs.onOperation = () => {
        if (!random.chance(0.2)) return;
        clones.push({ vfs: crash(vfs, random), life: { ...life, history: new Map(life.history) } });
      };
      await liveFor(random.below(14), wal, life, random, `${seed}/${lives}`);
      vfs.onOperation = undefined;
      for (const clone of clones) {
        await reopen(clone.vfs, clone.life, Math.max(clone.life.synced, clone.life.flushed));
      }
      vfs = crash(vfs, random);
    }
  }

  /** The model is ahead of the log by the record that is being written. */
  async function liveFor(
    steps: number,
    wal: Wal,
    life: Life,
    random: SeededRandom,
    name: string,
  ): Promise<void> {
    for (let step = 0; step < steps; step++) {
      const what = random.below(10);
      if (what === 0) {
        await wal.sync();
        life.synced = wal.lastRecord;
      } else if (what === 1) {
        life.flushed = life.flushed + random.below(wal.lastRecord - life.flushed + 1);
        await wal.removeThrough(life.flushed);
      } else if (what === 2 && random.chance(0.3)) {
        life.flushed = wal.lastRecord;
        await wal.removeThrough(life.flushed);
        await wal.close();
        return;
      } else {
        const sync = random.chance(0.3);
        const text = `${name}/${step}${'-'.repeat(random.below(3) * 700)}`;
        life.last = wal.lastRecord + 1;
        life.history.set(life.last, text);
        await wal.append([bytesOf(text)], { sync });
        if (sync) life.synced = wal.lastRecord;
      }
    }
  }

  function crash(vfs: CrashableMemVfs, random: SeededRandom): CrashableMemVfs {
    const killed = random.chance(0.4) ? vfs.processCrashClone() : undefined;
    const unsyncedKeepRatio = random.pick([0, 0.5, 0.9]);
    return killed ?? vfs.crashClone({ unsyncedKeepRatio, random: seeded(random.below(1e9)) });
  }

  it('survives that a file which was removed is there again', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 4_200 });
    await appendAll(wal, 'a', 'b', 'c', 'd!');
    await wal.removeThrough(4);
    const clone = vfs.crashClone(dropAll);
    expect(await clone.list(directory)).toEqual(['0000000001.wal', '0000000002.wal']);
    const { wal: again, records } = await openWal(clone, { after: 4 });
    expect(records.size).toBe(0);
    expect(again.recovered).toMatchObject({ lastRecord: 4, damage: [], torn: false });
    await appendAll(again, 'e!');
    expect([...(await openWal(clone.crashClone(dropAll), { after: 4 })).records]).toEqual([
      [5, 'e!'],
    ]);
  });

  it('does not bring back a cut tail when tables have as many records as it had', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs);
    await appendAll(wal, 'a!', 'b', 'c', 'd', 'e');
    const [first] = await vfs.list(directory);
    vfs.damage(`${directory}/${first}`, 8_192 + 32, 1);
    const { wal: second, records } = await openWal(vfs);
    expect([...records.values()]).toEqual(['a!']);
    expect(second.recovered).toMatchObject({ torn: true, damage: [], lastRecord: 1 });
    await appendAll(second, 'B', 'C');
    // The tables have three records; of the new file only what was synced is left.
    const { wal: third, records: left } = await openWal(vfs.crashClone(dropAll), { after: 3 });
    expect([...left]).toEqual([]);
    expect(third.lastRecord).toBe(3);
  });

  it('does not bring it back either when the files are removed', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const vfs = await newDisk();
      const { wal } = await openWal(vfs);
      await appendAll(wal, 'a!', 'b', 'c', 'd', 'e', 'f', 'g');
      const [first] = await vfs.list(directory);
      vfs.damage(`${directory}/${first}`, 8_192 + 32, 1);
      const { wal: second } = await openWal(vfs, { fileBytes: 4_200 });
      await appendAll(second, 'B', 'C', 'D', 'E');
      await second.removeThrough(5);
      await second.close();
      const clone = vfs.crashClone({ random: seeded(seed) });
      expect([...(await openWal(clone, { after: 5 })).records]).toEqual([]);
      const { wal: third } = await openWal(vfs, { after: 5 });
      await appendAll(third, 'F');
      const again = vfs.crashClone({ random: seeded(seed) });
      expect(['', 'F']).toContain(
        [...(await openWal(again, { after: 5 })).records.values()].join(),
      );
    }
  });
});
