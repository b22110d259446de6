import { describe, expect, it } from 'vitest';
import { type CompactInput, runCompact } from '../../lsm/compaction/job.ts';
import { EntryKind, tableFileName } from '../../lsm/sstable/format.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { TableReader } from '../../lsm/sstable/table-reader.ts';
import { TableWriter } from '../../lsm/sstable/table-writer.ts';
import { Version } from '../../lsm/version/version.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { seeded } from '../support/random.ts';
import {
  drain,
  type Entry,
  hex,
  keyAt,
  ListCursor,
  seriesKey,
  sorted,
  utf8,
} from './engine-support.ts';

describe('the compaction job', () => {
  const run = async (vfs: CrashableMemVfs, lists: Entry[][], more: Partial<CompactInput> = {}) => {
    const runs: TableMeta[][] = [];
    for (const [i, list] of lists.entries()) {
      const options = { vfs, directory: '/', blockSizeBytes: 200, suffixBytes: 8 };
      const writer = await TableWriter.create({ ...options, fileNumber: i + 1 });
      const cursor = new ListCursor(list);
      for (cursor.seek(new Uint8Array(0)); cursor.valid; cursor.next()) writer.add(cursor);
      runs.push([await writer.finish()]);
    }
    await vfs.syncDirectory('/');
    const output = await runCompact(vfs, {
      directory: '/',
      suffixBytes: 8,
      blockSizeBytes: 200,
      codec: 'none',
      keyFilter: false,
      runs,
      firstFileNumber: 100,
      fileNumberCount: 100,
      tableBytes: 600,
      borders: [Uint8Array.of(2), Uint8Array.of(5), Uint8Array.of(9)],
      sieve: undefined,
      memoryBytes: 1e6,
      ...more,
    });
    return output.tables;
  };
  /** Three lists with some keys in common; a later list has newer values. */
  const lists = () => {
    const random = seeded(11);
    let seq = 0;
    return [0, 1, 2].map(() => {
      const list = new Map<string, Entry>();
      for (let i = 0; i < 150; i++) {
        const slot = Math.floor(random() * 8);
        const key = keyAt(seriesKey(slot, 'n'), Math.floor(random() * 40));
        list.set(hex(key), { key, value: utf8(`v${++seq}`), seq });
      }
      return sorted([...list.values()]);
    });
  };

  it('keeps the newest value of each key, cuts at borders and never splits a key', async () => {
    const vfs = new CrashableMemVfs();
    const inputs = lists();
    const tables = await run(vfs, inputs);
    const newest = new Map(inputs.flat().map((entry) => [hex(entry.key), entry]));
    const found: Entry[] = [];
    for (const { fileNumber } of tables) {
      const reader = await TableReader.open(vfs, '/', fileNumber);
      found.push(...(await drain(reader.cursor())));
    }
    const puts = [...newest.values()].map((entry) => ({ ...entry, kind: EntryKind.put }));
    expect(found).toEqual(sorted(puts));
    const version = Version.empty.apply(
      tables.map((table) => ({ level: 1, table })),
      new Set(),
    );
    const borders = [Uint8Array.of(2), Uint8Array.of(5), Uint8Array.of(9)];
    expect(version.checkInvariants(borders)).toBeUndefined();
    expect(tables.length).toBeGreaterThan(3);
    expect(tables.every(({ bytes }) => bytes < 4000)).toBe(true);
  });

  it('leaves durable files behind', async () => {
    const vfs = new CrashableMemVfs();
    const tables = await run(vfs, lists());
    const after = vfs.crashClone({ unsyncedKeepRatio: 0, random: seeded(1) });
    for (const { fileNumber, entryCount } of tables) {
      const reader = await TableReader.open(after, '/', fileNumber);
      expect((await drain(reader.cursor())).length).toBe(entryCount);
    }
  });

  it('removes what it wrote when it fails', async () => {
    const vfs = new CrashableMemVfs();
    let writes = 0;
    vfs.onOperation = ({ kind, path }) => {
      if (kind === 'write' && path.includes('00000001') && ++writes === 3) throw new Error('full');
    };
    await expect(run(vfs, lists())).rejects.toThrow('full');
    expect(await vfs.list('/')).toEqual([1, 2, 3].map(tableFileName));
  });

  it('fails with CORRUPTION on a damaged input', async () => {
    const vfs = new CrashableMemVfs();
    const original = vfs.syncDirectory.bind(vfs);
    vfs.syncDirectory = async (directory) => {
      vfs.damage(`/${tableFileName(2)}`, 50, 4);
      await original(directory);
    };
    await expect(run(vfs, lists())).rejects.toMatchObject({
      code: 'CORRUPTION',
      cause: { file: tableFileName(2), offset: 0 },
    });
  });
});
