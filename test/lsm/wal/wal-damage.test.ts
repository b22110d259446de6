import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { encodeFileHeader } from '../../../lsm/wal/format.ts';
import { appendAll, directory, newDisk, openWal } from './harness.ts';

const walFile = (number: number) => `${directory}/${`${number}`.padStart(10, '0')}.wal`;

async function diskWith(files: Record<number, Uint8Array>): Promise<CrashableMemVfs> {
  const vfs = await newDisk();
  for (const [number, bytes] of Object.entries(files)) {
    const file = await vfs.open(walFile(Number(number)), 'create');
    await file.write(0, bytes);
    await file.close();
  }
  return vfs;
}

describe('damage', () => {
  it('of any byte costs at most the record it is in, which is told, or the tail', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 9_000 });
    const texts = ['one', 'two!', 'three', 'four', 'five', 'six!', 'seven', 'eight'];
    await appendAll(wal, ...texts);
    const sizes = await Promise.all(
      [1, 2].map(async (n) => (await vfs.readFile(walFile(n))).length),
    );
    expect(wal.statistics().fileCount).toBe(2);
    const declared = 6;
    let told = 0;
    let cut = 0;
    for (const [at, size] of sizes.entries()) {
      for (let offset = 0; offset < size; offset++) {
        // Of the zeros some are enough.
        if (offset % 397 > 0 && offset % 4_096 > 220) continue;
        vfs.damage(walFile(at + 1), offset, 1 << (offset % 8));
        const { wal: opened, records } = await openWal(vfs);
        vfs.damage(walFile(at + 1), offset, 1 << (offset % 8));
        const { damage, torn, lastRecord } = opened.recovered;
        for (const [number, text] of records) expect(text).toBe(texts[number - 1]);
        const missing = texts.map((_, at) => at + 1).filter((number) => !records.has(number));
        if (torn) {
          cut++;
          expect(missing[0]).toBeGreaterThan(declared);
          expect(lastRecord).toBe((missing[0] as number) - 1);
          expect(damage).toEqual([]);
        } else {
          expect(missing.filter((number) => number > declared && number < 8)).toEqual([]);
          const lost = missing.filter((number) => number <= declared);
          expect(lost.length).toBeLessThanOrEqual(1);
          expect(damage).toHaveLength(lost.length);
          if (lost.length > 0) expect(damage[0]?.expected).toBe(`record ${lost[0]}`);
          told += damage.length;
        }
      }
    }
    expect(told).toBeGreaterThan(6 * 32);
    expect(cut).toBeGreaterThan(32);
  });

  it('that took a whole file in the middle is told, and what follows is there', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 4_200 });
    await appendAll(wal, 'a', 'b', 'c!', 'd', 'e', 'f', 'g!', 'h');
    const files = await vfs.list(directory);
    expect(files.length).toBeGreaterThan(3);
    await vfs.remove(`${directory}/${files[1]}`);
    const { wal: opened, records } = await openWal(vfs);
    expect(opened.recovered.damage).toHaveLength(1);
    expect([...records.values()].join('')).toMatch(/^ab.*g!h$/);
    expect(opened.lastRecord).toBe(8);
  });

  it('at the end of what a later header promised is told as well', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs, { fileBytes: 8_192 });
    await appendAll(wal, 'a!');
    await appendAll(wal, 'b');
    vfs.damage(walFile(1), 4_096, 1);
    await (await vfs.open(walFile(2), 'write')).truncate(4_096);
    const { wal: opened, records } = await openWal(vfs);
    expect(records.size).toBe(0);
    expect(opened.recovered).toMatchObject({
      lastRecord: 1,
      torn: false,
      damage: [{ expected: 'record 1', got: 'the end of the log' }],
    });
  });

  it('of a header without any record is nothing', async () => {
    const vfs = await diskWith({
      4: new Uint8Array(4_096),
      5: new Uint8Array(0),
      6: new Uint8Array(7),
    });
    const { wal } = await openWal(vfs, { after: 3 });
    expect(wal.recovered).toMatchObject({ lastRecord: 3, damage: [], torn: false });
    await appendAll(wal, 'a!');
    expect(await vfs.list(directory)).toContain('0000000007.wal');
    await wal.removeThrough(3);
    expect(wal.statistics().fileCount).toBe(1);
  });

  it('is not what a newer version wrote', async () => {
    const bytes = encodeFileHeader({ fileNumber: 1, firstRecord: 1, syncedRecord: 0 });
    bytes[12] = 2;
    const { crc32c } = await import('../../../lsm/hash/crc32c.ts');
    new DataView(bytes.buffer).setUint32(8, crc32c(bytes, 12, 40), true);
    await expect(openWal(await diskWith({ 1: bytes }))).rejects.toMatchObject({
      code: 'FORMAT_TOO_NEW',
    });
  });

  it('of any kind is read to the end, and never makes up a record', async () => {
    const vfs = await newDisk();
    const { wal } = await openWal(vfs);
    await appendAll(wal, 'a', 'b!', 'c', 'd'.repeat(500), 'e!', 'f');
    const whole = await vfs.readFile(walFile(1));
    const texts = new Set(['a', 'b!', 'c', 'd'.repeat(500), 'e!', 'f']);
    const change = fc.oneof(
      fc.record({ at: fc.nat(whole.length - 1), bytes: fc.uint8Array({ maxLength: 80 }) }),
      fc.record({
        at: fc.constantFrom(4_096, 4_129, 8_192, 8_200),
        bytes: fc.constantFrom(Uint8Array.of(0xff, 0xff, 0xff, 0xff), whole.slice(4_096, 8_300)),
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 5 }),
        fc.nat(whole.length),
        async (changes, end) => {
          const bytes = new Uint8Array(whole);
          for (const { at, bytes: other } of changes)
            bytes.set(other.subarray(0, bytes.length - at), at);
          const disk = await diskWith({ 1: bytes.subarray(0, bytes.length - (end % 3_000)) });
          const { records, wal: opened } = await openWal(disk);
          for (const text of records.values()) expect(texts).toContain(text);
          const numbers = [...records.keys()];
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
          expect(opened.lastRecord).toBeLessThanOrEqual(6);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes time in proportion to the file, also when every byte might begin a record', async () => {
    const markers = new Uint8Array(500_000);
    for (let at = 0; at < markers.length; at += 4) markers.set([0xd5, 0x57, 0x41, 0x4c], at);
    const vfs = await diskWith({ 1: markers, 2: new Uint8Array(500_000).fill(0xd5) });
    const { wal } = await openWal(vfs);
    expect(wal.recovered).toMatchObject({ recordsReplayed: 0, lastRecord: 0 });
  });
});
