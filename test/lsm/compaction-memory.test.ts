import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writeU32 } from '../../lsm/bytes.ts';
import {
  type CompactInput,
  type CompactOutput,
  readAheadBytes,
  runCompact,
} from '../../lsm/compaction/job.ts';
import type { Offload } from '../../lsm/offload/offload.ts';
import { EntryKind } from '../../lsm/sstable/format.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { TableWriter } from '../../lsm/sstable/table-writer.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { OsVfs } from '../../lsm/vfs/os.ts';
import type { Vfs } from '../../lsm/vfs/vfs.ts';

const FORMAT = { suffixBytes: 0, blockSizeBytes: 4096, codec: 'none', keyFilter: false } as const;

/** A table of `count` entries of a kilobyte; of neighbours in key order each is in another table. */
async function writeTable(
  vfs: Vfs,
  directory: string,
  fileNumber: number,
  { count, step }: { readonly count: number; readonly step: number },
): Promise<TableMeta> {
  const writer = await TableWriter.create({ vfs, directory, fileNumber, ...FORMAT });
  const key = new Uint8Array(4);
  const value = new Uint8Array(1024).fill(fileNumber);
  for (let i = 0; i < count; i++) {
    writeU32(key, 0, fileNumber + i * step);
    writer.add({
      valid: true,
      keyBytes: key.reverse(),
      keyStart: 0,
      keyEnd: 4,
      valueBytes: value,
      valueStart: 0,
      valueEnd: value.length,
      seq: fileNumber,
      kind: EntryKind.put,
      seek: () => {},
      seekEnd: () => {},
      next: () => {},
    });
    if (writer.wantsDrain) await writer.drain();
  }
  return writer.finish();
}

const mergeOf = (
  directory: string,
  tables: readonly TableMeta[],
  memoryBytes: number,
): CompactInput => ({
  ...FORMAT,
  directory,
  runs: tables.map((table) => [table]),
  sieve: undefined,
  firstFileNumber: 1000,
  fileNumberCount: 100,
  tableBytes: 8 << 20,
  borders: [],
  memoryBytes,
});

describe('the memory of a merge', () => {
  it('is shared by its runs', () => {
    expect(readAheadBytes(32 << 20, 3)).toBe(256 << 10);
    expect(readAheadBytes(32 << 20, 100)).toBeLessThan(168 << 10);
    expect(readAheadBytes(4 << 20, 30)).toBe(Math.floor((2 << 20) / 30));
    expect(readAheadBytes(0, 30)).toBe(16 << 10);
  });

  it('bounds what is read at once, and the files that are open', async () => {
    const vfs = new CrashableMemVfs();
    const tables: TableMeta[] = [];
    for (let i = 1; i <= 20; i++)
      tables.push(await writeTable(vfs, '/', i, { count: 100, step: 20 }));
    const lengths: number[] = [];
    let [open, openMost] = [0, 0];
    const openFile = vfs.open.bind(vfs);
    vfs.open = async (path, mode) => {
      const file = await openFile(path, mode);
      if (mode !== 'read') return file;
      openMost = Math.max(openMost, ++open);
      const [read, close] = [file.read.bind(file), file.close.bind(file)];
      file.read = (position, length) => {
        lengths.push(length);
        return read(position, length);
      };
      file.close = async () => {
        open--;
        await close();
      };
      return file;
    };
    const memoryBytes = 1 << 20;
    const output = await runCompact(vfs, mergeOf('/', tables, memoryBytes));
    expect(output.tables.reduce((sum, { entryCount }) => sum + entryCount, 0)).toBe(2000);
    expect(lengths.length).toBeGreaterThan(40);
    expect(20 * Math.max(...lengths)).toBeLessThanOrEqual(memoryBytes / 2);
    expect(openMost).toBeLessThanOrEqual(21);
    expect(open).toBe(0);
  });
});

// A worker thread runs compiled code only, so this needs `npm run build`, which `npm test` does first.
const compiled = join(import.meta.dirname, '../../dist/lsm/offload/worker-host.js');

describe.skipIf(!existsSync(compiled))('in a worker thread', () => {
  const inThread = async (
    options: object,
    use: (offload: Offload, vfs: OsVfs, directory: string) => Promise<void>,
  ) => {
    const { WorkerOffload } = await import(pathToFileURL(compiled).href);
    const directory = await mkdtemp(join(tmpdir(), 'dss-merge-'));
    const offload: Offload = new WorkerOffload(options);
    try {
      await use(offload, new OsVfs(), directory);
    } finally {
      await offload.close();
      await rm(directory, { recursive: true });
    }
  };

  it('a merge of more than the thread may have of memory works', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };
    await inThread({ resourceLimits }, async (offload, vfs, directory) => {
      const tables: TableMeta[] = [];
      for (let i = 1; i <= 12; i++) {
        tables.push(await writeTable(vfs, directory, i, { count: 8000, step: 12 }));
      }
      const input = mergeOf(directory, tables, 8 << 20);
      const output = (await offload.run('compact', input)) as CompactOutput;
      expect(output.tables.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(95_000_000);
    });
  });
});
