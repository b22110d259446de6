import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { OsVfs } from '../../../lsm/vfs/os.ts';
import { appendAll, bytesOf, directory, dropAll, newDisk, openWal } from './harness.ts';

function countingSyncs(vfs: CrashableMemVfs): { readonly kinds: string[] } {
  const kinds: string[] = [];
  vfs.onOperation = ({ kind }) => {
    kinds.push(kind);
  };
  return { kinds };
}

describe('a write-ahead log', () => {
  it('gives back in order what was appended, over files and lives', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('append' as const),
        parts: fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 4 }),
        sync: fc.boolean(),
      }),
      fc.constantFrom({ kind: 'reopen' as const }, { kind: 'sync' as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const vfs = await newDisk();
        const expected: Buffer[] = [];
        const open = async () => {
          const found: Buffer[] = [];
          const onRecord = (payload: Uint8Array, number: number) => {
            expect(number).toBe(found.length + 1);
            found.push(Buffer.from(payload));
          };
          const { wal } = await openWal(vfs, { fileBytes: 8_192, onRecord });
          expect(found).toEqual(expected);
          expect(wal.recovered).toMatchObject({ damage: [], torn: false });
          expect(wal.lastRecord).toBe(expected.length);
          return wal;
        };
        let wal = await open();
        for (const taken of steps) {
          if (taken.kind === 'append') {
            await wal.append(taken.parts, { sync: taken.sync });
            expected.push(Buffer.concat(taken.parts));
            if (taken.sync) expect(wal.syncedRecord).toBe(wal.lastRecord);
          } else if (taken.kind === 'sync') {
            await wal.sync();
            expect(wal.syncedRecord).toBe(expected.length);
          } else {
            await wal.close();
            wal = await open();
          }
        }
        await wal.close();
        await (await open()).close();
      }),
      { numRuns: 60 },
    );
  });

  it('hands on only what is not in tables, and waits for who takes it', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 4_200 });
    await appendAll(wal, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
    await wal.close();
    const taken: number[] = [];
    let isTaking = false;
    const reopened = await openWal(vfs, {
      after: 3,
      onRecord: async (_, number) => {
        expect(isTaking).toBe(false);
        isTaking = true;
        await undefined;
        isTaking = false;
        taken.push(number);
      },
    });
    expect(taken).toEqual([4, 5, 6, 7]);
    expect(reopened.wal.recovered).toMatchObject({ recordsReplayed: 4, lastRecord: 7 });
  });

  it('writes nothing when it is opened and closed empty', async () => {
    const vfs = await newDisk();
    const { kinds } = countingSyncs(vfs);
    const { wal } = await openWal(vfs, { after: 7 });
    expect(wal.lastRecord).toBe(7);
    await wal.close();
    expect(kinds).toEqual(['list']);
  });

  it('writes a small record at once, and syncs only when asked', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs);
    await appendAll(wal, 'first');
    const { kinds } = countingSyncs(vfs);
    expect(wal.append([bytesOf('a'), bytesOf('b')], { sync: false })).toBeUndefined();
    expect(wal.lastRecord).toBe(2);
    await wal.append([new Uint8Array(100_000)], { sync: false });
    expect(kinds).toEqual(['write', 'write']);
    await wal.append([bytesOf('c')], { sync: true });
    await wal.sync();
    expect(kinds).toEqual(['write', 'write', 'write', 'sync']);
    expect(wal.statistics()).toMatchObject({ syncs: 3, fileCount: 1 });
  });

  it('packs what is not synced, and begins a block after what is', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs);
    await appendAll(wal, 'a', 'b', 'c');
    const size = async () => (await vfs.readFile(`${directory}/0000000001.wal`)).length;
    expect(await size()).toBe(4_096 + 3 * 33);
    await appendAll(wal, 'd!');
    expect(await size()).toBe(8_192);
    await appendAll(wal, 'e');
    expect(await size()).toBe(8_192 + 33);
    expect(wal.statistics().bytesOnDisk).toBe(8_192 + 33);
  });

  it('writes zeros ahead of records that are synced one after the other', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 300_000 });
    const sizes: number[] = [];
    for (let i = 0; i < 74; i++) {
      await wal.append([new Uint8Array(100)], { sync: true });
      sizes.push(wal.statistics().bytesOnDisk);
    }
    expect(sizes.slice(0, 3)).toEqual([8_192, 262_144, 262_144]);
    expect(sizes.slice(62, 65)).toEqual([262_144, 300_000, 300_000]);
    expect(wal.statistics()).toMatchObject({ fileCount: 2, bytesOnDisk: 303_104 + 8_192 });
    expect((await openWal(vfs.crashClone(dropAll))).records.size).toBe(74);
  });

  it('needs no sync of files that are full, until something after them is to be synced', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 8_192 });
    await appendAll(wal, 'first');
    const { kinds } = countingSyncs(vfs);
    for (let i = 0; i < 3; i++) await wal.append([new Uint8Array(3_000)], { sync: false });
    expect(wal.statistics().fileCount).toBe(3);
    expect(kinds).not.toContain('sync');
    await appendAll(wal, 'last!');
    expect((await openWal(vfs.crashClone(dropAll))).wal.recovered).toMatchObject({
      lastRecord: 5,
      torn: false,
    });
  });

  it('removes files of which everything is in tables, oldest first, each durably before the next', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 4_200 });
    await appendAll(wal, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
    const names = async () => (await vfs.list(directory)).map((name) => Number.parseInt(name, 10));
    expect(await names()).toEqual([1, 2, 3]);
    await wal.removeThrough(2);
    expect(await names()).toEqual([1, 2, 3]);
    const operations: string[] = [];
    vfs.onOperation = ({ kind, path }) => {
      operations.push(`${kind} ${path.slice(-5, -4)}`);
    };
    await wal.removeThrough(6);
    expect(operations).toEqual(['remove 1', 'syncDirectory ', 'remove 2']);
    vfs.onOperation = undefined;
    expect(await names()).toEqual([3]);
    await wal.removeThrough(7);
    expect(await names()).toEqual([3]);
    await wal.close();
    expect(await names()).toEqual([]);
  });

  it('keeps what is not in tables when it is closed', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs);
    await appendAll(wal, 'a', 'b');
    await wal.removeThrough(1);
    await wal.close();
    expect([...(await openWal(vfs)).records.values()]).toEqual(['a', 'b']);
  });

  it('is not misled by a log that is kept in a record', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs);
    const long = 'c'.repeat(10_000);
    await appendAll(wal, 'a!', 'b!', long);
    // Its last record says that it is longer than what is kept of it.
    const inside = (await vfs.readFile(`${directory}/0000000001.wal`)).slice(0, 12_388);
    await wal.sync();
    await wal.append([inside], { sync: true });
    await appendAll(wal, 'd!', 'e!');
    // The header of the record that holds the log: what is in it lies bare.
    vfs.damage(`${directory}/0000000001.wal`, 24_576 + 20, 1);
    const { records, wal: reopened } = await openWal(vfs);
    expect([...records]).toEqual([
      [1, 'a!'],
      [2, 'b!'],
      [3, long],
      [5, 'd!'],
      [6, 'e!'],
    ]);
    expect(reopened.recovered.damage).toMatchObject([{ expected: 'record 4', got: 'record 5' }]);
  });

  it('is for one at a time', async () => {
    const { wal } = await openWal(await newDisk());
    const appending = wal.append([], { sync: true });
    expect(() => wal.append([], { sync: false })).toThrow(/one thing at a time/);
    await appending;
    await expect(wal.removeThrough(2)).rejects.toThrow(/no record 2/);
    await wal.close();
    expect(() => wal.append([], { sync: false })).toThrow(/closed/);
  });

  it('lives on the operating system', async () => {
    const place = await mkdtemp(join(tmpdir(), 'dss-wal-'));
    const vfs = new OsVfs();
    const { wal } = await openWal(vfs, { directory: place, fileBytes: 100_000 });
    for (let i = 1; i <= 60; i++) {
      await wal.append([new Uint8Array(3_000).fill(i)], { sync: i % 3 > 0 });
    }
    await wal.append([new Uint8Array(200_000)], { sync: true });
    await wal.close();
    const { wal: reopened, records } = await openWal(vfs, { directory: place });
    expect(reopened.recovered).toMatchObject({ lastRecord: 61, damage: [], torn: false });
    expect(records.get(60)).toBe('\u003c'.repeat(3_000));
    await reopened.removeThrough(61);
    await reopened.close();
    expect(await vfs.list(place)).toEqual([]);
    await rm(place, { recursive: true });
  });
});
