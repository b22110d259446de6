import { describe, expect, it } from 'vitest';
import { compareBytes, readU32, writeU32 } from '../../lsm/bytes.ts';
import { type CompactInput, runCompact } from '../../lsm/compaction/job.ts';
import {
  type Choice,
  choose,
  editFor,
  type StrategyOptions,
} from '../../lsm/compaction/strategy.ts';
import { tableFileName } from '../../lsm/sstable/format.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { TableReader } from '../../lsm/sstable/table-reader.ts';
import { TableWriter } from '../../lsm/sstable/table-writer.ts';
import { LEVEL_COUNT, Version } from '../../lsm/version/version.ts';
import { applyEdit, EMPTY_STATE } from '../../lsm/version/version-edit.ts';
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

/** A key of four bytes, so that the simulation can calculate with keys. */
function keyOfNumber(value: number): Uint8Array {
  const key = new Uint8Array(4);
  writeU32(key, 0, value);
  return key.reverse();
}
const numberOf = (key: Uint8Array): number => readU32(key.slice().reverse(), 0);

const BORDERS = Array.from({ length: 15 }, (_, i) => keyOfNumber((i + 1) * 2 ** 28));
const OPTIONS: StrategyOptions = {
  level0TablesTrigger: 4,
  levelBaseBytes: 64_000,
  levelMultiplier: 10,
  borders: BORDERS,
};
const TABLE_BYTES = 8_000;
const FLUSH_BYTES = 16_000;

let nextFileNumber = 1;
function tableOver(from: number, to: number, bytes: number, damaged = false): TableMeta {
  const fileNumber = nextFileNumber++;
  const [smallest, largest] = [keyOfNumber(from), keyOfNumber(to)];
  const rest = { entryCount: bytes, rawBytes: bytes, seqMin: 1, seqMax: fileNumber };
  return {
    fileNumber,
    bytes,
    damaged,
    smallest,
    largest,
    suffixMin: smallest,
    suffixMax: largest,
    ...rest,
  };
}

/** What a merge would write, if the bytes of its inputs lay evenly over their span. */
function simulateMerge(choice: Extract<Choice, { kind: 'merge' }>): TableMeta[] {
  const inputs = [...choice.tables, ...choice.overlapped];
  const bytes = inputs.reduce((sum, table) => sum + table.bytes, 0);
  const from = Math.min(...inputs.map((table) => numberOf(table.smallest)));
  const to = Math.max(...inputs.map((table) => numberOf(table.largest)));
  const outputs: TableMeta[] = [];
  const step = Math.max(1, Math.ceil(((to - from + 1) * TABLE_BYTES) / bytes));
  for (let start = from; start <= to; ) {
    const border = (Math.floor(start / 2 ** 28) + 1) * 2 ** 28;
    const end = Math.min(to, start + step - 1, border - 1);
    const share = Math.max(1, Math.round((bytes * (end - start + 1)) / (to - from + 1)));
    outputs.push(tableOver(start, end, share));
    start = end + 1;
  }
  return outputs;
}

function compactAll(
  version: Version,
  avoid = new Set<number>(),
): { version: Version; bytes: number } {
  let bytes = 0;
  for (let steps = 0; ; steps++) {
    expect(steps).toBeLessThan(1000);
    const choice = choose(version, OPTIONS, avoid);
    if (choice.kind === 'nothing') return { version, bytes };
    const written = choice.kind === 'merge' ? simulateMerge(choice) : [];
    bytes += written.reduce((sum, table) => sum + table.bytes, 0);
    version = applyEdit({ ...EMPTY_STATE, version }, editFor(choice, written)).version;
    expect(version.checkInvariants(BORDERS)).toBeUndefined();
  }
}

describe('the strategy', () => {
  it('keeps the levels in shape over many flushes, at a bounded cost', () => {
    const random = seeded(5);
    let version = Version.empty;
    let written = 0;
    const flushes = 400;
    for (let i = 0; i < flushes; i++) {
      const from = Math.floor(random() * 2 ** 26);
      const to = 2 ** 32 - 1 - Math.floor(random() * 2 ** 26);
      version = version.apply([{ level: 0, table: tableOver(from, to, FLUSH_BYTES) }], new Set());
      const done = compactAll(version);
      version = done.version;
      written += done.bytes;
      expect(version.levels[0]?.length).toBeLessThan(4);
      for (let level = 1; level < LEVEL_COUNT - 1; level++) {
        const bytes = (version.levels[level] ?? []).reduce((sum, table) => sum + table.bytes, 0);
        expect(bytes).toBeLessThan(64_000 * 10 ** (level - 1));
      }
    }
    const total = version.tables().reduce((sum, table) => sum + table.bytes, 0);
    expect(total / (flushes * FLUSH_BYTES)).toBeGreaterThan(0.99);
    expect(written / total).toBeLessThan(20);
  });

  it('has nothing to do below the trigger', () => {
    const tables = [0, 0, 0].map(() => ({ level: 0, table: tableOver(1, 9, 100) }));
    expect(choose(Version.empty.apply(tables, new Set()), OPTIONS, new Set()).kind).toBe('nothing');
  });

  it('moves tables that overlap nothing, unless they would cross a border', () => {
    const inOrder = (step: number) =>
      [0, 1, 2, 3].map((i) => ({
        level: 0,
        table: tableOver(i * step, (i + 1) * step - 1, FLUSH_BYTES),
      }));
    const kindOf = (step: number) =>
      choose(Version.empty.apply(inOrder(step), new Set()), OPTIONS, new Set()).kind;
    expect(kindOf(1000)).toBe('move');
    expect(kindOf(2 ** 28 + 5)).toBe('merge');
  });

  it('leaves tables that were found damaged alone and goes on with others', () => {
    const big = [0, 1, 2].map((i) => tableOver(i * 1000, i * 1000 + 999, 30_000));
    const below = tableOver(0, 999, 5);
    const version = Version.empty.apply(
      [...big.map((table) => ({ level: 1, table })), { level: 2, table: below }],
      new Set(),
    );
    const avoid = new Set([below.fileNumber, big[1]?.fileNumber as number]);
    const choice = choose(version, OPTIONS, avoid);
    expect(choice).toMatchObject({ kind: 'move', level: 1, tables: [big[2]] });
    const all = new Set(big.map(({ fileNumber }) => fileNumber));
    expect(choose(version, OPTIONS, all).kind).toBe('nothing');
  });
});

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
      runs,
      firstFileNumber: 100,
      fileNumberCount: 100,
      tableBytes: 600,
      borders: [Uint8Array.of(2), Uint8Array.of(5), Uint8Array.of(9)],
      sieve: undefined,
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
    expect(found).toEqual(sorted([...newest.values()]));
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

it('keys of the simulation sort as their numbers do', () => {
  expect(compareBytes(keyOfNumber(255), keyOfNumber(256))).toBeLessThan(0);
  expect(numberOf(keyOfNumber(123_456))).toBe(123_456);
});
