import { describe, expect, it } from 'vitest';
import { BlockCache } from '../../../lsm/sstable/block-cache.ts';
import { hashKey } from '../../../lsm/sstable/filter.ts';
import { TableFiles } from '../../../lsm/sstable/table-files.ts';
import { TableReader } from '../../../lsm/sstable/table-reader.ts';
import { drain } from '../entries.ts';
import { histories, type WholeEntry, writeTable, written } from './support.ts';

const list = histories(40, 25);
const hashOf = (key: Uint8Array) => hashKey(key, 0, key.length);
const get = (reader: TableReader, { key }: WholeEntry, access: 'wait' | 'block') =>
  reader.get(key, hashKey(key, 0, key.length - 8), hashOf(key), access);

describe('a table reader', () => {
  it('costs no I/O until it is read', async () => {
    const { vfs, reader } = await written(list);
    const operations: string[] = [];
    vfs.onOperation = ({ kind }) => {
      operations.push(kind);
    };
    reader.cursor();
    expect(operations).toEqual([]);
    expect(get(reader, list[7] as WholeEntry, 'block')).toEqual(list[7]);
    expect(operations.filter((kind) => kind === 'open')).toHaveLength(1);
  });

  it('never gives a promise to those who cannot wait, with a cold cache and without one', async () => {
    for (const cache of [undefined, new BlockCache(4000)]) {
      const { reader } = await written(list, { keyFilter: true }, cache);
      for (const entry of list) expect(get(reader, entry, 'block')).toEqual(entry);
      for (const reverse of [false, true]) {
        const cursor = reader.cursor({ reverse, access: 'block' });
        let count = 0;
        let moved = reverse ? cursor.seekEnd() : cursor.seek(new Uint8Array(0));
        for (; cursor.valid; moved = cursor.next()) {
          expect(moved).toBeUndefined();
          count++;
        }
        expect(count).toBe(list.length);
      }
    }
  });

  it('answers at once where the file system has it without waiting', async () => {
    const { vfs, reader } = await written(list);
    vfs.readsNow = true;
    await get(reader, list[0] as WholeEntry, 'wait');
    expect(get(reader, list[9] as WholeEntry, 'wait')).toEqual(list[9]);
  });

  it('reads once what many want at the same time', async () => {
    const { vfs, reader } = await written(list, {}, new BlockCache(1 << 20));
    let reads = 0;
    vfs.onOperation = ({ kind }) => {
      if (kind === 'read') reads++;
    };
    const found = Array.from({ length: 50 }, () => get(reader, list[3] as WholeEntry, 'wait'));
    expect(await Promise.all(found)).toEqual(found.map(() => list[3]));
    // Footer, filter, top index, index, data.
    expect(reads).toBe(5);
    await get(reader, list[3] as WholeEntry, 'wait');
    expect(reads).toBe(5);
  });

  it('asks the filter over whole keys for a key that only its series has', async () => {
    for (const keyFilter of [false, true]) {
      const { vfs, reader } = await written(list, { keyFilter }, new BlockCache(1 << 20));
      await drain(reader.cursor());
      const missing = (i: number): Uint8Array => {
        const key = (list[i] as WholeEntry).key.slice();
        key[key.length - 1] = (key[key.length - 1] as number) ^ 0x80;
        return key;
      };
      const cold = new TableReader(new TableFiles({ vfs, directory: '/' }), reader.meta, undefined);
      let reads = 0;
      vfs.onOperation = ({ kind }) => {
        if (kind === 'read') reads++;
      };
      for (let i = 0; i < 100; i++) {
        const key = missing(i);
        expect(cold.get(key, hashKey(key, 0, key.length - 8), hashOf(key), 'block')).toBe(
          undefined,
        );
      }
      // Footer once and the filter each time; without an answer from it three blocks more.
      if (keyFilter) expect(reads).toBeLessThan(120);
      else expect(reads).toBeGreaterThan(350);
    }
  });

  it('checks that the file is the table the manifest means', async () => {
    const { vfs, meta, files, reader } = await written(list);
    await reader.check();
    await writeTable(vfs, histories(40, 24), {}, 2);
    const impostor = new TableReader(files, { ...meta, fileNumber: 2 });
    await expect(impostor.check()).rejects.toMatchObject({ code: 'CORRUPTION' });
    const other = new TableReader(files, { ...meta, seqMax: meta.seqMax + 1 });
    await expect(other.check()).rejects.toThrow(/the table the manifest means/);
    const longer = new TableReader(files, { ...meta, bytes: meta.bytes + 1 });
    await expect(longer.check()).rejects.toMatchObject({ code: 'CORRUPTION' });
    const gone = new TableReader(files, { ...meta, fileNumber: 9 });
    await expect(gone.check()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
