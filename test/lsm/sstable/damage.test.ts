import { describe, expect, it } from 'vitest';
import { isCorruption } from '../../../lsm/corruption.ts';
import { LsmError } from '../../../lsm/errors.ts';
import { crc32c } from '../../../lsm/hash/crc32c.ts';
import { hashKey } from '../../../lsm/sstable/filter.ts';
import { decodeFooter, encodeFooter, FOOTER_BYTES } from '../../../lsm/sstable/footer.ts';
import { tableFileName } from '../../../lsm/sstable/format.ts';
import { TableFiles } from '../../../lsm/sstable/table-files.ts';
import { TableReader } from '../../../lsm/sstable/table-reader.ts';
import type { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { drain, type Entry } from '../entries.ts';
import { blockBytes, histories, written } from './support.ts';

const PATH = `/${tableFileName(1)}`;
const filesOf = (vfs: CrashableMemVfs) => new TableFiles({ vfs, directory: '/' });

/** Reads all there is in three ways: the right answer or CORRUPTION, never another one. */
async function readAll(
  vfs: CrashableMemVfs,
  list: readonly Required<Entry>[],
): Promise<'right' | 'corrupt'> {
  let reader: TableReader | undefined;
  try {
    reader = await TableReader.open(vfs, '/', 1);
    expect(await drain(reader.cursor())).toEqual(list);
    expect(await drain(reader.cursor({ reverse: true }), 'end')).toEqual(list.toReversed());
    const { key } = list[0] as Required<Entry>;
    const hash = hashKey(key, 0, key.length - 8);
    expect(await reader.first(key.slice(0, -8), hash)).toEqual(list[0]);
    const whole = hashKey(key, 0, key.length);
    expect(reader.get(key, hash, whole, 'block')).toEqual(list[0]);
    return 'right';
  } catch (error) {
    if (!isCorruption(error)) throw error;
    return 'corrupt';
  } finally {
    await reader?.close();
  }
}

describe('damaged tables', () => {
  it.each(['none', 'lz4', 'deflate'] as const)(
    'with codec %s answer rightly or with CORRUPTION when any one byte is damaged, and verify says so',
    async (codec) => {
      const list = histories(3, 8);
      const shape = { codec, keyFilter: true, blockSizeBytes: 300 };
      const { vfs, meta, reader } = await written(list, shape);
      expect(await reader.verify()).toEqual([]);
      for (let offset = 0; offset < meta.bytes; offset++) {
        const flip = 1 << (offset % 8);
        vfs.damage(PATH, offset, flip);
        await readAll(vfs, list);
        const [damage] = await new TableReader(filesOf(vfs), meta).verify();
        expect(damage, `byte ${offset}`).toMatchObject({ file: tableFileName(1) });
        vfs.damage(PATH, offset, flip);
      }
      expect(await readAll(vfs, list)).toBe('right');
    },
  );

  it('answer with CORRUPTION when cut short', async () => {
    const list = histories(3, 10);
    const { vfs, meta } = await written(list);
    for (let length = meta.bytes - 1; length >= 0; length -= 7) {
      const file = await vfs.open(PATH, 'write');
      await file.truncate(length);
      await file.close();
      expect(await readAll(vfs, list)).toBe('corrupt');
      expect(await new TableReader(filesOf(vfs), meta).verify()).not.toEqual([]);
    }
  });

  it('are verified to the end: every damaged block is told of, with its place', async () => {
    const list = histories(20, 30);
    const { vfs, reader } = await written(list, { blockSizeBytes: 300 });
    const places = [10, 2000, 4000];
    for (const place of places) vfs.damage(PATH, place, 0xff);
    const damages = await reader.verify();
    expect(damages).toHaveLength(3);
    places.forEach((place, i) => {
      const offset = damages[i]?.offset as number;
      expect(place - offset).toBeGreaterThanOrEqual(0);
      expect(place - offset).toBeLessThan(400);
    });
    for (const { expected, got } of damages) expect(expected).not.toBe(got);
  });

  it('are verified against what the manifest says of them', async () => {
    const list = histories(4, 9);
    const { files, meta } = await written(list);
    for (const wrong of [{ deletionCount: 1 }, { seqMin: 0 }, { suffixMax: meta.suffixMin }]) {
      const damages = await new TableReader(files, { ...meta, ...wrong }).verify();
      const [name] = Object.keys(wrong);
      expect(damages.map(({ expected }) => expected)).toEqual([
        expect.stringContaining(name ?? ''),
      ]);
    }
  });
});

describe('tables written wrongly', () => {
  /** Changes a part and makes its checksum right. */
  async function forge(
    vfs: CrashableMemVfs,
    at: { readonly offset: number; readonly length: number },
    change: (part: Uint8Array) => void,
  ): Promise<void> {
    const bytes = await vfs.readFile(PATH);
    const part = bytes.slice(at.offset, at.offset + at.length + 5);
    change(part.subarray(0, at.length));
    const view = new DataView(part.buffer);
    view.setUint32(at.length + 1, crc32c(part, 0, at.length + 1), true);
    const file = await vfs.open(PATH, 'write');
    await file.write(at.offset, part);
    await file.close();
  }

  it('are found out by verify: filters that deny what is there, sums that are wrong', async () => {
    const list = histories(4, 9);
    const { vfs, meta } = await written(list, { keyFilter: true });
    const bytes = await vfs.readFile(PATH);
    const footer = decodeFooter(bytes.slice(-FOOTER_BYTES), 'f', 0);
    const sound = () => new TableReader(filesOf(vfs), meta).verify();
    for (const handle of [footer.filter, footer.keyFilter]) {
      await forge(vfs, handle, (part) => part.fill(0, 0, -1));
      expect(await sound()).not.toEqual([]);
      expect((await sound())[0]?.expected).toBe('keys that the filter knows');
      await forge(vfs, handle, (part) =>
        part.set(bytes.subarray(handle.offset, handle.offset + part.length)),
      );
      expect(await sound()).toEqual([]);
    }
    await forge(vfs, footer.properties, (part) => part.set([35], 0));
    const [damage] = await new TableReader(filesOf(vfs), { ...meta, entryCount: 35 }).verify();
    expect(damage?.expected).toBe('entryCount 36 as in its entries');
  });
});

describe('formats newer than ours', () => {
  it('are refused by saying so, in footers', () => {
    const footer = encodeFooter({
      filter: { offset: 1, length: 2 },
      keyFilter: { offset: 9, length: 4 },
      topIndex: { offset: 3, length: 2 ** 31 },
      properties: { offset: 2 ** 40 + 5, length: 6 },
    });
    expect(footer.length).toBe(FOOTER_BYTES);
    expect(decodeFooter(footer, 'f', 0).properties.offset).toBe(2 ** 40 + 5);
    expect(decodeFooter(footer, 'f', 0).keyFilter).toEqual({ offset: 9, length: 4 });
    footer[48] = 2;
    new DataView(footer.buffer).setUint32(52, crc32c(footer, 0, 52), true);
    expect(() => decodeFooter(footer, 'f', 0)).toThrow(/format 2, newer/);
  });

  it('are refused by saying so, in codecs', async () => {
    const list = histories(1, 3);
    const { vfs, files, meta } = await written(list, { blockSizeBytes: 4096 });
    const trailerAt = blockBytes(list).length;
    const changed = (await vfs.readFile(PATH)).slice(0, trailerAt + 5);
    changed[trailerAt] = 3;
    new DataView(changed.buffer).setUint32(trailerAt + 1, crc32c(changed, 0, trailerAt + 1), true);
    const file = await vfs.open(PATH, 'write');
    await file.write(0, changed);
    const reader = new TableReader(files, meta);
    await expect(drain(reader.cursor())).rejects.toThrow(LsmError);
    await expect(drain(reader.cursor())).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  });
});
