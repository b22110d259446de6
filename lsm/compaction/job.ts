import assert from 'node:assert/strict';
import { compareRanges } from '../bytes.ts';
import type { CorruptionDetail } from '../corruption.ts';
import type { KeyRange } from '../engine.ts';
import type { Cursor } from '../iterator/cursor.ts';
import { LevelCursor } from '../iterator/level-cursor.ts';
import { MergingCursor } from '../iterator/merging-cursor.ts';
import { Memtable, type MemtableTransfer } from '../memtable/memtable.ts';
import { TableFiles } from '../sstable/table-files.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { ExportedBlocksCursor } from './exported-block.ts';
import type { Haste } from './haste.ts';
import {
  type Dropper,
  Outputs,
  type OutputsInput,
  oneTable,
  type Pace,
  type TableFormat,
} from './outputs.ts';
import { dropsAny, Sieve, type SieveInput } from './sieve.ts';

// Inputs and outputs of jobs are plain data: they pass between threads.

export interface FlushInput extends TableFormat {
  readonly memtable: MemtableTransfer;
  readonly fileNumber: number;
}

export interface CompactInput extends OutputsInput {
  /** Each a list of tables that follow one another without overlap. */
  readonly runs: readonly (readonly TableMeta[])[];
  /** Without one every entry stays that is the newest of its key. */
  readonly sieve: SieveInput | undefined;
  /** What the job may take. */
  readonly memoryBytes: number;
  /** Without it there is somebody who waits. */
  readonly haste?: Haste | undefined;
}

export interface RewriteInput extends OutputsInput {
  /** Without overlap and in key order. */
  readonly tables: readonly TableMeta[];
  readonly sieve: SieveInput;
}

export interface CompactOutput {
  /** In key order; none when everything was dropped. */
  readonly tables: readonly TableMeta[];
  /** By the filter. */
  readonly droppedEntries: number;
  /** Those that could not go only because they may hide something in a table outside the job. */
  readonly heldEntries: number;
}

export interface CutInput extends OutputsInput {
  readonly table: TableMeta;
  readonly range: KeyRange;
}

export interface LoadInput extends OutputsInput {
  /** Of `exportRange`, in key order. */
  readonly blocks: readonly Uint8Array[];
  /** For every entry. */
  readonly seq: number;
}

export interface VerifyInput {
  readonly directory: string;
  readonly table: TableMeta;
}

/** Writes a frozen memtable as one table, durable when this resolves. Only the newest entry of a key goes. */
export async function runFlush(vfs: Vfs, input: FlushInput): Promise<TableMeta> {
  const memtable = Memtable.fromTransfer(input.memtable);
  const cursor = new MergingCursor(memtable.cursors(Number.MAX_SAFE_INTEGER));
  const [table] = await new Outputs(vfs, oneTable(input, input.fileNumber)).writeAll(cursor);
  assert(table !== undefined, 'a flush writes a table');
  return table;
}

/**
 * Merges tables into new ones, durable when this resolves. Of equal keys only the highest sequence number
 * stays: snapshots hold on to the tables they see, so none needs the others. Memory is bounded by a
 * read-ahead window for each run and one table's index and filter.
 */
export async function runCompact(
  vfs: Vfs,
  input: CompactInput,
  pace?: Pace,
): Promise<CompactOutput> {
  const windowBytes = readAheadBytes(input.memoryBytes, input.runs.length);
  return withTables(vfs, input, input.runs, windowBytes, async (cursor) => {
    const sieve = input.sieve && (await Sieve.create(vfs, input, input.sieve));
    const tables = await new Outputs(vfs, input, pace).writeAll(cursor(), sieve);
    return resultOf(tables, sieve);
  });
}

/**
 * Writes tables again without what the filter drops. When nothing is to be dropped it writes nothing, as
 * flash wears out by writing: then `droppedEntries` is 0 and there are no tables.
 */
export async function runRewrite(
  vfs: Vfs,
  input: RewriteInput,
  pace?: Pace,
): Promise<CompactOutput> {
  return withTables(vfs, input, [input.tables], READ_AHEAD_BYTES_MAX, async (cursor) => {
    const newSieve = () => Sieve.create(vfs, input, input.sieve);
    if (!(await dropsAny(cursor(), await newSieve()))) return resultOf([]);
    const sieve = await newSieve();
    const tables = await new Outputs(vfs, input, pace).writeAll(cursor(), sieve);
    return resultOf(tables, sieve);
  });
}

/** What of a table lies outside a range; `undefined` when that is all of it. */
export async function runCut(
  vfs: Vfs,
  input: CutInput,
  pace?: Pace,
): Promise<readonly TableMeta[] | undefined> {
  const { lower, upper } = input.range;
  return withTables(vfs, input, [[input.table]], READ_AHEAD_BYTES_MAX, async (cursor) => {
    const first = cursor();
    await first.seek(lower);
    if (!first.valid || isFrom(first, upper)) return undefined;
    return new Outputs(vfs, input, pace).writeAll(cursor(), dropsWithin(input.range));
  });
}

export function dropsWithin({ lower, upper }: KeyRange): Dropper {
  return { drops: (entry) => isFrom(entry, lower) && !isFrom(entry, upper) };
}

/** Writes exported blocks as tables. */
export async function runLoad(
  vfs: Vfs,
  input: LoadInput,
  pace?: Pace,
): Promise<readonly TableMeta[]> {
  return new Outputs(vfs, input, pace).writeAll(new ExportedBlocksCursor(input.blocks, input.seq));
}

export async function runVerify(vfs: Vfs, input: VerifyInput): Promise<CorruptionDetail[]> {
  const files = new TableFiles({ vfs, directory: input.directory });
  try {
    return await new TableReader(files, input.table).verify();
  } finally {
    await files.closeAll();
  }
}

/** Half of the memory is for the windows, of which a merge has one for each run, the rest for what it writes. */
export function readAheadBytes(memoryBytes: number, runCount: number): number {
  const share = Math.floor(memoryBytes / 2 / Math.max(1, runCount));
  return Math.max(READ_AHEAD_BYTES_MIN, Math.min(READ_AHEAD_BYTES_MAX, share));
}

/** Whether a cursor stands at or after `key`; `undefined` is after everything. */
function isFrom({ keyBytes, keyStart, keyEnd }: Cursor, key: Uint8Array | undefined): boolean {
  return key !== undefined && compareRanges(keyBytes, keyStart, keyEnd, key, 0, key.length) >= 0;
}

function resultOf(tables: readonly TableMeta[], sieve?: Sieve): CompactOutput {
  const [droppedEntries, heldEntries] = [sieve?.droppedEntries ?? 0, sieve?.heldEntries ?? 0];
  return { tables, droppedEntries, heldEntries };
}

/** Gives out cursors over tables merged. Each table is opened when it is reached. */
async function withTables<T>(
  vfs: Vfs,
  { directory }: { readonly directory: string },
  runs: readonly (readonly TableMeta[])[],
  windowBytes: number,
  use: (cursor: () => Cursor) => Promise<T>,
): Promise<T> {
  const files = new TableFiles({ vfs, directory, openFilesMax: runs.length + 1 });
  try {
    const open = (table: TableMeta) => new TableReader(files, table).scanCursor(windowBytes);
    return await use(() => new MergingCursor(runs.map((tables) => new LevelCursor(tables, open))));
  } finally {
    await files.closeAll();
  }
}

const READ_AHEAD_BYTES_MAX = 256 * 1024;
const READ_AHEAD_BYTES_MIN = 16 * 1024;
