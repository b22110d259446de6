import { describe, expect, it } from 'vitest';
import type { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import type { Vfs, VfsFile } from '../../../lsm/vfs/vfs.ts';
import type { Wal } from '../../../lsm/wal/wal.ts';
import { seeded } from '../../support/random.ts';
import { appendAll, bytesOf, directory, dropAll, newDisk, openWal } from './harness.ts';

/** A disk that, when it is full, has taken what there was room for: as real ones do. */
function takingParts(vfs: CrashableMemVfs): Vfs {
  const open: Vfs['open'] = async (path, mode) => takingPartsInto(vfs, await vfs.open(path, mode));
  return new Proxy(vfs, {
    get: (target, name) => {
      if (name === 'open') return open;
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

function takingPartsInto(vfs: CrashableMemVfs, file: VfsFile): VfsFile {
  const put = (position: number, bytes: Uint8Array) => {
    const { bytesMax } = vfs;
    try {
      file.writeSync(position, bytes);
    } catch (error) {
      vfs.bytesMax = Number.POSITIVE_INFINITY;
      file.writeSync(position, bytes.subarray(0, takenBytes));
      vfs.bytesMax = bytesMax;
      throw error;
    }
  };
  return new Proxy(file, {
    get: (target, name) => {
      if (name === 'writeSync') return put;
      if (name === 'write') {
        return async (position: number, bytes: Uint8Array) => put(position, bytes);
      }
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** So much of a write fits: all of a small record, but not the zeros behind it. */
let takenBytes = 0;

async function append(wal: Wal, text: string, sync: boolean): Promise<string> {
  try {
    await wal.append([bytesOf(text)], { sync });
    return 'done';
  } catch (error) {
    return (error as { code?: string }).code ?? `${error}`;
  }
}

describe('a full disk', () => {
  it.each([
    ['a small record', 'x'.repeat(5_000), false],
    ['a synced record that fits, less its zeros', 'x', true],
    ['a synced record', 'x'.repeat(5_000), true],
    ['a large record', 'x'.repeat(100_000), false],
    ['a large synced record', 'x'.repeat(100_000), true],
  ])(
    'refuses %s, of which nothing is there, and takes another when there is room',
    async (_, text, sync) => {
      for (takenBytes of [0, 20, 40, 4_000]) {
        const vfs = await newDisk();
        const { wal } = await openWal(takingParts(vfs));
        await appendAll(wal, 'a!', 'b', 'c!', 'd');
        vfs.bytesMax = wal.statistics().bytesOnDisk;
        expect(await append(wal, text, sync)).toBe('DISK_FULL');
        expect(wal.lastRecord).toBe(4);
        for (let seed = 0; seed < 5; seed++) {
          const { records } = await openWal(vfs.crashClone({ random: seeded(seed) }));
          expect(['a!,b,c!', 'a!,b,c!,d']).toContain([...records.values()].join());
        }
        expect([...(await openWal(vfs.processCrashClone())).records.keys()]).toEqual([1, 2, 3, 4]);
        vfs.bytesMax = Number.POSITIVE_INFINITY;
        expect(await append(wal, 'e', false)).toBe('done');
        expect(await append(wal, 'f', true)).toBe('done');
        const { records, wal: reopened } = await openWal(vfs.crashClone(dropAll));
        expect([...records.values()]).toEqual(['a!', 'b', 'c!', 'd', 'e', 'f']);
        expect(reopened.recovered).toMatchObject({ damage: [], torn: false });
      }
    },
  );

  it('takes a record for which there is room, without zeros ahead of it', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(takingParts(vfs));
    takenBytes = 40;
    await appendAll(wal, 'a!');
    vfs.bytesMax = 16_384;
    expect(await append(wal, 'b', true)).toBe('done');
    expect(await append(wal, 'c', true)).toBe('done');
    expect(await append(wal, 'd', true)).toBe('DISK_FULL');
    expect(wal.statistics().bytesOnDisk).toBe(16_384);
    expect((await openWal(vfs.crashClone(dropAll))).records.size).toBe(3);
  });

  it('refuses a new file, and the first one, and goes on later', async () => {
    const vfs = await newDisk();
    vfs.bytesMax = 100;
    takenBytes = 60;
    const { wal } = await openWal(takingParts(vfs), { fileBytes: 8_192 });
    expect(await append(wal, 'a', true)).toBe('DISK_FULL');
    expect(await vfs.list(directory)).toEqual([]);
    vfs.bytesMax = 8_192 + 2_000;
    expect(await append(wal, 'a', true)).toBe('done');
    expect(await append(wal, 'b', true)).toBe('DISK_FULL');
    expect(await append(wal, 'b', false)).toBe('DISK_FULL');
    vfs.bytesMax = Number.POSITIVE_INFINITY;
    expect(await append(wal, 'b', true)).toBe('done');
    const { records, wal: reopened } = await openWal(vfs.crashClone(dropAll));
    expect([...records.values()]).toEqual(['a', 'b']);
    expect(reopened.recovered.damage).toEqual([]);
  });
});

describe('a disk that fails', () => {
  it('at any operation stops the log for good, and what was promised is there', async () => {
    let worked = false;
    for (let failing = 0; !worked; failing++) {
      const vfs = await newDisk();
      const { wal } = await openWal(vfs, { fileBytes: 8_192 });
      let left = failing;
      let failed = '';
      vfs.onOperation = ({ kind }) => {
        if (left-- !== 0) return;
        failed = kind;
        throw Object.assign(new Error('EIO'), { code: 'EIO' });
      };
      let promised = 0;
      let outcome = 'done';
      for (let number = 1; number <= 12 && outcome === 'done'; number++) {
        const sync = number % 3 === 0;
        outcome = await append(wal, `${number}`.padEnd(1_000), sync);
        if (outcome === 'done' && sync) promised = number;
        if (outcome === 'done' && number === 11) {
          outcome = await wal.removeThrough(6).then(
            () => 'done',
            (error) => error.code,
          );
        }
      }
      worked = failed === '';
      expect(outcome, failed).toBe(worked ? 'done' : 'LOG_FAILED');
      if (!worked) {
        expect(await append(wal, 'more', false)).toBe('LOG_FAILED');
        await expect(wal.sync()).rejects.toMatchObject({ code: 'LOG_FAILED' });
      }
      vfs.onOperation = undefined;
      const { records, wal: reopened } = await openWal(vfs.crashClone(dropAll), {
        after: Math.min(6, wal.lastRecord),
      });
      expect(reopened.recovered.damage).toEqual([]);
      expect(reopened.lastRecord).toBeGreaterThanOrEqual(promised);
      for (const [number, text] of records) expect(text).toBe(`${number}`.padEnd(1_000));
      await wal.close();
    }
  });

  it('while a log is opened fails the opening, and breaks nothing', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 4_200 });
    await appendAll(wal, 'a!', 'b', 'c', 'd!', 'e');
    let worked = false;
    for (let failing = 0; !worked; failing++) {
      let left = failing;
      vfs.onOperation = () => {
        if (left-- === 0) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      };
      worked = await openWal(vfs).then(
        () => true,
        () => false,
      );
    }
    vfs.onOperation = undefined;
    expect((await openWal(vfs)).records.size).toBe(5);
  });
});
