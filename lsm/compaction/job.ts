import assert from 'node:assert/strict';
import type { Cursor } from '../iterator/cursor.ts';
import { LevelCursor } from '../iterator/level-cursor.ts';
import { MergingCursor } from '../iterator/merging-cursor.ts';
import { Memtable, type MemtableTransfer } from '../memtable/memtable.ts';
import { MemtableCursor } from '../memtable/memtable-cursor.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { Outputs, type OutputsInput } from './outputs.ts';
import { dropsAny, Sieve, type SieveInput } from './sieve.ts';

/** What jobs have in common. Inputs and outputs are plain data: they pass between threads. */
interface JobInput {
  readonly directory: string;
  readonly suffixBytes: number;
  readonly blockSizeBytes: number;
}

export interface FlushInput extends JobInput {
  readonly memtable: MemtableTransfer;
  readonly fileNumber: number;
}

export interface CompactInput extends OutputsInput {
  /** Each a list of tables that follow one another without overlap. */
  readonly runs: readonly (readonly TableMeta[])[];
  /** Without one every entry stays. */
  readonly sieve: SieveInput | undefined;
}

export interface RewriteInput extends OutputsInput {
  /** Without overlap and in key order. */
  readonly tables: readonly TableMeta[];
  readonly sieve: SieveInput;
}

export interface CompactOutput {
  /** In key order; none when everything was dropped. */
  readonly tables: readonly TableMeta[];
  readonly droppedEntries: number;
  /** Those that could not go only because they may hide something in a table outside the job. */
  readonly heldEntries: number;
}

/** Writes a frozen memtable as one table, durable when this resolves. Only the newest value of a key goes. */
export async function runFlush(vfs: Vfs, input: FlushInput): Promise<TableMeta> {
  const memtable = Memtable.fromTransfer(input.memtable);
  const cursor = new MemtableCursor(memtable, Number.MAX_SAFE_INTEGER);
  const [table] = await new Outputs(vfs, oneTable(input, input.fileNumber)).writeAll(cursor);
  assert(table !== undefined, 'a flush writes a table');
  return table;
}

/**
 * Merges tables into new ones, durable when this resolves. Of equal keys only the highest sequence number
 * stays: snapshots hold on to the tables they see, so none needs the others. Memory is bounded by a
 * read-ahead window for each run and one table's index and filter.
 */
export async function runCompact(vfs: Vfs, input: CompactInput): Promise<CompactOutput> {
  return withTables(vfs, input, input.runs, async (cursor) => {
    const sieve = input.sieve && (await Sieve.create(vfs, input, input.sieve));
    const tables = await new Outputs(vfs, input).writeAll(cursor(), sieve);
    return resultOf(tables, sieve);
  });
}

/**
 * Writes tables again without what the filter drops. When nothing is to be dropped it writes nothing, as
 * flash wears out by writing: then `droppedEntries` is 0 and there are no tables.
 */
export async function runRewrite(vfs: Vfs, input: RewriteInput): Promise<CompactOutput> {
  return withTables(vfs, input, [input.tables], async (cursor) => {
    const newSieve = () => Sieve.create(vfs, input, input.sieve);
    if (!(await dropsAny(cursor(), await newSieve()))) return resultOf([]);
    const sieve = await newSieve();
    const tables = await new Outputs(vfs, input).writeAll(cursor(), sieve);
    return resultOf(tables, sieve);
  });
}

function resultOf(tables: readonly TableMeta[], sieve?: Sieve): CompactOutput {
  const [droppedEntries, heldEntries] = [sieve?.droppedEntries ?? 0, sieve?.heldEntries ?? 0];
  return { tables, droppedEntries, heldEntries };
}

/** For a table that came from one memtable or one table: level 0 would get many out of one by cutting. */
export function oneTable(job: JobInput, fileNumber: number): OutputsInput {
  const { directory, suffixBytes, blockSizeBytes } = job;
  return {
    directory,
    suffixBytes,
    blockSizeBytes,
    firstFileNumber: fileNumber,
    fileNumberCount: 1,
    tableBytes: Number.POSITIVE_INFINITY,
    borders: [],
  };
}

/** Opens all tables, gives out cursors over them merged, and closes them. */
async function withTables<T>(
  vfs: Vfs,
  { directory }: { readonly directory: string },
  runs: readonly (readonly TableMeta[])[],
  use: (cursor: () => Cursor) => Promise<T>,
): Promise<T> {
  const readers = new Map<TableMeta, TableReader>();
  try {
    for (const table of runs.flat()) {
      readers.set(table, await TableReader.open(vfs, directory, table.fileNumber));
    }
    const open = (table: TableMeta) =>
      (readers.get(table) as TableReader).scanCursor(READ_AHEAD_BYTES);
    return await use(() => new MergingCursor(runs.map((tables) => new LevelCursor(tables, open))));
  } finally {
    for (const reader of readers.values()) await reader.close();
  }
}

const READ_AHEAD_BYTES = 256 * 1024;
